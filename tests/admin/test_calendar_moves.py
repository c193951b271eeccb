"""What dragging does: moved, refused with three times, gone past with a reason, taken back."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from clinic.models import Appointment, AuditEntry
from tests import factories as make

_S = Appointment.Status


@pytest.fixture
def drop(desk):
    """`drop(user, visit, **form)`: JSON of what was moved, or the text of the refusal."""

    def post(user, visit, page="move", **form):
        url = reverse(f"admin:clinic_appointment_calendar_{page}", args=[visit.pk])
        response = desk(user).post(url, {"version": visit.version, **form})
        assert response.status_code == 200, response.status_code
        return response.json() if response["Content-Type"].startswith("application/json") else response.content.decode()

    return post


def again(visit):
    return Appointment.objects.get(pk=visit.pk)


def clock(world, time, days=0):
    return f"{world.monday + dt.timedelta(days=days)}T{time}"


def test_drop_at_another_time_moves_and_keeps_the_length(world, drop):
    visit = world.visit("10:00", minutes=40)
    answer = drop(world.reception, visit, start=clock(world, "11:15"))
    moved = again(visit)
    assert (moved.start_at, moved.end_at, moved.version) == (world.at("11:15"), world.at("11:55"), 1)
    assert answer["said"].startswith("Moved: Bianchi Anna · ")
    assert answer["said"].endswith("11:15–11:55 · Ada Conti")
    assert (answer["id"], answer["version"]) == (visit.pk, 1)
    assert answer["back"] == reverse("admin:clinic_appointment_calendar_back", args=[visit.pk])


def test_drop_into_another_column_moves_to_the_practitioner(world, drop):
    visit = world.visit("10:00")
    drop(world.reception, visit, practitioner=world.ben.pk)
    moved = again(visit)
    assert (moved.practitioner, moved.start_at, moved.room) == (world.ben, visit.start_at, world.room_one)


def test_drop_into_another_room_moves_to_the_room(world, drop):
    visit = world.visit("10:00")
    drop(world.reception, visit, room=world.room_two.pk)
    assert again(visit).room == world.room_two


def test_pull_lengthens(world, drop):
    visit = world.visit("10:00")
    drop(world.reception, visit, end=clock(world, "10:45"))
    assert (again(visit).start_at, again(visit).end_at) == (world.at("10:00"), world.at("10:45"))


def test_drop_onto_somebody_is_refused_with_three_free_times(world, drop):
    visit = world.visit("10:00")
    world.visit("11:00", patient=world.bruno, room=world.room_two)
    answer = drop(world.reception, visit, start=clock(world, "11:00"))
    assert "Ada Conti is busy from 11:00 to 11:30." in answer
    assert len(re.findall(r'name="_instead"', answer)) == 3
    assert "Go on anyway" in answer
    assert f'name="start" value="{clock(world, "11:00")}"' in answer
    assert again(visit).version == 0


def test_free_time_that_was_offered_is_taken(world, drop):
    visit = world.visit("10:00")
    world.visit("11:00", patient=world.bruno, room=world.room_two)
    answer = drop(world.reception, visit, start=clock(world, "11:00"))
    offered = re.search(r'name="_instead" value="([^"]+)"', answer)[1].replace("&amp;", "&")
    answer = drop(world.reception, visit, start=clock(world, "11:00"), _instead=offered)
    assert answer["version"] == 1
    assert again(visit).start_at not in (world.at("10:00"), world.at("11:00"))


def test_free_time_keeps_the_length_that_was_pulled(world, drop):
    visit = world.visit("10:00")
    world.visit("10:30", patient=world.bruno, room=world.room_two)
    answer = drop(world.reception, visit, end=clock(world, "11:15"))
    offered = re.search(r'name="_instead" value="([^"]+)"', answer)[1].replace("&amp;", "&")
    drop(world.reception, visit, end=clock(world, "11:15"), _instead=offered)
    assert again(visit).end_at - again(visit).start_at == dt.timedelta(minutes=75)


def test_deliberate_overlap_wants_a_reason_and_keeps_it(world, drop):
    visit = world.visit("10:00")
    world.visit("11:00", patient=world.bruno, room=world.room_two)
    wish = {"start": clock(world, "11:00"), "_accept": "overlap"}
    assert "Going on anyway wants a reason." in drop(world.reception, visit, **wish)
    assert again(visit).version == 0
    drop(world.reception, visit, **wish, _reason="heat while waiting")
    moved = again(visit)
    assert (moved.start_at, moved.overlap_reason) == (world.at("11:00"), "heat while waiting")


def test_practitioner_is_refused_and_not_offered_to_go_on(world, drop, desk):
    visit = world.visit("10:00")
    world.visit("11:00", patient=world.bruno, room=world.room_two)
    answer = drop(world.ada_user, visit, start=clock(world, "11:00"))
    assert "Ada Conti is busy" in answer
    assert "Go on anyway" not in answer
    url = reverse("admin:clinic_appointment_calendar_move", args=[visit.pk])
    forged = {"version": 0, "start": clock(world, "11:00"), "_accept": "overlap", "_reason": "x"}
    assert desk(world.ada_user).post(url, forged).status_code == 403


def test_practitioner_cannot_hand_a_visit_to_a_colleague(world, drop):
    visit = world.visit("10:00")
    assert "Not moved" in drop(world.ada_user, visit, practitioner=world.ben.pk)
    assert again(visit).practitioner == world.ada


def test_colleagues_visit_is_not_found(world, desk):
    visit = world.visit("10:00", practitioner=world.ben)
    for page in ("move", "back"):
        url = reverse(f"admin:clinic_appointment_calendar_{page}", args=[visit.pk])
        assert desk(world.ada_user).post(url, {"version": 0, "start": clock(world, "11:00")}).status_code == 404
    assert again(visit).version == 0


def test_who_may_not_move_is_refused(world, desk):
    visit = world.visit("10:00")
    url = reverse("admin:clinic_appointment_calendar_move", args=[visit.pk])
    assert desk(world.manager).post(url, {"version": 0, "start": clock(world, "11:00")}).status_code == 403


def test_two_receptionists_do_not_overwrite_each_other(world, drop):
    visit = world.visit("10:00")
    drop(world.reception, visit, start=clock(world, "11:00"))
    answer = drop(world.administrator, visit, start=clock(world, "12:00"))
    assert "Somebody else has just moved this visit" in answer
    assert again(visit).start_at == world.at("11:00")


def test_visit_that_is_over_is_not_moved(world, drop):
    visit = world.visit("10:00", status=_S.COMPLETED)
    assert "it cannot be moved" in drop(world.reception, visit, start=clock(world, "11:00"))


@pytest.mark.parametrize("form", [
    {}, {"start": "never"}, {"start": "2027-02-30T10:00"}, {"end": "x"}, {"practitioner": "0"}, {"room": "x"},
    {"version": ""}, {"version": "-1"}, {"slot": "x"}, {"slot": "2027-01-01T10:00/1/1"},
    {"slot": "9999-12-31T23:59+00:00/9/9"}, {"start": "0001-01-01T00:00"}, {"start": "9999-12-31T23:59"},
    {"end": "1900-01-01T00:00"},
])  # fmt: skip
def test_rubbish_moves_nothing(world, desk, form):
    visit = world.visit("10:00")
    url = reverse("admin:clinic_appointment_calendar_move", args=[visit.pk])
    response = desk(world.reception).post(url, {"version": 0, **form})
    assert response.status_code == 200
    if form:
        assert "Not moved" in response.content.decode()
    assert (again(visit).start_at, again(visit).end_at) == (visit.start_at, visit.end_at)


def test_get_changes_nothing_and_leads_to_the_form(world, desk):
    visit = world.visit("10:00")
    url = reverse("admin:clinic_appointment_calendar_move", args=[visit.pk])
    response = desk(world.reception).get(url, {"start": clock(world, "11:00"), "version": 0})
    assert (response.status_code, response["Location"]) == (
        302,
        reverse("admin:clinic_appointment_do_move", args=[visit.pk]),
    )
    assert again(visit).version == 0


def test_a_refusal_shows_one_visit_and_is_recorded_as_a_look(world, drop):
    visit = world.visit("10:00")
    drop(world.reception, visit, start=clock(world, "22:00"))
    entry = AuditEntry.objects.filter(verb="view").latest("pk")
    assert (entry.model, entry.row_id, entry.patient_id) == ("appointment", visit.pk, world.anna.pk)


# Back


def test_move_is_taken_back(world, drop):
    visit = world.visit("10:00", status=_S.CONFIRMED)
    # Written past the services: the history row of the booking is what a move goes back to.
    answer = drop(world.reception, visit, start=clock(world, "11:00"), practitioner=world.ben.pk)
    back = drop(world.reception, visit, page="back", version=answer["version"])
    assert back["said"].startswith("Taken back: Bianchi Anna")
    found = again(visit)
    assert (found.start_at, found.practitioner, found.status) == (world.at("10:00"), world.ada, _S.CONFIRMED)


@pytest.mark.parametrize("version", ["", "x", "-1", "7", "\u0663"])
def test_nothing_is_taken_back_for_a_version_that_is_none(world, drop, version):
    visit = world.visit("10:00")
    drop(world.reception, visit, start=clock(world, "11:00"))
    assert "Not moved" in drop(world.reception, visit, page="back", version=version)
    assert again(visit).start_at == world.at("11:00")


# Clocks


def test_drop_is_read_on_the_clock_of_the_location(world, drop):
    world.camerino.time_zone = "America/New_York"
    world.camerino.save()
    visit = world.visit(start_at=make.moment(world.monday, "10:00", world.camerino.zone))
    drop(world.reception, visit, start=clock(world, "11:00"))
    assert again(visit).start_at == make.moment(world.monday, "11:00", world.camerino.zone)


@pytest.fixture
def night(world):
    """The clinic works through both nights on which Italy changes its clocks."""
    make.make_opening_hours(world.camerino, weekdays=[6], starts="00:00", ends="06:00")
    make.make_working_hours(world.ada, world.camerino, weekdays=[6], starts="00:00", ends="06:00")


def test_drop_that_leaves_the_time_keeps_its_moment_in_the_repeated_hour(world, night, drop):
    second = dt.datetime(2027, 10, 31, 2, 30, fold=1, tzinfo=world.camerino.zone).astimezone(dt.UTC)
    visit = world.visit(start_at=second)
    drop(world.reception, visit, room=world.room_two.pk)
    assert (again(visit).start_at, again(visit).room) == (second, world.room_two)


def test_pull_over_the_repeated_hour_ends_after_it_began(world, night, drop):
    visit = world.visit(start_at=dt.datetime(2027, 10, 31, 0, 45, tzinfo=dt.UTC))  # 02:45, the first time
    drop(world.reception, visit, end="2027-10-31T02:15")
    assert again(visit).end_at == dt.datetime(2027, 10, 31, 1, 15, tzinfo=dt.UTC)


def test_drop_into_the_hour_that_is_skipped_is_refused(world, night, drop):
    visit = world.visit(start_at=dt.datetime(2027, 3, 28, 0, 0, tzinfo=dt.UTC))
    assert "The clock skips this time on that day." in drop(world.reception, visit, start="2027-03-28T02:30")
    assert again(visit).version == 0
