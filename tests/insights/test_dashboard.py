"""Every figure of the dashboard, said again in plain SQL: over a few visits, and over a random clinic in two zones,
whose clocks are moved twice in the period."""

import datetime as dt
import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.actor import SYSTEM
from clinic.insights import dashboard
from clinic.insights.dashboard import Span
from clinic.models import Appointment, DayException, ExtraHours, StatusChange, TimeOff, WorkingHours
from clinic.services import scheduling
from clinic.services.scheduling import slots
from clinic.services.scheduling.capacity import Capacity
from tests import factories as make

# Nine months in which the clocks of Rome and of New York go forward and back.
YEAR = Span(dt.date(2025, 3, 1), dt.date(2025, 11, 30))
STATUSES = [
    "completed",
    "no_show",
    "cancelled",
    "scheduled",
    "confirmed",
    "requested",
    "arrived",
    "declined",
    "expired",
]
# Italy's, written down by hand, of the days that both halves hold.
HOLIDAYS = """
2024-06-02 2024-08-15 2024-11-01 2024-11-03 2024-12-08 2024-12-25 2024-12-26 2025-01-01 2025-01-06
2025-04-20 2025-04-21 2025-04-25 2025-05-01 2025-06-02 2025-08-15 2025-11-01 2025-11-02
"""


def asked(world, span=None, *, user=None, location=None):
    places = [location.pk] if location else [world.camerino.pk, world.macerata.pk]
    return dashboard.figures(user or world.manager, span or YEAR, location=location and location.pk, measured=places)


def came(world, span=None, *, user=None, location=None):
    """((active, new) in the span, the same before)."""
    found = dashboard.patients(user or world.manager, span or YEAR, location=location and location.pk)
    return tuple((half.active, half.new) for half in found)


def rows(statement, *params):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


# --- a random clinic ---------------------------------------------------------------------------------------------


@pytest.fixture
def clinic(world):
    """The cast with Macerata moved to New York, night hours, absences, closures, holidays, and 300 visits."""
    world.macerata.time_zone = "America/New_York"
    world.macerata.save()
    world.camerino.close_on_holidays = True
    world.camerino.save()
    # At work while the clocks change.
    make.make_opening_hours(world.camerino, weekdays=[6], starts="00:00", ends="06:00")
    make.make_working_hours(world.ada, world.camerino, weekdays=[6], starts="01:00", ends="05:00")
    WorkingHours.objects.create(
        practitioner=world.ben, location=world.macerata, weekday=4, starts=dt.time(9), ends=dt.time(12), every_weeks=2,
        anchor_on=dt.date(2025, 1, 1), valid_from=dt.date(2025, 2, 10), valid_until=dt.date(2025, 9, 30),
    )  # fmt: skip
    for day, starts, ends in (("2025-05-10", 8, 12), ("2025-08-15", 9, 11), ("2024-12-25", 9, 11)):
        ExtraHours.objects.create(
            practitioner=world.ada, location=world.camerino, on=day, starts=dt.time(starts), ends=dt.time(ends)
        )
    DayException.objects.create(location=world.camerino, on=dt.date(2025, 6, 10))
    DayException.objects.create(
        location=world.camerino, on=dt.date(2025, 8, 15), open=True, starts=dt.time(8), ends=dt.time(13)
    )
    for subject, since, until in (
        ({"practitioner": world.ada}, "2025-08-04", "2025-08-16"),
        ({"practitioner": world.ada}, "2025-08-15", "2025-08-18"),
        ({"room": world.gym}, "2025-04-07", "2025-04-12"),
        ({"location": world.macerata}, "2025-07-03", "2025-07-05"),
    ):
        TimeOff.objects.create(
            start_at=make.moment(dt.date.fromisoformat(since), "10:00"),
            end_at=make.moment(dt.date.fromisoformat(until), "16:00"),
            **subject,
        )
    _fill(world, random.Random(7))
    return world


def _fill(world, chance):
    people = [make.make_patient() for _number in range(25)]
    places = [
        (world.camerino, [world.room_one, world.room_two, world.gym, None]),
        (world.macerata, [world.macerata_room, None]),
    ]
    # Crowded, so that deliberate overlaps happen.
    days = [YEAR.before.first_on, YEAR.before.last_on]
    days += [YEAR.first_on + dt.timedelta(days=n) for n in (0, 29, 239, 274)]
    days += [chance.choice(YEAR.with_before().days()) for _number in range(25)]
    wanted = {}
    for _number in range(330):
        location, rooms = chance.choice(places)
        clock = f"{chance.randrange(24):02}:{chance.choice(['00', '30'])}"
        visit = _visit(
            start_at=make.moment(chance.choice(days), clock, location.zone).astimezone(dt.UTC),
            minutes=chance.choice([30, 45, 60]),
            service=chance.choice([world.assessment, world.massage]),
            practitioner=chance.choice([world.ada, world.ben]),
            location=location,
            room=chance.choice(rooms),
            patient=chance.choice(people),
            status=chance.choice(STATUSES),
            zone=location.time_zone,
        )
        if visit.status == "cancelled":
            visit.cancelled_by = chance.choice(["patient", "clinic"])
            visit.late = visit.cancelled_by == "patient" and chance.random() < 0.5
        wanted[visit.uid] = visit
    # What the constraints refuse is wanted nevertheless.
    Appointment.objects.bulk_create(wanted.values(), ignore_conflicts=True)
    there = set(Appointment.objects.values_list("uid", flat=True))
    refused = [visit for uid, visit in wanted.items() if uid not in there]
    for visit in refused:
        visit.overlap_reason = "wanted so"
    Appointment.objects.bulk_create(refused)


def _visit(*, minutes, start_at, service, **fields):
    end_at = start_at + dt.timedelta(minutes=minutes)
    after = dt.timedelta(minutes=service.buffer_after)
    return Appointment(
        start_at=start_at, end_at=end_at, busy_from=start_at, busy_until=end_at + after, service=service, **fields
    )


# --- figure by figure --------------------------------------------------------------------------------------------

HOLDING = "status IN ('requested', 'scheduled', 'confirmed', 'arrived', 'in_session', 'completed')"
CAME = "status IN ('arrived', 'in_session', 'completed')"
HERE = "(%s::bigint IS NULL OR location_id = %s)"


def everywhere(clinic):
    """(key of the location or None, span, its half of the figures), the period's and the one's before."""
    for place in (None, clinic.camerino, clinic.macerata):
        found = asked(clinic, location=place)
        yield place and place.pk, found.span, found.now
        yield place and place.pk, found.span.before, found.before


def test_visits_by_status_are_those_of_plain_sql(clinic):
    for key, span, half in everywhere(clinic):
        counted = rows(
            f"""SELECT status, count(*) FROM clinic_appointment
            WHERE (start_at AT TIME ZONE zone)::date BETWEEN %s AND %s AND {HERE} GROUP BY status""",
            span.first_on, span.last_on, key, key,
        )  # fmt: skip
        assert dict(half.statuses) == dict(counted)
        [(late, missed, came)] = rows(
            f"""SELECT count(*) FILTER (WHERE late), count(*) FILTER (WHERE status = 'no_show'),
            count(*) FILTER (WHERE {CAME}) FROM clinic_appointment
            WHERE (start_at AT TIME ZONE zone)::date BETWEEN %s AND %s AND {HERE}""",
            span.first_on, span.last_on, key, key,
        )  # fmt: skip
        assert (half.late, half.missed, half.attended) == (late, missed, came)
        assert late
        assert half.no_show_rate == pytest.approx(missed / (missed + came))
        assert half.late_rate == pytest.approx(late / (late + missed + came))


def test_visits_by_day_are_those_of_plain_sql(clinic):
    counted = rows(
        """SELECT (start_at AT TIME ZONE zone)::date, status, count(*) FROM clinic_appointment
        WHERE (start_at AT TIME ZONE zone)::date BETWEEN %s AND %s GROUP BY 1, 2""",
        YEAR.first_on,
        YEAR.last_on,
    )
    found = asked(clinic).days
    assert {(day, status): count for day, counts in found.items() for status, count in counts.items()} == {
        (day, status): count for day, status, count in counted
    }


def test_patients_are_those_of_plain_sql(clinic):
    new = 0
    for place in (None, clinic.camerino, clinic.macerata):
        key = place and place.pk
        for found, span in zip(came(clinic, location=place), (YEAR, YEAR.before), strict=True):
            counted = rows(
                f"""WITH first AS (
                    SELECT DISTINCT ON (patient_id) patient_id, day FROM clinic_appointment WHERE {CAME}
                    ORDER BY patient_id, start_at
                ) SELECT count(DISTINCT patient_id),
                         count(DISTINCT patient_id) FILTER (WHERE first.day BETWEEN %s AND %s)
                FROM clinic_appointment a JOIN first USING (patient_id)
                WHERE {CAME} AND a.day BETWEEN %s AND %s AND {HERE}""",
                span.first_on, span.last_on, span.first_on, span.last_on, key, key,
            )  # fmt: skip
            assert [found] == counted
            new += found[1]
    assert new


@pytest.mark.parametrize("who", ["practitioner_id", "room_id"])
def test_booked_time_is_that_of_plain_sql(clinic, who):
    """Counted in pieces of five minutes: what overlaps has each piece once, whatever overlaps whatever."""
    piece = "interval '5 minutes'"
    overlapping = rows(f"SELECT count(*) FROM clinic_appointment WHERE overlap_reason > '' AND {HOLDING}")[0][0]
    assert overlapping > 10
    for key, span, half in everywhere(clinic):
        counted = rows(
            f"""SELECT {who}, 300 * count(DISTINCT (place, piece)) FROM (
                SELECT {who}, CASE WHEN '{who}' = 'room_id' THEN place END AS place,
                       generate_series(busy_from, busy_until - {piece}, {piece}) AS piece
                FROM clinic_appointment WHERE {HOLDING} AND day BETWEEN %s AND %s AND {HERE} AND {who} IS NOT NULL
            ) pieces GROUP BY 1""",
            span.first_on, span.last_on, key, key,
        )  # fmt: skip
        found = half.practitioners if who == "practitioner_id" else half.rooms
        assert {id_: seconds for id_, seconds in found.items() if id_ and seconds} == dict(counted)


# Quarters of an hour on the clock of the place: weekly and extra hours, opening, exceptions, holidays, time off.
AVAILABLE = """
WITH tick AS (
    SELECT l.id AS place, at, local, local::date AS day, local::time AS clock,
           EXTRACT(isodow FROM local)::int - 1 AS weekday, l.close_on_holidays
    FROM clinic_location l,
         generate_series(%(first)s::timestamptz - interval '1 day', %(last)s::timestamptz + interval '2 days',
                         interval '15 minutes') at,
         LATERAL (SELECT at AT TIME ZONE l.time_zone AS local) clock
    WHERE l.id = ANY (%(places)s) AND local::date BETWEEN %(first)s AND %(last)s
), open AS (
    SELECT t.* FROM tick t LEFT JOIN clinic_dayexception e ON e.location_id = t.place AND e."on" = t.day
    WHERE CASE WHEN e.id IS NOT NULL THEN e.open AND t.clock >= e.starts AND t.clock < e.ends
          ELSE NOT (t.close_on_holidays AND t.day = ANY (%(holidays)s::date[])) AND EXISTS (
            SELECT FROM clinic_openinghours o WHERE o.location_id = t.place AND o.weekday = t.weekday
            AND t.clock >= o.starts AND (t.clock < o.ends OR o.ends = '00:00')) END
      AND NOT EXISTS (SELECT FROM clinic_timeoff f WHERE f.location_id = t.place AND at >= f.start_at AND at < f.end_at)
)
"""
WORKED = f"""{AVAILABLE}
SELECT p.id, 900 * count(DISTINCT t.at) FROM open t, clinic_practitioner p
WHERE (EXISTS (
        SELECT FROM clinic_workinghours w WHERE w.practitioner_id = p.id AND w.location_id = t.place
        AND w.weekday = t.weekday AND t.clock >= w.starts AND t.clock < w.ends
        AND coalesce(w.valid_from <= t.day, true) AND coalesce(w.valid_until >= t.day, true)
        AND (w.every_weeks = 1 OR (
            (t.day - t.weekday) - (w.anchor_on - (EXTRACT(isodow FROM w.anchor_on)::int - 1))
        ) %% (7 * w.every_weeks) = 0))
      OR EXISTS (SELECT FROM clinic_extrahours x WHERE x.practitioner_id = p.id AND x.location_id = t.place
        AND x."on" = t.day AND t.clock >= x.starts AND t.clock < x.ends))
  AND NOT EXISTS (SELECT FROM clinic_timeoff f WHERE f.practitioner_id = p.id
        AND t.at >= f.start_at AND t.at < f.end_at)
GROUP BY 1
"""
OPENED = f"""{AVAILABLE}
SELECT r.id, 900 * r.places * count(*) FROM open t JOIN clinic_room r ON r.location_id = t.place
WHERE NOT EXISTS (SELECT FROM clinic_timeoff f WHERE f.room_id = r.id AND t.at >= f.start_at AND t.at < f.end_at)
GROUP BY r.id, r.places
"""


def test_available_time_is_that_of_plain_sql(clinic):
    places = [clinic.camerino.pk, clinic.macerata.pk]
    rooms = (clinic.room_one, clinic.room_two, clinic.gym, clinic.macerata_room)
    used = [(room.pk, room.location_id, room.places) for room in rooms]
    known = Capacity(YEAR.before.first_on, YEAR.last_on, practitioners=[clinic.ada.pk, clinic.ben.pk], locations=places)
    for span in (YEAR, YEAR.before):
        days = (span.first_on, span.last_on)
        params = {"first": days[0], "last": days[1], "places": places, "holidays": HOLIDAYS.split()}
        with connection.cursor() as cursor:
            cursor.execute(WORKED, params)
            worked = dict(cursor.fetchall())
            cursor.execute(OPENED, params)
            opened = dict(cursor.fetchall())
        assert known.of_practitioners(*days) == worked
        assert known.of_rooms(*days, used) == opened


# --- a few visits, by hand ---------------------------------------------------------------------------------------


@pytest.fixture
def week(world):
    """The cast's Monday to Sunday."""
    return Span(world.monday, world.monday + dt.timedelta(days=6))


def test_spans_of_the_same_length_touch(week):
    assert week.before == Span(week.first_on - dt.timedelta(days=7), week.first_on - dt.timedelta(days=1))
    assert len(week.with_before().days()) == 14


def test_figures_by_hand(world, week):
    world.visit("10:00", status="completed")
    world.visit("11:00", status="completed", service=world.assessment)
    world.visit("10:15", practitioner=world.ben, room=world.room_two, patient=world.bruno, status="no_show")
    world.visit("12:00", days=1, status="cancelled", cancelled_by="patient", late=True)
    world.visit("12:00", days=2, status="cancelled", cancelled_by="patient")
    world.visit("12:00", days=-1, status="arrived", patient=world.bruno)
    found = asked(world, week)
    assert found.now.statuses == {"completed": 2, "no_show": 1, "cancelled": 2}
    assert (found.now.no_show_rate, found.now.late_rate) == (1 / 3, 1 / 4)
    assert (found.before.no_show_rate, found.before.late_rate) == (0, 0)
    # Half an hour of massage; an hour of assessment and ten minutes to tidy up.
    assert found.now.practitioners == {world.ada.pk: 100 * 60, world.ben.pk: 0}
    assert found.now.rooms == {world.room_one.pk: 100 * 60, world.room_two.pk: 0}
    assert came(world, week) == ((1, 1), (1, 1))


def test_what_overlaps_on_purpose_counts_once(world, week):
    world.visit("10:00", minutes=60)
    world.visit("10:30", minutes=60, patient=world.bruno, overlap_reason="wanted so")
    world.visit("10:45", minutes=60, patient=make.make_patient(), overlap_reason="wanted so")
    found = asked(world, week).now
    assert found.practitioners == {world.ada.pk: 105 * 60}
    assert found.rooms == {world.room_one.pk: 105 * 60}


def test_overlap_whose_other_visit_was_cancelled_counts_whole(world, week):
    world.visit("10:00", status="cancelled")
    world.visit("10:00", patient=world.bruno, overlap_reason="wanted so")
    assert asked(world, week).now.practitioners == {world.ada.pk: 30 * 60}


def test_overlap_with_another_location_counts_at_its_own(world, week):
    world.visit("10:00")
    world.visit(
        "10:00", location=world.macerata, room=world.macerata_room, patient=world.bruno, overlap_reason="wanted so"
    )
    assert asked(world, week, location=world.macerata).now.practitioners == {world.ada.pk: 30 * 60}
    assert asked(world, week).now.practitioners == {world.ada.pk: 30 * 60}


def test_patient_known_from_another_location_is_not_new(world, week):
    world.visit("10:00", days=-3, status="completed", location=world.macerata, room=world.macerata_room)
    world.visit("10:00", status="completed")
    assert came(world, week, location=world.camerino) == ((1, 0), (0, 0))


def test_correction_of_a_past_visit_shows_at_once(world, week):
    visit = world.visit("10:00", status="no_show")
    before = asked(world, week).now
    scheduling.reopen(visit, by=SYSTEM, reason="she was in the wrong waiting room", at=world.at("12:00"))
    after = asked(world, week).now
    assert (before.missed, before.attended) == (1, 0)
    assert (after.missed, after.attended) == (0, 1)


def test_practitioner_is_told_of_own_visits_only(world, week):
    world.visit("10:00", status="completed")
    world.visit("10:00", practitioner=world.ben, room=world.room_two, patient=world.bruno, status="no_show")
    found = asked(world, week, user=world.ada_user)
    assert found.now.statuses == {"completed": 1}
    assert found.now.practitioners == {world.ada.pk: 30 * 60}
    assert came(world, week, user=world.ada_user)[0] == (1, 1)


def test_first_visit_with_a_practitioner_is_new_to_them(world, week):
    """Whether the patient has come to colleagues is not theirs to know."""
    world.visit("10:00", days=-30, practitioner=world.ben, status="completed")
    world.visit("10:00", status="completed")
    assert came(world, week, user=world.ada_user)[0] == (1, 1)
    assert came(world, week)[0] == (1, 0)


def test_nobody_without_the_right_is_told_anything(world, week):
    world.visit("10:00", status="completed")
    with CaptureQueriesContext(connection) as queries:
        found = asked(world, week, user=world.outsider)
        nobody = came(world, week, user=world.outsider)
    assert (found.now.total, nobody) == (0, ((0, 0), (0, 0)))
    assert not any("clinic_appointment" in query["sql"] for query in queries)


@pytest.mark.parametrize("count", [1, 30])
def test_figures_take_three_statements(world, week, count, django_assert_num_queries):
    for number in range(count):
        world.visit(f"{8 + number // 3:02}:{number % 3 * 20:02}", minutes=20, patient=make.make_patient())
    world.visit("10:00", patient=make.make_patient(), minutes=20, overlap_reason="wanted so")
    world.manager.roles  # noqa: B018  (asked once per request, by the sign-in)
    with django_assert_num_queries(3):
        asked(world, week)
        came(world, week)


# --- lately, next free -------------------------------------------------------------------------------------------


def lately(world, user, location=None):
    return [
        (row.appointment_id, row.verb)
        for row in dashboard.activity(user, location=location and location.pk, most=5, at=timezone.now())
    ]


def test_activity_names_the_latest_first_within_the_scope(world):
    own = world.visit("10:00")
    theirs = world.visit(
        "10:00", practitioner=world.ben, location=world.macerata, room=world.macerata_room, patient=world.bruno
    )
    scheduling.confirm(own, by=SYSTEM)
    scheduling.confirm(theirs, by=SYSTEM)
    assert lately(world, world.reception) == [(theirs.pk, "confirm"), (own.pk, "confirm")]
    assert lately(world, world.reception, world.camerino) == [(own.pk, "confirm")]
    assert lately(world, world.ada_user) == [(own.pk, "confirm")]
    assert lately(world, world.outsider) == []
    assert StatusChange.objects.count() == 2


def test_first_free_time_of_each_service_is_that_of_each_alone(world):
    world.visit("09:00", minutes=240)
    world.visit("09:00", practitioner=world.ben, room=world.room_two, patient=world.bruno, minutes=120)
    services = [world.massage.pk, world.tecar.pk, world.exercise.pk, world.retired.pk]
    last_on = world.monday + dt.timedelta(days=6)
    found = slots.first_of_each(services, first_on=world.monday, last_on=last_on)
    for service in services:
        alone = slots.free(service, first_on=world.monday, last_on=last_on)
        assert found[service] == (alone[0] if alone else None)
    assert found[world.retired.pk] is None
    assert found[world.massage.pk].start_at == world.at("11:00")


def test_first_free_times_take_a_query_each_and_one(world, django_assert_num_queries):
    with django_assert_num_queries(4):
        slots.first_of_each(
            [world.massage.pk, world.tecar.pk, world.exercise.pk], first_on=world.monday, last_on=world.monday
        )


def test_hours_at_two_places_at_once_count_once(world):
    ExtraHours.objects.create(
        practitioner=world.ada, location=world.macerata, on=world.monday, starts=dt.time(12), ends=dt.time(15)
    )
    known = Capacity(
        world.monday, world.monday, practitioners=[world.ada.pk], locations=[world.camerino.pk, world.macerata.pk]
    )
    assert known.of_practitioners(world.monday, world.monday) == {world.ada.pk: 9 * 3600}
