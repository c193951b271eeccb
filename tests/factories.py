"""Rows for tests: one plain function per model, every default overridable, nothing shared behind the test's back."""

import datetime as dt
import functools
import itertools
import zoneinfo
from decimal import Decimal

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.utils import timezone

from clinic.models import (
    Appointment,
    Equipment,
    EquipmentKind,
    EquipmentUse,
    Location,
    Offering,
    OpeningHours,
    Organization,
    Patient,
    Practitioner,
    ReferringDoctor,
    Room,
    RoomKind,
    Service,
    ServiceCategory,
    Specialisation,
    TimeOff,
    User,
    WorkingHours,
)

PASSWORD = "correct horse battery"
ROME = zoneinfo.ZoneInfo("Europe/Rome")

_serial = itertools.count(1)


@functools.cache
def password_hash():
    """One hash for everybody: hashing is slow on purpose."""
    return make_password(PASSWORD)


def moment(day: dt.date, clock: str, zone=ROME) -> dt.datetime:
    """The aware moment of a wall clock: moment(date(2026, 11, 23), "09:30")."""
    return dt.datetime.combine(day, dt.time.fromisoformat(clock), tzinfo=zone)


def monday(weeks: int = 1) -> dt.date:
    """The Monday that many weeks after the current one."""
    today = timezone.localdate()
    return today - dt.timedelta(days=today.weekday()) + dt.timedelta(weeks=weeks)


def make_organization(**over):
    return Organization.objects.create(**{"name": f"Clinic {next(_serial)} srl", **over})


def make_location(**over):
    organization = over.pop("organization", None) or make_organization()
    return Location.objects.create(
        **{
            "organization": organization,
            "name": f"Location {next(_serial)}",
            "time_zone": "Europe/Rome",
            # Tests mean the same on every day of the year.
            "close_on_holidays": False,
            **over,
        }
    )


def make_opening_hours(location, *, weekdays=range(7), starts="08:00", ends="20:00", **over):
    """The same hours on each of these weekdays (0 is Monday)."""
    return [
        OpeningHours.objects.create(location=location, weekday=day, starts=_clock(starts), ends=_clock(ends), **over)
        for day in weekdays
    ]


def make_room_kind(**over):
    return RoomKind.objects.create(**{"name": f"Kind of room {next(_serial)}", **over})


def make_room(**over):
    location = over.pop("location", None) or make_location()
    kind = over.pop("kind", None) or make_room_kind()
    return Room.objects.create(**{"location": location, "kind": kind, "name": f"Room {next(_serial)}", **over})


def make_equipment_kind(**over):
    return EquipmentKind.objects.create(**{"name": f"Kind of equipment {next(_serial)}", **over})


def make_equipment(**over):
    location = over.pop("location", None) or make_location()
    kind = over.pop("kind", None) or make_equipment_kind()
    return Equipment.objects.create(**{"location": location, "kind": kind, "name": f"Unit {next(_serial)}", **over})


def make_user(role="receptionist", **over):
    """A member of staff with this role (a name of permissions.ROLES), several, or None for none."""
    number = next(_serial)
    locations = over.pop("locations", ())
    user = User(
        **{
            "email": f"staff{number}@clinic.test",
            "given_name": "Given",
            "family_name": f"Family{number}",
            "password": password_hash(),
            **over,
        }
    )
    user.save()
    roles = [role] if isinstance(role, str) else list(role or ())
    if roles:
        groups = list(Group.objects.filter(name__in=roles))
        assert len(groups) == len(roles), f"unknown role among {roles}"
        user.groups.set(groups)
    if locations:
        user.locations.set(locations)
    return user


def make_referring_doctor(**over):
    return ReferringDoctor.objects.create(**{"family_name": f"Doctor {next(_serial)}", **over})


def make_specialisation(**over):
    return Specialisation.objects.create(**{"name": f"Specialisation {next(_serial)}", **over})


def make_practitioner(*, locations=(), services=(), **over):
    """Without a sign-in unless `user` is given; offers `services`."""
    number = next(_serial)
    practitioner = Practitioner.objects.create(
        **{
            "given_name": "Prac",
            "family_name": f"Titioner{number}",
            "profession": "Physiotherapist",
            **over,
        }
    )
    if locations:
        practitioner.locations.set(locations)
    for service in services:
        make_offering(practitioner=practitioner, service=service)
    return practitioner


def make_working_hours(practitioner, location, *, weekdays=range(5), starts="09:00", ends="18:00", **over):
    return [
        WorkingHours.objects.create(
            practitioner=practitioner,
            location=location,
            weekday=day,
            starts=_clock(starts),
            ends=_clock(ends),
            **over,
        )
        for day in weekdays
    ]


def make_time_off(**over):
    """Of the practitioner, room, equipment or location that is given; tomorrow, all day."""
    start = moment(timezone.localdate() + dt.timedelta(days=1), "00:00")
    return TimeOff.objects.create(**{"start_at": start, "end_at": start + dt.timedelta(days=1), **over})


def make_category(**over):
    return ServiceCategory.objects.create(**{"name": {"en": f"Category {next(_serial)}"}, **over})


def make_service(*, room_kinds=(), equipment_kinds=(), **over):
    """30 minutes, 40.00, no buffers, no room, no equipment."""
    category = over.pop("category", None) or make_category()
    price = Decimal(over.pop("price", "40.00"))
    service = Service.objects.create(
        **{"name": {"en": f"Service {next(_serial)}"}, "category": category, "minutes": 30, "price": price, **over}
    )
    if room_kinds:
        service.room_kinds.set(room_kinds)
    if equipment_kinds:
        service.equipment_kinds.set(equipment_kinds)
    return service


def make_offering(**over):
    practitioner = over.pop("practitioner", None) or make_practitioner()
    service = over.pop("service", None) or make_service()
    return Offering.objects.create(practitioner=practitioner, service=service, **over)


def make_patient(**over):
    number = next(_serial)
    patient = Patient.objects.create(
        **{
            "given_name": "Pat",
            "family_name": f"Ient{number}",
            "birth_on": dt.date(1980, 1, 1) + dt.timedelta(days=number),
            "email": f"patient{number}@example.test",
            "mobile": f"+39333{number:07d}",
            **over,
        }
    )
    # `number` and `search` are the database's.
    patient.refresh_from_db()
    return patient


def make_appointment(*, equipment=(), minutes=None, **over):
    """A row written directly, past every service: for tests of lists and reads.

    Starts on full hours from tomorrow on, each call an hour later, so that rows of one practitioner do not clash.
    """
    service = over.pop("service", None) or make_service()
    location = over.pop("location", None) or make_location()
    practitioner = over.pop("practitioner", None) or make_practitioner(locations=[location], services=[service])
    patient = over.pop("patient", None) or make_patient()
    full_hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    start = over.pop("start_at", None) or full_hour + dt.timedelta(hours=24 + next(_serial))
    end = over.pop("end_at", None) or start + dt.timedelta(minutes=minutes or service.minutes)
    status = over.get("status", Appointment.Status.SCHEDULED)
    appointment = Appointment.objects.create(
        **{
            "service": service,
            "practitioner": practitioner,
            "location": location,
            "patient": patient,
            "start_at": start,
            "end_at": end,
            "busy_from": start - dt.timedelta(minutes=service.buffer_before),
            "busy_until": end + dt.timedelta(minutes=service.buffer_after),
            "zone": location.time_zone,
            "price_quoted": service.price,
            "cancelled_by": "clinic" if status == Appointment.Status.CANCELLED else "",
            **_clock_in(status, start, end),
            **over,
        }
    )
    appointment.refresh_from_db()
    for unit in equipment:
        make_equipment_use(appointment, unit)
    return appointment


def make_equipment_use(appointment, equipment):
    return EquipmentUse.objects.create(
        appointment=appointment,
        equipment=equipment,
        busy_from=appointment.busy_from,
        busy_until=appointment.busy_until,
        holds=appointment.holds,
    )


def _clock_in(status, start, end):
    """When the patient came, the visit began and ended, as far as the status says so."""
    reached = {"arrived": 1, "in_session": 2, "completed": 3}.get(str(status), 0)
    return dict(list({"arrived_at": start, "started_at": start, "ended_at": end}.items())[:reached])


def _clock(text):
    return dt.time.fromisoformat(text) if isinstance(text, str) else text
