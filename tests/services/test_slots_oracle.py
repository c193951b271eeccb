"""Free times against an oracle that looks at every minute on the wall clock: no interval arithmetic, nothing shared.

A short seeded run by default, 20,000 cases with STRESS=1.
"""

import datetime as dt
import functools
import os
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from clinic.services.scheduling import slots
from clinic.services.scheduling.facts import Facts

UTC = dt.UTC
DAY = 24 * 60
STRESS = os.environ.get("STRESS") == "1"
# The last two change their clocks at midnight.
ZONES = (
    "Europe/Rome",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Havana",
    "America/Santiago",
)
# Weeks in which one of them changes its clock, and an ordinary one.
MONDAYS = [
    dt.date(2026, *day) for day in ((3, 2), (3, 23), (3, 30), (4, 6), (6, 8), (8, 31), (9, 28), (10, 19), (10, 26))
]
PARTS = {"morning": (0, 720), "afternoon": (720, 1020), "evening": (1020, 1440)}
PATIENT = 7
# Those of these weeks in Italy.
HOLIDAYS = [dt.date(2026, 4, 5), dt.date(2026, 4, 6), dt.date(2026, 10, 4), dt.date(2026, 11, 1)]


@st.composite
def hours(draw):
    """From and until in minutes after midnight; 0 is midnight."""
    start = draw(st.integers(0, 94)) * 15
    until = start + draw(st.integers(1, 40)) * 15
    return start, 0 if until >= DAY else until


@st.composite
def documents(draw):
    """What FACTS would say of two practitioners at two locations, what is busy, and the days asked for."""
    monday = draw(st.sampled_from(MONDAYS))
    days = [monday + dt.timedelta(days=n) for n in range(8)]
    first = draw(st.integers(0, 6))
    asked = days[first : first + draw(st.integers(1, 2))]
    midnight = int(dt.datetime.combine(asked[0], dt.time(), UTC).timestamp())
    locations = [1, 2][: draw(st.integers(1, 2))]
    # Mostly the weekday in question: rows of other days say nothing.
    weekday = st.sampled_from([asked[0].weekday()] * 6 + [asked[-1].weekday(), (asked[0].weekday() + 3) % 7])
    on = st.sampled_from([day.isoformat() for day in asked])
    who, where = st.sampled_from([1, 2]), st.sampled_from(locations)
    since = st.sampled_from([None, None, None, asked[-1].isoformat()])
    until = st.sampled_from([None, None, None, asked[0].isoformat()])
    week = st.integers(0, 50).map(lambda n: (monday - dt.timedelta(days=n)).isoformat())

    def some(strategy, least, most):
        return draw(st.lists(strategy, min_size=least, max_size=most))

    span = st.tuples(st.integers(-90, 560), st.integers(1, 60)).map(
        lambda pair: (midnight + pair[0] * 300, midnight + (pair[0] + pair[1]) * 300)
    )
    off = st.tuples(st.sampled_from(["practitioner", "room", "equipment", "location"]), who, span).map(
        lambda row: (
            [row[1] if row[0] == what else None for what in ("practitioner", "room", "equipment", "location")]
            + list(row[2])
        )
    )
    document = {
        "service": {
            "id": 1,
            "active": True,
            "minutes": draw(st.sampled_from([20, 30, 45, 60])),
            "before": draw(st.sampled_from([0, 0, 10])),
            "after": draw(st.sampled_from([0, 5, 15])),
            "price": "10.00",
            "online": draw(st.sampled_from([True, True, True, False])),
            "notice": draw(st.sampled_from([None, 0, 90])),
            "horizon": draw(st.sampled_from([None, 1, 30])),
            "room_kinds": draw(st.sampled_from([[], [1]])),
            "equipment_kinds": draw(st.sampled_from([[], [1], [1, 2]])),
        },
        "clinic": draw(st.sampled_from([None, [60, 2]])),
        "offers": [[1, None, None, draw(st.booleans())], [2, draw(st.sampled_from([None, 25])), None, True]],
        "locations": [
            [
                id_,
                draw(st.sampled_from(ZONES)),
                draw(st.sampled_from([5, 15, 20, 30])),
                draw(st.sampled_from([None, 30])),
                None,
                draw(st.sampled_from([None, "IT"])),
                "",
            ]
            for id_ in locations
        ],
        "opening": [
            *([[id_, asked[0].weekday(), 0, 0, None, None] for id_ in locations] if draw(st.integers(0, 3)) else []),
            *([a, b, *c, d, e] for a, b, c, d, e in some(st.tuples(where, weekday, hours(), since, until), 1, 5)),
        ],
        "exceptions": draw(
            st.lists(
                st.one_of(
                    st.tuples(where, on).map(lambda row: [*row, False, None, None]),
                    st.tuples(where, on, hours()).map(lambda row: [row[0], row[1], True, *row[2]]),
                ),
                max_size=1,
            )
        ),
        "working": [
            [a, b, c, *d, e, f, g, h]
            for a, b, c, d, e, f, g, h in some(
                st.tuples(who, where, weekday, hours(), since, until, st.sampled_from([1, 1, 2, 3]), week), 2, 7
            )
        ],
        "extra": [[a, b, c, *d] for a, b, c, d in some(st.tuples(who, where, on, hours()), 0, 2)],
        "off": some(off, 0, 3),
        "rooms": [[1, 1, 1, 2], [2, 1, 1, 1], [3, 2, 1, 1]],
        "equipment": [[1, 1, 1], [2, 1, 1], [3, 1, 2], [4, 2, 1]],
    }
    keys = [("practitioner", 1, 0), ("practitioner", 2, 0), ("patient", PATIENT, 0)]
    keys += [("room", 1, 1), ("room", 1, 2), ("room", 2, 1), ("room", 3, 1)]
    keys += [("equipment", id_, 0) for id_ in (1, 2, 3, 4)]
    busy: dict = {}
    for key, stretch in some(st.tuples(st.sampled_from(keys), span), 0, 12):
        busy.setdefault(key, []).append(stretch)
    return document, busy, asked


questions = st.fixed_dictionaries(
    {
        "part": st.sampled_from([None, None, None, *PARTS]),
        "binding": st.sampled_from([False, False, True]),
        "minutes": st.sampled_from([None, None, None, 40]),
        # Minutes after the first day's midnight in UTC at which somebody asks.
        "asked": st.sampled_from([-DAY, -DAY, -DAY, -60, 605]),
    }
)


@functools.cache
def minutes_of(day, zone):
    """(moment, minutes on the wall clock) of a local day, minute by minute."""
    noon = int(dt.datetime.combine(day, dt.time(12), zone).timestamp())
    found = []
    for at in range(noon - 14 * 3600, noon + 16 * 3600, 60):
        shown = dt.datetime.fromtimestamp(at, zone)
        if shown.date() == day:
            found.append((at, shown.hour * 60 + shown.minute))
    return found


class Clinic:
    """Looks things up as a person with a calendar and a clock on the wall would."""

    def __init__(self, document, busy):
        self.facts = document
        self.service = document["service"]
        self.busy = busy

    def inside(self, minutes, starts, ends):
        """The moments from when the clock first shows `starts` or later until it last showed less than `ends`."""
        since = next((at for at, clock in minutes if clock >= starts), None)
        until = next((at for at, clock in reversed(minutes) if clock < (ends or DAY)), None)
        if since is None or until is None:
            return set()
        return {at for at, _clock in minutes if since <= at <= until}

    def valid(self, day, since, until):
        return (since or "0") <= day.isoformat() <= (until or "9")

    def open_at(self, location, day, minutes):
        exceptions = [row for row in self.facts["exceptions"] if row[:2] == [location, day.isoformat()]]
        rows = [row[3:] for row in exceptions if row[2]]
        country = next(row[5] for row in self.facts["locations"] if row[0] == location)
        if not exceptions and not (country and day in HOLIDAYS):
            rows = [
                row[2:4]
                for row in self.facts["opening"]
                if row[:2] == [location, day.weekday()] and self.valid(day, *row[4:])
            ]
        return set().union(*(self.inside(minutes, *row) for row in rows))

    def at_work(self, who, location, day, minutes):
        rows = [row[3:] for row in self.facts["extra"] if row[:3] == [who, location, day.isoformat()]]
        for row in self.facts["working"]:
            *place, starts, ends, since, until, every, anchor = row
            anchored = dt.date.fromisoformat(anchor)
            weeks = 0
            # Count the Mondays between the two weeks.
            step = dt.timedelta(days=1 if anchored <= day else -1)
            while anchored != day:
                weeks += anchored.weekday() == (6 if step.days > 0 else 0)
                anchored += step
            if place == [who, location, day.weekday()] and weeks % every == 0 and self.valid(day, since, until):
                rows.append((starts, ends))
        present = set().union(*(self.inside(minutes, *row) for row in rows)) & self.open_at(location, day, minutes)
        return {at for at in present if not (self.away(0, who, at, at + 60) or self.away(3, location, at, at + 60))}

    def away(self, column, id_, start, end):
        return any(row[column] == id_ and row[4] < end and start < row[5] for row in self.facts["off"])

    def meets(self, key, start, end):
        return any(since < end and start < until for since, until in self.busy.get(key, ()))

    def room_for(self, location, start, end, reach):
        """(room, place); (None, 1) where none is needed; None where none is free."""
        if not self.service["room_kinds"]:
            return None, 1
        for id_, where, _kind, places in self.facts["rooms"]:
            for place in range(1, places + 1):
                taken = self.meets(("room", id_, place), *reach) or self.away(1, id_, start, end)
                if where == location and not taken:
                    return id_, place
        return None

    def units_for(self, location, start, end, reach):
        units = []
        for kind in self.service["equipment_kinds"]:
            free = [
                id_
                for id_, where, unit_kind in self.facts["equipment"]
                if (where, unit_kind) == (location, kind)
                and not self.meets(("equipment", id_, 0), *reach)
                and not self.away(2, id_, start, end)
            ]
            units.append(free[0] if free else None)
        return tuple(units)

    def slots(self, days, *, at, part, binding, minutes):
        """{(start, end, practitioner, location): (room, place, equipment)}"""
        found = {}
        for id_, zone_name, step, own_notice, own_horizon, *_country in self.facts["locations"]:
            zone = ZoneInfo(zone_name)
            notice, horizon = self.windows(own_notice, own_horizon)
            earliest = at + notice * 60 if binding else at
            last = dt.datetime.fromtimestamp(at, zone).date() + dt.timedelta(days=horizon)
            for day in days:
                if binding and (day > last or not self.service["online"]):
                    continue
                clock = minutes_of(day, zone)
                for who, own_minutes, _price, online in self.facts["offers"]:
                    if binding and not online:
                        continue
                    length = (minutes or own_minutes or self.service["minutes"]) * 60
                    works = self.at_work(who, id_, day, clock)
                    for start, wall in clock:
                        if wall % step or start not in works or start < earliest:
                            continue
                        if part and not PARTS[part][0] <= wall < PARTS[part][1]:
                            continue
                        end = start + length
                        if not all(moment in works for moment in range(start, end, 60)):
                            continue
                        taken = self.take(who, id_, start, end)
                        if taken:
                            found[start, end, who, id_] = taken
        return found

    def windows(self, own_notice, own_horizon):
        """Service, then location, then clinic."""
        notice, horizon = self.facts["clinic"] or (120, 90)
        notice = notice if own_notice is None else own_notice
        horizon = horizon if own_horizon is None else own_horizon
        service = self.service
        return (
            notice if service["notice"] is None else service["notice"],
            horizon if service["horizon"] is None else service["horizon"],
        )

    def take(self, who, location, start, end):
        reach = (start - self.service["before"] * 60, end + self.service["after"] * 60)
        if self.meets(("practitioner", who, 0), *reach) or self.meets(("patient", PATIENT, 0), start, end):
            return None
        room = self.room_for(location, start, end, reach)
        units = self.units_for(location, start, end, reach)
        return None if room is None or None in units else (*room, units)


@pytest.mark.heavy
@settings(
    max_examples=20_000 if STRESS else 150,
    derandomize=not STRESS,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(documents(), questions)
def test_slots_equal_what_every_minute_says(case, question):
    document, busy, days = case
    at = int(dt.datetime.combine(days[0], dt.time(), UTC).timestamp()) + question.pop("asked") * 60
    known = Facts(document, days[0], days[-1], busy=busy)
    if question["minutes"]:
        known.fix_length(question["minutes"])
    asked = {"part": question["part"], "binding": question["binding"], "patient_id": PATIENT}
    found = list(slots.compute(known, at=dt.datetime.fromtimestamp(at, UTC), **asked))
    wanted = Clinic(document, busy).slots(days, at=at, **question)
    assert {
        (int(slot.start_at.timestamp()), int(slot.end_at.timestamp()), slot.practitioner_id, slot.location_id): (
            slot.room_id,
            slot.place,
            slot.equipment_ids,
        )
        for slot in found
    } == wanted
    assert len(found) == len(wanted)
    event("some" if wanted else "none")
    earliest = slots._first(slots._calendars(known, at=dt.datetime.fromtimestamp(at, UTC), **asked), [*days])
    assert earliest == min(found, key=slots._order, default=None)
