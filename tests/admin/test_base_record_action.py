"""Record actions on the base of every screen: POST only, scope, permission, refusals, bulk."""

import pytest
from django.urls import reverse

from clinic.models import Room


@pytest.fixture
def desk(client, world):
    def as_(user):
        client.force_login(user)
        return client

    return as_


def test_get_shows_the_question_and_changes_nothing(desk, world):
    url = reverse("admin:clinic_room_do_deactivate", args=[world.room_one.pk])
    response = desk(world.manager).get(url)
    assert response.status_code == 200
    assert "It can no longer be chosen" in response.content.decode()
    assert Room.objects.get(pk=world.room_one.pk).active


def test_post_deactivates(desk, world):
    url = reverse("admin:clinic_room_do_deactivate", args=[world.room_one.pk])
    response = desk(world.manager).post(url)
    assert response.status_code == 302
    assert not Room.objects.get(pk=world.room_one.pk).active


def test_change_page(desk, world):
    response = desk(world.manager).get(reverse("admin:clinic_room_change", args=[world.room_one.pk]))
    assert response.status_code == 200
    assert "do/deactivate/" in response.content.decode()


def test_lists(desk, world, django_assert_max_num_queries):
    client = desk(world.manager)
    with django_assert_max_num_queries(12):
        response = client.get(reverse("admin:clinic_room_changelist"))
    assert response.status_code == 200
    assert "Room 2" in response.content.decode()
