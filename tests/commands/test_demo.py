"""The demo clinic: plausible, the same for a seed and a day, within the service's own rules, never in production."""

import datetime as dt
from collections import Counter, defaultdict
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from clinic.actor import SYSTEM
from clinic.models import (
    MOVES,
    Appointment,
    Equipment,
    EquipmentUse,
    Location,
    Offering,
    Patient,
    Practitioner,
    Room,
    Service,
    StatusChange,
    TimeOff,
    User,
)
from clinic.services import demo
from clinic.services.demo import branches, catalogue, outcomes, people, sizes
from clinic.services.demo.chance import chance
from clinic.services.demo.diary import Diary
from clinic.services.demo.register import Register
from clinic.services.scheduling import planning
from tests import factories as make

# A Wednesday in the morning.
AT = make.moment(dt.date(2026, 11, 18), "11:20")


def run(*arguments):
    out = StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


def load(size="small", seed=1, at=AT):
    return demo.load(size, seed=seed, by=SYSTEM, at=at)


def test_load_clinic_fills_ten_weeks_around_today(db):
    load("clinic")
    assert [model.objects.count() for model in (Location, Room, Equipment, Service)] == [2, 9, 8, 20]
    assert Practitioner.objects.filter(user__isnull=False).count() == 6
    assert Practitioner.objects.values("profession").distinct().count() == 3
    assert Patient.objects.count() == 400
    days = list(Appointment.objects.order_by("day").values_list("day", flat=True).distinct())
    assert days[0] == dt.date(2026, 10, 14)
    assert days[-1] == dt.date(2026, 12, 23)
    assert dt.date(2026, 12, 8) not in days  # a feast
    past, today, ahead = (
        Counter(Appointment.objects.filter(**{which: AT.date()}).values_list("status", flat=True))
        for which in ("day__lt", "day", "day__gt")
    )
    assert past["completed"] > 0.75 * past.total()
    assert past["no_show"] > 20
    assert past["cancelled"] > 40
    assert 0 < past["scheduled"] + past["confirmed"] < 30
    assert {"completed", "in_session", "scheduled"} <= set(today)
    assert (
        {"scheduled", "confirmed", "requested", "cancelled"}
        <= set(ahead)
        <= {*Appointment.HOLDING, "cancelled", "declined"}
    )
    assert not {"arrived", "in_session", "completed"} & set(ahead)
    assert not StatusChange.objects.filter(at__gt=AT).exists()
    assert 0.60 < _share_kept_busy() < 0.70


def _share_kept_busy():
    diary = _diary(1)
    days = [AT.date() + dt.timedelta(days=offset) for offset in range(-35, 36)]
    works = sum(
        ends - starts
        for clinician in catalogue.CLINICIANS
        for day in days
        for _site, starts, ends in diary.hours(clinician, day)
    )
    kept = Appointment.objects.exclude(status__in=["cancelled", "declined", "expired"])
    busy = sum((until - since).seconds // 60 for since, until in kept.values_list("busy_from", "busy_until"))
    return busy / works


def test_load_small_passes_the_check_of_the_booking_service(db):
    load()
    visits = Appointment.objects.holding_time().select_related("service", "practitioner", "location", "patient", "room")
    assert visits.count() > 100
    for visit in visits:
        wish = planning.Wish(
            service=visit.service,
            practitioner=visit.practitioner,
            location=visit.location,
            patient=visit.patient,
            start_at=visit.start_at,
            room=visit.room,
            place=visit.place,
            equipment=tuple(visit.equipment_uses.values_list("equipment_id", flat=True)),
            exclude=visit.pk,
        )
        # Refused would be: outside hours, busy, a wrong room or unit.
        plan = planning.make(wish, by=SYSTEM, at=visit.start_at - dt.timedelta(days=1))
        assert plan.accepted == ()
        assert (plan.end_at, plan.busy_from, plan.busy_until, plan.price) == (
            visit.end_at,
            visit.busy_from,
            visit.busy_until,
            visit.price_quoted,
        )


def test_load_small_leaves_a_trail_of_allowed_moves(db):
    load("small")
    trails = defaultdict(list)
    for change in StatusChange.objects.order_by("pk"):
        trails[change.appointment_id].append(change)
    visits = list(Appointment.objects.select_related("patient").prefetch_related("service__equipment_kinds"))
    for visit in visits:
        first, *moves = trails[visit.pk]
        assert (first.old, first.verb, first.at) == ("", "book", visit.created_at)
        assert visit.patient.created_at <= visit.created_at < visit.start_at
        before = first
        for move in moves:
            assert move.old == before.new
            assert move.verb == MOVES[move.old, move.new]
            assert before.at <= move.at <= AT
            before = move
        assert before.new == visit.status
    assert sorted(Appointment.history.values_list("id", flat=True)) == sorted(visit.pk for visit in visits)
    assert EquipmentUse.objects.count() == sum(len(visit.service.equipment_kinds.all()) for visit in visits)


def _snapshot():
    with transaction.atomic():
        load()
        patients = list(
            Patient.objects.order_by("pk").values_list("uid", "family_name", "birth_on", "mobile", "created_at")
        )
        visits = list(
            Appointment.objects.order_by("pk").values_list(
                "uid", "start_at", "patient__uid", "service__position", "status"
            )
        )
        transaction.set_rollback(True)
    return patients, visits


def test_load_twice_with_one_seed_and_day_makes_the_same(db):
    first = _snapshot()
    assert _snapshot() == first


def test_diary_of_another_seed_differs():
    first, other = (
        [(visit.start_at, visit.patient) for visit in _diary(seed).between(AT.date(), AT.date(), 0.72)]
        for seed in (1, 2)
    )
    assert first != other


def test_outcomes_later_that_day_only_go_on():
    """Who comes when stays; a visit that was planned in the morning is over in the evening."""
    diary = _diary(1)
    went_on = 0
    for visit in diary.between(AT.date(), AT.date(), 0.72):
        registered_at = diary.register.registered_at(visit.patient)
        early, late = (
            outcomes.of(visit, chance("x", visit.start_at), at, registered_at) for at in (AT, AT.replace(hour=21))
        )
        went_on += len(late.moves) > len(early.moves)
        if visit.fate == "kept":
            assert late.status == "completed"
    assert went_on > 10


def _diary(seed):
    register = Register(AT.tzinfo)
    for person in people.invent(
        200,
        rng=chance(seed, "people"),
        today=AT.date(),
        since=AT.date() - dt.timedelta(weeks=7),
        old=0.7,
        zone=AT.tzinfo,
    ):
        register.add(person)
    return Diary(branches.of(sizes.NAMED["clinic"], seed)[0], register, seed=seed, today=AT.date())


def test_load_small_on_the_day_the_clocks_change_works(db):
    load(at=make.moment(dt.date(2026, 10, 25), "12:00"))
    visit = Appointment.objects.filter(day=dt.date(2026, 10, 26)).order_by("start_at").first()
    assert visit.start_at.astimezone(make.ROME).utcoffset() == dt.timedelta(hours=1)


def test_demo_makes_sign_ins_with_roles(db):
    said = run("--size", "small")
    roles = {user.email: user.roles for user in User.objects.all()}
    assert {email: roles[email] for email in demo.SIGN_INS} == {
        "admin@demo.test": ("administrator",),
        "manager@demo.test": ("manager",),
        "reception@demo.test": ("receptionist",),
        "ada@demo.test": ("practitioner",),
        "ben@demo.test": ("practitioner",),
    }
    for email in demo.SIGN_INS:
        assert User.objects.get(email=email).check_password("camerino")
        assert email in said
    assert Practitioner.objects.get(user__email="ada@demo.test").given_name == "Ada"
    assert Service.objects.filter(approval=True).count() == 2
    assert Offering.objects.exclude(price=None).count() == 1
    assert TimeOff.objects.count() == len(catalogue.ABSENCES)
    assert Patient.objects.exclude(mobile__regex=r"^\+393\d{9}$").count() == 0


def test_demo_in_production_is_refused(db, settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="public passwords"):
        run("--size", "small")
    assert demo.is_empty()


def test_demo_where_a_clinic_is_refuses_or_does_nothing(db):
    make.make_organization()
    with pytest.raises(CommandError, match="not empty"):
        run("--size", "small")
    assert run("--if-empty") == "There is a clinic already: no demo is loaded.\n"
    assert not User.objects.exists()


def test_demo_twice_says_that_it_is_there(db):
    run("--size", "small")
    counted = Appointment.objects.count()
    assert run("--size", "small") == "The demo clinic is there already.\n"
    assert run("--if-empty") == "The demo clinic is there already.\n"
    assert Appointment.objects.count() == counted
