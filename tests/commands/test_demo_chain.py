"""A demo clinic by numbers: exactly as many rows as asked for, each with its history and its entry in the trail."""

import datetime as dt
from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count, F, Max, Min
from django.db.models.functions import TruncMonth

from clinic.actor import SYSTEM
from clinic.database import bulk, workers
from clinic.database.verify import verify
from clinic.exceptions import RuleBroken
from clinic.models import (
    MOVES,
    Appointment,
    AuditEntry,
    EquipmentUse,
    Location,
    Patient,
    Practitioner,
    StatusChange,
    User,
)
from clinic.services import demo
from clinic.services.demo import branches, sizes
from clinic.services.demo.sizes import Size
from clinic.services.scheduling import planning
from tests import factories as make

# A Wednesday in the morning.
AT = make.moment(dt.date(2026, 11, 18), "11:20")
SIZE = "practitioners=3,locations=2,patients=600,appointments=3000"


def load(size, at=AT, seed=1, **more):
    return demo.load(size, seed=seed, by=SYSTEM, at=at, **more)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("chain", Size(practitioners=40, locations=4, patients=200_000, appointments=1_000_000)),
        ("1000000", Size(practitioners=40, locations=4, patients=200_000, appointments=1_000_000)),
        ("10_000_000", Size(practitioners=400, locations=40, patients=2_000_000, appointments=10_000_000)),
        ("1000", Size(practitioners=1, locations=1, patients=200, appointments=1000)),
        ("practitioners=10", Size(practitioners=10, locations=1, patients=50_000, appointments=250_000)),
        (
            "practitioners=10,locations=3,appointments=900",
            Size(practitioners=10, locations=3, patients=180, appointments=900),
        ),
    ],
)
def test_parse_numbers_leaves_the_rest_in_proportion(text, size):
    assert sizes.parse(text) == size


@pytest.mark.parametrize(
    "text", ["", "huge", "-5", "0", "patients=0", "rooms=3", "patients=many", "practitioners=1,appointments=9000000"]
)
def test_parse_what_makes_no_size_is_refused(text):
    with pytest.raises(RuleBroken) as refusal:
        sizes.parse(text)
    assert refusal.value.code == "size"


def test_demo_says_what_is_wrong_with_a_size(db):
    with pytest.raises(CommandError, match="“rooms=3” is not understood"):
        call_command("demo", "--size", "rooms=3", stdout=StringIO())
    assert demo.is_empty()


def test_more_locations_than_practitioners_are_refused():
    with pytest.raises(RuleBroken, match="Each location wants a practitioner"):
        sizes.parse("practitioners=2,locations=3,appointments=100")


@pytest.mark.parametrize(("practitioners", "locations"), [(40, 4), (7, 3), (400, 40), (1, 1)])
def test_branches_share_out_everything(practitioners, locations):
    size = Size(practitioners=practitioners, locations=locations, patients=1001, appointments=100_003)
    found = branches.of(size, seed=1)
    assert [len(found), sum(len(branch.clinicians) for branch in found)] == [locations, practitioners]
    assert sum(branch.patients for branch in found) == 1001
    assert sum(branch.appointments for branch in found) == 100_003
    keys = [one.key for branch in found for one in (*branch.desk, *branch.clinicians)]
    assert len(set(keys)) == len(keys)
    assert len({site.name for branch in found for site in branch.sites}) == locations


@pytest.fixture
def chain(transactional_db):
    """Two locations, filled side by side by two processes."""
    heard = []
    counts = load(SIZE, progress=lambda done, expected: heard.append((done, expected)))
    assert heard[-1] == (3000, 3000)
    return counts


def test_load_chain_makes_every_row_with_its_history_and_entry(chain, as_owner):
    assert [model.objects.count() for model in (Location, Practitioner, Patient, Appointment)] == [2, 3, 600, 3000]
    assert list(chain.values())[-3:-1] == [600, 3000]
    for model in (Patient, Appointment):
        keys = list(model.objects.order_by("pk").values_list("pk", flat=True))
        assert list(model.history.order_by("id").values_list("id", "history_type")) == [(key, "+") for key in keys]
        entries = AuditEntry.objects.filter(model=model._meta.model_name, verb="create")
        assert sorted(entries.values_list("row_id", flat=True)) == keys
        # The version says what the row says.
        columns = [field.attname for field in model.history.model.tracked_fields]
        versions = list(model.history.order_by("id").values_list(*columns))
        assert versions == list(model.objects.order_by("pk").values_list(*columns))
    of_patient = AuditEntry.objects.filter(model="appointment", verb="create").values_list("row_id", "patient_id")
    assert sorted(of_patient) == sorted(Appointment.objects.values_list("pk", "patient_id"))
    assert EquipmentUse.objects.count() == AuditEntry.objects.filter(model="appointment", verb="update").count() > 20
    with as_owner():
        assert verify().findings == []

    _check_states()
    _check_spread()
    _check_moves()
    _check_against_booking()


def _check_states():
    past, ahead = (
        Counter(Appointment.objects.filter(**{which: AT.date()}).values_list("status", flat=True))
        for which in ("day__lt", "day__gt")
    )
    assert past["completed"] > 0.8 * past.total()
    assert past["no_show"] > 0.02 * past.total()
    assert past["cancelled"] > 0.04 * past.total()
    assert set(ahead) <= {"scheduled", "confirmed", "requested", "cancelled", "declined"}
    assert ahead["scheduled"] > 0.8 * ahead.total()


def _check_spread():
    """Half of the time of about sixty days is booked, and no month of the past is empty."""
    reach = Appointment.objects.aggregate(first=Min("day"), last=Max("day"))
    assert dt.timedelta(45) < reach["last"] - AT.date() < dt.timedelta(75)
    assert 0.3 < Appointment.objects.filter(day__gt=AT.date()).count() / (3 * 16 * 43) < 0.6
    months = Appointment.objects.filter(day__lte=AT.date()).annotate(month=TruncMonth("day")).values("month")
    visits = list(months.annotate(visits=Count("pk")).order_by("month").values_list("visits", flat=True))
    assert len(visits) > 2
    assert max(visits[1:-1]) < 2 * min(visits[1:-1])


def _check_moves():
    last = {}
    for change in StatusChange.objects.select_related("appointment__patient").order_by("pk"):
        visit, before = change.appointment, last.get(change.appointment_id)
        assert change.old == (before.new if before else "")
        assert change.verb == (MOVES[change.old, change.new] if before else "book")
        assert (before.at if before else visit.patient.created_at) <= change.at <= AT
        last[visit.pk] = change
    assert {pk: change.new for pk, change in last.items()} == dict(Appointment.objects.values_list("pk", "status"))
    assert not Appointment.objects.filter(created_at__gte=F("start_at")).exists()


def _check_against_booking():
    ahead = Appointment.objects.holding_time().filter(start_at__gt=AT).order_by("uid")
    for visit in ahead.select_related("service", "practitioner", "location", "patient", "room")[:60]:
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
        assert planning.make(wish, by=SYSTEM, at=AT).accepted == ()


def _snapshot(seed=1):
    with transaction.atomic():
        load("practitioners=2,appointments=300", seed=seed)
        visits = Appointment.objects.order_by("uid").values_list("uid", "start_at", "patient__uid", "status", "room")
        found = (
            [(row[:-1], str(row[-1] is None)) for row in visits],
            sorted(StatusChange.objects.values_list("appointment__uid", "at", "new")),
        )
        transaction.set_rollback(True)
    return found


def test_load_numbers_twice_with_one_seed_makes_the_same(db):
    first = _snapshot()
    assert _snapshot() == first
    assert _snapshot(seed=2) != first


def test_load_chain_makes_the_sign_ins(db):
    load("practitioners=2,appointments=100")
    assert set(User.objects.filter(email__in=demo.SIGN_INS).values_list("email", flat=True)) == set(demo.SIGN_INS)


def test_load_more_than_fit_before_the_first_patient_still_makes_all(db):
    load("practitioners=20,patients=20,appointments=100")
    assert Appointment.objects.count() == 100


def test_reserve_draws_keys_in_a_row(db):
    assert bulk.reserve(Patient, 3) + 3 == bulk.reserve(Patient, 1)


def test_failing_worker_ends_the_load(transactional_db):
    """What a process of its own raises is raised here."""
    with pytest.raises(ImportError):
        workers.run("clinic.services.demo.filling.nothing", [(1,), (2,)], heard=lambda _: None)


def test_demo_tells_its_progress(db):
    out = StringIO()
    call_command("demo", "--size", "100", stdout=out)
    said = out.getvalue()
    assert said.startswith("100 of 100 appointments, ")
    assert "         100  appointments" in said
    assert "ben@demo.test" not in said
