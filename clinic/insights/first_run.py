"""What a new clinic still lacks before it can take its first booking. Reads only; one look once there was a visit."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from clinic.models import (
    Appointment,
    Equipment,
    Location,
    Offering,
    OpeningHours,
    Practitioner,
    Room,
    Service,
    ServiceCategory,
    WorkingHours,
)


@dataclass(frozen=True)
class Start:
    """What is there already, and the keys of who or what to go on with (None: nobody yet, or nothing lacks)."""

    opening_hours: bool
    category: bool
    service: bool
    practitioner: bool
    offering: bool
    working_hours: bool
    # A room and equipment for a service, where somebody who offers it works.
    resources: bool
    unopened: int | None
    offers_nothing: int | None
    has_no_hours: int | None


def start() -> Start | None:
    """How far the set-up is, or None where a first booking can be taken, or was."""
    if Appointment.objects.exists() or _hours().filter(Exists(_fitting())).exists():
        return None
    places, people = Location.objects.active(), Practitioner.objects.active().order_by("pk")
    unopened = places.exclude(pk__in=OpeningHours.objects.values("location"))
    offers = Offering.objects.filter(practitioner__active=True, service__active=True).values("practitioner")
    at_work = _hours().values("practitioner")
    wanting = Service.objects.active().filter(Exists(_rooms_lacking()) | Exists(_units_lacking()))
    served = Service.objects.active().exists()
    offered, works = offers.exists(), _hours().filter(practitioner__in=offers).exists()
    return Start(
        opening_hours=OpeningHours.objects.filter(location__active=True).exists(),
        category=ServiceCategory.objects.exists(),
        service=served,
        practitioner=people.exists(),
        offering=offered,
        working_hours=works,
        # Where all the rest is there and yet nothing fits, it is these.
        resources=not (offered and works) and not wanting.exists() and (served or Room.objects.active().exists()),
        unopened=_first(unopened.order_by("pk")),
        offers_nothing=_first(people.exclude(pk__in=offers)),
        has_no_hours=_first(people.filter(pk__in=offers).exclude(pk__in=at_work)),
    )


def _first(rows) -> int | None:
    return rows.values_list("pk", flat=True).first()


def _hours():
    """Weekly hours that are not over, of active people at active locations that open at all."""
    return WorkingHours.objects.filter(
        Q(valid_until=None) | Q(valid_until__gte=timezone.localdate()),
        Exists(OpeningHours.objects.filter(location=OuterRef("location"))),
        practitioner__active=True,
        location__active=True,
    ).order_by()


def _fitting():
    """Of a row of hours: what its practitioner offers and the location has rooms and equipment for."""
    here = OuterRef(OuterRef("location"))
    rooms = Room.objects.active().filter(location=here, kind__services=OuterRef("service"))
    units = Equipment.objects.active().filter(kind=OuterRef("equipmentkind"), location=OuterRef(here))
    wanted = Service.equipment_kinds.through.objects.filter(service=OuterRef("service"))
    return Offering.objects.filter(
        ~Exists(Service.room_kinds.through.objects.filter(service=OuterRef("service"))) | Exists(rooms),
        ~Exists(wanted.filter(~Exists(units))),
        practitioner=OuterRef("practitioner"),
        service__active=True,
    )


def _rooms_lacking():
    """Of a service: it wants a room, and there is none of its kinds anywhere."""
    there = Room.objects.active().filter(kind__services=OuterRef("service"))
    return Service.room_kinds.through.objects.filter(~Exists(there), service=OuterRef("pk"))


def _units_lacking():
    there = Equipment.objects.active().filter(kind=OuterRef("equipmentkind"))
    return Service.equipment_kinds.through.objects.filter(~Exists(there), service=OuterRef("pk"))
