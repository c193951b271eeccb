"""Hours of one week, copied to another week or to somebody else."""

import datetime as dt

import pytest

from clinic.actor import Actor
from clinic.exceptions import RuleBroken
from clinic.models import ExtraHours
from clinic.services import hours
from tests import factories as make

BY = Actor("system")
WEEK = dt.timedelta(weeks=1)


def copy(source, target, week_on, into, *, only_once=True):
    return hours.copy(source, target, week_on=week_on, into=into, only_once=only_once, by=BY)


def week(practitioner, on):
    """What holds in a week, in words."""
    weekly, extra = hours.in_week(practitioner, on)
    return [f"{hours.in_words(row)} {row.location}" for row in [*weekly, *extra]]


def test_week_of_somebody_else_replaces_one_week_and_the_next_goes_on(world):
    before, into = week(world.ben, world.monday), world.monday + WEEK
    copy(world.ada, world.ben, world.monday, into + dt.timedelta(days=3))
    assert week(world.ben, world.monday) == before
    assert week(world.ben, into) == week(world.ada, world.monday)
    assert week(world.ben, into + WEEK) == before


def test_copy_from_a_week_on_ends_what_was_there(world):
    before, into = week(world.ben, world.monday), world.monday + WEEK
    make.make_working_hours(world.ben, world.camerino, weekdays=[5], valid_from=into + 4 * WEEK)
    copy(world.ada, world.ben, world.monday, into, only_once=False)
    assert week(world.ben, world.monday) == before
    for weeks in (0, 1, 30):
        assert week(world.ben, into + weeks * WEEK) == week(world.ada, world.monday)


def test_alternating_week_becomes_the_hours_of_that_week(world):
    world.ada.working_hours.all().delete()
    make.make_working_hours(world.ada, world.camerino, weekdays=[0], every_weeks=2, anchor_on=world.monday)
    make.make_working_hours(
        world.ada, world.camerino, weekdays=[1], every_weeks=2, anchor_on=world.monday + WEEK, starts="10:00"
    )
    into = world.monday + WEEK
    copy(world.ada, world.ada, world.monday, into)
    assert week(world.ada, into) == ["Monday 09:00–18:00 Camerino"]
    # The rhythm goes on as it was.
    assert week(world.ada, into + WEEK) == ["Monday 09:00–18:00 Camerino"]
    assert week(world.ada, into + 2 * WEEK) == ["Tuesday 10:00–18:00 Camerino"]


def test_extra_hours_go_along_into_a_single_week(world):
    def extra(who, on, starts):
        row = ExtraHours(practitioner=who, location=world.camerino, on=on, starts=dt.time(starts), ends=dt.time(20))
        row.save()

    extra(world.ada, world.monday + dt.timedelta(days=5), 18)
    into = world.monday + WEEK
    extra(world.ben, into, 19)
    copy(world.ada, world.ben, world.monday, into)
    found = [(row.on, row.starts) for row in world.ben.extra_hours.all()]
    assert found == [(into + dt.timedelta(days=5), dt.time(18))]
    world.ben.extra_hours.all().delete()
    copy(world.ada, world.ben, world.monday, into, only_once=False)
    assert not world.ben.extra_hours.exists()


def test_past_weeks_keep_their_hours_in_the_history_of_the_row(world):
    row = world.ben.working_hours.first()
    copy(world.ada, world.ben, world.monday, world.monday + WEEK)
    row.refresh_from_db()
    assert row.valid_until == world.monday + WEEK - dt.timedelta(days=1)
    assert row.history.count() == 2


@pytest.mark.parametrize(
    ("who", "weeks", "code"), [("ada", 0, "same_week"), ("carlo", 1, "nothing_to_copy"), ("gone", 1, "nothing_to_copy")]
)
def test_copying_nothing_is_refused(who, weeks, code, world):
    source = world.ada if who == "ada" else make.make_practitioner()
    if who == "gone":
        make.make_working_hours(source, make.make_location(active=False))
    with pytest.raises(RuleBroken) as refused:
        copy(source, world.ada, world.monday, world.monday + weeks * WEEK)
    assert refused.value.code == code
    assert world.ada.working_hours.count() == 10
