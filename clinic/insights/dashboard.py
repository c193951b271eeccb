"""What happened in a stretch of days, against as many days before: the dashboard's figures, within a person's scope.

Days are those of each visit's location. tests/insights/test_dashboard.py says every figure again in plain SQL.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet

from clinic import permissions
from clinic.database import dashboard as sql
from clinic.models import Appointment, StatusChange

_S = Appointment.Status
ATTENDED = (_S.ARRIVED, _S.IN_SESSION, _S.COMPLETED)
# Somebody's plans; the visit is still to come, or nobody has said yet what became of it.
PLANNED = (_S.REQUESTED, _S.SCHEDULED, _S.CONFIRMED)
CALLED_OFF = (_S.CANCELLED, _S.DECLINED, _S.EXPIRED)

# What happened lately is looked for among so many changes, or in visits of so many days.
_LATEST = 2000
_LATELY = dt.timedelta(days=30)
_TOUCHED = 50


@dataclass(frozen=True)
class Span:
    """Local days, both included."""

    first_on: dt.date
    last_on: dt.date

    @property
    def length(self) -> int:
        return (self.last_on - self.first_on).days + 1

    @property
    def before(self) -> Span:
        """As many days, up to the day before."""
        return Span(self.first_on - dt.timedelta(days=self.length), self.first_on - dt.timedelta(days=1))

    def with_before(self) -> Span:
        return Span(self.before.first_on, self.last_on)

    def days(self) -> list[dt.date]:
        return [self.first_on + dt.timedelta(days=n) for n in range(self.length)]


@dataclass
class Half:
    """The visits of one span."""

    statuses: Counter = field(default_factory=Counter)
    # Cancelled by the patient inside the window.
    late: int = 0
    # Seconds by practitioner and by room, at the locations whose time is measured; no minute twice.
    practitioners: Counter = field(default_factory=Counter)
    rooms: Counter = field(default_factory=Counter)

    def count(self, statuses: Iterable[str]) -> int:
        return sum(self.statuses[status] for status in statuses)

    @property
    def total(self) -> int:
        return self.statuses.total()

    @property
    def attended(self) -> int:
        return self.count(ATTENDED)

    @property
    def missed(self) -> int:
        return self.statuses[_S.NO_SHOW]

    @property
    def called_off(self) -> int:
        return self.count(CALLED_OFF)

    @property
    def no_show_rate(self) -> float | None:
        """Missed ones, of those that somebody came to or missed; None where there were none."""
        return _share(self.missed, self.attended + self.missed)

    @property
    def late_rate(self) -> float | None:
        """Late cancellations, of those that somebody came to, missed or cancelled late."""
        return _share(self.late, self.attended + self.missed + self.late)


@dataclass
class Figures:
    """A span and the one before; by day what became of the visits of the span."""

    span: Span
    now: Half = field(default_factory=Half)
    before: Half = field(default_factory=Half)
    days: dict[dt.date, Counter] = field(default_factory=lambda: defaultdict(Counter))

    def half(self, now: bool) -> Half:
        return self.now if now else self.before


@dataclass(frozen=True)
class Patients:
    """Patients who came in a span, each once; and those of them who had never come before."""

    active: int = 0
    new: int = 0


def visits_of(user, span: Span, location: int | None) -> QuerySet:
    """The visits of these days that `user` may see."""
    if permissions.scope(user, "view", Appointment) == permissions.OWN_ONLY:
        # By busy time, whose index begins with the practitioner; a few hours of it belong to no day of these.
        noon = [dt.datetime.combine(day, dt.time(12), dt.UTC) for day in (span.first_on, span.last_on)]
        reach = dt.timedelta(days=2)
        days = Appointment.objects.filter(
            day__range=(span.first_on, span.last_on), busy_from__gte=noon[0] - reach, busy_from__lt=noon[1] + reach
        )
    else:
        days = Appointment.objects.on_days(span.first_on, span.last_on)
    found = permissions.visible(user, days)
    return found if location is None else found.filter(location=location)


def figures(user, span: Span, *, location: int | None, measured: Iterable[int]) -> Figures:
    """The figures of `span` and of the one before, at `location` or everywhere; `measured` are the locations whose
    booked time counts. Two statements, whatever there is. Nothing is read for who may see no visits."""
    found = Figures(span)
    if permissions.scope(user, "view", Appointment) is None:
        return found
    measured = set(measured)
    visits = visits_of(user, span.with_before(), location)
    overlapping: set[int] = set()
    for group in sql.read_counts(visits, first=span.first_on):
        half = found.half(group.now)
        if group.by_status:
            _count(found, half, group)
        elif group.location_id in measured:
            (half.practitioners if group.by_practitioner else half.rooms)[_whose(group)] += group.seconds
            overlapping.update(group.overlapping)
    whole = span.with_before()
    for what, id_, now, seconds in sql.read_overlaps(
        sorted(overlapping), since=whole.first_on, first=span.first_on, last=span.last_on, locations=measured
    ):
        half = found.half(now)
        (half.practitioners if what == "practitioner" else half.rooms)[id_] += seconds
    return found


def patients(user, span: Span, *, location: int | None) -> tuple[Patients, Patients]:
    """Who came in `span`, and in the one before, at `location` or anywhere; new: had come nowhere. One statement."""
    if permissions.scope(user, "view", Appointment) is None:
        return Patients(), Patients()
    whole = span.with_before()
    now, before, new_now, new_before = sql.read_patients(
        visits_of(user, whole, location),
        permissions.visible(user, Appointment.objects.all()),
        since=whole.first_on,
        first=span.first_on,
    )
    return Patients(now, new_now), Patients(before, new_before)


def activity(user, *, location: int | None, most: int, at: dt.datetime) -> list[StatusChange]:
    """What was done with visits lately, the latest first. Two queries at most."""
    changes = permissions.visible(user, StatusChange.objects.order_by())
    if permissions.scope(user, "view", StatusChange) == permissions.OWN_ONLY:
        # By way of the own visits of these weeks, which an index holds together: every change touches its visit.
        own = permissions.visible(user, Appointment.objects.order_by("-updated_at", "-pk"))
        lately = own.filter(busy_from__gte=at - _LATELY, busy_from__lt=at + 3 * _LATELY)
        found = StatusChange.objects.filter(appointment__in=lately.values("pk")[:_TOUCHED])
    else:
        # Rows are only ever appended: the latest moments, which no index sorts, are among the last keys.
        last = changes.order_by("-pk").values_list("at", "pk", "appointment__location")[:_LATEST]
        here = sorted((row for row in last if location in (None, row[2])), reverse=True)
        found = changes.filter(pk__in=[0, *(key for _at, key, _where in here[:most])])
    if location is not None:
        found = found.filter(appointment__location=location)
    return list(found.select_related("appointment__patient", "by").order_by("-at", "-pk")[:most])


def _count(found: Figures, half: Half, group: sql.Group) -> None:
    half.statuses[group.status] += group.visits
    if group.status == _S.CANCELLED and group.late:
        half.late += group.visits
    if group.now:
        found.days[group.day][group.status] += group.visits


def _whose(group: sql.Group) -> int | None:
    return group.practitioner_id if group.by_practitioner else group.room_id


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
