"""From data that came from elsewhere to a visit that is over, as the people at the clinic see it."""

import datetime as dt
import itertools
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from clinic.models import Appointment, Patient
from tests import factories as make
from tests.browser.conftest import picture, sign_in, sign_out

EXCERPT = Path(__file__).resolve().parents[1] / "data" / "synthea"


def where_it_is_nine() -> str:
    """A time zone in which it is nine something in the morning: whenever it runs, the test sees no midnight."""
    offset = 9 - dt.datetime.now(dt.UTC).hour
    offset += 24 if offset < -12 else 0
    # POSIX counts westwards.
    return f"Etc/GMT{-offset:+d}"


@pytest.fixture
def today(world, settings):
    """Our clinic lies where it is nine in the morning, and works at weekends."""
    settings.TIME_ZONE = world.camerino.time_zone = where_it_is_nine()
    world.camerino.save()
    make.make_opening_hours(world.camerino, weekdays=[6])
    make.make_working_hours(world.ada, world.camerino, weekdays=[5, 6], starts="09:00", ends="13:00")
    make.make_working_hours(world.ada, world.camerino, weekdays=[5, 6], starts="14:00", ends="18:00")
    return timezone.localdate()


@pytest.fixture
def imported(world):
    """Patients, practitioners and past visits of another program."""
    call_command("load_synthea", EXCERPT, stdout=StringIO())
    return Patient.objects.get(family_name="Farías160")


def choose(page, name, typed, wanted):
    """Pick from an autocomplete as a person does: open, type, click."""
    page.locator(f".field-{name} .select2-selection").click()
    page.locator(".select2-container--open .select2-search__field").fill(typed)
    page.locator(".select2-results").get_by_role("option", name=wanted).click()


def pick_time(page, clock):
    page.locator("#times:not([aria-busy]) .desk-time-choice", has_text=clock).click()


def steps_on_the_audit_page(page, visit):
    """What the trail tells of this visit, oldest first, read entry by entry as the administrator does.

    (who, what, where, {field: (before, after)}); looks at the page have no changes.
    """
    page.get_by_role("link", name="Audit trail").first.click()
    find(page, "farias160")
    page.wait_for_url("**/auditentry/?**")
    picture(page, "audit")
    rows = page.locator("#result_list tbody tr", has_text=f"Appointment {visit.pk}").all()
    addresses = [row.locator(".field-at a").get_attribute("href") for row in rows]
    return [read_entry(page, address) for address in reversed(addresses)]


def read_entry(page, address):
    page.goto(address)
    words = page.locator("#content").inner_text().split("\n")
    said = dict(itertools.pairwise(words))
    lines = [line.locator("th, td").all_inner_texts() for line in page.locator(".desk-table tbody tr").all()]
    if any("arrived" in line for line in lines):
        picture(page, "audit-entry")
    changes = {field: (before, after) for field, before, after in lines}
    return said["Who"], said["What"], said["Page"].split("/")[-2], changes


def find(page, typed):
    search = page.locator("#searchbar")
    search.fill(typed)
    search.press("Enter")


def test_visit_of_an_imported_patient_from_booking_to_audit(page, world, today, imported):
    sign_in(page, world.reception)
    find_the_patient(page)
    book(page)
    visit = Appointment.objects.get(patient=imported, practitioner=world.ada)
    assert (visit.status, f"{visit.local_start:%Y-%m-%d %H:%M}") == ("scheduled", f"{today} 11:00")
    move(page)
    visit.refresh_from_db()
    assert (visit.status, f"{visit.local_start:%Y-%m-%d %H:%M}") == ("scheduled", f"{today} 15:30")
    check_in(page)
    sign_out(page)

    sign_in(page, world.ada_user)
    treat(page)
    visit.refresh_from_db()
    assert visit.status == "completed"
    sign_out(page)

    sign_in(page, world.administrator)
    told = steps_on_the_audit_page(page, visit)
    assert [step[:3] for step in told if step[1] != "looked at"] == [
        ("Rita Banco", "created", "add"),
        ("Rita Banco", "changed", "move"),
        ("Rita Banco", "changed", "check_in"),
        ("Ada Conti", "changed", "start"),
        ("Ada Conti", "changed", "complete"),
    ]
    created, moved, arrived, started, completed = [step[3] for step in told if step[1] != "looked at"]
    day = f"{today:%-d %b %Y}"
    assert (created["Starts"], created["Status"]) == (("—", f"{day}, 11:00"), ("—", "scheduled"))
    assert moved["Starts"] == (f"{day}, 11:00", f"{day}, 15:30")
    assert arrived["Status"] == ("scheduled", "arrived")
    assert started["Status"] == ("arrived", "in session")
    assert completed["Status"] == ("in session", "completed")
    for change, clock in ((arrived, "Arrived at"), (started, "Started at"), (completed, "Ended at")):
        before, after = change[clock]
        assert before == "—"
        assert after.startswith(f"{day}, ")


def find_the_patient(page):
    """Without the accent, digits and all: one is found, and shown at once."""
    page.get_by_role("link", name="Patients").first.click()
    find(page, "farias16")
    page.wait_for_url("**/patient/*/change/")
    assert page.get_by_label("Family name").input_value() == "Farías160"
    picture(page, "patient")


def book(page):
    page.goto("/admin/clinic/appointment/add/")
    choose(page, "patient", "silvia880", "Farías160")
    choose(page, "service", "mass", "Massage")
    choose(page, "practitioner", "conti", "Ada Conti")
    pick_time(page, "11:00")
    page.get_by_label("Reason for the visit").fill("Neck pain")
    picture(page, "booking", sizes=("wide", "phone"))
    page.get_by_role("button", name="Book", exact=True).click()
    page.wait_for_url("**/appointment/*/change/**")
    picture(page, "appointment")


def move(page):
    page.get_by_role("link", name="Move").click()
    pick_time(page, "15:30")
    picture(page, "moving")
    page.get_by_role("button", name="Move").click()
    page.wait_for_url("**/appointment/*/change/**")


def check_in(page):
    page.get_by_role("link", name="Appointments").first.click()
    row = page.get_by_role("row", name="Farías160")
    row.get_by_role("button", name="Check in").click()
    row.get_by_text("arrived").wait_for()
    picture(page, "today", sizes=("wide", "phone"))


def treat(page):
    page.get_by_role("link", name="Appointments").first.click()
    row = page.get_by_role("row", name="Farías160")
    row.get_by_role("button", name="Start").click()
    row.get_by_text("in session").wait_for()
    row.get_by_role("link", name="Farías160").click()
    page.get_by_role("button", name="Complete").click()
    page.locator(".desk-status-completed").first.wait_for()
    picture(page, "completed")
