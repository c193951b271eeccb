"""The audit page: who, when, what, before and after; for whoever may read it, and for nobody to change."""

import pytest
from django.urls import reverse

from clinic.models import AuditEntry
from clinic.permissions import ROLES
from tests import factories as make

LIST = "admin:clinic_auditentry_changelist"


@pytest.fixture
def changed_room(desk, world):
    data = {"location": world.camerino.pk, "name": "Room 1", "kind": world.treatment_kind.pk, "places": "5"}
    desk(world.manager).post(reverse("admin:clinic_room_change", args=[world.room_one.pk]), data)
    return AuditEntry.objects.filter(verb="update", model="room").latest("pk")


def test_entry_tells_who_what_and_before_and_after(desk, world, changed_room):
    body = (
        desk(world.administrator)
        .get(reverse("admin:clinic_auditentry_change", args=[changed_room.pk]))
        .content.decode()
    )
    assert "Mara Dirige" in body
    assert str(ROLES["manager"].label) in body
    assert f"Changed room {world.room_one.pk}" in body
    assert "/admin/clinic/room/" in body
    assert "Places</th><td>1</td><td>5</td>" in body


def test_list_is_filtered_by_day_person_verb_and_kind(desk, world, changed_room):
    client, url = desk(world.administrator), reverse(LIST)
    day = changed_room.at.date().isoformat()
    wanted = {"user__id__exact": world.manager.pk, "verb__exact": "update", "model": "room"}
    assert [row.pk for row in client.get(url, wanted).context["cl"].result_list] == [changed_room.pk]
    assert client.get(url, {"at_from": day, "at_to": day, **wanted}).context["cl"].result_count == 1
    assert client.get(url, {"at_to": "2001-01-01", **wanted}).context["cl"].result_count == 0


def test_search_finds_what_happened_to_a_patient(desk, world):
    strange = make.make_patient(family_name="Strana", given_name="Ada")
    rows = desk(world.administrator).get(reverse(LIST), {"q": "strana"}).context["cl"].result_list
    assert {(row.verb, row.patient) for row in rows} == {("create", strange)}


@pytest.mark.parametrize("who", ["reception", "ada_user", "outsider"])
def test_trail_is_closed_to_who_has_no_business_there(who, desk, world):
    assert desk(getattr(world, who)).get(reverse(LIST)).status_code == 403


@pytest.mark.parametrize("page", ["change", "delete"])
def test_nobody_changes_or_deletes_an_entry(page, desk, world, changed_room):
    url = reverse(f"admin:clinic_auditentry_{page}", args=[changed_room.pk])
    root = make.make_user(None, is_superuser=True)
    assert desk(root).post(url, {"post": "yes"}).status_code == 403
