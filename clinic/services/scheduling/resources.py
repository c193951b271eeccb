"""Rooms and equipment of one location: which of them are free for a visit. Pure."""

from __future__ import annotations

from typing import NamedTuple

from clinic.services.scheduling.facts import Facts, Site
from clinic.services.scheduling.intervals import Stretch, forbidden_starts, holds, merged


class Window(NamedTuple):
    """A visit's time in seconds: start, length, buffers."""

    start: int
    length: int
    before: int
    after: int


class Resources:
    """Answers for many windows of the same service; keeps what it computed."""

    def __init__(self, known: Facts, site: Site):
        self._known = known
        self.needs_room = bool(known.service["room_kinds"])
        self.rooms = known.rooms_at(site.id)
        self.units = known.units_at(site.id)
        self._closed: dict[tuple, list[Stretch]] = {}

    def take(self, window: Window) -> tuple[int | None, int, tuple[int, ...]] | None:
        """(room, place, equipment) for a visit then, or None if something is missing."""
        room = self.room(window) if self.needs_room else None
        if self.needs_room and room is None:
            return None
        equipment = self.equipment(window)
        room_id, place = room or (None, 1)
        return None if equipment is None else (room_id, place, equipment)

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
        key = (what, id_, place, window.length)
        closed = self._closed.get(key)
        if closed is None:
            # Time off binds the bare visit; what is booked binds with buffers.
            closed = self._closed[key] = merged(
                [
                    *forbidden_starts(
                        self._known.busy.get((what, id_, place), ()), window.before, window.length, window.after
                    ),
                    *forbidden_starts(self._known.closed(what, id_), 0, window.length, 0),
                ]
            )
        return not holds(closed, window.start)
