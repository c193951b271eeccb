"""How long practitioners work and rooms can be used in a stretch of days: what booked time is measured against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from clinic.services.scheduling import hours
from clinic.services.scheduling.facts import Facts, days
from clinic.services.scheduling.intervals import Stretch, merged, minus


class Capacity:
    """Hours between two local days, of these practitioners and locations. One query; then sums of seconds."""

    def __init__(self, first_on: date, last_on: date, *, practitioners: Iterable[int], locations: Iterable[int]):
        self.known = hours.load(first_on, last_on, practitioners=practitioners, locations=locations)

    def of_practitioners(self, first_on: date, last_on: date) -> dict[int, int]:
        """Seconds by practitioner: weekly and extra hours while the location is open, less time off. Hours at two
        locations at once count once."""
        places = _places(self.known)
        found: dict[int, int] = defaultdict(int)
        for day in days(first_on, last_on):
            for id_, sites in places.items():
                stretches = [part for site in sites for part in self.known.working_hours(id_, site, day)]
                found[id_] += _length(merged(stretches) if len(sites) > 1 else stretches)
        return dict(found)

    def of_rooms(self, first_on: date, last_on: date, rooms: Iterable[tuple[int, int, int]]) -> dict[int, int]:
        """Seconds by room, for (room, location, places): opening hours times places, less the room's time off."""
        known = [(id_, self.known.sites[location], places) for id_, location, places in rooms]
        found: dict[int, int] = defaultdict(int)
        for day in days(first_on, last_on):
            for id_, site, places in known:
                opened, off = self.known.open_hours(site, day), self.known.closed("room", id_)
                found[id_] += places * _length(minus(opened, off) if off else opened)
        return dict(found)


def _places(known: Facts) -> dict[int, list]:
    """Where each practitioner has hours at all."""
    found: dict[int, set[int]] = defaultdict(set)
    for name in ("working", "extra"):
        for practitioner, location, *_rest in known.document[name]:
            found[practitioner].add(location)
    return {id_: [known.sites[location] for location in sorted(places)] for id_, places in found.items()}


def _length(stretches: Iterable[Stretch]) -> int:
    return sum(end - start for start, end in stretches)
