"""Where a wanted visit would fit: its length, buffers, room and equipment, and every rule that refuses it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.actor import Actor
from clinic.database import scheduling as sql
from clinic.exceptions import RuleBroken
from clinic.models import Appointment, Equipment, Practitioner, Room
from clinic.services.scheduling import clashes, clock, facts, slots
from clinic.services.scheduling.clashes import Obstacle
from clinic.services.scheduling.intervals import covers, merged
from clinic.services.scheduling.resources import Resources, Window
from clinic.services.scheduling.wishes import Plan, Wish

LONGEST = timedelta(hours=24)
OFFERED = 3
# Beyond these a date is a slip of the hand, and clocks of zones are not to be computed.
FIRST_YEAR, LAST_YEAR = 1900, 2199


class Lost(Exception):  # noqa: N818  (no error: another choice follows)
    """What was chosen without a lock was taken meanwhile; choose again."""


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
    if missing and not _may_overlap(accept, by):
        # Who is busy anyway should be told at once, not after another room is found.
        people = clashes.of_people(wish, known.busy, busy_from=busy_from, end_at=end_at, busy_until=busy_until)
        raise _overlap([*clashes.named(wish, people), *missing], wish, by=by, at=at)
    return Plan(
        wish.start_at, end_at, busy_from, busy_until, room_id, place, equipment_ids, offer.price, tuple(accepted)
    )


def check(
    wish: Wish,
    plan: Plan,
    *,
    by: Actor,
    accept: Collection[str],
    at: datetime,
    retry_is_vain: bool = False,
    retired: bool = False,
) -> bool:
    """Under the locks: is all of it still active and free? Returns whether the visit overlaps deliberately. One query.

    `retired` lets a visit that took place keep what was deactivated since. Raises Lost where only what was chosen
    automatically is gone, RuleBroken where the wish itself clashes.
    """
    rows = sql.read_under_locks(
        service=wish.service.pk,
        location=wish.location.pk,
        practitioners=[wish.practitioner.pk],
        rooms=[plan.room_id] if plan.room_id else [],
        equipment=list(plan.equipment_ids),
        patient=wish.patient.pk,
        exclude=wish.exclude,
        now=at,
        **{"from": plan.busy_from, "until": plan.busy_until},
    )
    inactive = [(what.removeprefix(sql.INACTIVE), id_) for what, id_, *_ in rows if what.startswith(sql.INACTIVE)]
    found = clashes.of_plan(wish, plan, (row for row in rows if not row[0].startswith(sql.INACTIVE)))
    lost = [what for what, _id in ([] if retired else inactive)]
    if not _may_overlap(accept, by):
        lost += [clash.what for clash in found]
    if lost and not retry_is_vain and wish.left_open.issuperset(lost):
        raise Lost
    if inactive and not retired:
        raise _retired(*_subject(wish, *inactive[0]))
    if found and not _may_overlap(accept, by):
        raise _overlap(clashes.named(wish, found), wish, by=by, at=at)
    return bool(found)


def _may_overlap(accept: Collection[str], by: Actor) -> bool:
    return "overlap" in accept and not binds(by)


def _overlap(found: list[Obstacle], wish: Wish, *, by: Actor, at: datetime) -> RuleBroken:
    """All that clashes, in one refusal: it stands beside the input of the first."""
    return RuleBroken(
        "overlap",
        " ".join(obstacle.sentence for obstacle in found),
        acceptable=not binds(by),
        field=found[0].field,
        alternatives=alternatives(wish, by=by, at=at),
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


def _retired(field: str, subject: Model) -> RuleBroken:
    return RuleBroken(
        "inactive", _("%(subject)s is inactive and cannot be booked.") % {"subject": subject}, field=field
    )


def _subject(wish: Wish, what: str, id_: int) -> tuple[str, Model]:
    """(field, record) for what turned inactive meanwhile."""
    if what == "equipment":
        return "", Equipment.objects.get(pk=id_)
    return what, getattr(wish, what) or Room.objects.get(pk=id_)


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
        holiday = known.holiday(site, known.first_on)
        sentence = _("%(location)s is closed: %(holiday)s.") if holiday else _("%(location)s is closed then.")
        message = sentence % {"location": wish.location, "holiday": holiday}
    else:
        message = _("%(who)s does not work at %(location)s then.") % {
            "who": wish.practitioner,
            "location": wish.location,
        }
    return RuleBroken("outside_hours", message, acceptable=not binds(by), field="start_at")


def _choose(
    wish: Wish, known: facts.Facts, before: timedelta, end_at: datetime, after: timedelta
) -> tuple[int | None, int, tuple[int, ...], list[Obstacle]]:
    """Room, place, equipment, and what is missing: then the first that suits stands there."""
    lengths = (int(span.total_seconds()) for span in (end_at - wish.start_at, before, after))
    window = Window(int(wish.start_at.timestamp()), *lengths)
    resources = Resources(known, known.sites[wish.location.pk])
    room_id, place, missing = _choose_room(wish, resources, window)
    if wish.equipment is not None:
        return room_id, place, wish.equipment, missing
    if not all(resources.units):
        raise RuleBroken(
            "no_equipment",
            _("%(location)s lacks equipment that %(service)s needs.")
            % {"location": wish.location, "service": wish.service},
            field="location",
        )
    equipment = resources.equipment(window)
    if equipment is None:
        sentence = _("The equipment for %(service)s is in use then.") % {"service": wish.service}
        missing.append(Obstacle("start_at", sentence))
        equipment = tuple(units[0] for units in resources.units)
    return room_id, place, equipment, missing


def _choose_room(wish: Wish, resources: Resources, window: Window) -> tuple[int | None, int, list[Obstacle]]:
    if wish.room is not None:
        places = [wish.place] if wish.place else range(1, wish.room.places + 1)
        free = next((place for place in places if resources.is_free("room", wish.room.pk, place, window)), None)
        missing = [] if free else [Obstacle("room", _("%(room)s is not free then.") % {"room": wish.room})]
        return wish.room.pk, free or wish.place or 1, missing
    if not resources.needs_room:
        return None, 1, []
    if not resources.rooms:
        raise RuleBroken(
            "no_room",
            _("%(location)s has no room for %(service)s.") % {"location": wish.location, "service": wish.service},
            field="location",
        )
    found = resources.room(window, wish.prefer_room)
    if found is None:
        sentence = _("No room for %(service)s is free then.") % {"service": wish.service}
        return *resources.rooms[0], [Obstacle("start_at", sentence)]
    return *found, []
