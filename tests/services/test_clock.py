"""Wall clocks and intervals: the arithmetic under every free time."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.services.scheduling import clock
from clinic.services.scheduling.intervals import both, covers, forbidden_starts, holds, merged, minus

UTC = dt.UTC
ZONES = ("Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
stretches = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6)


def points(found):
    return {moment for start, end in found for moment in range(start, end)}


@given(stretches, stretches)
def test_interval_arithmetic_equals_sets_of_moments(left, right):
    left, right = merged(left), merged(right)
    assert points(minus(left, right)) == points(left) - points(right)
    assert points(both(left, right)) == points(left) & points(right)
    assert merged([*left, *right]) == merged(sorted([*right, *left]))
    for moment in range(0, 61, 7):
        assert holds(left, moment) == (moment in points(left))
        assert covers(left, moment, moment + 3) == ({moment, moment + 1, moment + 2} <= points(left))


@given(stretches, st.integers(0, 9), st.integers(1, 9), st.integers(0, 9))
def test_forbidden_starts_are_those_that_touch(busy, before, length, after):
    busy = merged(busy)
    closed = forbidden_starts(busy, before, length, after)
    for start in range(-20, 80):
        touches = any(start - before < end and begin < start + length + after for begin, end in busy)
        assert holds(closed, start) == touches


@pytest.mark.parametrize("zone", ZONES)
@given(day=st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31)), step=st.sampled_from([5, 10, 15, 20, 30, 60]))
def test_grid_shows_multiples_on_the_wall_clock(zone, day, step):
    start = clock.midnight(zone, day)
    end = clock.midnight(zone, day + dt.timedelta(days=1))
    found = list(clock.grid(zone, day, step, (start, end)))
    # Every minute of the day at which the clock shows a multiple, looked at one by one.
    wanted = []
    for at in range(start, end, 60):
        shown = dt.datetime.fromtimestamp(at, ZoneInfo(zone))
        if (shown.hour * 60 + shown.minute) % step == 0:
            wanted.append(at)
    assert found == wanted


def test_grid_knows_the_gap_and_the_repeated_hour():
    spring, autumn = dt.date(2026, 3, 29), dt.date(2026, 10, 25)

    def shown(day):
        span = (clock.midnight("Europe/Rome", day), clock.midnight("Europe/Rome", day + dt.timedelta(days=1)))
        return [
            dt.datetime.fromtimestamp(at, ZoneInfo("Europe/Rome")).strftime("%H:%M")
            for at in clock.grid("Europe/Rome", day, 30, span)
        ]

    assert "02:30" not in shown(spring)
    assert len(shown(spring)) == 46
    assert shown(autumn).count("02:30") == 2
    assert len(shown(autumn)) == 50


def test_hours_on_the_days_the_clock_changes():
    spring, autumn = dt.date(2026, 3, 29), dt.date(2026, 10, 25)
    # Hours that begin in the gap begin when it ends; midnight is the next day's.
    start, end = clock.stretch("Europe/Rome", spring, 150, 0)
    assert clock.as_datetime(start) == dt.datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert clock.as_datetime(end) == dt.datetime(2026, 3, 29, 22, tzinfo=UTC)
    # Both passes of a repeated hour are inside.
    start, end = clock.stretch("Europe/Rome", autumn, 120, 180)
    assert end - start == 2 * 3600
    assert clock.stretch("Europe/Rome", dt.date(2026, 3, 30), 540, 600)[0] == int(
        dt.datetime(2026, 3, 30, 7, tzinfo=UTC).timestamp()
    )
