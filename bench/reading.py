"""Lines without a web server: free times against one statement of SQL, in one process on one connection."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.test.utils import CaptureQueriesContext

from bench.clinics import Clinic
from bench.lines import Line, compared, counted, grown
from bench.measure import in_turns
from bench.workload import CLOSES, HORIZON_DAYS, MINUTES, OPENS, ZONE, horizon
from clinic.services.scheduling import slots

ROME = ZoneInfo(ZONE)
DAY_MOST, MONTH_MOST, FIRST_MOST, QUERIES_MOST = 12, 20, 5, 4
# How many cases are compared, answer by answer, before any is timed.
COMPARED = 25


class WrongAnswerError(Exception):
    """Floor and ours disagree: a time would mean nothing."""


def opens_at(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, OPENS, tzinfo=ROME)


def _last(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, CLOSES, tzinfo=ROME) - dt.timedelta(minutes=MINUTES)


class Day:
    """Free half hours of one practitioner on one day."""

    name, most = "free slots, practitioner-day", DAY_MOST

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.service, self.members = clinic.team("ten")

    def cases(self) -> Iterator[tuple]:
        rng, days = random.Random(7), horizon()
        while True:
            yield rng.randrange(len(self.members)), rng.choice(days)

    def floor(self, case):
        number, day = case
        found = self.clinic.floor("day", practitioner=self.members[number], opens=opens_at(day), last=_last(day))
        return [slot for (slot,) in found]

    def ours(self, case):
        number, day = case
        self.clinic.enter()
        return slots.free(self.service, first_on=day, practitioners=[self.members[number]])


class Month(Day):
    """The same for thirty days in a row."""

    name, most = "free slots, practitioner-month", MONTH_MOST

    def cases(self):
        rng, days = random.Random(8), horizon()
        latest = days[-1] - dt.timedelta(days=29)
        starts = [day for day in days if day <= latest]
        while True:
            yield rng.randrange(len(self.members)), rng.choice(starts)

    def floor(self, case):
        number, first = case
        days = [day for day in (first + dt.timedelta(days=n) for n in range(30)) if day.weekday() < 5]
        found = self.clinic.floor(
            "month", practitioner=self.members[number], days=days, opens=opens_at(days[0]), last=_last(days[-1])
        )
        return [slot for (slot,) in found]

    def ours(self, case):
        number, first = case
        self.clinic.enter()
        return slots.free(
            self.service,
            first_on=first,
            last_on=first + dt.timedelta(days=29),
            practitioners=[self.members[number]],
        )


class FirstFree:
    """The first free half hour of a team of forty within sixty days."""

    most = FIRST_MOST

    def __init__(self, clinic: Clinic, team: str) -> None:
        self.clinic, self.name = clinic, f"first free of 40 in 60 days, {team}"
        self.service, self.members = clinic.team(team.split()[0])

    def cases(self):
        return itertools.repeat(horizon()[0])

    def floor(self, first):
        last = first + dt.timedelta(days=HORIZON_DAYS - 1)
        # Whatever follows the last loaded weekday is free: the horizon ends there for both.
        days = [day for day in horizon() if day <= last]
        found = self.clinic.floor(
            "first_free", practitioners=self.members, days=days, opens=opens_at(days[0]), last=_last(days[-1])
        )
        return found[0] if found else None

    def ours(self, first):
        self.clinic.enter()
        reach = (horizon()[-1] - first).days
        return slots.next_available(self.service, from_on=first, horizon_days=reach, practitioners=self.members)


def _same(side, case) -> None:
    ours, floor = side.ours(case), side.floor(case)
    if isinstance(ours, list):
        ours = [slot.start_at for slot in ours]
    elif ours is not None:
        ours = (ours.start_at, ours.practitioner_id)
    if ours != floor:
        raise WrongAnswerError(f"{side.name}, {case}: the floor says {floor}, ours {ours}.")


def measure(sides: list, *, seconds: float) -> list[Line]:
    """The lines of one question asked of several clinics, smallest first."""
    queries = []
    for side in sides:
        for case in itertools.islice(side.cases(), COMPARED):
            _same(side, case)
        with CaptureQueriesContext(side.clinic.wrapper) as asked:
            side.ours(next(side.cases()))
        queries.append(len(asked))
    turns = {}
    for side in sides:
        turns["floor", side.clinic.work.size] = side.floor
        turns["ours", side.clinic.work.size] = side.ours
    timed = in_turns(turns, sides[0].cases(), seconds=seconds * len(sides))
    lines, sizes = [], [side.clinic.work.size for side in sides]
    for side, size in zip(sides, sizes, strict=True):
        lines.append(compared(side.name, size, timed["floor", size], timed["ours", size], most=side.most))
    if len(sides) > 1:
        small, large = timed["ours", sizes[0]], timed["ours", sizes[-1]]
        lines.append(grown(sides[0].name, sizes[-1], small, large, base=sizes[0]))
    lines.append(counted(f"{sides[0].name}: queries", sizes[-1], max(queries), most=QUERIES_MOST))
    return lines
