"""Records in the clinic's own order, and a service copied."""

import pytest

from clinic.actor import Actor
from clinic.models import Room, Service
from clinic.services import order
from clinic.services.scheduling.copying import duplicate

BY = Actor("system")


def names():
    return [str(service) for service in Service.objects.active()]


def test_service_moves_among_its_neighbours(world):
    before = ["Assessment", "Massage", "Tecar therapy", "Exercise", "Advice"]
    assert names() == before
    order.up(world.tecar, by=BY)
    assert names() == ["Assessment", "Tecar therapy", "Massage", "Exercise", "Advice"]
    order.down(world.tecar, by=BY)
    assert names() == before


@pytest.mark.parametrize(("move", "name"), [("up", "assessment"), ("down", "advice")])
def test_first_and_last_stay_where_they_are(move, name, world):
    before = names()
    getattr(order, move)(getattr(world, name), by=BY)
    assert names() == before
    assert not Service.objects.exclude(position=0).exists()


def test_second_move_writes_the_two_that_change_places(world):
    order.down(world.assessment, by=BY)
    versions = {service.pk: service.history.count() for service in Service.objects.all()}
    order.down(world.assessment, by=BY)
    changed = [s for s in Service.objects.all() if s.history.count() != versions[s.pk]]
    assert {str(service) for service in changed} == {"Assessment", "Tecar therapy"}


def test_rooms_are_moved_within_their_location(world):
    order.up(world.room_two, by=BY)
    assert [str(room) for room in Room.objects.filter(location=world.camerino)] == ["Gym", "Room 2", "Room 1"]
    assert Room.objects.get(pk=world.macerata_room.pk).position == 0


def test_copy_has_everything_but_its_name_and_patients(world):
    offered = {(row.practitioner_id, row.price, row.minutes) for row in world.assessment.offerings.all()}
    copy = duplicate(world.assessment, by=BY)
    assert copy.name == {"en": "Assessment (copy)", "it": "Prima valutazione (copia)"}
    assert (copy.minutes, copy.buffer_after, copy.price) == (60, 10, world.assessment.price)
    assert list(copy.room_kinds.all()) == [world.treatment_kind]
    assert {(row.practitioner_id, row.price, row.minutes) for row in copy.offerings.all()} == offered
    assert not copy.online
    assert Service.objects.get(pk=world.assessment.pk).online
