"""Suggestions: which free times come first, and the reasons that are given."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from clinic.services.scheduling import slots
from clinic.services.scheduling.ranking import Habits, Measure, Place, rate, suggest
from clinic.services.scheduling.slots import Slot

MEASURE = Measure(before=0, after=0, shortest=20 * 60)
OPENS = 9 * 60


def slot(minute, who=1, day=0, minutes=30):
    start = dt.datetime(2026, 6, 8, tzinfo=dt.UTC) + dt.timedelta(days=day, minutes=minute)
    return Slot(start, start + dt.timedelta(minutes=minutes), who, 1, None, 1, (), Decimal(40))


def place(one, since=OPENS, until=13 * 60):
    midnight = one.start_at.replace(hour=0, minute=0)
    at = int(midnight.timestamp())
    minute = int((one.start_at - midnight).total_seconds() // 60)
    return Place(midnight.toordinal(), minute, (at + since * 60, at + until * 60))


def test_habits_are_the_last_and_the_most_seen_practitioner_and_the_middle_hour():
    assert Habits.of([]) == Habits(frozenset(), None)
    assert Habits.of([(5, 600)]) == Habits(frozenset({5}), None)
    assert Habits.of([(5, 900), (3, 600), (3, 615), (4, 540)]) == Habits(frozenset({5, 3}), 600)


@pytest.mark.parametrize(
    ("minute", "points", "reasons"),
    [
        (OPENS, 1.0, ("no_gap",)),  # at the edge of the free stretch
        (OPENS + 10, -2.0, ()),  # ten minutes that nobody can use
        (OPENS + 20, 0.0, ()),  # twenty that somebody can
        (OPENS + 60, 0.0, ()),
        (13 * 60 - 30, 1.0, ("no_gap",)),
        (13 * 60 - 45, -2.0, ()),
    ],
)
def test_gaps_that_nothing_fits_into_are_avoided(minute, points, reasons):
    one = slot(minute)
    assert rate(one, place(one), Habits(), MEASURE) == (points, reasons)


def test_a_gap_that_is_filled_exactly_is_best_and_buffers_count():
    one = slot(600)
    assert rate(one, place(one, 600, 630), Habits(), MEASURE) == (2.0, ("no_gap",))
    buffered = Measure(before=10 * 60, after=5 * 60, shortest=20 * 60)
    assert rate(one, place(one, 590, 635), Habits(), buffered) == (2.0, ("no_gap",))
    assert rate(one, place(one, 590, 645), Habits(), buffered) == (-1.0, ())


def test_usual_practitioner_and_usual_hour_are_named():
    habits = Habits(frozenset({1}), 10 * 60)
    one, late, other = slot(10 * 60), slot(11 * 60), slot(10 * 60, who=2)
    assert rate(one, place(one), habits, MEASURE) == (7.0, ("practitioner", "hour"))
    assert rate(late, place(late), habits, MEASURE) == (5.5, ("practitioner",))
    assert rate(other, place(other), habits, MEASURE) == (3.0, ("hour",))


def test_suggestions_differ_and_hold_the_earliest():
    found = sorted(slot(minute, who, day) for day in range(3) for who in (1, 2) for minute in range(OPENS, 750, 15))
    places = {one: place(one) for one in found}
    habits = Habits(frozenset({2}), 10 * 60)
    made = suggest(found, places, habits=habits, measure=MEASURE)
    assert [(one.slot.start_at.day, places[one.slot].minute, one.slot.practitioner_id) for one in made] == [
        (8, 600, 2),
        (8, 540, 2),
        (9, 600, 2),
        (8, 540, 1),
    ]
    assert [one.reasons for one in made] == [
        ("practitioner", "hour"),
        ("practitioner", "no_gap"),
        ("practitioner", "hour"),
        ("no_gap", "earliest"),
    ]
    assert suggest([], {}, habits=habits, measure=MEASURE) == []


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 3), st.integers(0, 6)), min_size=1, max_size=40, unique=True)
)
def test_suggestions_are_of_what_was_found_and_never_too_many(drawn):
    found = sorted(slot(step * 5, who, day) for step, who, day in drawn)
    made = suggest(found, {one: place(one, 0) for one in found}, habits=Habits(frozenset({2}), 300), measure=MEASURE)
    assert 1 <= len(made) <= 4
    assert len({one.slot for one in made}) == len(made)
    assert {one.slot for one in made} <= set(found)
    assert [one.slot for one in made if "earliest" in one.reasons] == [found[0]]


def test_suggested_reads_habits_from_past_visits_only_in_three_queries(world):
    at = world.at("08:00")
    for weeks in (1, 2, 3):
        world.visit("11:00", days=-7 * weeks, practitioner=world.ben, room=None, status="completed")
    world.visit("15:00", days=-2, room=None, status="no_show")
    world.visit("15:00", days=3, room=None)
    with CaptureQueriesContext(connection) as queries:
        found, made = slots.suggested(
            world.massage.pk,
            first_on=world.monday,
            last_on=world.monday + dt.timedelta(days=6),
            patient_id=world.anna.pk,
            at=at,
        )
    assert len(queries) == 3
    assert found == slots.free(
        world.massage.pk,
        first_on=world.monday,
        last_on=world.monday + dt.timedelta(days=6),
        patient_id=world.anna.pk,
        at=at,
    )
    best = made[0]
    assert (best.slot.practitioner_id, best.slot.start_at, best.reasons) == (
        world.ben.pk,
        world.at("11:00"),
        ("practitioner", "hour"),
    )
    assert (made[-1].slot.start_at, made[-1].reasons[-1]) == (world.at("09:00"), "earliest")


def test_suggested_leaves_no_gap_shorter_than_the_shortest_offered_service(world):
    """Ada offers advice of 20 minutes: after a visit that ends at 10:00, 10:15 would lose a quarter of an hour."""
    world.visit("09:30", patient=world.bruno)
    wanted = {"practitioners": [world.ada.pk], "first_on": world.monday, "last_on": world.monday}
    _found, made = slots.suggested(world.massage.pk, at=world.at("08:00"), **wanted)
    shown = {one.slot.start_at: one.reasons for one in made}
    assert shown[world.at("09:00")] == ("no_gap", "earliest")
    assert shown[world.at("10:00")] == ("no_gap",)
    assert world.at("10:15") not in shown
