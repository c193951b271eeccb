"""Rooms and equipment of one location: which of them are free for a visit. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import NamedTuple

from clinic.services.scheduling.facts import Facts, Site
from clinic.services.scheduling.intervals import Stretch, forbidden_starts, holds, merged, minus


class Shape(NamedTuple):
    """How long a visit is and what it keeps busy before and after, in seconds."""

    length: int
    before: int
    after: int


class Window(NamedTuple):
    """A visit's time in seconds: start, length, buffers."""

    start: int
    length: int
    before: int
    after: int


class Taken(NamedTuple):
    """What a visit would take; place 1 of no room where none is needed."""

    room_id: int | None
    place: int
    equipment_ids: tuple[int, ...]


NOTHING = Taken(None, 1, ())


class Resources:
    """Answers for many visits of the same service; keeps what it computed."""

    def __init__(self, known: Facts, site: Site):
        self._known = known
        self.needs_room = bool(known.service["room_kinds"])
        self.rooms = known.rooms_at(site.id)
        self.units = known.units_at(site.id)
        self._closed: dict[tuple, list[Stretch]] = {}

    def share(self, starts: list[Stretch], shape: Shape) -> Iterable[tuple[Stretch, Taken]]:
        """Cut stretches of starts by what a visit would take then: the first free room, the first free units. Starts
        at which something is missing are left out."""
        found = [(stretch, NOTHING) for stretch in starts]
        if self.needs_room:
            found = self._cut(found, "room", self.rooms, shape, _with_room)
        for units in self.units:
            found = self._cut(found, "equipment", [(unit, 0) for unit in units], shape, _with_unit)
        return found

    def _cut(
        self,
        found: list[tuple[Stretch, Taken]],
        what: str,
        choices: list[tuple[int, int]],
        shape: Shape,
        take: Callable[[Taken, int, int], Taken],
    ) -> list[tuple[Stretch, Taken]]:
        out = []
        for stretch, taken in found:
            left = [stretch]
            for id_, place in choices:
                if not left:
                    break
                closed = self._closed_starts(what, id_, place, shape)
                free = minus(left, closed)
                out += [(piece, take(taken, id_, place)) for piece in free]
                left = minus(left, free)
        out.sort(key=itemgetter(0))
        return out

    def room(self, window: Window, preferred: int | None = None) -> tuple[int, int] | None:
        """The first free room and place, the preferred room's before the others'."""
        rooms = sorted(self.rooms, key=lambda pair: pair[0] != preferred) if preferred else self.rooms
        return next((pair for pair in rooms if self.is_free("room", *pair, window)), None)

    def equipment(self, window: Window) -> tuple[int, ...] | None:
        """A free unit of each kind, or None if one kind has none."""
        chosen = []
        for units in self.units:
            unit = next((unit for unit in units if self.is_free("equipment", unit, 0, window)), None)
            if unit is None:
                return None
            chosen.append(unit)
        return tuple(chosen)

    def is_free(self, what: str, id_: int, place: int, window: Window) -> bool:
        return not holds(self._closed_starts(what, id_, place, Shape(*window[1:])), window.start)

    def _closed_starts(self, what: str, id_: int, place: int, shape: Shape) -> list[Stretch]:
        """Time off binds the bare visit; what is booked binds with buffers."""
        key = (what, id_, place, shape)
        closed = self._closed.get(key)
        if closed is None:
            closed = self._closed[key] = merged(
                [
                    *forbidden_starts(
                        self._known.busy.get((what, id_, place), ()), shape.before, shape.length, shape.after
                    ),
                    *forbidden_starts(self._known.closed(what, id_), 0, shape.length, 0),
                ]
            )
        return closed


def _with_room(taken: Taken, room_id: int, place: int) -> Taken:
    return taken._replace(room_id=room_id, place=place)


def _with_unit(taken: Taken, unit_id: int, _place: int) -> Taken:
    return taken._replace(equipment_ids=(*taken.equipment_ids, unit_id))
