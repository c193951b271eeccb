"""The page that copies hours: it shows what changes, and does it when that was seen."""

import datetime as dt

import pytest
from django.urls import reverse

from clinic.admin.base.effects import SEEN
from clinic.models import ClinicSettings
from clinic.services import hours
from tests import factories as make


def page_of(practitioner):
    return reverse("admin:clinic_practitioner_hours_copy", args=[practitioner.pk])


def said(world, target, **over):
    into = world.monday + dt.timedelta(weeks=1)
    return {"week_on": world.monday, "target": target.pk, "into": into, "only_once": "1", **over}


def test_copy_is_shown_with_the_visits_that_lose_their_time_before_it_is_done(desk, world):
    world.visit("12:30", days=7)
    client = desk(world.manager)
    shown = client.post(page_of(world.ben), said(world, world.ada))
    page = shown.content.decode()
    # Ada works afternoons and Tuesdays, Ben does not.
    assert shown.context["days"][0] == (
        "Monday",
        ["09:00–13:00 Camerino", "14:00–18:00 Camerino"],
        ["09:00–13:00 Camerino"],
    )
    assert "No booked visit loses its time." in page
    afternoon = world.visit("15:00", days=7, patient=world.bruno)
    asked = client.post(page_of(world.ben), said(world, world.ada, **{SEEN: shown.context["effect"].mark}))
    assert asked.context["effect"].named == [afternoon]
    assert world.ada.working_hours.count() == 10
    done = client.post(page_of(world.ben), said(world, world.ada, **{SEEN: asked.context["effect"].mark}))
    assert done["Location"] == reverse("admin:clinic_practitioner_hours", args=[world.ada.pk])
    weekly, _extra = hours.in_week(world.ada, world.monday + dt.timedelta(weeks=1))
    assert [row.weekday for row in weekly] == [0, 1, 2, 3, 4]


def test_other_answers_are_shown_anew(desk, world):
    client = desk(world.manager)
    mark = client.post(page_of(world.ada), said(world, world.ben)).context["effect"].mark
    again = client.post(page_of(world.ada), said(world, world.ben, only_once="0", **{SEEN: mark}))
    assert again.status_code == 200
    assert world.ben.working_hours.count() == 5


def test_hours_of_somebody_who_left_are_taken_over(desk, world):
    world.ben.active = False
    world.ben.save()
    client = desk(world.manager)
    assert client.get(page_of(world.ben)).status_code == 200
    mark = client.post(page_of(world.ben), said(world, world.ada)).context["effect"].mark
    assert client.post(page_of(world.ben), said(world, world.ada, **{SEEN: mark})).status_code == 302
    # Nobody gives hours to who has left.
    assert list(client.post(page_of(world.ada), said(world, world.ben)).context["form"].errors) == ["target"]


def test_refusal_stands_beside_its_input(desk, world):
    response = desk(world.manager).post(page_of(world.ada), said(world, world.ada, into=world.monday))
    assert response.context["form"].errors == {"into": ["Choose another week or somebody else."]}


def test_practitioner_copies_own_weeks_and_nobody_elses(desk, world):
    ClinicSettings.objects.update_or_create(pk=1, defaults={"keep_hours": True})
    client = desk(world.ada_user)
    forged = client.post(page_of(world.ada), said(world, world.ben))
    assert list(forged.context["form"].errors) == ["target"]
    assert client.get(page_of(world.ben)).status_code == 404
    world.ada.working_hours.filter(weekday=0).delete()
    shown = client.post(page_of(world.ada), said(world, world.ada))
    assert (
        client.post(page_of(world.ada), said(world, world.ada, **{SEEN: shown.context["effect"].mark})).status_code
        == 302
    )


@pytest.mark.parametrize("user", ["reception", "ada_user", "outsider"])
def test_who_may_not_change_hours_copies_none(user, desk, world):
    for method in ("get", "post"):
        assert getattr(desk(getattr(world, user)), method)(page_of(world.ada)).status_code == 403


def test_rubbish_is_answered_with_the_form(desk, world):
    make.make_working_hours(world.ada, world.camerino, weekdays=[6])
    for wrong in ({"week_on": "9999-12-31"}, {"into": "x"}, {"target": "-1"}, {"only_once": "2"}):
        data = {**said(world, world.ada), **wrong}
        assert desk(world.manager).post(page_of(world.ada), data).status_code == 200
