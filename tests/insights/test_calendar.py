"""What stands in the calendar, for whom, and whether it changed."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.actor import SYSTEM
from clinic.insights import calendar
from clinic.insights.calendar import Window
from clinic.models import Appointment
from clinic.services import scheduling
from tests import factories as make


def window(world, days=0, **over):
    day = world.monday + dt.timedelta(days=days)
    base = {"first_on": day, "last_on": day, "zone": world.camerino.zone, "locations": (world.camerino.pk,)}
    return Window(**{**base, **over})


def keys(rows):
    return [row[0] for row in rows]


def test_window_holds_what_touches_its_local_days(world):
    inside = world.visit("10:00")
    late = world.visit("23:30", practitioner=world.ben, room=world.room_two, patient=world.bruno, minutes=60)
    world.visit("00:30", days=1, practitioner=world.ben, room=world.room_two, patient=world.bruno)
    assert keys(calendar.visits(world.reception, window(world))) == [inside.pk, late.pk]
    # What began the evening before reaches in.
    assert keys(calendar.visits(world.reception, window(world, days=1)))[0] == late.pk


def test_window_counts_days_on_the_clock_of_the_location(world):
    world.camerino.time_zone = "Pacific/Auckland"
    world.camerino.save()
    visit = world.visit(start_at=make.moment(world.monday, "00:30", world.camerino.zone))
    assert keys(calendar.visits(world.reception, window(world))) == [visit.pk]
    assert visit.start_at.astimezone(dt.UTC).date() == world.monday - dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["ada", "ben"]),
        ({"practitioners": "ben"}, ["ben"]),
        ({"rooms": "room_one"}, ["ada"]),
        ({"services": "assessment"}, ["ben"]),
        ({"statuses": ("confirmed",)}, ["ben"]),
        ({"statuses": ("cancelled",)}, ["gone"]),
        ({"locations": "macerata"}, []),
    ],
)
def test_filters_choose(world, asked, found):
    visits = {
        "ada": world.visit("10:00"),
        "ben": world.visit(
            "10:00", practitioner=world.ben, room=world.room_two, patient=world.bruno, service=world.assessment,
            status="confirmed",
        ),
        "gone": world.visit("12:00", status="cancelled"),
    }  # fmt: skip
    asked = {name: value if isinstance(value, tuple) else (getattr(world, value).pk,) for name, value in asked.items()}
    assert keys(calendar.visits(world.reception, window(world, **asked))) == [visits[name].pk for name in found]


def test_practitioner_sees_own_visits_and_others_as_busy(world):
    own = world.visit("10:00")
    theirs = world.visit("10:00", practitioner=world.ben, room=world.room_two, patient=world.bruno)
    shown = window(world)
    assert keys(calendar.visits(world.ada_user, shown)) == [own.pk]
    assert calendar.busy(world.ada_user, shown) == [
        (theirs.start_at, theirs.end_at, world.ben.pk, world.room_two.pk, 1)
    ]


def test_busy_time_tells_neither_number_nor_kind_of_visits(world):
    first = world.visit("10:00", practitioner=world.ben, patient=world.bruno)
    last = world.visit("10:30", practitioner=world.ben, patient=world.anna, service=world.assessment)
    world.visit("12:00", practitioner=world.ben, patient=world.bruno, status="no_show")
    blocks = calendar.busy(world.ada_user, window(world))
    assert blocks == [(first.start_at, last.end_at, world.ben.pk, world.room_one.pk, 1)]


@pytest.mark.parametrize("asked", [{"services": (0,)}, {"statuses": ("cancelled",)}])
def test_busy_time_is_no_oracle_for_service_or_status(world, asked):
    world.visit("10:00", practitioner=world.ben)
    assert calendar.busy(world.ada_user, window(world, **asked)) == calendar.busy(world.ada_user, window(world))


def test_who_sees_all_has_no_busy_blocks(world):
    world.visit("10:00", practitioner=world.ben)
    assert calendar.busy(world.reception, window(world)) == []


def test_elsewhere_names_other_locations_only(world):
    world.visit("10:00", practitioner=world.ben)
    away = world.visit(
        "12:00", practitioner=world.ben, location=world.macerata, room=world.macerata_room, patient=world.bruno
    )
    assert calendar.elsewhere(window(world), [world.ben.pk]) == [
        (away.start_at, away.end_at, world.ben.pk, world.macerata.pk)
    ]


def test_too_many_visits_are_counted_by_day(world, monkeypatch):
    monkeypatch.setattr(calendar, "MOST", 1)
    world.visit("10:00")
    world.visit("12:00")
    shown = window(world, last_on=world.monday + dt.timedelta(days=6))
    assert len(calendar.visits(world.reception, shown)) == 2
    assert calendar.totals(world.reception, shown) == [(world.monday, 2)]


def test_fingerprint_changes_with_every_change_and_with_nothing_else(world):
    visit = world.visit("10:00")
    shown = window(world)
    seen = [calendar.fingerprint(shown)]
    assert calendar.fingerprint(shown) == seen[0]
    world.visit("10:00", days=1)
    assert calendar.fingerprint(shown) == seen[0]
    scheduling.confirm(visit, by=SYSTEM)
    seen.append(calendar.fingerprint(shown))
    moved = scheduling.move(visit, by=SYSTEM, start_at=world.at("11:00"))
    seen.append(calendar.fingerprint(shown))
    scheduling.move(moved, by=SYSTEM, start_at=world.at("11:00", days=2))
    seen.append(calendar.fingerprint(shown))
    assert len(set(seen)) == 4


def test_fingerprint_sees_a_change_that_is_older_than_the_newest(world):
    """Of two changes the one that began first may be committed last."""
    early, late = world.visit("10:00"), world.visit("12:00")
    Appointment.objects.filter(pk=late.pk).update(updated_at=world.at("09:00"))
    before = calendar.fingerprint(window(world))
    Appointment.objects.filter(pk=early.pk).update(updated_at=world.at("08:00"), status="confirmed")
    assert calendar.fingerprint(window(world)) != before


@pytest.mark.parametrize(
    "ask",
    [
        lambda world, shown: calendar.fingerprint(shown),
        lambda world, shown: calendar.visits(world.reception, shown),
        lambda world, shown: calendar.visits(world.ada_user, shown),
        lambda world, shown: calendar.busy(world.ada_user, shown),
        lambda world, shown: calendar.elsewhere(shown, [world.ada.pk, world.ben.pk]),
        lambda world, shown: calendar.totals(world.reception, shown),
    ],
)
def test_every_question_is_one_query_on_an_index(world, ask):
    world.reception.roles, world.ada_user.roles, world.ada_user.practice  # noqa: B018  (asked once per request, by the sign-in)
    with CaptureQueriesContext(connection) as asked:
        ask(world, window(world))
    assert len(asked) == 1


@pytest.mark.heavy
def test_question_does_not_grow_with_the_table(world):
    """The plan reads the window by an index, however many visits other days have."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        rows = Appointment.objects.filter(window(world).where() & window(world).what() & window(world).when())
        plan = rows.explain()
    assert "Index Scan" in plan
    assert "Seq Scan" not in plan
