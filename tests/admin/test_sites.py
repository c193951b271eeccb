"""Screens of the house: settings, and what those who only read see of translated names."""

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.models import ClinicSettings
from clinic.services import holidays
from tests import factories as make

SETTINGS = {
    "notice_minutes": 90,
    "horizon_days": 60,
    "cancel_hours": 24,
    "request_hours": 48,
    "idle_minutes": 30,
    "session_hours": 12,
    "language": "it",
    "welcome_en": "Welcome",
    "welcome_it": "Benvenuti",
}


def test_settings_nobody_saved_yet_are_saved_as_the_browser_sends_them(desk, world):
    ClinicSettings.objects.all().delete()
    client, url = desk(world.administrator), reverse("admin:clinic_clinicsettings_change", args=[1])
    # A hidden copy of a translated text would come back as one text and break the comparison with it.
    assert 'name="initial-' not in client.get(url).content.decode()
    assert client.post(url, SETTINGS).status_code == 302
    saved = ClinicSettings.objects.get()
    assert (saved.notice_minutes, saved.welcome) == (90, {"en": "Welcome", "it": "Benvenuti"})


def test_who_only_reads_a_service_sees_its_name_in_words(desk, world):
    url = reverse("admin:clinic_service_change", args=[world.massage.pk])
    page = desk(world.reception).get(url).content.decode()
    assert str(world.massage) in page
    assert "&quot;en&quot;" not in page
    assert 'class="highlight' not in page


LOCATION = {
    "name": "Camerino",
    "country": "IT",
    "subdivision": "Milano",
    "close_on_holidays": "on",
    "time_zone": "Europe/Rome",
    "slot_step": 15,
    **{f"{name}-{part}_FORMS": 0 for name in ("opening_hours", "day_exceptions") for part in ("TOTAL", "INITIAL")},
}


def test_location_names_its_holidays_and_opens_on_one(desk, world, messages_of):
    client, url = desk(world.manager), reverse("admin:clinic_location_change", args=[world.camerino.pk])
    make.make_opening_hours(world.camerino, weekdays=[6])
    response = client.post(url, {**LOCATION, "organization": world.organization.pk})
    assert response.status_code == 302
    world.camerino.refresh_from_db()
    assert (world.camerino.subdivision, world.camerino.close_on_holidays) == ("MI", True)
    page = client.get(url).content.decode()
    assert "Saint Ambrose&#x27;s Day" in page
    day, _words = holidays.upcoming("IT", "MI", timezone.localdate())[0]
    # One click: a button of the page's own form, which sends everything else along.
    assert f'name="on" value="{day}"' in page
    opened = client.post(reverse("admin:clinic_location_do_open_on", args=[world.camerino.pk]), {"on": day.isoformat()})
    assert "Open on that holiday: Camerino" in messages_of(opened)
    page = client.get(url).content.decode()
    assert f'name="on" value="{day}"' not in page
    assert "open 08:00–20:00" in page


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"subdivision": "57"}, "subdivision", "“57” is no region of IT"),
        ({"country": "XX", "subdivision": ""}, "country", "No public holidays are known for “XX”"),
    ],
)
def test_unknown_region_and_country_are_refused_beside_their_fields(wrong, field, sentence, desk, world):
    url = reverse("admin:clinic_location_change", args=[world.camerino.pk])
    response = desk(world.manager).post(url, {**LOCATION, "organization": world.organization.pk, **wrong})
    errors = response.context["adminform"].form.errors
    assert list(errors) == [field]
    assert sentence in errors[field][0]


def test_country_without_known_holidays_is_kept_when_nothing_closes_on_them(desk, world):
    url = reverse("admin:clinic_location_change", args=[world.camerino.pk])
    data = {**LOCATION, "organization": world.organization.pk, "country": "XX", "subdivision": ""}
    assert desk(world.manager).post(url, {**data, "close_on_holidays": ""}).status_code == 302


def test_reader_sees_holidays_without_buttons(desk, world):
    world.camerino.close_on_holidays = True
    world.camerino.save()
    page = desk(world.reception).get(reverse("admin:clinic_location_change", args=[world.camerino.pk])).content.decode()
    assert "Christmas Day" in page
    assert "Open on this day" not in page


def test_closing_a_day_leads_to_the_visits_that_lie_on_it(desk, world, messages_of):
    world.visit("10:00")
    url = reverse("admin:clinic_location_change", args=[world.camerino.pk])
    closing = {"day_exceptions-TOTAL_FORMS": 1, "day_exceptions-0-on": world.monday}
    data = {**LOCATION, "organization": world.organization.pk, "close_on_holidays": "", **closing}
    sentences = "".join(messages_of(desk(world.manager).post(url, data)))
    assert "1 visit lies outside these hours or in time off: rebook it." in sentences
    assert f"rebooking/?location={world.camerino.pk}" in sentences
