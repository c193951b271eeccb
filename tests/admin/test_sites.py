"""Screens of the house: settings, and what those who only read see of translated names."""

from django.urls import reverse

from clinic.models import ClinicSettings

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
