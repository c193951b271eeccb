"""What time off and hours do to booked visits is said before it is done, and done only once it was seen."""

import pytest
from django.urls import reverse

from clinic.admin.base.effects import SEEN
from clinic.models import ClinicSettings, TimeOff
from tests import factories as make

ADD = reverse("admin:clinic_timeoff_add")


@pytest.fixture
def morning(world):
    """Two visits on Monday morning, in the first room, the first with the tecar."""
    first = world.visit("10:00", equipment=[world.tecar_unit])
    return [first, world.visit("11:00", patient=world.bruno)]


def day_off(world, **over):
    return {"practitioner": world.ada.pk, "first_on": world.monday, "reason": "Course", **over}


def effect_of(response):
    return response.context["refusal_effect"]


def test_time_off_names_the_visits_before_it_is_saved(desk, world, morning):
    client = desk(world.reception)
    asked = client.post(ADD, day_off(world))
    page = asked.content.decode()
    assert "2 booked visits lose their time." in page
    assert str(world.anna) in page
    assert str(world.bruno) in page
    # What was typed is still there.
    assert 'value="Course"' in page
    assert not TimeOff.objects.exists()
    assert client.post(ADD, day_off(world, **{SEEN: effect_of(asked).mark})).status_code == 302
    assert TimeOff.objects.get().practitioner == world.ada


@pytest.mark.parametrize(
    ("subject", "lost"), [("room_one", 2), ("tecar_unit", 1), ("camerino", 2), ("room_two", 0), ("ben", 0)]
)
def test_every_kind_of_time_off_is_weighed(subject, lost, desk, world, morning):
    column = {"room": "room", "tecar": "equipment", "ben": "practitioner"}.get(subject.split("_")[0], "location")
    said = {**day_off(world), "practitioner": "", column: getattr(world, subject).pk}
    response = desk(world.reception).post(ADD, said)
    assert response.status_code == (200 if lost else 302)
    assert TimeOff.objects.exists() is not bool(lost)
    if lost:
        assert len(effect_of(response).named) == lost


def test_visit_that_came_meanwhile_is_asked_about_again(desk, world, morning):
    client = desk(world.reception)
    mark = effect_of(client.post(ADD, day_off(world))).mark
    world.visit("15:00", patient=make.make_patient())
    again = client.post(ADD, day_off(world, **{SEEN: mark}))
    assert len(effect_of(again).named) == 3
    assert not TimeOff.objects.exists()


def test_longer_time_off_asks_about_the_new_days_alone(desk, world, morning):
    off = make.make_time_off(practitioner=world.ada, start_at=world.at("00:00"), end_at=world.at("00:00", 1))
    url = reverse("admin:clinic_timeoff_change", args=[off.pk])
    client = desk(world.reception)
    assert client.post(url, day_off(world, reason="Other")).status_code == 302
    tuesday = world.visit("10:00", days=1, patient=make.make_patient())
    longer = client.post(url, day_off(world, last_on=tuesday.local_start.date()))
    assert effect_of(longer).named == [tuesday]


def test_long_list_names_the_first_and_counts_the_rest(desk, world):
    for number in range(12):
        world.visit("10:00", days=number, patient=make.make_patient())
    effect = effect_of(desk(world.reception).post(ADD, day_off(world, last_on=world.at("09:00", 20).date())))
    assert (len(effect.named), effect.others) == (10, 2)


def test_hours_page_names_what_it_would_displace(desk, world, morning):
    ClinicSettings.objects.update_or_create(pk=1, defaults={"keep_hours": True})
    from tests.admin.test_hours import inputs, page_of

    client = desk(world.ada_user)
    said = {**inputs(client, world.ada), "blocks-0-first_on": world.monday, "blocks-0-ends": "10:45"}
    asked = client.post(page_of(world.ada), said)
    assert asked.context["effect"].named == [morning[0]]
    assert not TimeOff.objects.exists()
    saved = client.post(page_of(world.ada), {**said, SEEN: asked.context["effect"].mark})
    assert saved.status_code == 302
    assert TimeOff.objects.get().practitioner == world.ada


def test_deactivating_names_the_visits_to_come(desk, world, morning):
    client = desk(world.manager)
    page = client.get(reverse("admin:clinic_room_do_deactivate", args=[world.room_one.pk])).content.decode()
    assert "2 visits are still to come:" in page
    assert str(world.bruno) in page
    quiet = client.get(reverse("admin:clinic_room_do_deactivate", args=[world.room_two.pk])).content.decode()
    assert "still to come" not in quiet
