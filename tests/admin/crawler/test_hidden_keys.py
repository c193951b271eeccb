"""Keys of rows that somebody may not see, put into addresses and forms: answered as if there were no such row."""

import uuid

import pytest
from django.contrib import admin
from django.urls import reverse

from clinic.models import Appointment, Patient
from tests.admin.crawler.cast import CANARY, make_cast

TIMES = "admin:clinic_appointment_times"
ADD = "admin:clinic_appointment_add"


@pytest.fixture
def cast(world):
    return make_cast(world)


@pytest.fixture
def asked(world):
    """What a half-filled booking form says; times on the day of the foreign patient's visit with Ben."""
    return {"service": world.massage.pk, "location": world.camerino.pk, "on": world.monday.isoformat()}


@pytest.fixture
def hidden(cast):
    return {model: rows["foreign"].pk for model, rows in cast.records.items() if "foreign" in rows}


def times(client, data):
    response = client.get(reverse(TIMES), data)
    assert response.status_code == 200
    return response.content.decode()


def test_offered_times_keep_silent_about_a_hidden_patient(desk, world, hidden, asked):
    """When a stranger is busy says that the stranger is a patient here."""
    of_hidden = {**asked, "patient": hidden[Patient]}
    # Ada is free then, so only the patient could stand in the way.
    world.visit("11:30", practitioner=world.ben, room=world.room_two, patient=Patient.objects.get(pk=hidden[Patient]))
    ada = desk(world.ada_user)
    assert times(ada, of_hidden) == times(ada, asked)
    posted = ada.post(reverse(ADD), {**of_hidden, "_times": "1"}).content.decode()
    assert CANARY not in posted
    # The desk sees the patient, so there it counts.
    reception = desk(world.reception)
    assert times(reception, of_hidden) != times(reception, asked)


def test_offered_times_are_a_practitioners_own(desk, world, asked):
    ada = desk(world.ada_user)
    of_ben = times(ada, {**asked, "practitioner": world.ben.pk})
    assert "Rossi" not in of_ben
    assert of_ben == times(ada, asked)
    posted = ada.post(reverse(ADD), {**asked, "practitioner": world.ben.pk, "_times": "1"})
    assert "Rossi" not in posted.content.decode()
    assert "Rossi" in times(desk(world.reception), {**asked, "practitioner": world.ben.pk})


def test_offered_times_keep_silent_about_a_hidden_visit(desk, world, hidden, asked):
    ada = desk(world.ada_user)
    of_hidden = {**asked, "exclude": hidden[Appointment]}
    assert times(ada, of_hidden) == times(ada, asked)
    reception = desk(world.reception)
    assert times(reception, of_hidden) != times(reception, asked)


@pytest.mark.parametrize("wrong", ["none", "patient", "practitioner", "slot"])
def test_booking_takes_no_hidden_key(wrong, desk, world, hidden, asked):
    own = {**asked, "key": uuid.uuid4(), "patient": world.anna.pk, "slot": f"{world.at('11:00').isoformat()}/"}
    data = (
        own
        | {
            "none": {"slot": f"{own['slot']}{world.ada.pk}"},
            "patient": {"slot": f"{own['slot']}{world.ada.pk}", "patient": hidden[Patient]},
            "practitioner": {"slot": "", "starts": "11:00", "practitioner": world.ben.pk},
            "slot": {"slot": f"{own['slot']}{world.ben.pk}"},
        }[wrong]
    )
    before = set(Appointment.objects.values_list("pk", flat=True))
    response = desk(world.ada_user).post(reverse(ADD), data)
    made = Appointment.objects.exclude(pk__in=before).count()
    assert (response.status_code, made) == ((302, 1) if wrong == "none" else (200, 0))
    assert CANARY not in response.content.decode()


def test_no_form_names_what_a_hidden_key_means(desk, world, hidden):
    ada = desk(world.ada_user)
    for model in admin.site._registry:
        keys = {
            field.name: hidden[field.related_model]
            for field in [*model._meta.fields, *model._meta.many_to_many]
            if field.is_relation and field.related_model in hidden
        }
        url = reverse(f"admin:clinic_{model._meta.model_name}_add")
        for response in (ada.get(url, keys), ada.post(url, keys)):
            assert CANARY not in response.content.decode(), model


def test_history_does_not_name_a_hidden_patient(desk, world, hidden):
    visit = world.visit("15:00", patient=Patient.objects.get(pk=hidden[Patient]))
    visit.patient = world.anna
    visit.save()
    url = reverse("admin:clinic_appointment_history", args=[visit.pk])
    page = desk(world.ada_user).get(url).content.decode()
    assert f"#{hidden[Patient]}" in page
    assert CANARY not in page
    assert CANARY in desk(world.administrator).get(url).content.decode()
