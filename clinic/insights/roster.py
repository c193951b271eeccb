"""Who works where between two days, and when an open location has nobody. By the hours that bookings go by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Prefetch

from clinic import permissions
from clinic.models import DayException, Location, Practitioner, TimeOff, WorkingHours
from clinic.services.scheduling import clock, hours
from clinic.services.scheduling.facts import Facts, Site, days
from clinic.services.scheduling.intervals import Stretch, both, merged, minus


@dataclass(frozen=True)
class Span:
    """Wall clocks of one day; an end of 24:00 is midnight."""

    starts: str
    ends: str

    def __str__(self) -> str:
        return f"{self.starts}–{self.ends}"

    @property
    def brief(self) -> str:
        """For narrow columns: 9–13:30."""
        return "–".join(text.removesuffix(":00").removeprefix("0") or "0" for text in (self.starts, self.ends))


@dataclass(frozen=True)
class Shift:
    """Hours at a location, on its own clock."""

    place: Location
    span: Span
    extra: bool = False


@dataclass(frozen=True)
class Absence:
    """Without a span all day. `reason` is empty where there is none or the reader may not know it."""

    span: Span | None
    reason: str = ""


@dataclass
class Cell:
    on: dt.date
    shifts: list[Shift] = field(default_factory=list)
    absences: list[Absence] = field(default_factory=list)
    # Where somebody would have worked, but the location is closed: (location, why).
    closed: list[tuple[Location, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    practitioner: Practitioner
    cells: list[Cell]
    worked: dt.timedelta

    @property
    def total(self) -> str:
        """Hours and minutes: 37:30."""
        minutes = int(self.worked.total_seconds()) // 60
        return f"{minutes // 60}:{minutes % 60:02}" if minutes else ""


@dataclass(frozen=True)
class Cover:
    """A location on one day: closed, or when nobody of those looked at works while it is open."""

    on: dt.date
    open: bool
    why_closed: str = ""
    gaps: Sequence[Span] = ()


@dataclass(frozen=True)
class Roster:
    days: list[dt.date]
    places: list[Location]
    rows: list[Row]
    # None where the reader sees own hours only: others may be there.
    cover: list[tuple[Location, list[Cover]]] | None


def professions(user) -> list[str]:
    """What those on the reader's roster do. One query."""
    found = _readable(user).order_by("profession").values_list("profession", flat=True)
    return list(found.distinct())


def roster(user, first_on: dt.date, last_on: dt.date, *, places: Iterable[Location], profession: str = "") -> Roster:
    """The roster of these local days as far as `user` may see it: at most six queries, whatever the team.

    On it is who belongs to one of `places` or has hours there, of that profession only where one is named.
    """
    places = list(places)
    belonging = Prefetch("locations", Location.objects.only("pk"))
    people = _readable(user).prefetch_related(belonging)
    if profession:
        people = people.filter(profession=profession)
    people = list(people)
    keys = [person.pk for person in people]
    known = hours.load(first_on, last_on, practitioners=keys, locations=[place.pk for place in places])
    drawn = _Drawing(days(first_on, last_on), places, known, _closures(user, places, first_on, last_on))
    off = _absences(user, keys, first_on, last_on)
    rows = [drawn.row(person, off.get(person.pk, [])) for person in people]
    where = {place.pk for place in places}
    shown = [
        row
        for row in rows
        if where & {place.pk for place in row.practitioner.locations.all()}
        or any(cell.shifts or cell.closed for cell in row.cells)
        or drawn.plans(row.practitioner.pk)
    ]
    sees_all = permissions.scope(user, "view", WorkingHours) == permissions.ANY
    return Roster(drawn.days, places, shown, drawn.cover(keys) if sees_all else None)


def _readable(user):
    """Practitioners whose hours the reader may see."""
    granted = permissions.scope(user, "view", WorkingHours)
    people = Practitioner.objects.active()
    if granted == permissions.ANY:
        return people
    return people.filter(user=user) if granted == permissions.OWN_ONLY else people.none()


def _absences(user, people: list[int], first_on, last_on) -> dict[int, list[TimeOff]]:
    """Time off by practitioner; of what the reader may not see, the times alone."""
    since = dt.datetime.combine(first_on, dt.time(), dt.UTC) - dt.timedelta(hours=26)
    until = dt.datetime.combine(last_on, dt.time(), dt.UTC) + dt.timedelta(hours=50)
    rows = TimeOff.objects.filter(practitioner__in=people, end_at__gt=since, start_at__lt=until).order_by("start_at")
    told = set(permissions.visible(user, rows).values_list("pk", flat=True))
    found: dict[int, list[TimeOff]] = {}
    for row in rows:
        row.reason = row.reason if row.pk in told else ""
        found.setdefault(row.practitioner_id, []).append(row)
    return found


def _closures(user, places, first_on, last_on) -> dict[tuple[int, dt.date], str]:
    """Why a location is closed on a day, where somebody wrote it down."""
    rows = DayException.objects.filter(location__in=places, on__range=(first_on, last_on))
    return {(row.location_id, row.on): row.reason for row in permissions.visible(user, rows)}


@dataclass
class _Drawing:
    days: list[dt.date]
    places: list[Location]
    known: Facts
    closures: dict[tuple[int, dt.date], str]

    def site(self, place: Location) -> Site:
        return self.known.sites[place.pk]

    def plans(self, who: int) -> bool:
        return any(self.known.planned_hours(who, self.site(place), day) for place in self.places for day in self.days)

    def row(self, practitioner: Practitioner, off: list[TimeOff]) -> Row:
        worked: list[Stretch] = []
        cells = []
        for day in self.days:
            cell = Cell(day, absences=[found for row in off if (found := _absence(row, day))])
            for place in self.places:
                worked += self._fill(cell, practitioner.pk, place)
            cells.append(cell)
        seconds = sum(end - start for start, end in merged(worked))
        return Row(practitioner, cells, dt.timedelta(seconds=seconds))

    def _fill(self, cell: Cell, who: int, place: Location) -> list[Stretch]:
        site = self.site(place)
        worked = self.known.working_hours(who, site, cell.on)
        extra = both(worked, self.known.extra_hours(who, site, cell.on))
        parts = [(part, False) for part in minus(worked, extra)] + [(part, True) for part in extra]
        cell.shifts += [Shift(place, _span(site.zone, part), added) for part, added in sorted(parts)]
        if not self.known.open_hours(site, cell.on) and self.known.planned_hours(who, site, cell.on):
            cell.closed.append((place, self._why(site, cell.on)))
        return worked

    def cover(self, people: list[int]) -> list[tuple[Location, list[Cover]]]:
        return [(place, [self._covered(self.site(place), day, people) for day in self.days]) for place in self.places]

    def _covered(self, site: Site, day: dt.date, people: list[int]) -> Cover:
        opened = self.known.open_hours(site, day)
        if not opened:
            return Cover(day, open=False, why_closed=self._why(site, day))
        there = merged(part for who in people for part in self.known.working_hours(who, site, day))
        return Cover(day, open=True, gaps=[_span(site.zone, gap) for gap in minus(opened, there)])

    def _why(self, site: Site, day: dt.date) -> str:
        return self.closures.get((site.id, day)) or self.known.holiday(site, day)


def _span(zone: str, stretch: Stretch) -> Span:
    start, end = (clock.as_datetime(at).astimezone(ZoneInfo(zone)) for at in stretch)
    # As people write the end of a day.
    return Span(clock.wall(start), clock.wall(end) if end.time() != dt.time() else "24:00")


def _absence(row: TimeOff, day: dt.date) -> Absence | None:
    """What of an absence falls into this day, on the clock that it was said on."""
    zone = row.zone or settings.TIME_ZONE
    whole = (clock.midnight(zone, day), clock.midnight(zone, day + dt.timedelta(days=1)))
    part = max(whole[0], int(row.start_at.timestamp())), min(whole[1], int(row.end_at.timestamp()))
    if part[0] >= part[1]:
        return None
    return Absence(None if part == whole else _span(zone, part), row.reason)
