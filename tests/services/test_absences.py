"""Time off said on a wall clock, and hours of practitioners that never overlap."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection

from clinic.actor import Actor
from clinic.exceptions import RuleBroken
from clinic.models import ExtraHours, TimeOff, WorkingHours
from clinic.services import absences, hours
from tests import factories as make

BY = Actor("system")
MARCH, OCTOBER = dt.date(2026, 3, 29), dt.date(2026, 10, 25)


def moments(zone="Europe/Rome", **said):
    start, end = absences.moments(zone, **said)
    return start.strftime("%m-%d %H:%M"), end.strftime("%m-%d %H:%M")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"first_on": MARCH}, ("03-28 23:00", "03-29 22:00")),
        ({"first_on": OCTOBER}, ("10-24 22:00", "10-25 23:00")),
        ({"first_on": MARCH, "last_on": MARCH + dt.timedelta(days=1)}, ("03-28 23:00", "03-30 22:00")),
        ({"first_on": MARCH, "starts": dt.time(9), "ends": dt.time(12)}, ("03-29 07:00", "03-29 10:00")),
        # Both passes of the hour that comes twice.
        ({"first_on": OCTOBER, "starts": dt.time(2), "ends": dt.time(2, 30)}, ("10-25 00:00", "10-25 01:30")),
        ({"first_on": MARCH, "starts": dt.time(20), "ends": dt.time()}, ("03-29 18:00", "03-29 22:00")),
        ({"first_on": MARCH, "zone": "Asia/Kolkata"}, ("03-28 18:30", "03-29 18:30")),
        ({"first_on": dt.date(2026, 4, 5), "zone": "Australia/Lord_Howe"}, ("04-04 13:00", "04-05 13:30")),
    ],
)
def test_days_and_times_become_moments_of_the_place(said, expected):
    assert moments(**said) == expected


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"first_on": MARCH, "starts": dt.time(2, 30)}, "skipped_time", "starts"),
        ({"first_on": MARCH, "ends": dt.time(2, 30)}, "skipped_time", "ends"),
        ({"first_on": MARCH, "starts": dt.time(9), "ends": dt.time(9)}, "end_before_start", "ends"),
        ({"first_on": OCTOBER, "last_on": MARCH}, "end_before_start", "last_on"),
    ],
)
def test_impossible_time_off_is_refused_beside_its_field(said, code, field):
    with pytest.raises(RuleBroken) as refused:
        absences.moments("Europe/Rome", **said)
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    "said",
    [
        {"first_on": MARCH, "last_on": MARCH, "starts": None, "ends": None},
        {"first_on": MARCH, "last_on": OCTOBER, "starts": dt.time(9), "ends": None},
        {"first_on": OCTOBER, "last_on": OCTOBER, "starts": None, "ends": dt.time(12)},
    ],
)
def test_what_was_said_is_told_again(said):
    start, end = absences.moments("America/New_York", **said)
    assert absences.said(TimeOff(start_at=start, end_at=end, zone="America/New_York")) == said


def test_time_off_keeps_the_clock_of_its_place(world):
    world.macerata.time_zone = "Asia/Kolkata"
    world.macerata.save()
    span = {"start_at": world.at("09:00"), "end_at": world.at("12:00")}
    assert make.make_time_off(room=world.macerata_room, **span).zone == "Asia/Kolkata"
    assert make.make_time_off(practitioner=world.ada, **span).zone == "Europe/Rome"
    assert absences.zones(world.ben) == ["Europe/Rome", "Asia/Kolkata"]


def weekly(world, weekday=0, starts="13:30", ends="15:00", **over):
    times = {"starts": dt.time.fromisoformat(starts), "ends": dt.time.fromisoformat(ends)}
    return WorkingHours(**{"location": world.camerino, "weekday": weekday, **times, **over})


def keep(world, *rows, extra=(), gone=()):
    return hours.keep(world.ada, hours.Timetable(weekly=rows, extra=extra, gone=gone), by=BY)


# Ada works 09-13 and 14-18 from Monday to Friday.
@pytest.mark.parametrize(
    ("row", "refused"),
    [
        ({}, True),
        ({"weekday": 5}, False),
        ({"starts": "13:00", "ends": "14:00"}, False),
        ({"starts": "18:00", "ends": "00:00"}, False),
        ({"starts": "17:59", "ends": "00:00"}, True),
        ({"every_weeks": 2, "anchor_on": MARCH}, True),
    ],
)
def test_hours_that_overlap_are_refused(row, refused, world):
    if not refused:
        keep(world, weekly(world, **row))
        assert world.ada.working_hours.count() == 11
        return
    with pytest.raises(RuleBroken, match=r"overlaps Monday 14:00–18:00\.|Monday 14:00–18:00 overlaps") as error:
        keep(world, weekly(world, **row))
    assert error.value.code == "hours_overlap"
    assert world.ada.working_hours.count() == 10


@pytest.mark.parametrize(
    ("first", "second", "meet"),
    [
        ((2, 0), (2, 1), False),
        ((2, 0), (2, 2), True),
        ((2, 0), (4, 3), False),
        ((2, 0), (3, 1), True),
        ((1, 0), (2, 1), True),
    ],
)
def test_alternating_weeks_overlap_only_where_they_meet(first, second, meet, world):
    rows = [
        weekly(world, 6, every_weeks=every, anchor_on=world.monday + dt.timedelta(weeks=weeks))
        for every, weeks in (first, second)
    ]
    assert bool(hours.clashes(rows)) is meet


def test_hours_of_different_seasons_do_not_overlap(world):
    summer = weekly(world, 6, valid_until=MARCH)
    winter = weekly(world, 6, valid_from=MARCH + dt.timedelta(days=1))
    assert hours.clashes([summer, winter]) == []
    winter.valid_from = MARCH
    assert hours.clashes([summer, winter]) == [(winter, summer)]


def test_two_rows_change_places_at_once(world):
    early, late = world.ada.working_hours.filter(weekday=0)
    early.starts, early.ends, late.starts, late.ends = late.starts, late.ends, early.starts, early.ends
    keep(world, early, late)
    assert [row.pk for row in world.ada.working_hours.filter(weekday=0)] == [late.pk, early.pk]


def test_extra_hours_that_overlap_are_refused(world):
    def extra(starts, ends):
        return ExtraHours(location=world.camerino, on=MARCH, starts=dt.time(starts), ends=dt.time(ends))

    keep(world, extra=[extra(9, 11), extra(11, 12)])
    with pytest.raises(RuleBroken, match="29 March 2026 10:00–12:00 overlaps 29 March 2026 09:00–11:00"):
        keep(world, extra=[extra(10, 12)])


def test_database_refuses_weekly_hours_that_overlap_whoever_writes(world):
    row = weekly(world)
    row.practitioner = world.ada
    row.save()
    with pytest.raises(IntegrityError, match="working_hours_apart"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
