"""What a rule or the database refuses on a form: a sentence, everything typed kept, nothing saved, never a 500."""

import pytest
from django.db import IntegrityError, connection
from django.urls import reverse

from clinic.admin.base.refusals import refusal_of
from clinic.models import Equipment, Patient, Room, TimeOff
from tests import factories as make

PATIENT = {
    "family_name": "Rossi",
    "given_name": "Anna",
    "birth_on": "1980-04-03",
    "sex": "female",
    "language": "it",
    "country": "IT",
}


def test_constraint_refuses_beside_what_was_typed(desk, world):
    data = {"location": world.camerino.pk, "name": "Room 1", "kind": world.gym_kind.pk, "places": "2"}
    response = desk(world.manager).post(reverse("admin:clinic_room_add"), data)
    assert response.status_code == 200
    assert "This location has a room of that name." in response.content.decode()
    assert Room.objects.filter(name="Room 1", location=world.camerino).count() == 1


def test_race_lost_in_the_database_is_the_same_sentence(desk, world, monkeypatch, messages_of):
    """Somebody else saved between the form's check and the write."""
    monkeypatch.setattr(Room, "validate_constraints", lambda *args, **kwargs: None)
    data = {"location": world.camerino.pk, "name": "Room 1", "kind": world.gym_kind.pk, "places": "2"}
    response = desk(world.manager).post(reverse("admin:clinic_room_add"), data)
    body = response.content.decode()
    assert response.status_code == 200
    assert "This location has a room of that name." in body
    assert 'value="2"' in body
    assert messages_of(response) == []
    assert Room.objects.filter(name="Room 1", location=world.camerino).count() == 1


def test_race_on_a_unique_column_stands_beside_its_field(world):
    with pytest.raises(IntegrityError) as caught:
        make.make_user(email="ADMIN@clinic.test")
    refusal = refusal_of(caught.value)
    assert (refusal.field, refusal.message) == ("email", "Somebody with this e-mail works here already.")


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE clinic_room SET places = 0", "These values do not go together."),
        (
            "UPDATE clinic_equipment SET location_id = 0",
            "What this refers to is gone, or other records still refer to this.",
        ),
    ],
)
def test_other_database_refusals_are_sentences(statement, sentence, world):
    with pytest.raises(IntegrityError) as caught, connection.cursor() as cursor:
        cursor.execute(f"{statement}; SET CONSTRAINTS ALL IMMEDIATE")
    assert refusal_of(caught.value).message == sentence


def test_same_name_and_birth_date_asks_and_keeps_what_was_typed(desk, world):
    make.make_patient(family_name="Rossì", given_name="anna", birth_on="1980-04-03")
    client, url = desk(world.reception), reverse("admin:clinic_patient_add")
    refused = client.post(url, {**PATIENT, "employer": "Sibillini Rugby"})
    body = refused.content.decode()
    assert refused.status_code == 200
    assert "is registered already, as number" in str(refused.context["adminform"].form.errors["family_name"])
    assert "Sibillini Rugby" in body
    assert "Go on anyway" in body
    assert "wants a reason" not in body
    assert Patient.objects.filter(birth_on="1980-04-03").count() == 1

    hasty = client.post(url, {**PATIENT, "employer": "Sibillini Rugby", "_accept": "duplicate", "_reason": " "})
    body = hasty.content.decode()
    assert (hasty.status_code, hasty.context["refusal_way_past"]) == (200, True)
    assert "is registered already, as number" in body
    assert "Going on anyway wants a reason." in body
    assert "Sibillini Rugby" in body
    assert Patient.objects.filter(birth_on="1980-04-03").count() == 1

    saved = client.post(url, {**PATIENT, "_accept": "duplicate", "_reason": "twins"})
    assert saved.status_code == 302
    assert Patient.objects.filter(birth_on="1980-04-03").count() == 2
    twin = Patient.objects.get(birth_on="1980-04-03", family_name="Rossi")
    assert twin.history.get().history_change_reason == "twins"


def test_refusal_is_said_in_the_panel_and_beside_its_field_only(desk, world):
    twin = make.make_patient(family_name="Rossi", given_name="Anna", birth_on="1980-04-03")
    body = desk(world.reception).post(reverse("admin:clinic_patient_add"), PATIENT).content.decode()
    assert body.count("is registered already, as number") == 2
    assert "Please correct the error" not in body
    assert reverse("admin:clinic_patient_change", args=[twin.pk]) in body


def test_twin_whom_one_may_not_see_is_not_linked(desk, world):
    twin = make.make_patient(family_name="Rossi", given_name="Anna", birth_on="1980-04-03")
    body = desk(world.ada_user).post(reverse("admin:clinic_patient_add"), PATIENT).content.decode()
    assert reverse("admin:clinic_patient_change", args=[twin.pk]) not in body


def test_accepting_does_not_help_where_the_verb_is_missing(desk, world):
    response = desk(world.manager).post(reverse("admin:clinic_patient_add"), {**PATIENT, "_accept": "duplicate"})
    assert response.status_code == 403


def test_inactive_record_cannot_be_chosen(desk, world):
    closed = make.make_location(organization=world.organization, active=False, name="Old house")
    data = {"location": closed.pk, "name": "Cellar", "kind": world.gym_kind.pk, "places": "1"}
    response = desk(world.manager).post(reverse("admin:clinic_room_add"), data)
    assert response.context["adminform"].form.errors == {"location": ["“Old house” is inactive and cannot be chosen."]}


def test_record_whose_location_closed_meanwhile_can_still_be_saved(desk, world):
    unit = make.make_equipment(location=world.macerata, kind=world.tecar_kind, name="Old unit")
    world.macerata.active = False
    world.macerata.save()
    data = {"location": world.macerata.pk, "name": "Older unit", "kind": world.tecar_kind.pk}
    url = reverse("admin:clinic_equipment_change", args=[unit.pk])
    assert desk(world.manager).post(url, data).status_code == 302
    assert Equipment.objects.get(pk=unit.pk).name == "Older unit"


def test_end_before_start_is_a_sentence(desk, world):
    data = {"practitioner": world.ada.pk, "first_on": "2026-12-02", "last_on": "2026-12-01"}
    response = desk(world.reception).post(reverse("admin:clinic_timeoff_add"), data)
    assert response.status_code == 200
    assert "The end must come after the start." in response.context["errors"].as_text()
    assert TimeOff.objects.count() == 0


@pytest.mark.parametrize("method", ["get", "post"])
def test_record_that_others_refer_to_is_not_deleted_and_says_why(method, desk, world):
    url = reverse("admin:clinic_roomkind_delete", args=[world.gym_kind.pk])
    response = getattr(desk(world.administrator), method)(url, {"post": "yes"})
    assert response.status_code == 200
    assert "Other records still refer to it, so it stays" in response.content.decode()
    assert world.gym_kind.rooms.exists()


def test_record_that_nobody_refers_to_is_deleted(desk, world):
    kind = make.make_room_kind(name="Sauna")
    url = reverse("admin:clinic_roomkind_delete", args=[kind.pk])
    assert desk(world.administrator).post(url, {"post": "yes"}).status_code == 302
    assert not type(kind).objects.filter(pk=kind.pk).exists()


def test_alternative_repeats_the_request_with_its_values_over_what_was_typed(desk, world):
    data = {"location": world.camerino.pk, "name": "Room 1", "kind": world.gym_kind.pk, "places": "2"}
    response = desk(world.manager).post(reverse("admin:clinic_room_add"), {**data, "_instead": "name=Room+9"})
    assert response.status_code == 302
    assert Room.objects.get(name="Room 9").places == 2
