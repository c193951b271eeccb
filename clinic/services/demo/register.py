"""What the diary must know of patients, in a few bytes each, so that a million of them fit. Pure."""

from __future__ import annotations

import datetime as dt
from array import array
from bisect import bisect_left

from clinic.services.demo.people import Person


class Register:
    """Patients by their number, in the order in which they registered."""

    def __init__(self, zone: dt.tzinfo):
        self.zone = zone
        self.days = array("i")
        self._minutes = array("h")
        self.active = bytearray()
        # Who has been treated at all.
        self.seen = bytearray()

    def __len__(self) -> int:
        return len(self.days)

    def add(self, person: Person) -> None:
        moment = person.registered_at
        self.days.append(moment.toordinal())
        self._minutes.append(moment.hour * 60 + moment.minute)
        self.active.append(person.active)
        self.seen.append(False)

    def registered_at(self, number: int) -> dt.datetime:
        clock = dt.time(*divmod(self._minutes[number], 60), tzinfo=self.zone)
        return dt.datetime.combine(dt.date.fromordinal(self.days[number]), clock)

    def before(self, day: dt.date) -> int:
        """How many were registered before that day: the numbers below it."""
        return bisect_left(self.days, day.toordinal())
