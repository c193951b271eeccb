"""The patient's page: visits within one's scope, and the way to book the next."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.models import Appointment, Patient

PATIENTS = reverse("admin:clinic_patient_changelist")


def page_of(patient):
    return reverse("admin:clinic_patient_change", args=[patient.pk])


def test_page_shows_visits_within_the_scope_only(world, client):
    world.visit()
    foreign = world.visit("12:00", practitioner=world.ben)
    client.force_login(world.reception)
    page = client.get(page_of(world.anna)).content.decode()
    assert page.count("/admin/clinic/appointment/") >= 2
    assert reverse("admin:clinic_appointment_change", args=[foreign.pk]) in page
    client.force_login(world.ada_user)
    page = client.get(page_of(world.anna)).content.decode()
    assert reverse("admin:clinic_appointment_change", args=[foreign.pk]) not in page


def test_page_leads_to_the_next_booking_of_active_patients(world, client):
    client.force_login(world.reception)
    link = f"{reverse('admin:clinic_appointment_add')}?patient={world.anna.pk}"
    assert link in client.get(page_of(world.anna)).content.decode()
    form = client.get(link).context["adminform"].form
    assert str(form.get_initial_for_field(form.fields["patient"], "patient")) == str(world.anna.pk)
    assert "?patient=" not in client.get(page_of(world.carla)).content.decode()
    client.force_login(world.manager)
    assert "?patient=" not in client.get(page_of(world.anna)).content.decode()


def test_page_costs_the_same_whatever_the_visits(world, client):
    client.force_login(world.reception)
    client.get(page_of(world.anna))
    counts = []
    for clock in ("09:00", "11:00", "15:00"):
        world.visit(clock)
        with CaptureQueriesContext(connection) as queries:
            client.get(page_of(world.anna))
        counts.append(len(queries))
    assert counts == [8, 8, 8]


def test_one_hit_opens_the_record(world, client):
    client.force_login(world.reception)
    for term in ("bianchi anna", "12/03/1985", "12.3.1985", "1985-03-12", str(world.anna.number)):
        assert client.get(PATIENTS, {"q": term})["Location"] == page_of(world.anna), term
    assert client.get(PATIENTS, {"q": "a"}).status_code == 200


NINA = {"family_name": "Nuova", "given_name": "Nina", "sex": "unknown", "language": "it", "country": "IT"}


def test_practitioner_opens_and_may_book_whom_they_registered(world, client):
    client.force_login(world.ada_user)
    added = client.post(reverse("admin:clinic_patient_add"), NINA)
    nina = Patient.objects.get(family_name="Nuova")
    assert added["Location"] == page_of(nina)
    page = client.get(page_of(nina))
    assert page.status_code == 200
    assert f"?patient={nina.pk}" in page.content.decode()
    form = client.get(f"{reverse('admin:clinic_appointment_add')}?patient={nina.pk}").context["adminform"].form
    assert nina in form.fields["patient"].queryset
    client.force_login(world.ben_user)
    assert client.get(page_of(nina)).status_code == 404
    assert Appointment.objects.count() == 0


def test_practitioner_is_not_told_about_somebody_elses_patient(world, client):
    client.force_login(world.ada_user)
    twin = {**NINA, "family_name": "Bianchi", "given_name": "Anna", "birth_on": "12/03/1985"}
    body = client.post(reverse("admin:clinic_patient_add"), twin).content.decode()
    assert "Somebody of this name and birth date is registered already." in body
    assert f"number {world.anna.number}" not in body
    client.post(reverse("admin:clinic_patient_add"), {**twin, "_accept": "duplicate", "_reason": "twins"})
    assert Patient.objects.filter(family_name="Bianchi", registered_by=world.ada_user).exists()
