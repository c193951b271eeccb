"""Many at once: first the race without its guards, then that it is gone. Real threads, real commits."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, connections, transaction

from clinic import actor
from clinic.database import conflicts, locks
from clinic.exceptions import RuleBroken
from clinic.models import Appointment
from clinic.services import scheduling
from clinic.services.scheduling import planning
from tests import factories as make
from tests.world import make_world

pytestmark = [pytest.mark.heavy, pytest.mark.django_db(transaction=True)]

CONSTRAINTS = ("practitioner_free", "room_free", "patient_free")
OVERLAPS = """
SELECT count(*) FROM clinic_appointment a JOIN clinic_appointment b ON a.id < b.id
AND a.practitioner_id = b.practitioner_id
AND tstzrange(a.busy_from, a.busy_until) && tstzrange(b.busy_from, b.busy_until)
"""


@pytest.fixture
def world(transactional_db):
    return make_world()


def together(count, work):
    """Run work(number) in so many threads, released by one barrier; what each returned or raised."""
    barrier = threading.Barrier(count)

    def one(number):
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            return work(number)
        except (RuleBroken, DatabaseError) as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def overlapping_pairs():
    with connection.cursor() as cursor:
        cursor.execute(OVERLAPS)
        return cursor.fetchone()[0]


@contextmanager
def without_constraints(owner_cursor):
    for name in CONSTRAINTS:
        owner_cursor.execute(f"ALTER TABLE clinic_appointment DROP CONSTRAINT {name}")
    owner_cursor.connection.commit()
    yield


def without_locks(monkeypatch):
    monkeypatch.setattr(locks, "take", lambda keys, **shared: None)


def wish(world, patient, clock="10:00", practitioner=None):
    return Appointment(
        service=world.advice,
        practitioner=practitioner or world.ada,
        location=world.camerino,
        patient=patient,
        start_at=world.at(clock),
    )


def booked(outcomes):
    return [outcome for outcome in outcomes if isinstance(outcome, Appointment)]


def is_contention(outcome):
    return isinstance(outcome, RuleBroken) and outcome.code == conflicts.BUSY


def storm(world, patients, *, rounds, seed=7):
    """Overlapping wishes for two practitioners and two rooms at once: each transaction wants several scarce things."""
    other = make.make_practitioner(services=[world.massage], locations=[world.camerino])
    make.make_working_hours(other, world.camerino)
    rng = random.Random(seed)
    outcomes = []
    for round_ in range(rounds):
        day = round_ % 5
        wishes = [
            Appointment(
                service=world.massage,
                practitioner=rng.choice([world.ada, other]),
                location=world.camerino,
                room=rng.choice([world.room_one, world.room_two]),
                patient=patient,
                start_at=world.at(rng.choice(["10:00", "10:15", "10:30", "10:45"]), day),
            )
            for patient in patients
        ]
        by = actor.staff(world.reception)
        outcomes += together(len(wishes), lambda number, wishes=wishes, by=by: scheduling.book(wishes[number], by=by))
    return outcomes


def test_without_locks_and_constraints_the_storm_books_twice(world, monkeypatch, owner_cursor):
    patients = [make.make_patient() for _ in range(16)]
    without_locks(monkeypatch)
    with without_constraints(owner_cursor):
        storm(world, patients, rounds=3)
        assert overlapping_pairs() > 0


def test_with_constraints_alone_the_storm_deadlocks(world, monkeypatch, owner_cursor):
    """Two constraints checked by two transactions in opposite order: the race that the sorted locks remove."""
    patients = [make.make_patient() for _ in range(40)]
    without_locks(monkeypatch)
    # See them instead of trying again.
    monkeypatch.setattr(conflicts, "_TRIES", 1)
    deadlocks = 0
    for seed in range(6):
        monkeypatch.setattr(planning, "check", lambda *args, **kwargs: False)
        outcomes = storm(world, patients, rounds=2, seed=seed)
        deadlocks += sum(is_contention(outcome) for outcome in outcomes)
        if deadlocks:
            break
    assert deadlocks > 0
    assert overlapping_pairs() == 0


def test_with_both_the_storm_neither_doubles_nor_deadlocks(world, monkeypatch):
    patients = [make.make_patient() for _ in range(40)]
    monkeypatch.setattr(conflicts, "_TRIES", 1)
    outcomes = storm(world, patients, rounds=6)
    assert overlapping_pairs() == 0
    assert not any(isinstance(outcome, DatabaseError) or is_contention(outcome) for outcome in outcomes)
    assert Appointment.objects.count() == len(booked(outcomes)) > 0


def test_fifty_at_one_slot_twenty_rounds_book_once_each(world):
    patients = [make.make_patient() for _ in range(50)]
    by = actor.staff(world.reception)
    for round_ in range(20):
        clock, day = f"{9 + round_ % 4:02}:00", round_ // 4

        def book(number, clock=clock, day=day):
            appointment = wish(world, patients[number], clock)
            appointment.start_at = world.at(clock, day)
            return scheduling.book(appointment, by=by)

        outcomes = together(50, book)
        assert len(booked(outcomes)) == 1
        assert all(outcome.code == "overlap" for outcome in outcomes if not isinstance(outcome, Appointment))
    assert Appointment.objects.count() == 20
    assert overlapping_pairs() == 0


def test_thousand_replays_get_their_own_answer(world):
    """50 clients at a time, 20 different bookings, each sent 50 times with its key."""
    by = actor.staff(world.reception)
    patients = [make.make_patient() for _ in range(20)]
    times = [(f"{9 + n % 4:02}:00", n // 4) for n in range(20)]
    jobs = [number for number in range(20) for _ in range(50)]
    random.Random(3).shuffle(jobs)
    answers = {}
    for start in range(0, 1000, 50):
        batch = jobs[start : start + 50]

        def book(position, batch=batch):
            number = batch[position]
            clock, day = times[number]
            appointment = wish(world, patients[number], clock)
            appointment.start_at = world.at(clock, day)
            return number, scheduling.book(appointment, by=by, key=f"key-{number}").pk

        for outcome in together(50, book):
            assert isinstance(outcome, tuple), outcome
            answers.setdefault(outcome[0], set()).add(outcome[1])
    assert len(answers) == 20
    assert all(len(found) == 1 for found in answers.values())
    assert Appointment.objects.count() == 20


def test_a_lock_outlives_the_inner_block(world):
    """What is released before the outer transaction commits protects nothing."""
    by = actor.staff(world.reception)
    inside, go_on = threading.Event(), threading.Event()

    def first(_number):
        with transaction.atomic():
            visit = scheduling.book(wish(world, world.anna), by=by)
            inside.set()
            go_on.wait(10)
        return visit

    def second(_number):
        inside.wait(10)
        threading.Timer(0.3, go_on.set).start()
        return scheduling.book(wish(world, world.bruno), by=by)

    outcomes = together(2, lambda number: (first, second)[number](number))
    assert len(booked(outcomes)) == 1
    assert outcomes[1].code == "overlap"
