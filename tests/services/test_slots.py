"""Free times against a brute-force oracle, over hours, breaks, alternating weeks, absences, buffers and zones."""

import datetime as dt
import random
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import ClinicSettings, DayException, ExtraHours, Hold
from clinic.services.scheduling import slots
from clinic.services.scheduling.facts import Facts
from tests import factories as make

UTC = dt.UTC
ZONES = ("Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
# Weeks around clock changes, and an ordinary one.
MONDAYS = [dt.date(2026, 3, 2), dt.date(2026, 3, 23), dt.date(2026, 9, 28), dt.date(2026, 10, 19), dt.date(2026, 6, 8)]


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


# The oracle: everything looked at minute by minute, on wall clocks, without interval arithmetic.


def random_document(rng, monday):
    zone = rng.choice(ZONES)

    def hours():
        start = rng.randrange(0, 22 * 60, 15)
        return start, rng.choice([0, min(start + rng.randrange(15, 600, 15), 24 * 60 - 1)])

    days = [monday + dt.timedelta(days=n) for n in range(7)]

    def epoch(day):
        return int(dt.datetime.combine(day, dt.time(), UTC).timestamp()) + rng.randrange(-600, 1800) * 60

    def span():
        start = epoch(rng.choice(days))
        return start, start + rng.randrange(15, 300, 5) * 60

    service = {
        "id": 1,
        "active": True,
        "minutes": rng.choice([20, 30, 45, 60]),
        "before": rng.choice([0, 0, 10]),
        "after": rng.choice([0, 5, 15]),
        "price": "10.00",
        "online": True,
        "notice": None,
        "horizon": None,
        "room_kinds": rng.choice([[], [1]]),
        "equipment_kinds": rng.choice([[], [], [1], [1, 2]]),
    }
    valid = [None, None, days[2].isoformat()]
    return {
        "service": service,
        "clinic": None,
        "offers": [[1, None, None, True], [2, rng.choice([None, 25]), None, True]],
        "locations": [[1, zone, rng.choice([5, 15, 20, 30]), None, None]],
        "opening": [[1, rng.randrange(7), *hours(), rng.choice(valid), None] for _ in range(9)],
        "exceptions": [[1, rng.choice(days).isoformat(), False, None, None]]
        + [[1, rng.choice(days).isoformat(), True, *hours()] for _ in range(1)],
        "working": [
            [
                rng.choice([1, 2]),
                1,
                rng.randrange(7),
                *hours(),
                None,
                rng.choice(valid),
                rng.choice([1, 1, 2, 3]),
                (monday - dt.timedelta(days=rng.randrange(0, 60))).isoformat(),
            ]
            for _ in range(12)
        ],
        "extra": [[rng.choice([1, 2]), 1, rng.choice(days).isoformat(), *hours()] for _ in range(2)],
        "off": [[*[1 if rng.randrange(4) == n else None for n in range(4)], *span()] for _ in range(3)],
        "rooms": [[1, 1, 1, 2], [2, 1, 1, 1]],
        "equipment": [[1, 1, 1], [2, 1, 1], [3, 1, 2]],
    }, {
        key: [span() for _ in range(count)]
        for key, count in {
            ("practitioner", 1, 0): 5,
            ("practitioner", 2, 0): 3,
            ("room", 1, 1): 4,
            ("room", 1, 2): 4,
            ("room", 2, 1): 4,
            ("equipment", 1, 0): 3,
            ("equipment", 2, 0): 3,
            ("equipment", 3, 0): 3,
            ("patient", 7, 0): 2,
        }.items()
    }


def oracle(document, busy, first_on, last_on):
    """{(start, practitioner): (room, place, equipment)} by looking at every minute."""
    service = document["service"]
    _id, zone_name, step, *_windows = document["locations"][0]
    zone = ZoneInfo(zone_name)
    found = {}

    def clock_inside(minute_of_day, starts, ends):
        return starts <= minute_of_day < (ends or 24 * 60)

    def valid(day, since, until):
        return (since is None or since <= day.isoformat()) and (until is None or day.isoformat() <= until)

    def at_work(who, moment):
        local = dt.datetime.fromtimestamp(moment, zone)
        day, minute = local.date(), local.hour * 60 + local.minute
        for practitioner, _room, _unit, location, start, end in document["off"]:
            if (practitioner == who or location == 1) and start <= moment < end:
                return False
        exceptions = [row for row in document["exceptions"] if row[1] == day.isoformat()]
        if exceptions:
            opened = any(row[2] and clock_inside(minute, row[3], row[4]) for row in exceptions)
        else:
            opened = any(
                row[1] == day.weekday() and clock_inside(minute, row[2], row[3]) and valid(day, row[4], row[5])
                for row in document["opening"]
            )
        if not opened:
            return False
        for practitioner, _site, weekday, starts, ends, since, until, every, anchor in document["working"]:
            monday = dt.date.fromisoformat(anchor)
            monday -= dt.timedelta(days=monday.weekday())
            weeks = (day - dt.timedelta(days=day.weekday()) - monday).days // 7
            if (
                practitioner == who
                and weekday == day.weekday()
                and weeks % every == 0
                and valid(day, since, until)
                and clock_inside(minute, starts, ends)
            ):
                return True
        return any(
            row[0] == who and row[2] == day.isoformat() and clock_inside(minute, row[3], row[4])
            for row in document["extra"]
        )

    def clear(key, start, end):
        return not any(begin < end and start < finish for begin, finish in busy.get(key, ()))

    def usable(column, id_, start, end):
        return not any(row[column] == id_ and row[4] < end and start < row[5] for row in document["off"])

    start = int(dt.datetime.combine(first_on, dt.time(), zone).timestamp())
    stop = int(dt.datetime.combine(last_on + dt.timedelta(days=1), dt.time(), zone).timestamp())
    for who, minutes, _price, _online in document["offers"]:
        length = (minutes or service["minutes"]) * 60
        works = {moment: at_work(who, moment) for moment in range(start, stop + 24 * 3600, 60)}
        for moment in range(start, stop, 60):
            local = dt.datetime.fromtimestamp(moment, zone)
            if (local.hour * 60 + local.minute) % step or not works[moment]:
                continue
            # A visit ends on the day it begins, or at its midnight.
            if dt.datetime.fromtimestamp(moment + length - 60, zone).date() != local.date():
                continue
            if not all(works[m] for m in range(moment, moment + length, 60)):
                continue
            reach = (moment - service["before"] * 60, moment + length + service["after"] * 60)
            if not clear(("practitioner", who, 0), *reach) or not clear(("patient", 7, 0), moment, moment + length):
                continue
            room = (None, 1)
            if service["room_kinds"]:
                room = next(
                    (
                        (id_, place)
                        for id_, _site, _kind, places in document["rooms"]
                        for place in range(1, places + 1)
                        if clear(("room", id_, place), *reach) and usable(1, id_, moment, moment + length)
                    ),
                    None,
                )
            units = [
                next(
                    (
                        id_
                        for id_, _site, unit_kind in document["equipment"]
                        if unit_kind == kind
                        and clear(("equipment", id_, 0), *reach)
                        and usable(2, id_, moment, moment + length)
                    ),
                    None,
                )
                for kind in service["equipment_kinds"]
            ]
            if room is not None and None not in units:
                found[moment, who] = (*room, tuple(units))
    return found


def compare(seed):
    rng = random.Random(seed)
    monday = rng.choice(MONDAYS)
    document, busy = random_document(rng, monday)
    first_on = monday + dt.timedelta(days=rng.randrange(6))
    last_on = first_on + dt.timedelta(days=rng.randrange(3))
    known = Facts(document, first_on, last_on, busy=busy)
    computed = {
        (int(slot.start_at.timestamp()), slot.practitioner_id): (slot.room_id, slot.place, slot.equipment_ids)
        for slot in slots.compute(known, patient_id=7, at=dt.datetime(2026, 1, 1, tzinfo=UTC))
    }
    assert computed == oracle(document, busy, first_on, last_on), f"seed {seed}"
    return len(computed)


def test_slots_equal_the_oracle():
    assert sum(compare(seed) for seed in range(60)) > 500


@pytest.mark.heavy
def test_slots_equal_the_oracle_more_often():
    assert sum(compare(seed) for seed in range(1000, 1400)) > 4000


def test_price_and_length_are_the_offerings_own(world):
    offering = world.ada.offerings.get(service=world.massage)
    offering.minutes, offering.price = 50, Decimal("55.00")
    offering.save()
    slot = free(world)[0]
    assert (slot.end_at - slot.start_at, slot.price) == (dt.timedelta(minutes=50), Decimal("55.00"))
