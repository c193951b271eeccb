"""Deactivating and reactivating records of every domain: what is booked stays, what is chosen from now on changes."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.actor import Actor
from clinic.database import locks
from clinic.exceptions import RuleBroken
from clinic.models import Appointment, Equipment, Location, Organization, Patient, Practitioner, Room, Service
from clinic.models.base import Retirable

# How an upcoming visit refers to what is being deactivated.
_VISITS = {
    Equipment: "equipment_uses__equipment",
    Location: "location",
    Patient: "patient",
    Practitioner: "practitioner",
    Room: "room",
    Service: "service",
}


_LOCKS = {
    Equipment: locks.EQUIPMENT,
    Location: locks.LOCATION,
    Patient: locks.PATIENT,
    Practitioner: locks.PRACTITIONER,
    Room: locks.ROOM,
    Service: locks.SERVICE,
}


def wait_for_bookings(record: Retirable) -> None:
    """Let bookings in flight finish, so that they are counted, and let none begin before this transaction ends.

    Before the record's row is locked: a booking refers to that row when it commits, and would wait for us in turn.
    """
    if type(record) in _LOCKS:
        locks.take([locks.key(_LOCKS[type(record)], record.pk)])


def upcoming_visits(record: Retirable):
    """Visits still to come that use this record."""
    path = _VISITS.get(type(record))
    if path is None:
        return Appointment.objects.none()
    return Appointment.objects.upcoming().filter(**{path: record})


def deactivate(record: Retirable, *, by: Actor, accept=frozenset(), reason: str = "") -> Retirable:
    """Nobody can choose it any more; its past and its visits stay.

    Refused: `future_visits` (acceptable) while visits are still to come; `active_locations` for a legal entity whose
    locations are open.
    """
    with transaction.atomic():
        wait_for_bookings(record)
        record = type(record)._default_manager.select_for_update(of=("self",)).get(pk=record.pk)
        if not record.active:
            return record
        check_deactivation(record, accept=accept)
        record.active = False
        record._change_reason = reason[:100] or None
        record.save(update_fields=["active"])
    return record


def check_deactivation(record: Retirable, *, accept=frozenset()) -> None:
    """Raise what stands in the way of deactivating `record`."""
    if isinstance(record, Organization) and record.locations.active().exists():
        raise RuleBroken("active_locations", _("Deactivate the locations of this legal entity first."))
    if "future_visits" in accept:
        return
    count = upcoming_visits(record).count()
    if count:
        sentence = ngettext(
            "%d visit is still to come; it stays booked until somebody moves or cancels it.",
            "%d visits are still to come; they stay booked until somebody moves or cancels them.",
            count,
        )
        raise RuleBroken("future_visits", sentence % count, acceptable=True)


def reactivate(record: Retirable, *, by: Actor) -> Retirable:
    """It can be chosen again. Refused: `deceased`, `merged` for patients who are."""
    with transaction.atomic():
        record = type(record)._default_manager.select_for_update(of=("self",)).get(pk=record.pk)
        if record.active:
            return record
        if isinstance(record, Patient) and record.deceased_on:
            raise RuleBroken("deceased", _("A deceased patient is inactive."))
        if isinstance(record, Patient) and record.merged_into_id:
            raise RuleBroken("merged", _("This record was merged into another one."))
        record.active = True
        record.save(update_fields=["active"])
    return record
