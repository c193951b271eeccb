"""The founding acceptance cases of this storey, through the pages that a person uses."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from clinic.models import Appointment, AuditEntry, Patient
from clinic.services.scheduling import slots

ADD = reverse("admin:clinic_appointment_add")


def sign_in(client, user):
    client.force_login(user)
    return client


def booking(client, world, patient, **over):
    """What the form posts: its own hidden key, and what was chosen."""
    page = client.get(ADD).content.decode()
    key = re.search(r'name="key" value="([^"]+)"', page).group(1)
    return {
        "key": key,
        "patient": patient.pk,
        "service": world.massage.pk,
        "practitioner": world.ada.pk,
        "location": world.camerino.pk,
        "on": world.monday.isoformat(),
        "reason": "Neck pain",
        **over,
    }


def register(client):
    response = client.post(
        reverse("admin:clinic_patient_add"),
        {
            "family_name": "Rossi",
            "given_name": "Mario",
            "birth_on": "2000-01-01",
            "sex": "male",
            "mobile": "+39 333 765 4321",
            "country": "IT",
            "language": "it",
            "active": "on",
        },
    )
    assert response.status_code == 302, response.context["errors"]
    return Patient.objects.get(family_name="Rossi", given_name="Mario")


def test_e2e_01_patient_registration_creates_the_profile(world, client):
    patient = register(sign_in(client, world.reception))
    assert (patient.birth_on, patient.active) == (dt.date(2000, 1, 1), True)
    assert patient.number >= 1000
    page = client.get(reverse("admin:clinic_patient_changelist"), {"q": "rossi mario"}, follow=True)
    assert "Rossi" in page.content.decode()


def test_e2e_02_reception_books_and_the_trail_records_it(world, client):
    patient = register(sign_in(client, world.reception))
    offered = slots.free(
        world.massage.pk, first_on=world.monday, practitioners=[world.ada.pk], locations=[world.camerino.pk]
    )
    chosen = f"{offered[4].start_at.isoformat()}/{offered[4].practitioner_id}"
    response = client.post(ADD, booking(client, world, patient, slot=chosen, room=world.room_two.pk))
    visit = Appointment.objects.get(patient=patient)
    assert response["Location"] == reverse("admin:clinic_appointment_change", args=[visit.pk])
    assert visit.status == Appointment.Status.SCHEDULED
    assert (visit.service, visit.room, visit.start_at) == (world.massage, world.room_two, world.at("10:00"))
    entry = AuditEntry.objects.get(model="appointment", row_id=visit.pk, verb="create")
    assert (entry.user_id, entry.role, entry.patient_id, entry.route) == (
        world.reception.pk,
        "receptionist",
        patient.pk,
        ADD,
    )


def test_sch_01_end_before_start_is_refused_beside_the_field(world, client):
    sign_in(client, world.reception)
    response = client.post(ADD, booking(client, world, world.anna, starts="11:00", ends="10:30"))
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["ends"] == ["The end must come after the start."]
    # Nothing that was typed is lost.
    page = response.content.decode()
    assert "Neck pain" in page
    assert 'value="11:00"' in page
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("somebody", ["reception", "outsider", "anna"])
def test_sch_02_only_practitioners_can_be_chosen(world, client, somebody):
    sign_in(client, world.reception)
    found = client.get(
        reverse("admin:autocomplete"),
        {"app_label": "clinic", "model_name": "appointment", "field_name": "practitioner", "term": ""},
    ).json()["results"]
    assert {row["text"] for row in found} == {"Ada Conti", "Ben Rossi"}
    stranger = getattr(world, somebody).pk + 10_000
    response = client.post(ADD, booking(client, world, world.anna, practitioner=stranger, starts="10:00"))
    assert response.status_code == 200
    assert "practitioner" in response.context["adminform"].form.errors
    assert not Appointment.objects.exists()


def test_sch_03_a_physio_sees_no_colleagues_appointments(world, client):
    foreign = world.visit(practitioner=world.ben, patient=world.bruno)
    own = world.visit("12:00")
    sign_in(client, world.ada_user)
    page = client.get(reverse("admin:clinic_appointment_changelist"), {"show": "all"}).content.decode()
    assert "Bianchi" in page
    assert "D’Angelo" not in page
    assert client.get(reverse("admin:clinic_appointment_change", args=[own.pk])).status_code == 200
    assert client.get(reverse("admin:clinic_appointment_change", args=[foreign.pk])).status_code == 404
    assert client.get(reverse("admin:clinic_patient_change", args=[world.bruno.pk])).status_code == 404
