"""Where a wanted visit would fit: its length, buffers, room and equipment, and every rule that refuses it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from clinic.actor import Actor
from clinic.database import locks
from clinic.database import scheduling as sql
from clinic.exceptions import RuleBroken
from clinic.models import Appointment, Equipment, Location, Patient, Practitioner, Room, Service
from clinic.services.scheduling import clock, facts, slots
from clinic.services.scheduling.intervals import covers, merged
from clinic.services.scheduling.resources import Resources, Window

LONGEST = timedelta(hours=24)
OFFERED = 3
# Beyond these a date is a slip of the hand, and clocks of zones are not to be computed.
FIRST_YEAR, LAST_YEAR = 1900, 2199


class Lost(Exception):  # noqa: N818  (no error: another choice follows)
    """What was chosen without a lock was taken meanwhile; choose again."""


@dataclass(frozen=True)
class Wish:
    """What somebody asks for. `end_at`, `room` and `equipment` None: as the service says, chosen here."""

    service: Service
    practitioner: Practitioner
    location: Location
    patient: Patient
    start_at: datetime
    end_at: datetime | None = None
    room: Room | None = None
    place: int | None = None
    equipment: tuple[int, ...] | None = None
    prefer_room: int | None = None
    exclude: int = 0


@dataclass(frozen=True)
class Plan:
    """Everything that the visit will keep busy."""

    start_at: datetime
    end_at: datetime
    busy_from: datetime
    busy_until: datetime
    room_id: int | None
    place: int
    equipment_ids: tuple[int, ...]
    price: Decimal
    accepted: tuple[str, ...]

    def lock_keys(self, wish: Wish) -> list[int]:
        keys = [
            locks.key(locks.PRACTITIONER, wish.practitioner.pk),
            locks.key(locks.PATIENT, wish.patient.pk),
            *(locks.key(locks.EQUIPMENT, id_) for id_ in self.equipment_ids),
        ]
        if self.room_id:
            keys.append(locks.key(locks.ROOM, self.room_id))
        return keys


def binds(by: Actor) -> bool:
    """Notice, horizon and windows bind patients and programs; staff go on."""
    return by.kind in ("patient", "api")


def make(wish: Wish, *, by: Actor, accept: Collection[str] = (), at: datetime | None = None) -> Plan:
    """The plan for a wish, or the first rule that refuses it. Two queries, no lock: `check` repeats what can change.

    `accept` holds the codes of soft refusals that somebody with their permission has accepted.
    """
    at = at or timezone.now()
    _refuse_nonsense(wish)
    first_on = clock.local_day(wish.location.time_zone, wish.start_at)
    known = facts.load(
        wish.service.pk,
        first_on,
        first_on + timedelta(days=1),
        practitioners=[wish.practitioner.pk],
        locations=[wish.location.pk],
    )
    _refuse_retired(wish, known)
    offer = known.offers[wish.practitioner.pk]
    end_at = wish.end_at or wish.start_at + timedelta(minutes=offer.minutes)
    before, after = (timedelta(minutes=known.service[name]) for name in ("before", "after"))
    busy_from, busy_until = wish.start_at - before, end_at + after
    if busy_until - busy_from > LONGEST:
        raise RuleBroken("too_long", _("A visit lasts at most a day, buffers included."), field="end_at")

    accepted = []
    for code, refusal in (
        ("past", _past(wish, by, at)),
        ("notice", _notice(wish, known, by, at)),
        ("outside_hours", _outside(wish, known, by, end_at)),
    ):
        if refusal is None:
            continue
        if code not in accept or not refusal.acceptable:
            refusal.alternatives = alternatives(wish, by=by, at=at) if code != "past" else ()
            raise refusal
        accepted.append(code)

    known.load_busy(at=at, patient_id=wish.patient.pk, exclude=wish.exclude, rooms=[wish.room.pk] if wish.room else ())
    room_id, place, equipment_ids, missing = _choose(wish, known, before, end_at, after)
    if missing and "overlap" not in accept:
        raise _refusal("overlap", missing, wish, by=by, at=at)
    return Plan(
        wish.start_at, end_at, busy_from, busy_until, room_id, place, equipment_ids, offer.price, tuple(accepted)
    )


def check(
    wish: Wish, plan: Plan, *, by: Actor, accept: Collection[str], at: datetime, retry_is_vain: bool = False
) -> bool:
    """Under the locks: is all of it still free? Returns whether the visit overlaps deliberately. One query.

    Raises Lost where only what was chosen automatically is gone, RuleBroken where the wish itself clashes.
    """
    rows = sql.read_busy(
        practitioners=[wish.practitioner.pk],
        rooms=[plan.room_id] if plan.room_id else [],
        equipment=list(plan.equipment_ids),
        patient=wish.patient.pk,
        exclude=wish.exclude,
        now=at,
        **{"from": plan.busy_from, "until": plan.busy_until},
    )
    start, end = plan.start_at.timestamp(), plan.end_at.timestamp()
    clashes = []
    for what, id_, place, since, until in rows:
        if what == "inactive":
            raise _retired("patient", wish.patient)
        if what == "room" and place != plan.place:
            continue
        # The patient's busy time is bare: the window asked for had the buffers.
        if what == "patient" and (since >= end or until <= start):
            continue
        clashes.append((what, id_, since, until))
    if not clashes:
        return False
    if "overlap" in accept:
        return True
    if not retry_is_vain and all(what in _chosen_by_us(wish) for what, *_rest in clashes):
        raise Lost
    raise _refusal("overlap", _clash(wish, *clashes[0]), wish, by=by, at=at)


def _clash(wish: Wish, what: str, id_: int, since: int, until: int) -> tuple[str, str]:
    """(field, sentence) for a clash: what is busy and when, never with whom."""
    zone = wish.location.zone
    names = {
        "from": formats.time_format(clock.as_datetime(since).astimezone(zone), "H:i"),
        "until": formats.time_format(clock.as_datetime(until).astimezone(zone), "H:i"),
    }
    if what == "practitioner":
        return "start_at", _("%(who)s is busy from %(from)s to %(until)s.") % {"who": wish.practitioner, **names}
    if what == "patient":
        return "patient", _("%(who)s has another visit from %(from)s to %(until)s.") % {"who": wish.patient, **names}
    if what == "room":
        room = wish.room or Room.objects.get(pk=id_)
        return "room", _("%(room)s is taken from %(from)s to %(until)s.") % {"room": room, **names}
    unit = Equipment.objects.get(pk=id_)
    return "start_at", _("%(unit)s is in use from %(from)s to %(until)s.") % {"unit": unit, **names}


def _refusal(code: str, found: tuple[str, str], wish: Wish, *, by: Actor, at: datetime) -> RuleBroken:
    field, message = found
    return RuleBroken(
        code, message, acceptable=not binds(by), field=field, alternatives=alternatives(wish, by=by, at=at)
    )


def alternatives(wish: Wish, *, by: Actor, at: datetime) -> list[slots.Slot]:
    """The three free times nearest to the wish, with the same practitioner at the same place, within two weeks."""
    today = clock.local_day(wish.location.time_zone, at)
    day = clock.local_day(wish.location.time_zone, wish.start_at)
    found = slots.free(
        wish.service.pk,
        first_on=max(today, day - timedelta(days=3)),
        last_on=max(today, day) + timedelta(days=11),
        practitioners=[wish.practitioner.pk],
        locations=[wish.location.pk],
        patient_id=wish.patient.pk,
        exclude=wish.exclude,
        minutes=int((wish.end_at - wish.start_at).total_seconds() // 60) if wish.end_at else None,
        binding=binds(by),
        at=at,
    )
    nearest = sorted(found, key=lambda slot: abs(slot.start_at - wish.start_at))[:OFFERED]
    return sorted(nearest, key=lambda slot: slot.start_at)


def as_it_was(appointment: Appointment) -> tuple[Wish, Plan]:
    """The wish and the plan that a visit stands for, with its own room and equipment."""
    equipment = tuple(appointment.equipment_uses.values_list("equipment_id", flat=True))
    wish = Wish(
        service=appointment.service,
        practitioner=appointment.practitioner,
        location=appointment.location,
        patient=appointment.patient,
        start_at=appointment.start_at,
        end_at=appointment.end_at,
        room=appointment.room,
        place=appointment.place,
        equipment=equipment,
        exclude=appointment.pk,
    )
    plan = Plan(
        start_at=appointment.start_at,
        end_at=appointment.end_at,
        busy_from=appointment.busy_from,
        busy_until=appointment.busy_until,
        room_id=appointment.room_id,
        place=appointment.place,
        equipment_ids=equipment,
        price=appointment.price_quoted,
        accepted=(),
    )
    return wish, plan


def refuse_retired(wish: Wish) -> None:
    """Refuse what is inactive by now, as the wish's own instances say."""
    for field in ("patient", "practitioner", "service", "location", "room"):
        subject = getattr(wish, field)
        if subject is not None and not subject.active:
            raise _retired(field, subject)
    unit = Equipment.objects.filter(pk__in=wish.equipment or (), active=False).first()
    if unit is not None:
        raise _retired("", unit)


def _chosen_by_us(wish: Wish) -> set[str]:
    """What the wish left open, so that another choice may do."""
    chosen = set()
    if wish.room is None or not wish.place:
        chosen.add("room")
    if wish.equipment is None:
        chosen.add("equipment")
    return chosen


def _refuse_nonsense(wish: Wish) -> None:
    if not FIRST_YEAR <= wish.start_at.year <= LAST_YEAR or (wish.end_at and wish.end_at.year > LAST_YEAR):
        raise RuleBroken("impossible_day", _("This day is hardly meant."), field="start_at")
    if wish.end_at is not None and wish.end_at <= wish.start_at:
        raise RuleBroken("end_before_start", _("The end must come after the start."), field="end_at")
    if wish.room is not None and wish.room.location_id != wish.location.pk:
        raise RuleBroken(
            "room_elsewhere",
            _("%(room)s is not at %(location)s.") % {"room": wish.room, "location": wish.location},
            field="room",
        )


def _retired(field: str, subject) -> RuleBroken:
    return RuleBroken(
        "inactive", _("%(subject)s is inactive and cannot be booked.") % {"subject": subject}, field=field
    )


def _refuse_retired(wish: Wish, known: facts.Facts) -> None:
    """The facts hold active rows only, read now: what the form loaded may be old."""
    if not wish.patient.active:
        raise _retired("patient", wish.patient)
    if not known.service["active"]:
        raise _retired("service", wish.service)
    if wish.location.pk not in known.sites:
        raise _retired("location", wish.location)
    if wish.room is not None and not wish.room.active:
        raise _retired("room", wish.room)
    if wish.practitioner.pk not in known.offers:
        if not Practitioner.objects.filter(pk=wish.practitioner.pk, active=True).exists():
            raise _retired("practitioner", wish.practitioner)
        raise RuleBroken(
            "not_offered",
            _("%(who)s does not offer %(service)s.") % {"who": wish.practitioner, "service": wish.service},
            field="practitioner",
        )


def _past(wish: Wish, by: Actor, at: datetime) -> RuleBroken | None:
    if wish.start_at >= at:
        return None
    return RuleBroken("past", _("This time has passed."), acceptable=not binds(by), field="start_at")


def _notice(wish: Wish, known: facts.Facts, by: Actor, at: datetime) -> RuleBroken | None:
    if not binds(by):
        return None
    site = known.sites[wish.location.pk]
    if not known.service["online"] or not known.offers[wish.practitioner.pk].online:
        return RuleBroken("not_online", _("This cannot be booked online. Please call the clinic."))
    if wish.start_at < at + timedelta(minutes=site.notice):
        return RuleBroken("notice", _("This is too soon to book online. Please call the clinic."), field="start_at")
    if wish.start_at > at + timedelta(days=site.horizon):
        return RuleBroken("horizon", _("This is further ahead than can be booked."), field="start_at")
    return None


def _outside(wish: Wish, known: facts.Facts, by: Actor, end_at: datetime) -> RuleBroken | None:
    site = known.sites[wish.location.pk]
    days = (known.first_on, known.last_on)
    start, end = int(wish.start_at.timestamp()), int(end_at.timestamp())
    opened = merged(stretch for day in days for stretch in known.open_hours(site, day))
    worked = merged(stretch for day in days for stretch in known.working_hours(wish.practitioner.pk, site, day))
    if covers(worked, start, end):
        return None
    if not covers(opened, start, end):
        message = _("%(location)s is closed then.") % {"location": wish.location}
    else:
        message = _("%(who)s does not work at %(location)s then.") % {
            "who": wish.practitioner,
            "location": wish.location,
        }
    return RuleBroken("outside_hours", message, acceptable=not binds(by), field="start_at")


def _choose(
    wish: Wish, known: facts.Facts, before: timedelta, end_at: datetime, after: timedelta
) -> tuple[int | None, int, tuple[int, ...], tuple[str, str] | None]:
    """Room, place, equipment, and (field, sentence) for what is missing: then the first that suits stands there."""
    lengths = (int(span.total_seconds()) for span in (end_at - wish.start_at, before, after))
    window = Window(int(wish.start_at.timestamp()), *lengths)
    resources = Resources(known, known.sites[wish.location.pk])
    room_id, place, missing = _choose_room(wish, resources, window)
    if wish.equipment is not None:
        return room_id, place, tuple(wish.equipment), missing
    if not all(resources.units):
        raise RuleBroken(
            "no_equipment",
            _("%(location)s lacks equipment that %(service)s needs.")
            % {"location": wish.location, "service": wish.service},
            field="location",
        )
    equipment = resources.equipment(window)
    if equipment is None:
        missing = missing or (
            "start_at",
            _("The equipment for %(service)s is in use then.") % {"service": wish.service},
        )
        equipment = tuple(units[0] for units in resources.units)
    return room_id, place, equipment, missing


def _choose_room(wish: Wish, resources: Resources, window: Window) -> tuple[int | None, int, tuple[str, str] | None]:
    if wish.room is not None:
        places = [wish.place] if wish.place else range(1, wish.room.places + 1)
        free = next((place for place in places if resources.is_free("room", wish.room.pk, place, window)), None)
        missing = None if free else ("room", _("%(room)s is not free then.") % {"room": wish.room})
        return wish.room.pk, free or wish.place or 1, missing
    if not resources.needs_room:
        return None, 1, None
    if not resources.rooms:
        raise RuleBroken(
            "no_room",
            _("%(location)s has no room for %(service)s.") % {"location": wish.location, "service": wish.service},
            field="location",
        )
    found = resources.room(window, wish.prefer_room)
    if found is None:
        return *resources.rooms[0], ("start_at", _("No room for %(service)s is free then.") % {"service": wish.service})
    return *found, None
