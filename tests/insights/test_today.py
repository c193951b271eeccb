"""A day at the desk: who stands where, what waits for an answer, and whether any of it changed."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import actor
from clinic.insights import today
from clinic.insights.calendar import Window
from clinic.models import Appointment
from clinic.services import scheduling
from tests import factories as make

S = Appointment.Status


@pytest.fixture
def day(world):
    """Camerino's Monday."""
    return Window(world.monday, world.monday, world.camerino.zone, (world.camerino.pk,))


@pytest.fixture
def board(world, day):
    def read(user=None, at=None):
        user = user or world.reception
        return today.board(user, day, today.pending(user, day, at=at or world.at("10:00")))

    return read


def keys(visits):
    return [visit.pk for visit in visits]


def test_board_puts_every_visit_of_the_day_where_it_stands(world, board):
    made = {
        status: world.visit(f"{8 + number:02}:00", status=status, patient=make.make_patient())
        for number, status in enumerate(S.values)
    }
    away = world.visit("10:00", days=1, patient=world.bruno)
    found = board()
    assert keys(found.waiting) == [made[S.ARRIVED].pk]
    assert keys(found.in_session) == [made[S.IN_SESSION].pk]
    assert keys(found.expected) == [made[S.SCHEDULED].pk, made[S.CONFIRMED].pk]
    assert keys(found.done) == [made[S.COMPLETED].pk]
    assert set(keys(found.gone)) == {made[status].pk for status in (S.DECLINED, S.CANCELLED, S.EXPIRED, S.NO_SHOW)}
    assert keys(found.requests) == [made[S.REQUESTED].pk]
    assert away.pk not in keys(found.visits)


def test_who_waits_longest_stands_first(world, board):
    second = world.visit("09:00", status=S.ARRIVED, arrived_at=world.at("08:55"))
    first = world.visit("10:00", status=S.ARRIVED, arrived_at=world.at("08:50"), patient=world.bruno)
    assert keys(board().waiting) == [first.pk, second.pk]


def test_requests_of_coming_days_and_past_visits_wait_for_an_answer(world, board):
    later = world.visit(days=3, status=S.REQUESTED)
    sooner = world.visit(days=1, status=S.REQUESTED, patient=world.bruno)
    elsewhere = world.visit(
        days=2,
        status=S.REQUESTED,
        location=world.macerata,
        room=None,
        practitioner=world.ben,
        patient=make.make_patient(),
    )
    older, newer = world.visit(days=-5), world.visit(days=-3, status=S.ARRIVED)
    of_the_day = world.visit("08:00", patient=make.make_patient())
    found = board(at=world.at("12:00"))
    assert keys(found.requests) == [sooner.pk, later.pk]
    assert keys(found.unresolved) == [newer.pk, older.pk]
    assert keys(found.expected) == [of_the_day.pk]
    assert elsewhere.pk not in keys(found.visits)


def test_no_more_is_read_than_is_shown(world, day, monkeypatch):
    monkeypatch.setattr(today, "SHOWN", 2)
    for number in range(3):
        world.visit(days=1 + number, status=S.REQUESTED)
        world.visit(days=-2 - number)
    found = today.pending(world.reception, day, at=world.at("10:00"))
    assert (len(found.requests), len(found.unresolved)) == (2, 2)
    assert (found.more_requests, found.more_unresolved) == (True, True)


def test_practitioner_sees_the_own_day(world, board):
    own = world.visit("10:00")
    world.visit("10:00", practitioner=world.ben, room=world.room_two, patient=world.bruno)
    world.visit(days=1, status=S.REQUESTED, practitioner=world.ben, room=world.room_two, patient=world.bruno)
    world.visit(days=-2, practitioner=world.ben, room=world.room_two, patient=world.bruno)
    assert keys(board(world.ada_user).visits) == [own.pk]
    assert board(world.outsider).visits == []


@pytest.mark.parametrize(
    ("clock", "status", "minutes"),
    [("10:04", "scheduled", 0), ("10:05", "scheduled", 5), ("10:29", "confirmed", 29), ("10:30", "scheduled", 0),
     ("10:20", "arrived", 0)],
)  # fmt: skip
def test_late_from_five_minutes_until_the_time_is_over(world, clock, status, minutes):
    assert today.minutes_late(world.visit("10:00", status=status), world.at(clock)) == minutes


def test_sheets_hold_what_takes_place_by_practitioner(world, day):
    first, second = world.visit("10:00"), world.visit("09:00", status=S.COMPLETED, patient=world.bruno)
    world.visit("11:00", status=S.CANCELLED)
    bens = world.visit("10:00", practitioner=world.ben, room=world.room_two, patient=make.make_patient())
    found = today.sheets(world.reception, day)
    assert [(name, keys(visits)) for name, visits in found] == [
        ("Ada Conti", [second.pk, first.pk]),
        ("Ben Rossi", [bens.pk]),
    ]


def test_fingerprint_changes_with_what_is_seen(world, day):
    by = actor.staff(world.reception)

    def read(at="09:00"):
        moment = world.at(at)
        return today.fingerprint(day, today.pending(world.reception, day, at=moment), at=moment)

    seen = [read()]
    visit = world.visit("10:00")
    request = world.visit(days=1, status=S.REQUESTED, patient=world.bruno)
    seen.append(read())
    scheduling.approve(request, by=by)
    seen.append(read())
    # Late, then over: nothing was written, and the buttons are others.
    seen += [read("10:06"), read("10:31")]
    scheduling.check_in(visit, by=by, at=world.at("10:31"))
    seen.append(read("10:31"))
    assert len(set(seen)) == len(seen)
    assert read("10:31") == seen[-1]


@pytest.mark.parametrize("visits", [1, 30])
def test_board_takes_three_queries_whatever_the_day(world, board, visits):
    world.visit(days=2, status=S.REQUESTED)
    for number in range(visits):
        world.visit(
            start_at=world.at("08:00") + dt.timedelta(minutes=20 * number), minutes=20,
            status=list(S.values)[number % 9 + 1], patient=make.make_patient(),
        )  # fmt: skip
    # The person's roles are read once.
    board()
    with CaptureQueriesContext(connection) as asked:
        found = board()
        for visit in found.visits:
            assert f"{visit.patient} {visit.service} {visit.practitioner} {visit.room} {visit.desk_note}"
    assert len(asked) == 3
