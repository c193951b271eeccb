"""The trail as the database keeps it: one entry per change, whoever writes and however."""

import json
from dataclasses import replace

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from clinic import actor
from clinic.models import AuditEntry, Patient, User
from tests import factories as make

pytestmark = pytest.mark.django_db


def trail(**filters) -> list[tuple]:
    entries = AuditEntry.objects.filter(**filters).order_by("id")
    return [(entry.verb, entry.model, entry.row_id, entry.patient_id) for entry in entries]


@pytest.fixture
def anna(db):
    return Patient.objects.create(family_name="Bianchi", given_name="Anna")


@pytest.fixture
def reception(db):
    return User.objects.create_user("reception@example.org", given_name="Rita")


def test_create_update_delete_leave_one_entry_each(db):
    kind = make.make_room_kind()
    kind.name = "Gym"
    kind.save()
    pk = kind.pk
    kind.delete()
    assert trail(model="roomkind") == [
        ("create", "roomkind", pk, None),
        ("update", "roomkind", pk, None),
        ("delete", "roomkind", pk, None),
    ]


def test_entry_names_actor_route_and_history_row(anna, reception):
    reception.roles = ("receptionist",)
    who = actor.staff(reception, route="/admin/clinic/patient/1/", ip="2001:db8::7", agent="Firefox")
    with actor.acting(replace(who, purpose="phone call")), transaction.atomic():
        anna.city = "Macerata"
        anna.save()
    entry = AuditEntry.objects.latest("id")
    assert (entry.actor_kind, entry.user_id, entry.role) == ("staff", reception.pk, "receptionist")
    assert (entry.route, entry.ip, entry.agent) == ("/admin/clinic/patient/1/", "2001:db8::7", "Firefox")
    assert (entry.purpose, entry.patient_id) == ("phone call", anna.pk)
    assert anna.history.get(history_id=entry.history_id).city == "Macerata"
    assert len(bytes(entry.digest)) == 64


def test_entry_without_actor_falls_back_to_the_history_user_then_to_the_system(anna, reception):
    assert AuditEntry.objects.get(model="patient").actor_kind == "system"
    anna._history_user = reception
    anna.save()
    entry = AuditEntry.objects.latest("id")
    assert (entry.actor_kind, entry.user_id) == ("staff", reception.pk)


@pytest.mark.django_db(transaction=True)
def test_actor_of_a_transaction_does_not_reach_the_next(anna, reception):
    with actor.acting(actor.staff(reception)), transaction.atomic():
        anna.save()
    anna.save()
    assert list(AuditEntry.objects.filter(model="patient").order_by("id").values_list("user_id", flat=True)) == [
        None,
        reception.pk,
        None,
    ]


def test_history_written_in_bulk_or_by_hand_is_seen(anna):
    copy = anna.history.get()
    copy.pk, copy.history_type = None, "~"
    Patient.history.bulk_create([copy])
    assert trail(model="patient") == [("create", "patient", anna.pk, anna.pk), ("update", "patient", anna.pk, anna.pk)]


def test_visit_names_its_patient_and_its_equipment(world):
    visit = world.visit()
    make.make_equipment_use(visit, world.tecar_unit)
    entries = AuditEntry.objects.filter(patient=world.anna, model="appointment").order_by("id")
    assert [(entry.verb, entry.row_id, entry.purpose) for entry in entries] == [
        ("create", visit.pk, ""),
        ("update", visit.pk, f"equipment + {world.tecar_unit.pk}"),
    ]


def test_roles_given_and_taken_are_seen_however_they_are_written(reception):
    group, _ = Group.objects.get_or_create(name="receptionist")
    before = AuditEntry.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO clinic_user_groups (user_id, group_id) VALUES (%s, %s)", [reception.pk, group.pk])
        cursor.execute("DELETE FROM clinic_user_groups WHERE user_id = %s", [reception.pk])
    entries = AuditEntry.objects.order_by("id")[before:]
    assert [(entry.verb, entry.model, entry.row_id, entry.purpose) for entry in entries] == [
        ("update", "user", reception.pk, "groups + receptionist"),
        ("update", "user", reception.pk, "groups − receptionist"),
    ]


@pytest.mark.parametrize("given", ["not an address", "", "unix:", "x" * 400])
def test_odd_actor_never_stops_a_write(anna, given):
    told = {"kind": "a kind too long", "user": None, "role": given, "route": given, "ip": given, "agent": given}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('camerino.actor', %s, true)", [json.dumps(told)])
        anna.save()
    entry = AuditEntry.objects.latest("id")
    assert (entry.ip, entry.route) == (None, given[:200])


def test_refused_change_leaves_no_entry(anna):
    before = AuditEntry.objects.count()
    with transaction.atomic():
        anna.save()
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == before


def test_user_is_deleted_without_touching_history(reception):
    """History keeps the number of whoever wrote it; nothing of it is updated when that person's row goes."""
    patient = Patient(family_name="Bianchi", given_name="Anna")
    patient._history_user = reception
    patient.save()
    pk = reception.pk
    reception.delete()
    assert Patient.history.get().history_user_id == pk
    connection.check_constraints()
