"""The palette: what it finds within somebody's scope, what was opened last, what is kept; and nothing is cached."""

import re

import pytest
from django.urls import reverse

from clinic.models import Favourite, Patient
from clinic.services import favourites
from tests import factories as make

SEARCH = "/admin/search/"
KEEP = "/admin/favourites/"


def page(model, record):
    return reverse(f"admin:clinic_{model}_change", args=[record.pk])


@pytest.fixture
def found(desk):
    """The groups of an answer: {title: [name of each entry]}."""

    def ask(user, text="", **more):
        response = desk(user).get(SEARCH, {"s": text, **more})
        assert response.status_code == 200
        return {title: [entry.title for entry in entries] for title, entries in response.context["groups"]}

    return ask


def test_patients_come_with_what_is_booked_for_them(found, world):
    world.visit("10:00")
    world.visit("11:00", status="cancelled")
    world.visit("09:00", days=-60, status="completed")
    groups = found(world.reception, "bian")
    assert groups["Patients"] == ["Bianchi Anna"]
    assert [re.sub(r", .* ", " ", name) for name in groups["Coming visits"]] == ["Bianchi Anna 10:00"]
    assert found(world.reception, "verdi") == {}


@pytest.mark.parametrize("text", ["3331112222", "anna@example.test", "12/03/1985", "1985-03-12", "BIÀNCHI anna"])
def test_patient_is_found_by_whatever_is_known(text, found, world):
    assert found(world.reception, text)["Patients"] == ["Bianchi Anna"]


def test_few_are_shown_in_the_order_of_names(found, world):
    for name in "KDJAHCGIEBF":
        make.make_patient(family_name="Sosia", given_name=name)
    assert found(world.reception, "sosia")["Patients"] == [f"Sosia {name}" for name in "ABCDEFGH"]


def test_family_names_that_begin_so_come_first(found, world):
    for given, family in (("Rosa", "Amato"), ("Zita", "Rosato"), ("Ugo", "Garosi"), ("Ada", "Rosati")):
        make.make_patient(family_name=family, given_name=given)
    assert found(world.reception, "ros")["Patients"] == ["Rosati Ada", "Rosato Zita", "Amato Rosa", "Garosi Ugo"]


def test_practitioner_finds_own_patients_only(found, world):
    world.visit(patient=world.anna, practitioner=world.ada)
    world.visit(patient=world.bruno, practitioner=world.ben, room=world.room_two)
    world.visit("12:00", patient=world.anna, practitioner=world.ben, room=world.room_two)
    assert found(world.ada_user, "bruno") == {}
    mine = found(world.ada_user, "bianchi")
    assert (mine["Patients"], len(mine["Coming visits"])) == (["Bianchi Anna"], 1)
    assert len(found(world.reception, "bianchi")["Coming visits"]) == 2
    assert found(world.outsider, "bianchi") == {}


def test_pages_are_those_of_the_role(found, world):
    assert found(world.reception, "cal")["Go to"] == ["Calendar"]
    assert found(world.reception, "audit") == {}
    assert found(world.administrator, "audit")["Go to"] == ["Audit trail"]
    assert found(world.reception, "walk")["Go to"] == ["Walk-in: somebody without an appointment"]
    assert found(world.manager, "walk") == {}
    assert found(world.reception, "c")["Go to"][0] == "Calendar"


def test_answers_are_never_kept(desk, world):
    client = desk(world.reception)
    for asked in ({"s": "bianchi"}, {}):
        assert "no-store" in client.get(SEARCH, asked)["Cache-Control"]
    assert client.post(SEARCH).status_code == 405


@pytest.mark.parametrize("rows", [1, 3])
def test_search_takes_six_statements(rows, desk, world, django_assert_num_queries):
    for number in range(rows):
        patient = make.make_patient(family_name="Sosia", given_name=str(number))
        world.visit(f"1{number}:00", patient=patient)
    client = desk(world.reception)
    # Session, person, trail, keys, patients, visits.
    with django_assert_num_queries(6):
        assert client.get(SEARCH, {"s": "sosia"}).status_code == 200


@pytest.mark.parametrize("rows", [1, 3])
def test_opening_takes_six_statements(rows, desk, world, django_assert_num_queries):
    client = desk(world.reception)
    for number in range(rows):
        patient = make.make_patient(family_name="Sosia", given_name=str(number))
        client.get(page("patient", patient))
        client.get(page("appointment", world.visit(f"1{number}:00", patient=patient)))
        favourites.keep(world.reception, address=page("patient", patient))
    # Session, person, favourites, trail, patients, visits.
    with django_assert_num_queries(6):
        assert client.get(SEARCH).status_code == 200


# What was opened last


def test_opened_lately_are_records_that_can_still_be_seen(desk, found, world):
    visit = world.visit(patient=world.bruno, practitioner=world.ada)
    client = desk(world.ada_user)
    assert "Recently opened" not in found(world.ada_user)
    for address in (page("patient", world.bruno), page("appointment", visit), page("patient", world.bruno)):
        assert client.get(address).status_code == 200
    names = found(world.ada_user)["Recently opened"]
    assert (names[0], names[1].partition(",")[0], len(names)) == ("D’Angelo Bruno", "D’Angelo Bruno", 2)
    # Somebody else opened nothing.
    assert "Recently opened" not in found(world.reception)
    # Names are read when they are shown.
    Patient.objects.filter(pk=world.bruno.pk).update(family_name="Sposato")
    assert found(world.ada_user)["Recently opened"][0] == "Sposato Bruno"
    visit.practitioner = world.ben
    visit.save()
    assert "Recently opened" not in found(world.ada_user)


def test_opened_lately_is_eight_at_most(desk, found, world):
    people = [make.make_patient(family_name=f"Sosia{number}") for number in range(10)]
    client = desk(world.reception)
    for patient in people:
        client.get(page("patient", patient))
    assert found(world.reception)["Recently opened"] == [str(patient) for patient in people[:1:-1]]


# Favourites


def test_record_and_page_are_kept_and_dropped(desk, found, world):
    client = desk(world.reception)
    anna, calendar = page("patient", world.anna), reverse("admin:clinic_appointment_calendar")
    here = client.get(SEARCH, {"here": f"{anna}?next=/"}).context["here"]
    assert (here["entry"].title, here["entry"].link, here["kept"]) == ("Bianchi Anna", anna, False)
    for address in (anna, f"{calendar}?view=week", anna):
        assert client.post(KEEP, {"address": address}).status_code == 204
    assert found(world.reception)["Favourites"] == ["Bianchi Anna", "Calendar"]
    assert client.get(SEARCH, {"here": anna}).context["here"]["kept"]
    assert "Favourites" not in found(world.manager)
    assert desk(world.reception).post(KEEP, {"address": anna, "drop": "1"}).status_code == 204
    assert found(world.reception)["Favourites"] == ["Calendar"]


def test_cut_of_a_list_is_a_page_of_its_own(desk, found, world):
    cut = reverse("admin:clinic_appointment_changelist") + "?show=requests"
    assert desk(world.reception).post(KEEP, {"address": cut}).status_code == 204
    assert found(world.reception)["Favourites"] == ["Requests"]


def test_what_somebody_may_not_see_is_neither_kept_nor_shown(desk, found, world):
    visit = world.visit(patient=world.bruno, practitioner=world.ada)
    client = desk(world.ada_user)
    bruno, anna = page("patient", world.bruno), page("patient", world.anna)
    for address in (anna, page("organization", world.organization), "/admin/clinic/user/", "/", "//evil.test/", ""):
        assert client.post(KEEP, {"address": address}).status_code == 403, address
        assert client.get(SEARCH, {"here": address}).context["here"] is None
    assert client.post(KEEP, {"address": bruno}).status_code == 204
    assert found(world.ada_user)["Favourites"] == ["D’Angelo Bruno"]
    visit.practitioner = world.ben
    visit.save()
    assert "Favourites" not in found(world.ada_user)
    assert Favourite.objects.count() == 1


def test_more_than_twenty_favourites_are_refused(desk, world):
    for number in range(20):
        favourites.keep(world.reception, address=f"/admin/{number}/")
    client = desk(world.reception)
    response = client.post(KEEP, {"address": page("patient", world.anna)})
    assert (response.status_code, response.content.decode()) == (
        409,
        "You keep 20 pages already: take one away first.",
    )
    assert client.get(KEEP).status_code == 405
