from dataclasses import replace

import pytest
from django.db import transaction
from django_q.models import Schedule

from clinic import actor
from clinic.models import AuditEntry, Seal
from clinic.services import audit
from clinic.tasks import audit as tasks
from clinic.tasks.schedules import SCHEDULES, sync_schedules

pytestmark = pytest.mark.django_db


def fields(entry) -> tuple:
    return entry.verb, entry.model, entry.row_id, entry.patient_id, entry.actor_kind, entry.user_id, entry.purpose


def test_looked_at_patient_names_the_patient(world, django_assert_num_queries):
    by = actor.staff(world.reception, route="/admin/clinic/patient/1/change/", ip="10.0.0.7", agent="Firefox")
    with django_assert_num_queries(1):
        audit.looked(world.anna, by=by)
    entry = AuditEntry.objects.latest("id")
    assert fields(entry) == ("view", "patient", world.anna.pk, world.anna.pk, "staff", world.reception.pk, "")
    assert (entry.role, entry.route, entry.ip, entry.agent) == (by.role, by.route, "10.0.0.7", "Firefox")
    assert (entry.history_id, len(bytes(entry.digest))) == (None, 32)


def test_looked_at_visit_names_its_patient(world):
    visit = world.visit()
    audit.looked(visit, by=actor.staff(world.ada_user), verb="print", purpose="day sheet")
    assert fields(AuditEntry.objects.latest("id")) == (
        "print",
        "appointment",
        visit.pk,
        world.anna.pk,
        "staff",
        world.ada_user.pk,
        "day sheet",
    )


def test_looked_at_room_names_no_patient(world):
    audit.looked(world.room_one, by=actor.staff(world.reception))
    assert AuditEntry.objects.latest("id").patient_id is None


def test_noted_takes_the_purpose_of_its_actor(world):
    audit.noted("export", by=replace(actor.staff(world.manager), purpose="audit by the insurer"), model="patient")
    assert AuditEntry.objects.latest("id").purpose == "audit by the insurer"


@pytest.mark.parametrize("verb", ["sign_in", "sign_in_failed", "sign_out", "password", "factor", "roles", "denied"])
def test_noted_without_anybody_is_the_system(verb, db):
    audit.noted(verb, by=None, purpose="x@example.org")
    assert fields(AuditEntry.objects.latest("id")) == (verb, "", None, None, "system", None, "x@example.org")


def test_noted_without_anybody_is_whoever_acts_here(world):
    with actor.acting(actor.staff(world.reception)):
        audit.noted("search", by=None, model="patient", purpose="rossi")
    assert AuditEntry.objects.latest("id").user_id == world.reception.pk


def test_noted_is_rolled_back_with_its_transaction(db):
    before = AuditEntry.objects.count()
    with transaction.atomic():
        audit.noted("view", by=None)
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == before


def test_seal_takes_everything_once_and_chains(world):
    waiting = AuditEntry.objects.count()
    assert tasks.seal() == waiting
    assert tasks.seal() == 0
    audit.noted("view", by=None)
    assert tasks.seal() == 1
    first, second = Seal.objects.order_by("id")
    assert (first.pk, first.n, bytes(first.previous)) == (1, waiting, b"")
    assert (second.pk, second.n, bytes(second.previous)) == (2, 1, bytes(first.root))


@pytest.mark.django_db(transaction=True)
def test_seal_leaves_what_is_not_committed_for_the_next(owner_cursor):
    audit.noted("view", by=None)
    with transaction.atomic():
        audit.noted("view", by=None)
        owner_cursor.execute("SELECT audit_seal()")
        assert owner_cursor.fetchone() == (1,)
    assert audit.seal() == 1


def test_schedules_are_in_the_queue_after_migrate(db):
    assert set(Schedule.objects.values_list("name", "func", "schedule_type", "minutes")) >= {
        (name, every.task, "I", every.minutes) for name, every in SCHEDULES.items()
    }


def test_sync_schedules_repairs_and_removes_ours_only(db):
    Schedule.objects.filter(name="clinic.seal_audit").update(minutes=600)
    Schedule.objects.create(name="clinic.gone", func="os.getpid")
    Schedule.objects.create(name="somebody else's", func="os.getpid")
    due = Schedule.objects.get(name="clinic.seal_audit").next_run
    sync_schedules()
    sync_schedules()
    sealing = Schedule.objects.get(name="clinic.seal_audit")
    assert (sealing.minutes, sealing.next_run) == (1, due)
    assert set(Schedule.objects.values_list("name", flat=True)) == {*SCHEDULES, "somebody else's"}
