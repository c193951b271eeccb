"""The checklist on the front page, until the first booking can be taken."""

import pytest
from django.urls import reverse

from clinic.models import Location
from tests import factories as make

INDEX = "/admin/"
TITLE = "Before the first booking"


@pytest.fixture
def front(client, db):
    """The links of the checklist for a holder of this role, by the title that bears them; None where there is none."""

    def links(role):
        client.force_login(make.make_user(role))
        response = client.get(INDEX)
        found = next((part for part in response.context if part and "steps" in part), None)
        assert (TITLE in response.content.decode()) == bool(found and found["steps"])
        return {step.title: step.link for step in found["steps"] if not step.done} or None

    return links


def test_checklist_leads_from_form_to_form_until_the_first_booking(front):
    assert front("administrator") == {
        "Opening hours": reverse("admin:clinic_location_changelist"),
        "A service": reverse("admin:clinic_servicecategory_add"),
        "Somebody who treats": reverse("admin:clinic_practitioner_add"),
        "What they offer": reverse("admin:clinic_practitioner_add"),
        "When they work": reverse("admin:clinic_practitioner_add"),
        "Rooms and equipment": reverse("admin:clinic_room_add"),
    }
    camerino = make.make_location()
    category = make.make_category()
    ada = make.make_practitioner()
    page = reverse("admin:clinic_practitioner_change", args=[ada.pk])
    assert front("manager") == {
        "Opening hours": reverse("admin:clinic_location_change", args=[camerino.pk]),
        "A service": reverse("admin:clinic_service_add"),
        "What they offer": page,
        "When they work": page,
        "Rooms and equipment": reverse("admin:clinic_room_add"),
    }
    make.make_opening_hours(camerino)
    kind = make.make_room_kind()
    make.make_offering(practitioner=ada, service=make.make_service(category=category, room_kinds=[kind]))
    assert front("manager") == {
        "When they work": reverse("admin:clinic_practitioner_hours", args=[ada.pk]),
        "Rooms and equipment": reverse("admin:clinic_room_add"),
    }
    make.make_working_hours(ada, camerino)
    assert front("manager") == {"Rooms and equipment": reverse("admin:clinic_room_add")}
    make.make_room(kind=kind, location=camerino)
    assert front("manager") is None


@pytest.mark.parametrize("role", ["receptionist", "practitioner", None])
def test_checklist_is_for_who_sets_the_clinic_up(role, front):
    Location.objects.all().delete()
    assert front(role) is None
