"""Who sent the patient: chosen from a list or written, found again in lists."""

import pytest
from django.urls import reverse

from clinic.models import Appointment, ReferringDoctor
from tests import factories as make
from tests.admin.test_appointment import ADD, LIST, form, page_of, slot

DOCTORS = reverse("admin:clinic_referringdoctor_changelist")


@pytest.fixture
def desk(world, client):
    client.force_login(world.reception)
    return client


@pytest.fixture
def bianchi():
    return make.make_referring_doctor(
        family_name="Bianchi", given_name="Lucía", speciality="Orthopaedics", workplace="Ospedale", phone="0737 123456"
    )


def book(desk, world, clock="09:00", **referral):
    answer = desk.post(ADD, form(world, slot=slot(world, clock), **referral))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    return Appointment.objects.latest("pk")


def test_book_with_a_doctor_of_the_list_keeps_the_name_as_it_was(world, desk, bianchi):
    visit = book(
        desk,
        world,
        referrer=bianchi.pk,
        referring_doctor="somebody else",
        referral_reason="Knee",
        referral_received_on="2026-01-07",
        referral_document="1300A4567890123",
    )
    assert (visit.referrer, visit.referring_doctor, visit.referral_source) == (bianchi, "Bianchi Lucía", "doctor")
    assert (visit.referral_reason, str(visit.referral_received_on)) == ("Knee", "2026-01-07")
    assert visit.referral_document == "1300A4567890123"
    bianchi.family_name = "Verdi"
    bianchi.save()
    kept = {"desk_note": "late", "referrer": bianchi.pk, "referring_doctor": "Bianchi Lucía"}
    assert desk.post(page_of(visit), kept).status_code == 302
    visit.refresh_from_db()
    assert (visit.desk_note, visit.referring_doctor) == ("late", "Bianchi Lucía")


def test_book_with_a_name_alone_or_a_source_alone(world, desk):
    assert book(desk, world, referring_doctor="Dott. Neri").referral_source == "doctor"
    visit = book(desk, world, "11:00", referral_source="online", patient=world.bruno.pk)
    assert (visit.referrer, visit.referring_doctor, visit.referral_source) == (None, "", "online")


def test_referral_is_corrected_on_the_visit_and_its_history_says_so(world, desk, bianchi):
    visit = world.visit("10:00")
    page = desk.get(page_of(visit)).content.decode()
    assert "Source of referral" in page
    answer = desk.post(page_of(visit), {"reason": "", "desk_note": "", "referrer": bianchi.pk})
    assert answer.status_code == 302
    visit.refresh_from_db()
    assert visit.referrer == bianchi
    assert visit.history.first().referrer_id == bianchi.pk


def test_inactive_doctor_is_refused_beside_the_field(world, desk, bianchi):
    bianchi.active = False
    bianchi.save()
    answer = desk.post(ADD, form(world, slot=slot(world, "09:00"), referrer=bianchi.pk))
    assert "referrer" in answer.context["adminform"].form.errors
    assert not Appointment.objects.exists()


def test_list_is_cut_by_source_and_by_doctor(world, desk, bianchi):
    sent = world.visit("10:00", referrer=bianchi, referral_source="doctor")
    world.visit("11:00", patient=world.bruno, referral_source="online")
    found = desk.get(LIST, {"show": "all", "referral_source__exact": "doctor"}).context["cl"].result_list
    assert [visit.pk for visit in found] == [sent.pk]
    found = desk.get(LIST, {"show": "all", "referrer__id__exact": bianchi.pk}).context["cl"].result_list
    assert [visit.pk for visit in found] == [sent.pk]


@pytest.mark.parametrize("words", ["lucia", "osped", "0737123", "bianchi lucía"])
def test_doctor_is_found_by_name_place_or_phone(desk, bianchi, words):
    make.make_referring_doctor(family_name="Neri")
    asked = {"app_label": "clinic", "model_name": "appointment", "field_name": "referrer", "term": words}
    found = desk.get(reverse("admin:autocomplete"), asked).json()["results"]
    assert [row["text"] for row in found] == ["Bianchi Lucía · Orthopaedics · Ospedale"]


def test_reception_adds_a_doctor(desk):
    assert "No referring doctors yet" in desk.get(DOCTORS).content.decode()
    answer = desk.post(reverse("admin:clinic_referringdoctor_add"), {"family_name": "Neri", "active": "on"})
    assert answer.status_code == 302
    assert ReferringDoctor.objects.get().active
