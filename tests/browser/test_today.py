"""Today as reception uses it: from the door to the end of a visit, without leaving the page."""

import datetime as dt
import re

import pytest
from django.utils import timezone

from clinic.models import Appointment
from tests import factories as make
from tests.browser.conftest import picture, sign_in
from tests.browser.test_accessibility import violations
from tests.browser.test_first_storey import where_it_is_nine

S = Appointment.Status
PAGE = "/admin/today/"


@pytest.fixture
def today(world, settings):
    """Our clinic lies where it is nine in the morning, and is at work around the clock."""
    settings.TIME_ZONE = world.camerino.time_zone = where_it_is_nine()
    world.camerino.save()
    world.camerino.opening_hours.all().delete()
    world.ada.working_hours.all().delete()
    make.make_opening_hours(world.camerino, weekdays=range(7), starts="00:00", ends="23:45")
    make.make_working_hours(world.ada, world.camerino, weekdays=range(7), starts="00:00", ends="23:45")


def after(minutes):
    return timezone.now().replace(second=0, microsecond=0) + dt.timedelta(minutes=minutes)


def make_busy(world):
    """One of everything that a day has."""

    def visit(name, begins, status=S.SCHEDULED, **over):
        family, given = name.split()
        patient = make.make_patient(family_name=family, given_name=given)
        return world.visit(start_at=after(begins), status=status, patient=patient, **over)

    ben = {"practitioner": world.ben, "room": world.room_two}
    visit("Fabbri Lia", -35, S.ARRIVED, arrived_at=after(-40), **ben)
    visit("Serra Ida", -5, S.IN_SESSION, minutes=20, **ben)
    visit("Gallo Pia", -12, S.CONFIRMED)
    visit("Riva Ugo", 40, desk_note="Needs the side door")
    visit("Testa Leo", -120, S.COMPLETED)
    visit("Neri Eva", 90, S.CANCELLED)
    visit("Longo Ezio", 60 * 24 * 3, S.REQUESTED)
    visit("Costa Rosa", -60 * 24 * 3)


def choose(page, name, typed, wanted):
    page.locator(f"#calendar-panel .field-{name} .select2-selection").click()
    page.locator(".select2-container--open .select2-search__field").fill(typed)
    page.locator(".select2-results").get_by_role("option", name=wanted).click()


def open_today(page):
    """The board has been fetched once more by then: what follows is news."""
    with page.expect_response("**/today/board/**"):
        page.goto(PAGE)


def column(page, key):
    return page.locator(f"#today-{key}")


def test_walk_in_to_completed_without_leaving_the_page(page, world, today):
    sign_in(page, world.reception)
    page.goto(PAGE)
    page.get_by_role("link", name="Walk-in").click()
    panel = page.get_by_role("dialog", name="Somebody without an appointment")
    panel.wait_for()
    panel.get_by_role("link", name="New patient").click()
    form = page.get_by_role("dialog", name="Register a patient")
    form.get_by_label("Family name").fill("Nuova")
    form.get_by_label("Given name").fill("Nadia")
    form.get_by_label("Mobile").fill("+39 333 1234567")
    form.get_by_role("button", name="Save").click()
    panel.locator(".select2-selection__rendered", has_text="Nuova Nadia").wait_for()
    choose(page, "service", "Mass", "Massage")
    panel.get_by_role("button", name="Check in now").click()
    column(page, "waiting").get_by_role("link", name="Nuova Nadia").wait_for()
    assert panel.is_hidden()
    visit = Appointment.objects.get()
    assert (visit.status, visit.practitioner) == (S.ARRIVED, world.ada)
    column(page, "waiting").get_by_role("button", name="Start Nuova Nadia").click()
    column(page, "in-session").get_by_role("button", name="Complete Nuova Nadia").click()
    # It was the wrong one; no harm done.
    page.get_by_text("Completed: Nuova Nadia").wait_for()
    page.get_by_role("button", name=re.compile("^Undo")).click()
    column(page, "in-session").get_by_role("button", name="Complete Nuova Nadia").click()
    page.locator("#today-done .today-count", has_text="1").wait_for()
    visit.refresh_from_db()
    assert visit.status == S.COMPLETED
    assert page.url.endswith(PAGE)


def test_request_is_approved_with_words_for_the_patient(page, world, today):
    make_busy(world)
    sign_in(page, world.reception)
    page.goto(PAGE)
    picture(page, "front-desk", sizes=("wide", "phone"))
    page.locator("#today-requests > summary").click()
    page.get_by_role("link", name="Approve Longo Ezio").click()
    dialog = page.get_by_role("dialog", name="Approve")
    words = dialog.get_by_label("Message to the patient")
    assert "Ezio Longo" in words.input_value()
    picture(page, "approving")
    words.fill("Come ten minutes earlier.")
    dialog.get_by_role("button", name="Approve").click()
    page.locator("#today-requests").wait_for(state="detached")
    request = Appointment.objects.get(patient__family_name="Longo")
    assert (request.status, request.status_changes.get().message) == (S.SCHEDULED, "Come ten minutes earlier.")


def test_what_another_desk_does_shows_and_the_place_is_kept(page, world, today):
    make_busy(world)
    sign_in(page, world.reception)
    open_today(page)
    page.locator("#today-done > summary").click()
    page.get_by_label("More for Riva Ugo").click()
    visit = Appointment.objects.get(patient__family_name="Gallo")
    visit.status, visit.arrived_at = S.ARRIVED, timezone.now()
    visit.save()
    column(page, "waiting").get_by_role("link", name="Gallo Pia").wait_for()
    assert page.get_by_role("link", name="Testa Leo").is_visible()
    assert page.get_by_role("link", name="Cancel Riva Ugo").is_visible()


def test_visit_that_somebody_else_has_moved_on_says_so(page, world, today):
    make_busy(world)
    sign_in(page, world.reception)
    open_today(page)
    # Somebody is faster than the next question.
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    visit = Appointment.objects.get(patient__family_name="Riva")
    visit.status, visit.arrived_at = S.ARRIVED, timezone.now()
    visit.save()
    column(page, "expected").get_by_role("button", name="Check in Riva Ugo").click()
    page.get_by_role("dialog").get_by_text("cannot become").wait_for()
    column(page, "waiting").get_by_role("link", name="Riva Ugo").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_today_has_no_accessibility_violations(new_page, world, today, scheme):
    make_busy(world)
    page = new_page(bypass_csp=True, color_scheme=scheme)
    sign_in(page, world.reception)
    page.goto(PAGE)
    for fold in page.locator("#today-board > div > details > summary").all():
        fold.click()
    page.get_by_label("More for Riva Ugo").click()
    found = violations(page)
    page.get_by_role("link", name="Walk-in").click()
    page.get_by_role("dialog", name="Somebody without an appointment").wait_for()
    found += violations(page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(PAGE)
    found += violations(page)
    assert not found, "\n".join(found)


def test_without_scripts_buttons_post_and_come_back(new_page, world, today):
    world.visit(start_at=after(10))
    page = new_page(java_script_enabled=False)
    sign_in(page, world.reception)
    page.goto(PAGE)
    page.get_by_role("button", name="Check in Bianchi Anna").click()
    page.get_by_text("Checked in: Bianchi Anna").wait_for()
    assert column(page, "waiting").get_by_role("button", name="Start Bianchi Anna").is_visible()
