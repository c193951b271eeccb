"""Wall clocks and intervals: the arithmetic under every free time, and bookings around changes of clocks."""

import datetime as dt
import itertools
import os
import random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic import actor
from clinic.models import Appointment
from clinic.services import scheduling
from clinic.services.scheduling import clock, slots
from clinic.services.scheduling.facts import Facts
from clinic.services.scheduling.intervals import both, covers, forbidden_starts, holds, merged, minus
from tests import factories as make

UTC = dt.UTC
STRESS = os.environ.get("STRESS") == "1"
ZONES = ("Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
stretches = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6)


def points(found):
    return {moment for start, end in found for moment in range(start, end)}


@given(stretches, stretches)
def test_interval_arithmetic_equals_sets_of_moments(left, right):
    left, right = merged(left), merged(right)
    assert points(minus(left, right)) == points(left) - points(right)
    assert points(both(left, right)) == points(left) & points(right)
    assert merged([*left, *right]) == merged(sorted([*right, *left]))
    for moment in range(0, 61, 7):
        assert holds(left, moment) == (moment in points(left))
        assert covers(left, moment, moment + 3) == ({moment, moment + 1, moment + 2} <= points(left))


@given(stretches, st.integers(0, 9), st.integers(1, 9), st.integers(0, 9))
def test_forbidden_starts_are_those_that_touch(busy, before, length, after):
    busy = merged(busy)
    closed = forbidden_starts(busy, before, length, after)
    for start in range(-20, 80):
        touches = any(start - before < end and begin < start + length + after for begin, end in busy)
        assert holds(closed, start) == touches


@pytest.mark.parametrize("zone", ZONES)
@given(day=st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31)), step=st.sampled_from([5, 10, 15, 20, 30, 60]))
def test_grid_shows_multiples_on_the_wall_clock(zone, day, step):
    start = clock.midnight(zone, day)
    end = clock.midnight(zone, day + dt.timedelta(days=1))
    found = list(clock.grid(zone, day, step, (start, end)))
    # Every minute of the day at which the clock shows a multiple, looked at one by one.
    wanted = []
    for at in range(start, end, 60):
        shown = dt.datetime.fromtimestamp(at, ZoneInfo(zone))
        if (shown.hour * 60 + shown.minute) % step == 0:
            wanted.append(at)
    assert found == wanted


def test_grid_knows_the_gap_and_the_repeated_hour():
    spring, autumn = dt.date(2026, 3, 29), dt.date(2026, 10, 25)

    def shown(day):
        span = (clock.midnight("Europe/Rome", day), clock.midnight("Europe/Rome", day + dt.timedelta(days=1)))
        return [
            dt.datetime.fromtimestamp(at, ZoneInfo("Europe/Rome")).strftime("%H:%M")
            for at in clock.grid("Europe/Rome", day, 30, span)
        ]

    assert "02:30" not in shown(spring)
    assert len(shown(spring)) == 46
    assert shown(autumn).count("02:30") == 2
    assert len(shown(autumn)) == 50


def test_hours_on_the_days_the_clock_changes():
    spring, autumn = dt.date(2026, 3, 29), dt.date(2026, 10, 25)
    # Hours that begin in the gap begin when it ends; midnight is the next day's.
    start, end = clock.stretch("Europe/Rome", spring, 150, 0)
    assert clock.as_datetime(start) == dt.datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert clock.as_datetime(end) == dt.datetime(2026, 3, 29, 22, tzinfo=UTC)
    # Both passes of a repeated hour are inside.
    start, end = clock.stretch("Europe/Rome", autumn, 120, 180)
    assert end - start == 2 * 3600
    assert clock.stretch("Europe/Rome", dt.date(2026, 3, 30), 540, 600)[0] == int(
        dt.datetime(2026, 3, 30, 7, tzinfo=UTC).timestamp()
    )


CHANGES = {
    "Europe/Rome": [dt.date(2026, 3, 29), dt.date(2026, 10, 25)],
    "America/New_York": [dt.date(2026, 3, 8), dt.date(2026, 11, 1)],
    "Australia/Lord_Howe": [dt.date(2026, 4, 5), dt.date(2026, 10, 4)],
    "Asia/Kolkata": [dt.date(2026, 3, 29), dt.date(2026, 10, 25)],
}
LOOKED_AT = dt.datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "since", "until", "back"),
    [
        ("Europe/Rome", dt.date(2026, 3, 29), "02:00", "03:00", False),
        ("Europe/Rome", dt.date(2026, 10, 25), "02:00", "03:00", True),
        ("America/New_York", dt.date(2026, 11, 1), "01:00", "02:00", True),
        ("Australia/Lord_Howe", dt.date(2026, 4, 5), "01:30", "02:00", True),
        ("Australia/Lord_Howe", dt.date(2026, 10, 4), "02:00", "02:30", False),
        ("America/Havana", dt.date(2026, 3, 8), "00:00", "01:00", False),
        ("America/Havana", dt.date(2026, 11, 1), "00:00", "01:00", True),
    ],
)
def test_change_says_which_times_come_twice_or_never(zone, day, since, until, back):
    assert clock.change(zone, day) == (since, until, back)
    assert clock.change(zone, day + dt.timedelta(days=1)) is None
    assert clock.change(zone, day - dt.timedelta(days=1)) is None


def test_wall_tells_the_two_of_a_repeated_time_apart():
    rome = ZoneInfo("Europe/Rome")
    shown = [clock.wall(dt.datetime(2026, 10, 25, hour, 30, tzinfo=UTC).astimezone(rome)) for hour in range(3)]
    assert shown == ["02:30 (CEST)", "02:30 (CET)", "03:30"]
    lord = dt.datetime(2026, 4, 4, 15, 15, tzinfo=UTC).astimezone(ZoneInfo("Australia/Lord_Howe"))
    assert clock.wall(lord) == "01:45 (+1030)"


def test_hours_that_end_when_an_hour_begins_to_repeat_end_at_its_first_stroke():
    autumn = dt.date(2026, 10, 25)
    start, end = clock.stretch("Europe/Rome", autumn, 60, 120)
    assert end - start == 3600
    start, end = clock.stretch("Europe/Rome", autumn, 60, 150)
    assert end - start == 9000
    # Havana's midnight comes twice: Saturday ends at the first.
    start, end = clock.stretch("America/Havana", dt.date(2026, 10, 31), 22 * 60, 0)
    assert end - start == 2 * 3600


@pytest.mark.parametrize("zone", ZONES)
def test_nine_o_clock_every_week_stays_nine_o_clock(zone):
    first = dt.date(2026, 1, 5)
    moments = [clock.moment(zone, first + dt.timedelta(weeks=week), 540) for week in range(104)]
    shown = [dt.datetime.fromtimestamp(at, ZoneInfo(zone)) for at in moments]
    assert {f"{at:%a %H:%M}" for at in shown} == {"Mon 09:00"}
    steps = {later - earlier for earlier, later in itertools.pairwise(moments)}
    week = 7 * 24 * 3600
    shift = {"Asia/Kolkata": 0, "Australia/Lord_Howe": 1800}.get(zone, 3600)
    assert steps == {week, week - shift, week + shift}


def always_open(zone, step, minutes):
    """Facts of a clinic that never closes, with one practitioner who never leaves."""
    week = [[1, weekday, 0, 0, None, None] for weekday in range(7)]
    return {
        "service": {
            "id": 1, "active": True, "minutes": minutes, "before": 0, "after": 0, "price": "1.00", "online": True,
            "notice": None, "horizon": None, "room_kinds": [], "equipment_kinds": [],
        },
        "clinic": None,
        "offers": [[1, None, None, True]],
        "locations": [[1, zone, step, None, None, None, ""]],
        "opening": week,
        "exceptions": [],
        "working": [[1, *row, 1, None] for row in week],
        "extra": [],
        "off": [],
        "rooms": [],
        "equipment": [],
    }  # fmt: skip


@pytest.mark.heavy
@settings(max_examples=10_000 if STRESS else 200, derandomize=not STRESS, deadline=None, database=None)
@given(
    zone=st.sampled_from(ZONES),
    which=st.integers(0, 1),
    near=st.integers(-2, 2),
    step=st.sampled_from([5, 10, 15, 20, 30]),
    minutes=st.integers(5, 90),
    pick=st.integers(0, 10_000),
)
def test_a_free_time_exists_once_lasts_as_long_as_it_says_and_reads_differently(zone, which, near, step, minutes, pick):
    day = CHANGES[zone][which] + dt.timedelta(days=near)
    found = list(slots.compute(Facts(always_open(zone, step, minutes), day, day), at=LOOKED_AT))
    shown = [slot.start_at.astimezone(ZoneInfo(zone)) for slot in found]
    labels = [clock.wall(local) for local in shown]
    assert len(set(labels)) == len(labels)
    length = clock.midnight(zone, day + dt.timedelta(days=1)) - clock.midnight(zone, day)
    if 30 % step == 0:
        # Lord Howe's half hour throws other steps out.
        assert len(found) == (length - minutes * 60) // (step * 60) + 1
    chosen, local = found[pick % len(found)], shown[pick % len(found)]
    # There and back: a time in a gap would come back as another.
    assert local.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local.replace(tzinfo=None)
    assert local.date() == day
    assert (local.hour * 60 + local.minute) % step == 0
    assert chosen.end_at - chosen.start_at == dt.timedelta(minutes=minutes)


@pytest.mark.heavy
def test_bookings_around_clock_changes_keep_their_day_and_their_length(db):
    """Through every rule and constraint, on days around each change: 10,000 bookings with STRESS=1."""
    rng = random.Random(20260329)
    by = actor.staff(make.make_user("manager"))
    service = make.make_service(minutes=15)
    treated = [make.make_patient() for _ in range(12)]
    sites = []
    for zone in ZONES:
        site = make.make_location(time_zone=zone, slot_step=5, close_on_holidays=False)
        make.make_opening_hours(site, weekdays=range(7), starts="00:00", ends="00:00")
        people = [make.make_practitioner(services=[service]) for _ in range(4)]
        for person in people:
            make.make_working_hours(person, site, weekdays=range(7), starts="00:00", ends="00:00")
        sites.append((site, people))
    with actor.acting(by):
        for _turn in range(10_000 if STRESS else 60):
            site, people = rng.choice(sites)
            # The change itself half of the time, a day within four otherwise.
            day = rng.choice(CHANGES[site.time_zone]) + dt.timedelta(days=rng.choice([0] * 7 + list(range(-4, 5))))
            who, patient = rng.choice(people), rng.choice(treated)
            wanted = {"practitioners": [who.pk], "patient_id": patient.pk, "at": LOOKED_AT}
            found = slots.free(service.pk, first_on=day, **wanted)
            if not found:
                continue
            # The night of the change half of the time.
            chosen = rng.choice(found[: 60 if rng.random() < 0.5 else None])
            # As a form sends it: on the wall clock of the location.
            local = chosen.start_at.astimezone(site.zone)
            visit = Appointment(service=service, practitioner=who, location=site, patient=patient, start_at=local)
            scheduling.book(visit, by=by, at=LOOKED_AT)
            visit.refresh_from_db()
            assert (visit.day, visit.start_at, visit.holds) == (day, chosen.start_at, True)
            assert visit.end_at - visit.start_at == dt.timedelta(minutes=15)
            assert chosen not in slots.free(service.pk, first_on=day, **wanted)
    rows = Appointment.objects.order_by("practitioner_id", "busy_from")
    pairs = itertools.pairwise(rows.values_list("practitioner_id", "busy_from", "busy_until"))
    assert not [one for one, other in pairs if one[0] == other[0] and other[1] < one[2]]
    repeated = [visit for visit in rows if clock.wall(visit.local_start) != f"{visit.local_start:%H:%M}"]
    assert repeated
    assert rows.count() > (5_000 if STRESS else 50)
