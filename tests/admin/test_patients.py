"""The patient's screen: found as people ask for them, registered without doubles."""

import datetime as dt

import pytest
from django.urls import reverse

from clinic.admin.patients import age_on, as_birth_date
from clinic.models import Patient
from tests import factories as make

LIST = "admin:clinic_patient_changelist"


@pytest.fixture
def rossi(world):
    return make.make_patient(
        family_name="Di Niccolò",
        given_name="Zoë",
        birth_on="1980-04-03",
        mobile="+39 333 123 4567",
        email="zoe@example.test",
    )


@pytest.mark.parametrize(
    "asked",
    [
        "niccolo",
        "NICCOLÒ zoe",
        "zoe di",
        "3331234567",
        "333 123 4567",
        "+39 333 123",
        "zoe@example",
        "03/04/1980",
        "3.4.1980",
        "3/4/80",
        "1980-04-03",
        "03 04 1980",
    ],
)
def test_search_with_exactly_one_hit_opens_the_record(asked, desk, rossi, world):
    response = desk(world.reception).get(reverse(LIST), {"q": asked})
    assert response.status_code == 302
    assert response["Location"] == reverse("admin:clinic_patient_change", args=[rossi.pk])


def test_search_by_record_number_opens_the_record(desk, rossi, world):
    rossi.refresh_from_db()
    response = desk(world.reception).get(reverse(LIST), {"q": str(rossi.number)})
    assert response["Location"] == reverse("admin:clinic_patient_change", args=[rossi.pk])


def test_search_with_several_hits_lists_them(desk, rossi, world):
    make.make_patient(family_name="Di Niccolò", given_name="Aldo")
    response = desk(world.reception).get(reverse(LIST), {"q": "niccolo"})
    assert [patient.given_name for patient in response.context["cl"].result_list] == ["Aldo", "Zoë"]


@pytest.mark.parametrize("asked", ["04/13/1980", "nobody at all", "\x00", "31/02/1980"])
def test_search_without_a_hit_says_so(asked, desk, rossi, world):
    response = desk(world.reception).get(reverse(LIST), {"q": asked})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("03/04/1980", dt.date(1980, 4, 3)),
        ("3.4.1980", dt.date(1980, 4, 3)),
        ("1980-04-03", dt.date(1980, 4, 3)),
        ("03/04/80", dt.date(1980, 4, 3)),
        ("1/1/60", dt.date(1960, 1, 1)),
        ("29/02/60", dt.date(1960, 2, 29)),
        ("04/13/1980", None),
        ("rossi", None),
        ("", None),
    ],
)
def test_birth_date_is_read_day_first(text, day):
    assert as_birth_date(text) == day


def test_age_grows_on_the_birthday():
    born = dt.date(1980, 4, 3)
    assert (age_on(born, dt.date(2026, 4, 2)), age_on(born, dt.date(2026, 4, 3))) == (45, 46)


def test_registering_gives_a_number_and_opens_the_record(desk, world):
    data = {"family_name": "Nuova", "given_name": "Nina", "sex": "unknown", "language": "it", "country": "IT"}
    response = desk(world.reception).post(reverse("admin:clinic_patient_add"), {**data, "birth_on": "03/04/1990"})
    nina = Patient.objects.get(family_name="Nuova")
    assert response["Location"] == reverse("admin:clinic_patient_change", args=[nina.pk])
    assert (nina.birth_on, nina.number > 0, nina.active) == (dt.date(1990, 4, 3), True, True)
    assert nina.history.get().history_user == world.reception


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("birth_on", "2999-01-01", "A birth date cannot lie in the future."),
        ("birth_on", "1850-01-01", "A birth date before 1900 is hardly right."),
        ("mobile", "call me", "A phone number holds digits, as in +39 333 123 4567."),
        ("country", "Italy", "Ensure this value has at most 2 characters (it has 5)."),
    ],
)
def test_registering_refuses_what_cannot_be(field, value, sentence, desk, world):
    data = {"family_name": "Nuova", "given_name": "Nina", "sex": "unknown", "language": "it", "country": "IT"}
    response = desk(world.reception).post(reverse("admin:clinic_patient_add"), {**data, field: value})
    assert sentence in response.context["adminform"].form.errors[field]
    assert not Patient.objects.filter(family_name="Nuova").exists()


def test_changed_address_is_no_longer_proved(desk, world, rossi):
    rossi.email_proved_at = world.at("10:00", -30)
    rossi.save()
    data = {"family_name": "Di Niccolò", "given_name": "Zoë", "birth_on": "1980-04-03", "sex": "female"}
    more = {"language": "it", "country": "IT", "email": "new@example.test"}
    response = desk(world.reception).post(reverse("admin:clinic_patient_change", args=[rossi.pk]), {**data, **more})
    assert response.status_code == 302
    rossi.refresh_from_db()
    assert (rossi.email, rossi.email_proved_at) == ("new@example.test", None)


def test_patient_is_never_deleted(desk, world):
    root = make.make_user(None, is_superuser=True)
    url = reverse("admin:clinic_patient_delete", args=[world.anna.pk])
    assert desk(root).post(url, {"post": "yes"}).status_code == 403
    assert Patient.objects.filter(pk=world.anna.pk).exists()
