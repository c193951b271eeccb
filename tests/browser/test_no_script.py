"""Where no script runs, the desk still books and cancels: plain forms, plain pages.

Suggestions need a script: the patient and the service come with the address, as from a link.
"""

import pytest

from clinic.models import Appointment
from tests.browser.conftest import sign_in


@pytest.fixture
def page(new_page):
    return new_page(java_script_enabled=False)


def test_booking_without_script_offers_times_at_a_button(page, world):
    sign_in(page, world.reception)
    page.goto(
        f"/admin/clinic/appointment/add/?patient={world.anna.pk}&service={world.massage.pk}&practitioner={world.ada.pk}"
    )
    page.get_by_label("Day*").fill(world.monday.isoformat())
    page.get_by_label("Part of day").select_option("morning")
    page.get_by_label("Reason for the visit").fill("Neck pain")
    page.get_by_role("button", name="Show free times").click()
    # Nothing is said about what is still empty, nothing that was typed is lost.
    assert not Appointment.objects.exists()
    assert page.get_by_label("Reason for the visit").input_value() == "Neck pain"
    assert page.locator(".desk-time-choice").first.inner_text() == "09:00"
    assert page.locator(".desk-time-choice").last.inner_text() == "11:45"
    page.locator(".desk-time-choice").get_by_label("10:00").check()
    page.get_by_role("button", name="Book", exact=True).click()
    page.wait_for_url("**/appointment/*/change/**")
    visit = Appointment.objects.get()
    assert (visit.start_at, visit.patient, visit.practitioner, visit.reason) == (
        world.at("10:00"),
        world.anna,
        world.ada,
        "Neck pain",
    )


def test_cancelling_without_script_asks_on_a_page(page, world):
    visit = world.visit()
    sign_in(page, world.reception)
    page.goto(f"/admin/clinic/appointment/{visit.pk}/change/")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url(f"**/appointment/{visit.pk}/do/cancel/")
    page.get_by_label("Reason").fill("Called: has a cold")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_url(f"**/appointment/{visit.pk}/change/**")
    visit.refresh_from_db()
    assert (visit.status, visit.cancelled_by) == ("cancelled", "patient")
    assert visit.status_changes.get(verb="cancel").reason == "Called: has a cold"
