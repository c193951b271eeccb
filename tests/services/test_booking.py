"""Booking and moving: what comes out, what is refused, and how many statements it takes."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import actor
from clinic.database import conflicts, locks
from clinic.exceptions import RuleBroken
from clinic.models import Appointment, AuditEntry, EquipmentUse, RequestKey, StatusChange
from clinic.services import scheduling
from tests import factories as make
from tests.world import make_world

S = Appointment.Status
PATIENT = actor.Actor(kind="patient")


@pytest.fixture
def desk(world):
    by = actor.staff(world.reception)
    with actor.acting(by):
        yield by


def wanted(world, clock="10:00", days=0, **over):
    return Appointment(
        **{
            "service": world.massage,
            "practitioner": world.ada,
            "location": world.camerino,
            "patient": world.anna,
            "start_at": world.at(clock, days),
            "reason": "Neck pain",
            **over,
        }
    )


def refusal(call, *args, **kwargs):
    with pytest.raises(RuleBroken) as caught:
        call(*args, **kwargs)
    return caught.value


def test_book_free_time_schedules_it(world, desk):
    visit = scheduling.book(wanted(world), by=desk)
    visit.refresh_from_db()
    assert visit.status == S.SCHEDULED
    assert visit.end_at - visit.start_at == dt.timedelta(minutes=30)
    assert visit.room == world.room_one
    assert visit.place == 1
    assert visit.price_quoted == world.massage.price
    assert visit.day == world.monday
    assert visit.holds is True
    change = StatusChange.objects.get(appointment=visit)
    assert (change.old, change.new, change.verb, change.by) == ("", S.SCHEDULED, "book", world.reception)
    entry = AuditEntry.objects.get(model="appointment", row_id=visit.pk)
    assert (entry.verb, entry.user_id, entry.patient_id) == ("create", world.reception.pk, world.anna.pk)


def test_book_takes_at_most_14_statements(world, desk):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        scheduling.book(wanted(world, service=world.tecar), by=desk, key="k")
    statements = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
    # Of which one, unseen here, tells the transaction who acts.
    assert len(statements) + 1 == 11


def test_book_with_buffers_keeps_practitioner_busy_longer(world, desk):
    visit = scheduling.book(wanted(world, service=world.assessment), by=desk)
    assert visit.busy_until - visit.end_at == dt.timedelta(minutes=10)
    refused = refusal(scheduling.book, wanted(world, "11:00", patient=world.bruno), by=desk)
    assert refused.code == "overlap"
    assert refused.message == "Ada Conti is busy from 10:00 to 11:10."


def test_patients_visits_may_follow_each_other(world, desk):
    scheduling.book(wanted(world, service=world.assessment), by=desk)
    scheduling.book(wanted(world, "11:00", practitioner=world.ben), by=desk)
    assert Appointment.objects.filter(patient=world.anna).count() == 2


def test_book_busy_practitioner_names_it_and_offers_three_times(world, desk):
    scheduling.book(wanted(world), by=desk)
    refused = refusal(scheduling.book, wanted(world, "10:15", patient=world.bruno), by=desk)
    assert refused.acceptable
    assert [slot.start_at.astimezone(world.camerino.zone).strftime("%H:%M") for slot in refused.alternatives] == [
        "09:30",
        "10:30",
        "10:45",
    ]


def test_book_patient_twice_is_refused(world, desk):
    scheduling.book(wanted(world), by=desk)
    refused = refusal(scheduling.book, wanted(world, "10:15", practitioner=world.ben), by=desk)
    assert (refused.code, refused.field) == ("overlap", "patient")
    assert refused.message == "Bianchi Anna has another visit from 10:00 to 10:30."


def test_book_names_everything_that_clashes_the_practitioner_first(world, desk):
    """Practitioner with one patient, patient with another practitioner, the only unit with a third."""
    world.visit("10:00", patient=world.bruno, room=None)
    world.visit("10:15", practitioner=world.ben, room=None)
    third = make.make_practitioner()
    world.visit("10:00", practitioner=third, patient=make.make_patient(), room=None, equipment=[world.tecar_unit])
    for place in (world.room_one, world.room_two):
        world.visit("10:00", practitioner=make.make_practitioner(), patient=make.make_patient(), room=place)
    refused = refusal(scheduling.book, wanted(world, service=world.tecar), by=desk)
    assert (refused.code, refused.field, refused.acceptable) == ("overlap", "start_at", True)
    assert refused.message == (
        "Ada Conti is busy from 10:00 to 10:30. Bianchi Anna has another visit from 10:15 to 10:45."
        " No room for Tecar therapy is free then. The equipment for Tecar therapy is in use then."
    )


def test_book_names_practitioner_and_patient_but_no_room_that_another_could_replace(world, desk):
    world.visit("10:00", patient=world.bruno, room=world.room_one)
    world.visit("10:15", practitioner=world.ben, room=None)
    refused = refusal(scheduling.book, wanted(world, "10:00"), by=desk)
    assert refused.message == (
        "Ada Conti is busy from 10:00 to 10:30. Bianchi Anna has another visit from 10:15 to 10:45."
    )
    asked = refusal(scheduling.book, wanted(world, "10:00", room=world.room_one, service=world.tecar), by=desk)
    assert asked.message == (
        "Ada Conti is busy from 10:00 to 10:30. Bianchi Anna has another visit from 10:15 to 10:45."
        " Room 1 is not free then."
    )


def test_book_names_nobody_twice(world, desk):
    for clock in ("10:20", "10:00", "10:10"):
        world.visit(clock, minutes=10, patient=make.make_patient(), room=None)
    refused = refusal(scheduling.book, wanted(world), by=desk)
    assert refused.message == "Ada Conti is busy from 10:00 to 10:10."


def test_book_takes_the_next_free_room(world, desk):
    world.visit("10:00", practitioner=world.ben, patient=world.bruno, room=world.room_one)
    assert scheduling.book(wanted(world), by=desk).room == world.room_two


def test_book_without_free_room_is_refused(world, desk):
    for room in (world.room_one, world.room_two):
        world.visit("10:00", practitioner=make.make_practitioner(), patient=make.make_patient(), room=room)
    refused = refusal(scheduling.book, wanted(world), by=desk)
    assert (refused.code, refused.message) == ("overlap", "No room for Massage is free then.")


def test_book_fills_the_places_of_a_room(world, desk):
    for place in (1, 2, 3):
        practitioner = make.make_practitioner(services=[world.exercise])
        make.make_working_hours(practitioner, world.camerino)
        visit = scheduling.book(
            wanted(world, service=world.exercise, practitioner=practitioner, patient=make.make_patient()), by=desk
        )
        assert (visit.room, visit.place) == (world.gym, place)
    assert refusal(scheduling.book, wanted(world, service=world.exercise), by=desk).code == "overlap"


def test_book_takes_equipment_and_refuses_when_it_is_in_use(world, desk):
    visit = scheduling.book(wanted(world, service=world.tecar), by=desk)
    assert [use.equipment for use in visit.equipment_uses.all()] == [world.tecar_unit]
    make.make_offering(practitioner=world.ben, service=world.tecar)
    refused = refusal(
        scheduling.book, wanted(world, service=world.tecar, practitioner=world.ben, patient=world.bruno), by=desk
    )
    assert refused.message == "The equipment for Tecar therapy is in use then."


def test_deliberate_overlap_wants_a_reason_and_holds_nothing(world, desk):
    scheduling.book(wanted(world), by=desk)
    again = wanted(world, patient=world.bruno)
    assert refusal(scheduling.book, again, by=desk, accept={"overlap"}).code == "reason_missing"
    visit = scheduling.book(wanted(world, patient=world.bruno), by=desk, accept={"overlap"}, reason="Heat and traction")
    visit.refresh_from_db()
    assert (visit.overlap_reason, visit.accepted, visit.holds) == ("Heat and traction", ["overlap"], False)
    # It stays visible as busy to everybody else.
    assert refusal(scheduling.book, wanted(world, patient=make.make_patient()), by=desk).code == "overlap"


def test_accepting_an_overlap_that_is_none_changes_nothing(world, desk):
    visit = scheduling.book(wanted(world), by=desk, accept={"overlap"}, reason="just in case")
    assert (visit.overlap_reason, visit.accepted, visit.holds) == ("", [], True)


@pytest.mark.parametrize(
    ("over", "code", "field"),
    [
        ({"end_at": "09:00"}, "end_before_start", "end_at"),
        ({"end_at": "10:00"}, "end_before_start", "end_at"),
        ({"patient": "carla"}, "inactive", "patient"),
        ({"service": "retired"}, "inactive", "service"),
        ({"practitioner": "ben", "service": "exercise"}, "not_offered", "practitioner"),
        ({"room": "macerata_room"}, "room_elsewhere", "room"),
        ({"clock": "07:30"}, "outside_hours", "start_at"),
        ({"clock": "13:15"}, "outside_hours", "start_at"),
        ({"clock": "12:45"}, "outside_hours", "start_at"),
        ({"days": 6}, "outside_hours", "start_at"),
        ({"days": -21}, "past", "start_at"),
    ],
)
def test_book_refuses(world, desk, over, code, field):
    values = {}
    for name, value in over.items():
        if name == "end_at":
            value = world.at(value)
        elif name not in ("clock", "days"):
            value = getattr(world, value)
        values[name] = value
    refused = refusal(scheduling.book, wanted(world, **values), by=desk)
    assert (refused.code, refused.field) == (code, field)
    assert Appointment.objects.count() == 0


def test_book_what_turned_inactive_meanwhile_is_refused(world, desk):
    visit = wanted(world)
    type(world.anna).objects.filter(pk=world.anna.pk).update(active=False)
    assert refusal(scheduling.book, visit, by=desk).code == "inactive"


@pytest.mark.parametrize("what", ["practitioner", "room", "location"])
def test_book_during_time_off_is_refused(world, desk, what):
    subject = {"practitioner": world.ada, "room": world.room_one, "location": world.camerino}[what]
    make.make_time_off(**{what: subject, "start_at": world.at("08:00"), "end_at": world.at("12:00")})
    if what == "room":
        assert scheduling.book(wanted(world), by=desk).room == world.room_two
        refused = refusal(scheduling.book, wanted(world, "11:00", room=world.room_one, patient=world.bruno), by=desk)
        assert refused.message == "Room 1 is not free then."
    else:
        assert refusal(scheduling.book, wanted(world), by=desk).code == "outside_hours"


def test_accepted_outside_hours_is_kept_on_the_visit(world, desk):
    visit = scheduling.book(wanted(world, "18:30"), by=desk, accept={"outside_hours"})
    assert visit.accepted == ["outside_hours"]
    assert visit.holds is True


def test_patient_is_bound_by_notice_horizon_and_hours(world):
    at = world.at("09:00")
    assert refusal(scheduling.book, wanted(world, "10:00"), by=PATIENT, at=at).code == "notice"
    assert refusal(scheduling.book, wanted(world, "10:00", days=98), by=PATIENT, at=at).code == "horizon"
    refused = refusal(scheduling.book, wanted(world, "18:30"), by=PATIENT, at=at, accept={"outside_hours"})
    assert (refused.code, refused.acceptable) == ("outside_hours", False)
    assert refusal(scheduling.book, wanted(world, days=-7), by=PATIENT, at=at, accept={"past"}).code == "past"
    world.massage.online = False
    world.massage.save()
    assert refusal(scheduling.book, wanted(world, "15:00"), by=PATIENT, at=at).code == "not_online"


@pytest.mark.parametrize(("kind", "source"), [("patient", "portal"), ("api", "api"), ("staff", "phone")])
def test_book_says_where_it_came_from_whatever_was_filled_in(world, kind, source):
    visit = scheduling.book(wanted(world, source="phone"), by=actor.Actor(kind=kind), at=world.at("09:00", -7))
    visit.refresh_from_db()
    assert visit.source == source


@pytest.mark.parametrize("kind", ["patient", "api"])
@pytest.mark.parametrize("field", ["end_at", "room"])
def test_patients_and_programs_choose_neither_length_nor_room(world, kind, field):
    by, at = actor.Actor(kind=kind), world.at("09:00", -7)
    chosen = {"end_at": world.at("11:30"), "room": world.room_two}[field]
    refused = refusal(scheduling.book, wanted(world, **{field: chosen}), by=by, at=at)
    assert (refused.code, refused.field, refused.acceptable) == ("not_yours", field, False)
    visit = scheduling.book(wanted(world, place=7), by=by, at=at)
    assert (visit.place, visit.room) == (1, world.room_one)
    refused = refusal(scheduling.move, visit, by=by, at=at, start_at=world.at("11:00"), **{field: chosen})
    assert (refused.code, refused.field) == ("not_yours", field)


@pytest.mark.parametrize("kind", ["patient", "api"])
def test_patients_and_programs_accept_nothing(world, kind):
    by, at = actor.Actor(kind=kind), world.at("09:00", -7)
    world.visit("10:00", patient=world.bruno)
    refused = refusal(scheduling.book, wanted(world), by=by, at=at, accept={"overlap"}, reason="me first")
    assert (refused.code, refused.acceptable) == ("overlap", False)
    for room in (world.room_one, world.room_two):
        world.visit("15:00", practitioner=make.make_practitioner(), patient=make.make_patient(), room=room)
    refused = refusal(scheduling.book, wanted(world, "15:00"), by=by, at=at, accept={"overlap"}, reason="me first")
    assert (refused.code, refused.acceptable) == ("overlap", False)


def test_patient_books_a_request_where_the_service_wants_approval(world):
    visit = scheduling.book(wanted(world, service=world.advice), by=PATIENT, at=world.at("09:00", -7))
    assert visit.status == S.REQUESTED
    visit.refresh_from_db()
    assert visit.holds is True


def test_same_key_answers_with_the_first_appointment(world, desk):
    first = scheduling.book(wanted(world), by=desk, key="abc")
    again = scheduling.book(wanted(world), by=desk, key="abc")
    assert first.pk == again.pk
    assert (first.repeated, again.repeated) == (False, True)
    assert Appointment.objects.count() == 1
    assert RequestKey.objects.get().subject_id == first.pk


def test_same_key_is_answered_where_its_own_first_visit_took_the_only_unit(world, desk):
    """Asked after what stood in the way was seen: whoever saw the visit sees its key."""
    first = scheduling.book(wanted(world, service=world.tecar), by=desk, key="abc")
    again = scheduling.book(wanted(world, service=world.tecar), by=desk, key="abc")
    assert (again.pk, again.repeated) == (first.pk, True)
    assert Appointment.objects.count() == 1


def test_same_key_with_other_content_is_refused(world, desk):
    scheduling.book(wanted(world), by=desk, key="abc")
    assert refusal(scheduling.book, wanted(world, "11:00"), by=desk, key="abc").code == "key_reused"


def test_constraint_refuses_who_writes_past_the_service(world, desk, monkeypatch):
    scheduling.book(wanted(world), by=desk)
    monkeypatch.setattr(scheduling.booking.planning, "check", lambda *args, **kwargs: False)
    refused = refusal(scheduling.book, wanted(world, patient=world.bruno), by=desk)
    assert (refused.code, refused.message) == ("overlap", "This time has just been taken.")
    assert Appointment.objects.count() == 1


def test_move_keeps_length_raises_version_and_carries_equipment(world, desk):
    visit = scheduling.book(wanted(world, service=world.tecar), by=desk)
    visit = scheduling.confirm(visit, by=desk)
    moved = scheduling.move(visit, by=desk, start_at=world.at("15:00", 1))
    moved.refresh_from_db()
    assert (moved.status, moved.version) == (S.SCHEDULED, 1)
    assert moved.day == world.monday + dt.timedelta(days=1)
    use = EquipmentUse.objects.get(appointment=moved)
    assert (use.busy_from, use.busy_until, use.holds) == (moved.busy_from, moved.busy_until, True)
    assert moved.history.count() == 3


def test_move_to_half_past_itself_is_free(world, desk):
    visit = scheduling.book(wanted(world), by=desk)
    assert scheduling.move(visit, by=desk, start_at=world.at("10:15")).start_at == world.at("10:15")


def test_move_onto_somebody_is_refused_and_changes_nothing(world, desk):
    visit = scheduling.book(wanted(world), by=desk)
    scheduling.book(wanted(world, "11:00", patient=world.bruno), by=desk)
    assert refusal(scheduling.move, visit, by=desk, start_at=world.at("11:00")).code == "overlap"
    visit.refresh_from_db()
    assert (visit.start_at, visit.version) == (world.at("10:00"), 0)


def test_move_to_another_practitioner_and_location(world, desk):
    visit = scheduling.book(wanted(world), by=desk)
    moved = scheduling.move(
        visit, by=desk, start_at=world.at("10:00", 1), practitioner=world.ben, location=world.macerata
    )
    assert (moved.practitioner, moved.location, moved.room) == (world.ben, world.macerata, world.macerata_room)


def test_move_of_what_is_over_is_refused(world, desk):
    visit = world.visit(status=S.COMPLETED)
    assert refusal(scheduling.move, visit, by=desk, start_at=world.at("15:00")).code == "not_possible"


def test_patient_moves_only_outside_the_window(world):
    visit = world.visit()
    late = world.at("11:00", -1)
    assert refusal(scheduling.move, visit, by=PATIENT, start_at=world.at("15:00", 2), at=late).code == "window_closed"
    early = world.at("09:00", -1)
    assert scheduling.move(visit, by=PATIENT, start_at=world.at("15:00", 2), at=early).version == 1


def test_cancel_frees_time_and_equipment(world, desk):
    visit = scheduling.book(wanted(world, service=world.tecar), by=desk)
    scheduling.cancel(visit, by=desk, reason="Flu")
    assert EquipmentUse.objects.get(appointment=visit).holds is False
    again = scheduling.book(wanted(world, service=world.tecar, patient=world.bruno), by=desk)
    assert again.pk != visit.pk


def test_old_keys_and_dead_holds_are_forgotten(world, desk):
    visit = scheduling.book(wanted(world), by=desk, key="old")
    RequestKey.objects.create(scope="payment", key="old", fingerprint="x", subject_id=1)
    assert scheduling.forget_claims() == 0
    later = visit.created_at + dt.timedelta(days=31)
    assert scheduling.forget_claims(at=later) == 1
    assert RequestKey.objects.get().scope == "payment"


def failing(times, sqlstate):
    """A `locks.take` that contention refuses so many times."""
    take, left = locks.take, [times]

    def refused(keys, **shared):
        if left[0]:
            left[0] -= 1
            with connection.cursor() as cursor:
                cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'too slow' USING ERRCODE = '{sqlstate}'; END $$")
        take(keys, **shared)

    return refused


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sqlstate", conflicts.CONTENTION)
def test_a_second_try_keeps_key_and_wish(monkeypatch, sqlstate):
    world = make_world()
    by = actor.staff(world.reception)
    monkeypatch.setattr(locks, "take", failing(1, sqlstate))
    visit = scheduling.book(wanted(world), by=by, key="once")
    assert scheduling.book(wanted(world), by=by, key="once").pk == visit.pk
    assert Appointment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_contention_that_lasts_is_a_refusal_not_an_error(monkeypatch):
    world = make_world()
    monkeypatch.setattr(conflicts, "_TRIES", 2)
    monkeypatch.setattr(locks, "take", failing(2, conflicts.LOCK_TIMEOUT))
    assert refusal(scheduling.book, wanted(world), by=actor.staff(world.reception)).code == "busy"
    assert not Appointment.objects.exists()


def test_a_moved_visit_keeps_its_length_in_the_times_offered(world, desk):
    visit = world.visit(minutes=90)
    world.visit("12:00", patient=world.bruno)
    offered = scheduling.slots.free(
        visit.service_id, first_on=world.monday, practitioners=[world.ada.pk], exclude=visit.pk, minutes=90
    )
    starts = [slot.start_at.astimezone(world.camerino.zone).strftime("%H:%M") for slot in offered]
    assert "10:30" in starts
    assert "10:45" not in starts
    assert scheduling.move(visit, by=desk, start_at=world.at("10:30")).version == 1


@pytest.mark.parametrize("year", [1, 1899, 2200, 9999])
def test_impossible_years_are_refused(world, desk, year):
    start = dt.datetime(year, 6, 1, 10, tzinfo=dt.UTC)
    assert refusal(scheduling.book, wanted(world, start_at=start), by=desk).code == "impossible_day"
