"""What screens tell the audit trail: who looked, who searched, who asked for somebody else's record."""

import pytest
from django.urls import reverse

from clinic.models import AuditEntry


@pytest.fixture
def told(world):
    """What was recorded since the last call, oldest first, changes left out."""
    seen = [AuditEntry.objects.order_by("pk").values_list("pk", flat=True).last() or 0]

    def read():
        rows = list(
            AuditEntry.objects.filter(pk__gt=seen[0])
            .exclude(verb__in=["create", "update", "delete", "sign_in"])
            .order_by("pk")
        )
        seen[0] = AuditEntry.objects.latest("pk").pk
        return [(row.verb, row.model, row.row_id, row.patient_id, row.purpose) for row in rows]

    return read


def page(model, name, *keys):
    return reverse(f"admin:clinic_{model}_{name}", args=keys)


def test_every_page_that_shows_a_patient_is_a_look(desk, world, told):
    client, anna = desk(world.reception), world.anna.pk
    told()
    look = [("view", "patient", anna, anna, "")]
    for name in ("change", "history", "do_record_death"):
        assert client.get(page("patient", name, anna)).status_code == 200
        assert told() == look, name
    assert client.post(page("patient", "change", anna), {"family_name": ""}).status_code == 200
    assert told() == look
    assert client.post(page("patient", "do_record_death", anna), {"on": "nonsense"}).status_code == 200
    assert told() == look


def test_every_page_that_shows_a_visit_is_a_look_at_its_patient(desk, world, told):
    visit = world.visit()
    client = desk(world.reception)
    told()
    for name in ("change", "history", "do_cancel"):
        assert client.get(page("appointment", name, visit.pk)).status_code == 200
        assert told() == [("view", "appointment", visit.pk, world.anna.pk, "")], name


def test_pages_of_rooms_are_no_looks(desk, world, told):
    client = desk(world.administrator)
    told()
    for name in ("change", "history"):
        client.get(page("room", name, world.room_one.pk))
    assert told() == []


def test_search_in_a_list_is_recorded_once_whatever_it_finds(desk, world, told):
    client = desk(world.reception)
    told()
    assert client.get(page("patient", "changelist"), {"q": "a"}).status_code == 200
    assert told() == [("search", "patient", None, None, "a")]
    client.get(page("appointment", "changelist"), {"q": "  bianchi   anna "})
    assert told() == [("search", "appointment", None, None, "bianchi anna")]
    client.get(page("patient", "changelist"), {"q": "x" * 90})
    assert told() == [("search", "patient", None, None, "x" * 60)]
    for asked in ({}, {"q": ""}, {"q": " "}, {"q": "\x00"}):
        client.get(page("patient", "changelist"), asked)
    assert told() == []


def test_search_for_a_patient_in_a_form_is_recorded_where_something_was_typed(desk, world, told):
    client = desk(world.reception)
    told()
    asked = {"app_label": "clinic", "model_name": "appointment", "field_name": "patient"}
    client.get(reverse("admin:autocomplete"), {**asked, "term": ""})
    assert told() == []
    client.get(reverse("admin:autocomplete"), {**asked, "term": "bian\x00chi"})
    assert told() == [("search", "patient", None, None, "bianchi")]


def test_search_in_the_palette_is_recorded(desk, world, told):
    client = desk(world.reception)
    told()
    client.get(reverse("admin:search"), {"s": "bianchi"})
    assert told() == [("search", "patient", None, None, "bianchi")]
    client.get(reverse("admin:search"), {"s": "\x00b"})
    told()
    for asked in ("", "b"):
        client.get(reverse("admin:search"), {"s": asked})
    assert told() == []
    desk(world.outsider).get(reverse("admin:search"), {"s": "bianchi"})
    assert told() == []


@pytest.mark.parametrize("name", ["change", "history", "do_record_death"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_asks_for_a_foreign_patient_is_named(name, method, desk, world, told):
    client, bruno = desk(world.ada_user), world.bruno.pk
    told()
    assert getattr(client, method)(page("patient", name, bruno)).status_code == 404
    assert told() == [("denied", "patient", bruno, bruno, "")]
    assert AuditEntry.objects.latest("pk").user == world.ada_user


def test_who_asks_for_a_foreign_visit_is_named(desk, world, told):
    visit = world.visit(practitioner=world.ben)
    client = desk(world.ada_user)
    told()
    assert client.get(page("appointment", "change", visit.pk)).status_code == 404
    assert told() == [("denied", "appointment", visit.pk, world.anna.pk, "")]


@pytest.mark.parametrize("key", ["0", "99999999", "9" * 30, "abc", "1%00", "-1"])
def test_a_record_that_is_not_there_is_no_refusal(key, desk, world, told):
    client = desk(world.ada_user)
    told()
    assert client.get(f"/admin/clinic/patient/{key}/change/").status_code == 404
    assert told() == []


@pytest.mark.django_db(transaction=True)
def test_refusal_stays_where_the_answer_is_undone(desk, world, told):
    """A 404 out of Django's own transactions takes back what was written in them."""
    visit = world.visit(practitioner=world.ben)
    client = desk(world.ada_user)
    told()
    client.post(page("appointment", "change", visit.pk), {})
    assert [entry[0] for entry in told()] == ["denied"]
