"""Offered times on the booking form: suggestions, several locations, days on which the clock is moved."""

import datetime as dt
import re

import pytest

from clinic.models import Appointment
from clinic.services.scheduling import slots
from tests import factories as make
from tests.admin.test_appointment import ADD, TIMES, do, form


@pytest.fixture
def desk(world, client):
    client.force_login(world.reception)
    return client


def asked(world, **over):
    return {"service": world.massage.pk, "on": world.monday.isoformat(), **over}


def suggestions(page):
    found = re.findall(r'<label class="desk-suggestion">.*?</label>', page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", text).split()) for text in found]


def times_of(page):
    return re.findall(r'<label class="desk-time-choice"><input[^>]*><span>([^<]+)</span>', page)


def test_suggestions_come_first_with_their_reasons(world, desk):
    for weeks in (1, 2, 3):
        world.visit("11:00", days=-7 * weeks, practitioner=world.ben, room=None, status="completed")
    page = desk.get(TIMES, asked(world, patient=world.anna.pk)).content.decode()
    made = suggestions(page)
    assert len(made) == 4
    assert made[0].endswith("11:00 Ben Rossi · Camerino usual practitioner · usual hour")
    assert made[-1].endswith("09:00 Ada Conti · Camerino no gap · earliest")
    assert page.index("desk-suggestions") < page.index("desk-times-person")


def test_without_a_location_every_one_is_shown_under_its_name(world, desk):
    tuesday = (world.monday + dt.timedelta(days=1)).isoformat()
    page = desk.get(TIMES, asked(world, on=tuesday)).content.decode()
    assert re.findall(r'<h3 class="desk-times-place">([^<]+)</h3>', page) == ["Camerino", "Macerata"]
    assert re.findall(r"<legend>(\w+ \w+)<", page) == ["Ada Conti", "Ben Rossi"]
    page = desk.get(TIMES, asked(world, on=tuesday, location=world.macerata.pk)).content.decode()
    assert "desk-times-place" not in page
    assert "Ada Conti" not in page


def test_a_time_brings_its_location_along(world, desk):
    found = slots.free(world.massage.pk, first_on=world.monday + dt.timedelta(days=1), locations=[world.macerata.pk])
    value = f"{found[0].start_at.isoformat()}/{world.ben.pk}/{world.macerata.pk}"
    elsewhere = desk.post(ADD, form(world, practitioner="", slot=value))
    assert elsewhere.context["adminform"].form.errors["slot"]
    assert desk.post(ADD, form(world, practitioner="", location="", slot=value)).status_code == 302
    visit = Appointment.objects.get()
    assert (visit.location, visit.practitioner, visit.start_at) == (world.macerata, world.ben, found[0].start_at)


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"starts": "10:00"}, "location"),
        ({"slot": "2030-01-07T10:00:00+01:00/{ada}"}, "slot"),
        ({"slot": "2030-01-07T10:00:00+01:00/{ada}/x"}, "slot"),
        ({"slot": "2030-01-07T10:00:00+01:00/{ada}/999999"}, "slot"),
        ({"slot": "2030-01-07T10:00:00+01:00/{ada}/1/1"}, "slot"),
    ],
)
def test_without_a_location_a_time_must_say_where(world, desk, over, field):
    over = {name: value.format(ada=world.ada.pk) for name, value in over.items()}
    response = desk.post(ADD, form(world, location="", **over))
    assert field in response.context["adminform"].form.errors
    assert not Appointment.objects.exists()


def test_a_visit_moves_to_another_location_by_its_time(world, desk):
    visit = world.visit(practitioner=world.ben)
    start = world.at("09:00", 1)
    sent = {"practitioner": world.ben.pk, "location": "", "on": world.monday.isoformat()}
    response = desk.post(do(visit, "move"), {**sent, "slot": f"{start.isoformat()}/{world.ben.pk}/{world.macerata.pk}"})
    assert response.status_code == 302
    visit.refresh_from_db()
    assert (visit.location, visit.start_at) == (world.macerata, start)


def test_a_picked_suggestion_stays_when_other_days_are_shown(world, desk):
    found = slots.free(world.massage.pk, first_on=world.monday + dt.timedelta(days=3), practitioners=[world.ada.pk])
    value = f"{found[5].start_at.isoformat()}/{world.ada.pk}/{world.camerino.pk}"
    page = desk.get(TIMES, asked(world, slot=value)).content.decode()
    assert f'value="{value}" checked' in page
    assert page.count("checked") == 1


def night(world, day):
    """Ada works all night; the day's times from 01:30 to 03:30."""
    make.make_opening_hours(world.camerino, weekdays=[6], starts="00:00", ends="06:00")
    make.make_working_hours(world.ada, world.camerino, weekdays=[6], starts="01:30", ends="03:30")
    # Easter may fall on the very Sunday.
    world.camerino.slot_step, world.camerino.close_on_holidays = 30, False
    world.camerino.save()
    return {"service": world.massage.pk, "location": world.camerino.pk, "on": day.isoformat()}


def test_a_repeated_hour_is_shown_twice_and_told_apart(world, desk):
    day = last_sunday(10)
    page = desk.get(TIMES, night(world, day)).content.decode()
    assert times_of(page) == ["01:30", "02:00 (CEST)", "02:30 (CEST)", "02:00 (CET)", "02:30 (CET)", "03:00"]
    assert len(set(re.findall(r'desk-time-choice"><input[^>]*value="([^"]+)"', page))) == 6
    assert "times from 02:00 to 03:00 come twice. A typed time is the first of the two." in page


def test_a_skipped_hour_is_not_offered(world, desk):
    page = desk.get(TIMES, night(world, last_sunday(3))).content.decode()
    assert times_of(page) == ["01:30", "03:00"]
    assert "it skips the times from 02:00 to 03:00." in page


def test_a_typed_time_of_a_repeated_hour_is_the_first_and_the_page_says_which(world, desk):
    question = night(world, last_sunday(10))
    response = desk.post(ADD, form(world, **question, starts="02:30"), follow=True)
    visit = Appointment.objects.get()
    assert visit.start_at.astimezone(dt.UTC).strftime("%H:%M") == "00:30"
    assert visit.end_at - visit.start_at == dt.timedelta(minutes=30)
    assert "02:30 (CEST)–02:00 (CET)" in response.content.decode()


def last_sunday(month):
    """The next one of this month that is still to come: when Europe moves its clocks."""
    year = dt.datetime.now(dt.UTC).year
    days = (dt.date(year + later, month, day) for later in (0, 1) for day in range(31, 24, -1))
    return next(day for day in days if day.weekday() == 6 and day > dt.datetime.now(dt.UTC).date())
