"""Lists whose order the clinic sets, and services that begin as a copy."""

from django.urls import reverse

from clinic.models import Service
from tests import factories as make

LIST = reverse("admin:clinic_service_changelist")


def url(name, record):
    return reverse(f"admin:clinic_{record._meta.model_name}_do_{name}", args=[record.pk])


def test_list_offers_moving_to_who_may_change(desk, world):
    assert url("move_up", world.massage) in desk(world.manager).get(LIST).content.decode()
    assert url("move_up", world.massage) not in desk(world.reception).get(LIST).content.decode()
    # Sorted by something else, up and down would mean nothing.
    assert url("move_up", world.massage) not in desk(world.manager).get(LIST, {"q": "mass"}).content.decode()


def test_moving_returns_to_the_list_as_it_was(desk, world):
    here = f"{LIST}?active__exact=1"
    response = desk(world.manager).post(f"{url('move_up', world.massage)}?next={here}")
    assert response["Location"] == here
    assert [str(service) for service in Service.objects.active()][:2] == ["Massage", "Assessment"]


def test_address_of_a_move_only_asks(desk, world):
    assert desk(world.manager).get(url("move_up", world.massage)).status_code == 200
    assert [str(service) for service in Service.objects.active()][:2] == ["Assessment", "Massage"]
    assert desk(world.reception).post(url("move_up", world.massage)).status_code == 403


def test_rooms_are_listed_in_their_order(desk, world):
    client = desk(world.manager)
    client.post(url("move_up", world.room_two))
    rows = client.get(reverse("admin:clinic_room_changelist")).context["cl"].result_list
    assert [str(room) for room in rows] == ["Gym", "Room 2", "Room 1", "Room 1"]


def test_duplicating_leads_to_the_copy(desk, world):
    response = desk(world.manager).post(url("duplicate", world.massage))
    copy = Service.objects.latest("pk")
    assert response["Location"] == reverse("admin:clinic_service_change", args=[copy.pk])
    assert str(copy) == "Massage (copy)"
    assert desk(world.reception).post(url("duplicate", world.massage)).status_code == 403


def test_colour_of_a_service_is_shown(desk, world):
    make.make_service(category=world.physiotherapy, colour="#123456")
    assert 'fill="#123456"' in desk(world.reception).get(LIST).content.decode()
