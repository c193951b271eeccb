"""Somebody books while somebody else deactivates what is booked: first the race without its guard, then that it is
gone, whoever comes first. Real threads, real commits."""

import datetime as dt
import threading

import pytest
from django.db import transaction

from clinic import actor
from clinic.models import Appointment
from clinic.services import patients, retirement, scheduling
from clinic.services.scheduling import planning
from tests.races.test_booking_races import booked, together, without_locks
from tests.world import make_world

pytestmark = [pytest.mark.heavy, pytest.mark.django_db(transaction=True)]

RETIRABLE = ("practitioner", "patient", "service", "location", "room", "equipment")
# Long enough for the other one to arrive at the lock, or to commit where there is none.
MEANWHILE = 0.3


@pytest.fixture
def world(transactional_db):
    return make_world()


def wish(world):
    return Appointment(
        service=world.tecar,
        practitioner=world.ada,
        location=world.camerino,
        patient=world.anna,
        room=world.room_one,
        start_at=world.at("10:00"),
    )


def subject_of(world, what):
    return world.tecar_unit if what == "equipment" else getattr(wish(world), what)


def paused(monkeypatch, module, name, reached):
    """The function, after which its caller waits a little: whoever comes meanwhile meets a half-done transaction."""
    function = getattr(module, name)

    def slow(*args, **kwargs):
        answer = function(*args, **kwargs)
        reached.set()
        threading.Event().wait(MEANWHILE)
        return answer

    monkeypatch.setattr(module, name, slow)


def race(world, what, reached, *, first):
    """(outcome of booking, outcome of deactivating); `first` of them is under way when the other begins."""
    by = actor.staff(world.reception)

    def wait_for(name):
        if name != first:
            reached.wait(10)

    def book():
        wait_for("book")
        return scheduling.book(wish(world), by=by)

    def retire():
        wait_for("retire")
        return retirement.deactivate(subject_of(world, what), by=by)

    return together(2, lambda number: (book, retire)[number]())


@pytest.mark.parametrize("what", RETIRABLE)
def test_without_locks_a_visit_is_booked_with_what_is_deactivated(world, monkeypatch, what):
    without_locks(monkeypatch)
    reached = threading.Event()
    paused(monkeypatch, planning, "check", reached)
    visit, retired = race(world, what, reached, first="book")
    assert (booked([visit]), retired.active) == ([visit], False)


@pytest.mark.parametrize("what", RETIRABLE)
def test_who_deactivates_during_a_booking_is_told_about_it(world, monkeypatch, what):
    reached = threading.Event()
    paused(monkeypatch, planning, "check", reached)
    visit, refused = race(world, what, reached, first="book")
    assert booked([visit]) == [visit]
    assert (refused.code, refused.message) == (
        "future_visits",
        "1 visit is still to come; it stays booked until somebody moves or cancels it.",
    )
    assert type(subject_of(world, what)).objects.get(pk=subject_of(world, what).pk).active


@pytest.mark.parametrize("what", RETIRABLE)
def test_who_books_during_a_deactivation_is_refused(world, monkeypatch, what):
    reached = threading.Event()
    paused(monkeypatch, retirement, "check_deactivation", reached)
    refused, retired = race(world, what, reached, first="retire")
    # The unit was the desk's choice, not the caller's: it was chosen anew, and there is no other.
    said = {"equipment": "Camerino lacks equipment that Tecar therapy needs."}
    assert refused.message == said.get(what, f"{retired} is inactive and cannot be booked.")
    assert retired.active is False
    assert Appointment.objects.count() == 0


def test_what_was_chosen_for_the_visit_is_chosen_anew_when_it_is_deactivated(world, monkeypatch):
    reached = threading.Event()
    paused(monkeypatch, retirement, "check_deactivation", reached)
    by = actor.staff(world.reception)

    def book():
        reached.wait(10)
        anywhere = wish(world)
        anywhere.service, anywhere.room = world.massage, None
        return scheduling.book(anywhere, by=by)

    visit, room = together(2, lambda number: (book, lambda: retirement.deactivate(world.room_one, by=by))[number]())
    assert (room.active, visit.room) == (False, world.room_two)


def test_who_records_a_death_during_a_booking_is_told_about_it(world, monkeypatch):
    reached = threading.Event()
    paused(monkeypatch, planning, "check", reached)
    by = actor.staff(world.reception)

    def record():
        reached.wait(10)
        return patients.record_death(world.anna, on=dt.date(2026, 1, 1), by=by)

    visit, refused = together(2, lambda number: (lambda: scheduling.book(wish(world), by=by), record)[number]())
    assert booked([visit]) == [visit]
    assert refused.code == "future_visits"


def test_bookings_at_one_location_do_not_wait_for_each_other(world):
    """The locks on location and service are shared: two transactions hold them at once."""
    by = actor.staff(world.reception)
    inside = threading.Barrier(2)

    def book(number):
        # Ada in the first room and Ben in the second, both at this location and for this service.
        who, patient, room = (
            (world.ada, world.anna, world.room_one),
            (world.ben, world.bruno, world.room_two),
        )[number]
        appointment = wish(world)
        appointment.service, appointment.practitioner, appointment.patient, appointment.room = (
            world.massage,
            who,
            patient,
            room,
        )
        with transaction.atomic():
            visit = scheduling.book(appointment, by=by)
            # Neither has committed when both are here.
            inside.wait(timeout=10)
        return visit

    assert len(booked(together(2, book))) == 2
