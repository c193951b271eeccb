"""Free times in the database: what closes them, what binds whom, how many statements they take.

The arithmetic itself is compared with every minute of the clock in test_slots_oracle."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import ClinicSettings, DayException, ExtraHours, Hold
from clinic.services.scheduling import slots
from tests import factories as make

UTC = dt.UTC


def clocks(found, zone="Europe/Rome"):
    return [slot.start_at.astimezone(ZoneInfo(zone)).strftime("%H:%M") for slot in found]


def free(world, service=None, **wanted):
    wanted = {"first_on": world.monday, "practitioners": [world.ada.pk], "at": world.at("00:00", -7), **wanted}
    return slots.free((service or world.massage).pk, **wanted)


def test_free_day_offers_every_step_of_working_hours_and_no_break(world):
    found = clocks(free(world))
    assert found[:2] == ["09:00", "09:15"]
    assert found[-1] == "17:30"
    assert "12:30" in found
    assert "12:45" not in found
    assert "13:00" not in found
    assert len(found) == 15 + 15


@pytest.mark.parametrize("wanted", [{}, {"last_on": 30, "practitioners": None, "locations": None}])
def test_free_takes_two_queries(world, wanted):
    if wanted:
        wanted["last_on"] = world.monday + dt.timedelta(days=wanted["last_on"])
    with CaptureQueriesContext(connection) as queries:
        free(world, **wanted, patient_id=world.anna.pk)
    assert len(queries) == 2


def test_busy_practitioner_room_and_patient_close_their_times(world):
    world.visit("10:00", patient=world.bruno)
    assert "10:00" not in clocks(free(world))
    assert "10:30" in clocks(free(world))
    other = make.make_practitioner(services=[world.massage])
    make.make_working_hours(other, world.camerino)
    world.visit("11:00", practitioner=other, patient=world.anna, room=world.room_two)
    found = free(world)
    assert {slot.room_id for slot in found if slot.start_at == world.at("11:00")} == {world.room_one.pk}
    assert "11:00" not in clocks(free(world, patient_id=world.anna.pk))


def test_buffers_close_the_neighbouring_times(world):
    world.visit("10:00", service=world.assessment, patient=world.bruno)
    found = clocks(free(world))
    assert "09:30" in found
    assert "11:00" not in found
    assert "11:15" in found


def test_deliberate_overlap_is_still_busy(world):
    world.visit("10:00", overlap_reason="traction", patient=world.bruno)
    assert "10:00" not in clocks(free(world))


def test_live_hold_closes_its_time_and_an_expired_one_does_not(world):
    at = world.at("00:00", -7)
    hold = Hold.objects.create(
        service=world.massage,
        practitioner=world.ada,
        location=world.camerino,
        start_at=world.at("10:00"),
        end_at=world.at("10:30"),
        busy_from=world.at("10:00"),
        busy_until=world.at("10:30"),
        expires_at=at + dt.timedelta(minutes=10),
        address="x",
        code_hash="x",
    )
    assert "10:00" not in clocks(free(world, at=at))
    hold.expires_at = at
    hold.save()
    assert "10:00" in clocks(free(world, at=at))


def test_closed_day_extra_hours_and_exceptional_opening(world):
    sunday = world.monday + dt.timedelta(days=6)
    assert free(world, first_on=sunday) == []
    ExtraHours.objects.create(
        practitioner=world.ada, location=world.camerino, on=sunday, starts=dt.time(10), ends=dt.time(12)
    )
    assert free(world, first_on=sunday) == []
    DayException.objects.create(location=world.camerino, on=sunday, open=True, starts=dt.time(10), ends=dt.time(11))
    assert clocks(free(world, first_on=sunday)) == ["10:00", "10:15", "10:30"]
    DayException.objects.create(location=world.camerino, on=world.monday)
    assert free(world) == []


def test_alternating_weeks_count_from_their_anchor(world):
    late = make.make_practitioner(services=[world.advice])
    make.make_working_hours(
        late, world.camerino, weekdays=[0], starts="09:00", ends="10:00", every_weeks=2, anchor_on=world.monday
    )
    days = [
        slot.start_at.date()
        for slot in free(world, world.advice, practitioners=[late.pk], last_on=world.monday + dt.timedelta(weeks=4))
    ]
    assert set(days) == {world.monday + dt.timedelta(weeks=weeks) for weeks in (0, 2, 4)}


@pytest.mark.parametrize(
    ("part", "first", "last"),
    [("morning", "09:00", "11:45"), ("afternoon", "12:00", "16:45"), ("evening", "17:00", "17:30")],
)
def test_part_of_day_is_by_the_start(world, part, first, last):
    found = clocks(free(world, part=part))
    assert (found[0], found[-1]) == (first, last)


def test_notice_horizon_and_switches_bind_patients_only(world):
    at = world.at("09:00")
    assert clocks(free(world, at=at))[0] == "09:00"
    assert clocks(free(world, at=at, binding=True))[0] == "11:00"
    far = world.monday + dt.timedelta(days=91)
    assert free(world, first_on=far, at=at)
    assert free(world, first_on=far, at=at, binding=True) == []
    ClinicSettings.objects.create(pk=1, notice_minutes=0)
    assert clocks(free(world, at=at, binding=True))[0] == "09:00"
    world.ada.online = False
    world.ada.save()
    assert free(world, at=at, binding=True) == []


def test_next_available_looks_beyond_a_full_fortnight(world):
    make.make_time_off(practitioner=world.ada, start_at=world.at("00:00", -7), end_at=world.at("00:00", 23))
    found = slots.next_available(
        world.massage.pk, from_on=world.monday, practitioners=[world.ada.pk], at=world.at("00:00", -7)
    )
    assert found.start_at == world.at("09:00", 23)
    assert (
        slots.next_available(world.massage.pk, from_on=world.monday, practitioners=[world.carla.pk], horizon_days=30)
        is None
    )


@pytest.mark.parametrize(("off_days", "queries"), [(0, 2), (5, 3), (40, 4), (None, 4)])
def test_next_available_takes_at_most_four_queries_however_far_it_is(world, off_days, queries):
    at = world.at("00:00", -7)
    if off_days != 0:
        make.make_time_off(practitioner=world.ada, start_at=at, end_at=world.at("00:00", off_days or 300))
    with CaptureQueriesContext(connection) as asked:
        found = slots.next_available(world.tecar.pk, from_on=world.monday, practitioners=[world.ada.pk], at=at)
    assert len(asked) == queries
    first_workday = {0: 0, 5: 7, 40: 42}
    assert (found and found.start_at) == (None if off_days is None else world.at("09:00", first_workday[off_days]))


def test_next_available_is_the_first_of_all_people_places_and_parts(world):
    wanted = {"at": world.at("00:00", -7), "patient_id": world.anna.pk}
    world.visit("09:00", patient=world.bruno)
    assert slots.next_available(world.massage.pk, from_on=world.monday, **wanted).practitioner_id == world.ben.pk
    world.visit("09:00", patient=world.anna, practitioner=world.ben, room=world.room_two)
    for over in ({}, {"part": "afternoon"}, {"locations": [world.macerata.pk]}, {"minutes": 60}, {"binding": True}):
        found = slots.next_available(world.massage.pk, from_on=world.monday, **wanted, **over)
        everything = slots.free(
            world.massage.pk, first_on=world.monday, last_on=world.monday + dt.timedelta(days=20), **wanted, **over
        )
        assert found == everything[0]


def test_price_and_length_are_the_offerings_own(world):
    offering = world.ada.offerings.get(service=world.massage)
    offering.minutes, offering.price = 50, Decimal("55.00")
    offering.save()
    slot = free(world)[0]
    assert (slot.end_at - slot.start_at, slot.price) == (dt.timedelta(minutes=50), Decimal("55.00"))
