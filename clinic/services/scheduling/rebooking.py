"""Visits that lie where nobody would be: found, explained, proposed another time for, or kept on purpose.

A visit to come is displaced when the practitioner's hours at its location do not hold all of it (time off, closures
and public holidays are taken out of them, as for booking), or when its room or equipment is off; unless somebody has
accepted just that (`accepted` holds outside_hours). Hours become stretches by the code that books. One statement goes
through the index of open visits from now on and looks each visit up in the stretches of its practitioner: its cost
follows what is planned, never what has been.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from clinic.actor import Actor
from clinic.database import rebooking as sql
from clinic.exceptions import RuleBroken
from clinic.models import Appointment, DayException, TimeOff
from clinic.services.scheduling import clock, facts, slots
from clinic.services.scheduling.booking import note
from clinic.services.scheduling.facts import Facts, Site
from clinic.services.scheduling.intervals import Stretch, covers, merged
from clinic.services.scheduling.slots import Slot

PROPOSED = 3
# Longer worklists are compared by their beginning.
_READ = 1000
# Proposals lie in the first of these weeks that have any.
_SEARCHED = (timedelta(days=13), timedelta(days=41))


@dataclass
class Worklist:
    """One page: ids by their start, the number of all, and the facts that explain them."""

    ids: list[int]
    total: int
    known: Facts
    sites: dict[int, Site] = field(default_factory=dict)


def worklist(
    *,
    practitioners: Iterable[int] | None = None,
    locations: Iterable[int] | None = None,
    first: int = 0,
    size: int = 10,
    at: datetime | None = None,
) -> Worklist:
    """`size` displaced visits from the `first` on. Two queries. None: everybody's, everywhere."""
    at = at or timezone.now()
    # The day before is today somewhere.
    today = at.astimezone(UTC).date() - timedelta(days=1)
    document = sql.read_timetable(now=at, first=today)
    last = clock.as_datetime(document["last"]).date() + timedelta(days=2) if document["last"] else today
    known = Facts(document, today, last)
    sites = {row[0]: Site(row[0], row[1], row[2], 0, 0, *row[5:]) for row in document["locations"]}
    wanted = set(practitioners) if practitioners is not None else None
    pairs = {(who, place) for who, place, *_rest in (*document["working"], *document["extra"])}
    days = facts.days(today, last)
    hours = {
        (who, place): merged(stretch for day in days for stretch in known.working_hours(who, sites[place], day))
        for who, place in pairs
        if wanted is None or who in wanted
    }
    asked = sql.Asked(practitioners=wanted, locations=locations, first=first, count=size)
    ids, total = sql.read_displaced(hours, asked, now=at)
    return Worklist(ids, total, known, sites)


def count(*, practitioners: Iterable[int] | None = None, locations: Iterable[int] | None = None) -> int:
    """How many visits wait for another time. Two queries."""
    return worklist(practitioners=practitioners, locations=locations, size=1).total


def displaced(*, practitioners: Iterable[int] | None = None, at: datetime | None = None) -> set[int]:
    """Keys of the visits that wait for another time, as far as anybody would read them. Two queries."""
    return set(worklist(practitioners=practitioners, size=_READ, at=at).ids)


def reasons(page: Worklist, visits: Sequence[Appointment], time_off=None) -> dict[int, str]:
    """Why each visit of a page is on it, in a sentence. Two queries, whatever the number of visits.

    `time_off` are the rows whose reasons may be told; all by default. Visits come with practitioner, location, room
    and their equipment uses read.
    """
    if not visits:
        return {}
    ends = max(visit.end_at for visit in visits)
    starts = min(visit.start_at for visit in visits)
    off = TimeOff.objects.all() if time_off is None else time_off
    units = {use.equipment_id for visit in visits for use in visit.equipment_uses.all()}
    off = off.filter(
        Q(practitioner__in={visit.practitioner_id for visit in visits})
        | Q(location__in={visit.location_id for visit in visits})
        | Q(room__in={visit.room_id for visit in visits if visit.room_id})
        | Q(equipment__in=units),
        start_at__lt=ends,
        end_at__gt=starts,
    ).select_related("practitioner", "room", "equipment", "location")
    days = {visit.local_start.date() for visit in visits}
    exceptions = DayException.objects.filter(location__in={visit.location_id for visit in visits}, on__in=days)
    told = _Told(list(off), {(row.location_id, row.on): row for row in exceptions}, page)
    return {visit.pk: told.why(visit) for visit in visits}


@dataclass
class _Told:
    off: list[TimeOff]
    exceptions: dict
    page: Worklist

    def why(self, visit: Appointment) -> str:
        site = self.page.sites.get(visit.location_id)
        names = {"location": visit.location, "who": visit.practitioner}
        for subject in (visit.location, visit.practitioner):
            if not subject.active:
                return _("%(subject)s is inactive.") % {"subject": subject}
        absence = self._off(visit, "location", {visit.location_id})
        if absence:
            return absence
        if site is not None and not self._holds(visit, site, self.page.known.open_hours):
            day = visit.start_at.astimezone(visit.location.zone).date()
            exception = self.exceptions.get((visit.location_id, day))
            celebrated = exception.reason if exception else self.page.known.holiday(site, day)
            sentence = _("%(location)s is closed: %(holiday)s.") if celebrated else _("%(location)s is closed then.")
            return sentence % {**names, "holiday": celebrated}
        units = {use.equipment_id for use in visit.equipment_uses.all()}
        for what, ids in (("practitioner", {visit.practitioner_id}), ("room", {visit.room_id}), ("equipment", units)):
            absence = self._off(visit, what, ids)
            if absence:
                return absence
        return _("%(who)s does not work at %(location)s then.") % names

    def _holds(self, visit: Appointment, site: Site, hours_of) -> bool:
        day = visit.start_at.astimezone(visit.location.zone).date()
        found: list[Stretch] = merged(stretch for n in range(2) for stretch in hours_of(site, day + timedelta(days=n)))
        return covers(found, int(visit.start_at.timestamp()), int(visit.end_at.timestamp()))

    def _off(self, visit: Appointment, what: str, ids: set) -> str:
        for row in self.off:
            meets = row.start_at < visit.end_at and row.end_at > visit.start_at
            if meets and getattr(row, f"{what}_id") in ids - {None}:
                until = formats.date_format(row.local_end, "j M, H:i")
                sentence = (
                    _("%(subject)s is off until %(until)s: %(reason)s.")
                    if row.reason
                    else _("%(subject)s is off until %(until)s.")
                )
                return sentence % {"subject": row.subject, "until": until, "reason": row.reason}
        return ""


def proposals(
    visits: Sequence[Appointment], *, practitioners: Sequence[int] | None = None, at: datetime | None = None
) -> dict[int, list[Slot]]:
    """Up to three times for each visit: with the same practitioner first, then another; at the same place first; then
    the nearest day and hour, each on another half day. At most four queries a visit.

    `practitioners` are those who may be proposed. What is proposed first to one visit is not proposed to the next.
    """
    at = at or timezone.now()
    found: dict[int, list[Slot]] = {}
    given: list[Slot] = []
    for visit in visits:
        found[visit.pk] = _proposed(visit, practitioners, given, at)
        given += found[visit.pk][:1]
    return found


def _proposed(visit: Appointment, practitioners, given: list[Slot], at: datetime) -> list[Slot]:
    day = max(clock.local_day(visit.zone, at), visit.local_start.date())
    first_on = day
    for reach in _SEARCHED:
        free = slots.free(
            visit.service_id,
            first_on=first_on,
            last_on=day + reach,
            practitioners=practitioners,
            patient_id=visit.patient_id,
            exclude=visit.pk,
            minutes=int((visit.end_at - visit.start_at).total_seconds() // 60),
            at=at,
        )
        free = [slot for slot in free if not any(_collide(slot, other) for other in given)]
        if free:
            return _varied(visit, free)
        first_on = day + reach + timedelta(days=1)
    return []


def _collide(slot: Slot, other: Slot) -> bool:
    return (
        slot.practitioner_id == other.practitioner_id and slot.start_at < other.end_at and other.start_at < slot.end_at
    )


def _varied(visit: Appointment, free: list[Slot]) -> list[Slot]:
    """The best of each half day, the best half days first: the same day, then the same hour of another."""
    zone = visit.local_start.tzinfo
    day, hour = visit.local_start.date(), visit.local_start.hour * 60 + visit.local_start.minute
    best: dict[tuple, Slot] = {}

    def rank(slot: Slot) -> tuple:
        local = slot.start_at.astimezone(zone)
        return (
            slot.practitioner_id != visit.practitioner_id,
            slot.location_id != visit.location_id,
            abs((local.date() - day).days),
            abs(local.hour * 60 + local.minute - hour),
            slot.start_at,
        )

    for slot in sorted(free, key=rank):
        local = slot.start_at.astimezone(zone)
        best.setdefault((slot.practitioner_id, slot.location_id, local.date(), local.hour < 13), slot)
    return list(best.values())[:PROPOSED]


def keep(appointment: Appointment, *, by: Actor, reason: str, at: datetime | None = None) -> Appointment:
    """Leave a visit where it is although nobody would be there; it is off the worklist until somebody moves it.

    Refused: `reason_missing`; `not_possible` for a visit that cannot be moved any more.
    """
    at = at or timezone.now()
    if not reason.strip():
        raise RuleBroken("reason_missing", _("Say why the visit stays."), field="reason")
    with transaction.atomic():
        current = Appointment.objects.select_for_update().get(pk=appointment.pk)
        if current.status not in Appointment.MOVABLE:
            raise RuleBroken(
                "not_possible",
                _("This visit is %(status)s; nothing is to be decided.") % {"status": current.get_status_display()},
            )
        if "outside_hours" not in current.accepted:
            current.accepted = [*current.accepted, "outside_hours"]
            current.save()
            note(current, old=current.status, verb="keep", by=by, reason=reason, at=at)
    return current
