"""A visit's way through its statuses: every allowed move, every other refused."""

import datetime as dt

import pytest

from clinic import actor
from clinic.exceptions import RuleBroken
from clinic.models import MOVES, Appointment, ClinicSettings, StatusChange
from clinic.services import scheduling
from clinic.services.scheduling import answers, slots
from tests import factories as make

S = Appointment.Status
PATIENT = actor.Actor(kind="patient")
VERBS = ("approve", "decline", "confirm", "check_in", "start", "complete", "mark_no_show", "cancel", "undo", "reopen")


@pytest.fixture
def desk(world):
    return actor.staff(world.reception)


@pytest.mark.parametrize("status", S.values)
@pytest.mark.parametrize("verb", VERBS)
def test_verb_moves_only_where_the_table_says(world, desk, status, verb):
    visit = world.visit(days=-14, status=status)
    allowed = {new for (old, new), name in MOVES.items() if old == status and name == verb}
    if verb == "complete" and status in (S.SCHEDULED, S.CONFIRMED, S.ARRIVED):
        # Past visits that nobody checked in go the whole way at once.
        allowed = {S.COMPLETED}
    if allowed:
        assert getattr(scheduling, verb)(visit, by=desk, reason="because").status in allowed
    else:
        with pytest.raises(RuleBroken) as refused:
            getattr(scheduling, verb)(visit, by=desk, reason="because")
        assert refused.value.code == "not_possible"
        visit.refresh_from_db()
        assert visit.status == status
        assert not visit.status_changes.exists()


def test_day_of_a_visit_writes_times_and_facts(world, desk):
    visit = world.visit()
    visit = scheduling.check_in(visit, by=desk, at=world.at("09:50"))
    visit = scheduling.start(visit, by=desk, at=world.at("10:02"))
    visit = scheduling.complete(visit, by=desk, at=world.at("10:31"))
    assert (visit.arrived_at, visit.started_at, visit.ended_at) == (
        world.at("09:50"),
        world.at("10:02"),
        world.at("10:31"),
    )
    facts = visit.status_changes.order_by("pk").values_list("old", "new", "verb", "by_id")
    assert list(facts) == [
        ("scheduled", "arrived", "check_in", world.reception.pk),
        ("arrived", "in_session", "start", world.reception.pk),
        ("in_session", "completed", "complete", world.reception.pk),
    ]
    assert visit.history.count() == 4


def test_complete_of_a_visit_that_is_not_over_wants_the_steps(world, desk):
    with pytest.raises(RuleBroken):
        scheduling.complete(world.visit(), by=desk, at=world.at("10:10"))


def test_complete_of_a_forgotten_visit_invents_no_times(world, desk):
    visit = scheduling.complete(world.visit(days=-14), by=desk)
    assert (visit.arrived_at, visit.started_at, visit.ended_at) == (None, None, None)
    assert [change.new for change in visit.status_changes.order_by("pk")] == ["arrived", "in_session", "completed"]


def test_check_in_before_the_day_is_refused(world, desk):
    with pytest.raises(RuleBroken) as refused:
        scheduling.check_in(world.visit(), by=desk, at=world.at("23:00", -1))
    assert refused.value.code == "too_early"


def test_check_in_counts_days_at_the_location(world, desk):
    # 00:30 of the day in Camerino is still the day before in UTC.
    assert scheduling.check_in(world.visit(), by=desk, at=world.at("00:30")).status == S.ARRIVED


def test_no_show_before_the_start_is_refused(world, desk):
    with pytest.raises(RuleBroken) as refused:
        scheduling.mark_no_show(world.visit(), by=desk, at=world.at("09:59"))
    assert refused.value.code == "too_early"


def test_undo_clears_the_time(world, desk):
    visit = scheduling.check_in(world.visit(), by=desk, at=world.at("09:50"))
    visit = scheduling.undo(visit, by=desk)
    assert (visit.status, visit.arrived_at) == (S.SCHEDULED, None)


def test_cancel_by_staff_wants_a_reason(world, desk):
    with pytest.raises(RuleBroken) as refused:
        scheduling.cancel(world.visit(), by=desk)
    assert refused.value.field == "reason"


@pytest.mark.parametrize(("hours", "late"), [(25, False), (24, False), (23, True)])
@pytest.mark.parametrize("level", ["clinic", "location", "service"])
def test_cancel_for_the_patient_is_late_inside_the_window(world, desk, hours, late, level):
    if level == "location":
        world.camerino.cancel_hours = 24
        world.camerino.save()
        ClinicSettings.objects.create(pk=1, cancel_hours=1)
    elif level == "service":
        world.massage.cancel_hours = 24
        world.massage.save()
        world.camerino.cancel_hours = 1
        world.camerino.save()
    visit = world.visit()
    at = visit.start_at - dt.timedelta(hours=hours)
    visit = scheduling.cancel(visit, by=desk, reason="ill", cancelled_by="patient", at=at)
    assert (visit.status, visit.cancelled_by, visit.late, visit.holds) == (S.CANCELLED, "patient", late, False)


def test_cancel_by_the_clinic_is_never_late(world, desk):
    visit = scheduling.cancel(world.visit(), by=desk, reason="therapist ill", at=world.at("09:00"))
    assert (visit.cancelled_by, visit.late) == ("clinic", False)


def test_patient_cancels_only_outside_the_window(world):
    visit = world.visit()
    with pytest.raises(RuleBroken) as refused:
        scheduling.cancel(visit, by=PATIENT, at=world.at("11:00", -1))
    assert refused.value.code == "window_closed"
    assert scheduling.cancel(visit, by=PATIENT, at=world.at("09:00", -1)).cancelled_by == "patient"


def test_reopen_cancelled_visit_only_if_its_time_is_free(world, desk):
    visit = scheduling.cancel(world.visit(), by=desk, reason="mistake")
    other = world.visit(patient=world.bruno, room=world.room_two)
    with pytest.raises(RuleBroken) as refused:
        scheduling.reopen(visit, by=desk, reason="it was a mistake")
    assert refused.value.code == "overlap"
    scheduling.cancel(other, by=desk, reason="mistake")
    visit = scheduling.reopen(visit, by=desk, reason="it was a mistake")
    visit.refresh_from_db()
    assert (visit.status, visit.cancelled_by, visit.holds) == (S.SCHEDULED, "", True)


def test_reopen_wants_a_reason(world, desk):
    with pytest.raises(RuleBroken) as refused:
        scheduling.reopen(world.visit(days=-14, status=S.COMPLETED), by=desk)
    assert refused.value.field == "reason"


def test_walk_in_books_the_next_five_minutes_and_checks_in(world, desk):
    at = world.at("10:02")
    visit = scheduling.walk_in(
        Appointment(
            service=world.massage, practitioner=world.ada, location=world.camerino, patient=world.anna, source="desk"
        ),
        by=desk,
        at=at,
    )
    assert (visit.status, visit.start_at, visit.arrived_at) == (S.ARRIVED, world.at("10:05"), at)


def test_walk_in_that_cannot_be_booked_leaves_nothing(world, desk):
    world.visit()
    with pytest.raises(RuleBroken):
        scheduling.walk_in(
            Appointment(service=world.massage, practitioner=world.ada, location=world.camerino, patient=world.bruno),
            by=desk,
            at=world.at("10:02"),
        )
    assert Appointment.objects.count() == 1


def test_requests_expire_when_old_or_when_their_time_comes(world):
    at = world.at("09:00", -7)
    old = world.visit("10:00", status=S.REQUESTED, created_at=at - dt.timedelta(hours=49))
    near = world.visit("08:00", days=-7, status=S.REQUESTED, patient=world.bruno, created_at=at - dt.timedelta(hours=1))
    young = world.visit(
        "12:00", status=S.REQUESTED, patient=make.make_patient(), created_at=at - dt.timedelta(hours=47)
    )
    assert scheduling.expire_requests(by=actor.SYSTEM, at=at) == 2
    statuses = dict(Appointment.objects.values_list("pk", "status"))
    assert statuses == {old.pk: S.EXPIRED, near.pk: S.EXPIRED, young.pk: S.REQUESTED}
    assert StatusChange.objects.filter(verb="expire", actor_kind="system", by=None).count() == 2


def test_past_visits_nobody_resolved_wait_for_a_person(world):
    forgotten = [world.visit(days=-14)]
    forgotten.append(world.visit("12:00", days=-14, status=S.ARRIVED, patient=world.bruno))
    world.visit("15:00", days=-14, status=S.COMPLETED)
    world.visit("16:00", days=-14, status=S.NO_SHOW)
    world.visit()
    assert set(Appointment.objects.unresolved()) == set(forgotten)


def test_reopening_does_not_bring_an_old_overlap_back(world, desk):
    """B overlapped A on purpose; both were cancelled and C came. B must not return over C without a word."""
    overlapping = world.visit(patient=world.bruno, overlap_reason="traction", room=None)
    overlapping = scheduling.cancel(overlapping, by=desk, reason="ill")
    third = world.visit(patient=make.make_patient(), room=None)
    with pytest.raises(RuleBroken) as refused:
        scheduling.reopen(overlapping, by=desk, reason="mistake")
    assert (refused.value.code, refused.value.acceptable) == ("overlap", True)
    again = scheduling.reopen(overlapping, by=desk, reason="traction again", accept={"overlap"})
    assert (again.overlap_reason, again.holds) == ("traction again", False)
    scheduling.cancel(again, by=desk, reason="ill")
    scheduling.cancel(third, by=desk, reason="ill")
    free = scheduling.reopen(again, by=desk, reason="alone now")
    free.refresh_from_db()
    assert (free.overlap_reason, free.holds) == ("", True)


@pytest.mark.parametrize("what", ["patient", "practitioner", "location", "room", "service"])
def test_reopening_plans_nothing_that_was_retired(world, desk, what):
    visit = scheduling.cancel(world.visit(), by=desk, reason="mistake")
    subject = getattr(visit, what)
    subject.active = False
    subject.save()
    with pytest.raises(RuleBroken) as refused:
        scheduling.reopen(type(visit).objects.get(pk=visit.pk), by=desk, reason="mistake")
    assert refused.value.code == "inactive"


def test_walk_in_sent_twice_is_one_visit_whatever_happened_since(world, desk):
    def wish():
        return Appointment(
            service=world.massage, practitioner=world.ada, location=world.camerino, patient=world.anna, source="desk"
        )

    first = scheduling.walk_in(wish(), by=desk, key="k", at=world.at("10:02"))
    scheduling.start(first, by=desk, at=world.at("10:05"))
    again = scheduling.walk_in(wish(), by=desk, key="k", at=world.at("10:07"))
    assert (again.pk, again.status) == (first.pk, S.IN_SESSION)


# Taking back


@pytest.mark.parametrize(
    ("before", "verb", "days"),
    [
        (S.SCHEDULED, "check_in", -14),
        (S.CONFIRMED, "check_in", -14),
        (S.ARRIVED, "start", -14),
        (S.IN_SESSION, "complete", -14),
        (S.CONFIRMED, "complete", -14),
        (S.ARRIVED, "complete", -14),
        (S.SCHEDULED, "mark_no_show", -14),
        (S.CONFIRMED, "mark_no_show", -14),
        (S.SCHEDULED, "cancel", 0),
        (S.CONFIRMED, "cancel", 0),
        (S.ARRIVED, "cancel", 0),
    ],
)
def test_take_back_puts_a_visit_where_it_was(world, desk, before, verb, days):
    visit = world.visit(days=days, status=before)
    at = visit.start_at + dt.timedelta(minutes=40)
    arrived_at = visit.arrived_at
    done = getattr(scheduling, verb)(visit, by=desk, reason="wrong tap", at=at)
    assert done.status != before
    back = scheduling.take_back(done, by=desk, at=at + dt.timedelta(seconds=59))
    back.refresh_from_db()
    assert (back.status, back.holds, back.cancelled_by, back.ended_at) == (before, True, "", None)
    assert back.arrived_at == arrived_at
    assert back.status_changes.order_by("-at", "-pk").filter(reason="taken back at once").exists()


def test_take_back_is_for_the_own_last_word_and_a_minute(world, desk):
    visit, at = world.visit(days=-14), world.at("10:05", -14)
    missed = scheduling.mark_no_show(visit, by=desk, at=at)
    for by, moment in ((actor.staff(world.manager), at), (desk, at + dt.timedelta(seconds=61))):
        with pytest.raises(RuleBroken) as refused:
            scheduling.take_back(missed, by=by, at=moment)
        assert refused.value.code == "too_late"
    visit.refresh_from_db()
    assert visit.status == S.NO_SHOW


def test_take_back_of_an_answer_or_a_booking_is_refused(world, desk):
    request = scheduling.decline(world.visit(status=S.REQUESTED), by=desk)
    for visit in (request, world.visit(patient=world.bruno, days=1)):
        with pytest.raises(RuleBroken) as refused:
            scheduling.take_back(visit, by=desk)
        assert refused.value.code == "too_late"


def test_take_back_of_a_cancellation_whose_time_is_gone_is_refused_whole(world, desk):
    cancelled = scheduling.cancel(world.visit(status=S.CONFIRMED), by=desk, reason="mistake")
    world.visit(patient=world.bruno, room=world.room_two)
    with pytest.raises(RuleBroken) as refused:
        scheduling.take_back(cancelled, by=desk)
    assert refused.value.code == "overlap"
    cancelled.refresh_from_db()
    assert cancelled.status == S.CANCELLED


# What the patient reads


@pytest.mark.parametrize("verb", ["approve", "decline"])
def test_answer_keeps_what_was_written_or_the_usual_words(world, desk, verb):
    answer = getattr(scheduling, verb)
    written = answer(world.visit(status=S.REQUESTED), by=desk, message="Bring the pictures.")
    silent = answer(world.visit(days=1, status=S.REQUESTED), by=desk, message="")
    usual = answer(world.visit(days=2, status=S.REQUESTED), by=desk)
    assert [visit.status_changes.get().message for visit in (written, silent)] == ["Bring the pictures.", ""]
    assert "Anna Bianchi" in usual.status_changes.get().message


def test_usual_words_are_in_the_patients_language(world):
    world.anna.language = "it"
    world.anna.save()
    words = answers.usual(world.visit(status=S.REQUESTED), "approve")
    assert words.startswith("Gentile Anna Bianchi")
    assert "Lunedì" in words
    assert "alle 10:00, Massaggio con Ada Conti, Camerino" in words


# Anyone who is free now


def walking_in(world, **over):
    return Appointment(**{"service": world.massage, "location": world.camerino, "patient": world.anna, **over})


def test_walk_in_without_practitioner_takes_the_usual_one_who_is_free(world, desk):
    world.visit(days=-7, practitioner=world.ben, room=world.room_two, status=S.COMPLETED)
    at = world.at("10:02")
    assert scheduling.walk_in(walking_in(world), by=desk, at=at).practitioner == world.ben
    second = scheduling.walk_in(walking_in(world, patient=world.bruno), by=desk, at=at)
    assert (second.practitioner, second.start_at, second.status) == (world.ada, world.at("10:05"), S.ARRIVED)


def test_walk_in_when_nobody_is_free_names_the_next_times(world, desk):
    world.visit("10:00", patient=world.bruno)
    world.visit("10:00", practitioner=world.ben, room=world.room_two, patient=make.make_patient())
    with pytest.raises(RuleBroken) as refused:
        scheduling.walk_in(walking_in(world), by=desk, at=world.at("10:02"))
    assert (refused.value.code, refused.value.field) == ("nobody_free", "practitioner")
    assert {slot.start_at for slot in refused.value.alternatives} == {world.at("10:30"), world.at("10:45")}
    assert Appointment.objects.count() == 2


def test_walk_in_tries_the_next_when_somebody_was_faster(world, desk, monkeypatch):
    at, really = world.at("10:02"), slots.free_at

    def as_it_was(*asked, **more):
        found = really(*asked, **more)
        world.visit("10:00", practitioner_id=found[0].practitioner_id, patient=world.bruno)
        return found

    monkeypatch.setattr(slots, "free_at", as_it_was)
    visit = scheduling.walk_in(walking_in(world), by=desk, at=at)
    assert {visit.practitioner, Appointment.objects.exclude(pk=visit.pk).get().practitioner} == {world.ada, world.ben}
