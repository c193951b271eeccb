"""Taking back a move, moments after it."""

import datetime as dt

import pytest
from django.utils import timezone

from clinic import actor
from clinic.exceptions import RuleBroken
from clinic.models import Appointment
from clinic.services import scheduling
from tests import factories as make

_S = Appointment.Status


@pytest.fixture
def reception(world):
    return actor.staff(world.reception)


@pytest.fixture
def visit(world, reception):
    return scheduling.book(
        Appointment(
            service=world.massage,
            practitioner=world.ada,
            location=world.camerino,
            patient=world.anna,
            start_at=world.at("10:00"),
        ),
        by=reception,
    )


def where(visit):
    return visit.start_at, visit.end_at, visit.practitioner_id, visit.room_id


def refused(visit, **over):
    with pytest.raises(RuleBroken) as refusal:
        scheduling.move_back(visit, **over)
    return refusal.value.code


def test_move_back_restores_time_length_practitioner_and_room(world, visit, reception):
    before = where(visit)
    moved = scheduling.move(
        visit, by=reception, start_at=world.at("11:00"), end_at=world.at("12:00"), practitioner=world.ben
    )
    back = scheduling.move_back(moved, by=reception, version=moved.version)
    assert (where(back), back.status, back.version) == (before, _S.SCHEDULED, 2)
    assert list(back.status_changes.order_by("pk").values_list("verb", flat=True)) == ["book", "move", "move"]


def test_move_back_restores_the_confirmation(world, visit, reception):
    scheduling.confirm(visit, by=reception)
    moved = scheduling.move(visit, by=reception, start_at=world.at("11:00"))
    assert moved.status == _S.SCHEDULED
    assert scheduling.move_back(moved, by=reception, version=1).status == _S.CONFIRMED


def test_move_back_restores_a_deliberate_overlap(world, visit, reception):
    other = make.make_appointment(
        service=world.massage, practitioner=world.ada, location=world.camerino, patient=world.bruno,
        room=world.room_two, start_at=world.at("15:00"),
    )  # fmt: skip
    over = scheduling.move(
        visit, by=reception, start_at=other.start_at, accept={"overlap"}, reason="heat while waiting"
    )
    moved = scheduling.move(over, by=reception, start_at=world.at("11:00"))
    back = scheduling.move_back(moved, by=reception, version=2)
    assert (back.start_at, back.overlap_reason, back.accepted) == (other.start_at, "heat while waiting", ["overlap"])


def test_move_back_into_a_time_that_has_begun_is_allowed(world, visit, reception):
    moved = scheduling.move(visit, by=reception, start_at=world.at("11:00"), at=world.at("09:59"))
    back = scheduling.move_back(moved, by=reception, version=1, at=world.at("09:59") + dt.timedelta(seconds=59))
    assert back.start_at == world.at("10:00")
    late = scheduling.move(back, by=reception, start_at=world.at("11:00"), at=world.at("10:00"))
    back = scheduling.move_back(late, by=reception, version=3, at=world.at("10:00") + dt.timedelta(seconds=30))
    assert (back.start_at, back.accepted) == (world.at("10:00"), ["past"])


def test_move_back_of_a_time_given_away_since_is_refused(world, visit, reception):
    moved = scheduling.move(visit, by=reception, start_at=world.at("11:00"))
    world.visit("10:00", patient=world.bruno, room=world.room_two)
    assert refused(moved, by=reception, version=1) == "overlap"
    assert Appointment.objects.get(pk=visit.pk).start_at == world.at("11:00")


def test_move_back_after_a_minute_is_refused(world, visit, reception):
    moved = scheduling.move(visit, by=reception, start_at=world.at("11:00"))
    later = timezone.now() + dt.timedelta(seconds=61)
    assert refused(moved, by=reception, version=1, at=later) == "too_late"


def test_move_back_of_somebody_elses_move_is_refused(world, visit, reception):
    moved = scheduling.move(visit, by=actor.staff(world.administrator), start_at=world.at("11:00"))
    assert refused(moved, by=reception, version=1) == "too_late"


def test_move_back_after_another_move_is_refused(world, visit, reception):
    moved = scheduling.move(visit, by=reception, start_at=world.at("11:00"))
    again = scheduling.move(moved, by=reception, start_at=world.at("12:00"))
    assert refused(again, by=reception, version=1) == "moved_since"


def test_move_back_of_what_was_never_moved_is_refused(visit, reception):
    assert refused(visit, by=reception, version=0) == "too_late"


def test_move_with_an_old_version_is_refused_and_says_where_it_is(world, visit, reception):
    scheduling.move(visit, by=reception, start_at=world.at("11:00"), practitioner=world.ben)
    with pytest.raises(RuleBroken) as refusal:
        scheduling.move(visit, by=reception, start_at=world.at("12:00"), version=0)
    assert refusal.value.code == "moved_since"
    assert "11:00 with Ben Rossi" in str(refusal.value)
    assert Appointment.objects.get(pk=visit.pk).start_at == world.at("11:00")
