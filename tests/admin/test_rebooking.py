"""The worklist's page: who sees what, one click moves, and statements that do not grow with its rows."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.admin.scheduling import rebooking as screen
from clinic.models import Appointment
from tests import factories as make

PAGE, COUNT = "admin:clinic_appointment_rebooking", "admin:clinic_appointment_rebooking_count"


@pytest.fixture
def morning(world):
    """Ada's Monday morning, with three visits, is blocked; Ben's visit beside it is not."""
    visits = [world.visit(f"{9 + number:02}:00", patient=make.make_patient()) for number in range(3)]
    world.visit("09:00", practitioner=world.ben, room=world.room_two, patient=world.bruno)
    make.make_time_off(practitioner=world.ada, start_at=world.at("08:00"), end_at=world.at("13:00"), reason="Course")
    return visits


def read(client, **asked):
    response = client.get(reverse(PAGE), asked)
    return [row.visit for row in response.context["rows"]]


def forms(body, visit):
    """The one-click forms of a visit: what each of them posts."""
    action = re.escape(reverse("admin:clinic_appointment_do_move", args=[visit.pk]))
    found = re.findall(rf'action="{action}">(.*?)</form>', body, re.DOTALL)
    return [dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form)) for form in found]


def test_one_click_moves_a_visit_to_a_proposal(desk, world, morning):
    client = desk(world.reception)
    assert read(client) == morning
    body = client.get(reverse(PAGE)).content.decode()
    assert "Ada Conti is off until" in body
    assert ": Course." in body
    first, *_others = forms(body, morning[0])
    response = client.post(reverse("admin:clinic_appointment_do_move", args=[morning[0].pk]), first)
    assert response["Location"] == reverse(PAGE)
    moved = Appointment.objects.get(pk=morning[0].pk)
    assert (moved.version, moved.start_at, moved.practitioner) == (1, world.at("14:00"), world.ada)
    assert read(client) == morning[1:]


def test_worklist_changes_nothing_by_looking(desk, world, morning):
    client, before = desk(world.reception), list(Appointment.objects.order_by("pk").values())
    client.get(reverse(PAGE))
    assert client.post(reverse(PAGE)).status_code == 405
    assert list(Appointment.objects.order_by("pk").values()) == before


def test_keeping_wants_a_reason_and_the_right_to_it(desk, world, morning):
    url = reverse("admin:clinic_appointment_do_keep", args=[morning[0].pk])
    client = desk(world.reception)
    client.get(url)
    assert client.post(url, {"reason": ""}).status_code == 200
    assert len(read(client)) == 3
    assert desk(world.ada_user).post(url, {"reason": "x"}).status_code == 403
    client = desk(world.reception)
    response = client.post(url, {"reason": "She comes in for it", "next": reverse(PAGE)})
    assert response["Location"] == reverse(PAGE)
    assert read(client) == morning[1:]


def test_practitioner_sees_and_moves_own_visits_only(desk, world, morning):
    make.make_time_off(location=world.camerino, start_at=world.at("08:00"), end_at=world.at("13:00"))
    client = desk(world.ada_user)
    assert read(client) == morning
    assert read(client, practitioner=world.ben.pk) == []
    assert "Rossi" not in client.get(reverse(PAGE)).content.decode()
    assert client.get(reverse(COUNT)).content == b"3"
    assert desk(world.reception).get(reverse(COUNT)).content == b"4"
    assert desk(world.outsider).get(reverse(PAGE)).status_code == 403
    assert desk(world.outsider).get(reverse(COUNT)).status_code == 403


def test_manager_cancels_and_moves_nothing(desk, world, morning):
    body = desk(world.manager).get(reverse(PAGE)).content.decode()
    assert "Cancel the visit" in body
    assert forms(body, morning[0]) == []
    assert "Keep anyway" not in body


def test_worklist_is_filtered_and_paged(desk, world, morning, monkeypatch):
    monkeypatch.setattr(screen, "PER_PAGE", 2)
    client = desk(world.reception)
    assert read(client) == morning[:2]
    assert read(client, p=2) == morning[2:]
    # Pages that are not there, or not any more, begin again.
    assert read(client, p=9) == read(client, p="x") == morning[:2]
    assert read(client, location=world.macerata.pk) == []
    assert read(client, practitioner=world.ada.pk, location=world.camerino.pk) == morning[:2]
    assert read(client, practitioner="9" * 30) == morning[:2]


def test_empty_worklist_says_so(desk, world):
    client = desk(world.reception)
    assert "Nothing is to be moved." in client.get(reverse(PAGE)).content.decode()
    assert client.get(reverse(COUNT)).content == b""


def test_visit_page_does_not_offer_to_keep(desk, world, morning):
    body = desk(world.reception).get(reverse("admin:clinic_appointment_change", args=[morning[0].pk])).content.decode()
    assert "Keep anyway" not in body


def test_statements_do_not_grow_with_rows_beyond_the_proposals(desk, world, monkeypatch):
    monkeypatch.setattr(screen, "PER_PAGE", 30)
    client, counts = desk(world.reception), []
    make.make_time_off(location=world.camerino, start_at=world.at("00:00"), end_at=world.at("00:00", 365))
    make.make_time_off(location=world.macerata, start_at=world.at("00:00"), end_at=world.at("00:00", 365))
    for wanted in (1, 30):
        for number in range(Appointment.objects.count(), wanted):
            world.visit(f"{9 + number % 8:02}:00", days=number // 8 * 7, room=None, patient=make.make_patient())
        with CaptureQueriesContext(connection) as queries:
            assert len(read(client)) == wanted
        # Nothing is free in either place: each proposal looks twice, at the facts alone or at what is busy as well.
        counts.append(
            sum(
                "clinic_service_room_kinds" not in query["sql"] and "range_agg" not in query["sql"]
                for query in queries.captured_queries
            )
        )
    assert counts[0] == counts[1]
