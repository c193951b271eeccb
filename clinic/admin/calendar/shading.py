"""When nobody can be booked: closed hours, hours that somebody does not work, absences. As wall clocks of the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from clinic.services.scheduling import hours
from clinic.services.scheduling.clock import as_datetime, midnight
from clinic.services.scheduling.intervals import Stretch, both, merged, minus

CLOSED, OFF, FREE_DAY = "closed", "off", "unworked"


class Shade:
    """Hours of these practitioners, rooms and locations between two days. One query; what it yields is
    (kind, from, until) with naive wall clocks."""

    def __init__(self, locations: Iterable, first_on: dt.date, last_on: dt.date, *, practitioners: Iterable[int] = ()):
        self.locations = list(locations)
        self.zone = self.locations[0].zone
        self.days = [first_on + dt.timedelta(days=n) for n in range((last_on - first_on).days + 1)]
        self.known = hours.load(
            first_on, last_on, practitioners=practitioners, locations=[place.pk for place in self.locations]
        )

    def closed(self) -> list[tuple]:
        """When none of the locations is open."""
        return [self._clocks(CLOSED, gap) for day in self.days for gap in self._gaps(day, self._open(day))]

    def of_practitioner(self, id_: int) -> list[tuple]:
        """When somebody does not treat: closed, absent or simply no hours."""
        off = self.known.closed("practitioner", id_)
        return [found for day in self.days for found in self._parts(day, self._works(id_, day), off)]

    def of_room(self, id_: int, location_id: int) -> list[tuple]:
        off = self.known.closed("room", id_)
        site = self.known.sites[location_id]
        found = []
        for day in self.days:
            hours = minus(self.known.open_hours(site, day), off)
            found += self._parts(day, hours, off)
        return found

    def works(self, id_: int) -> bool:
        """Does this practitioner treat here in these days, or would, but for an absence?"""
        return any(self._works(id_, day) for day in self.days) or bool(self._absences(id_))

    def span(self) -> tuple[int, int]:
        """(first, last) hour of the wall clock at which any location opens and closes; 7 to 20 where none does."""
        clocks = [
            (as_datetime(start).astimezone(self.zone), as_datetime(end - 1).astimezone(self.zone))
            for day in self.days
            for start, end in self._open(day)
        ]
        return min((a.hour for a, _b in clocks), default=7), max((b.hour + 1 for _a, b in clocks), default=20)

    def closed_days(self) -> list[dt.date]:
        return [day for day in self.days if not self._open(day)]

    def _absences(self, id_):
        whole = [self._whole(day) for day in self.days]
        return both(self.known.closed("practitioner", id_), merged(whole))

    def _open(self, day) -> list[Stretch]:
        return merged(stretch for site in self.known.sites.values() for stretch in self.known.open_hours(site, day))

    def _works(self, id_, day) -> list[Stretch]:
        return merged(
            stretch for site in self.known.sites.values() for stretch in self.known.working_hours(id_, site, day)
        )

    def _whole(self, day) -> Stretch:
        zone = self.zone.key
        return midnight(zone, day), midnight(zone, day + dt.timedelta(days=1))

    def _gaps(self, day, hours) -> list[Stretch]:
        return minus([self._whole(day)], hours)

    def _parts(self, day, hours, off):
        """What is not worked, told apart: closed, absent, or simply no hours."""
        opened = self._open(day)
        gaps = self._gaps(day, hours)
        for kind, stretches in (
            (CLOSED, minus(gaps, opened)),
            (OFF, both(both(gaps, opened), off)),
            (FREE_DAY, minus(both(gaps, opened), off)),
        ):
            yield from (self._clocks(kind, stretch) for stretch in stretches)

    def _clocks(self, kind, stretch) -> tuple:
        start, end = (clock_of(as_datetime(seconds), self.zone) for seconds in stretch)
        return kind, start, end


def clock_of(at: dt.datetime, zone) -> str:
    """What the wall clock shows, without the zone: the browser's own zone must not move it."""
    return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
