"""The roster as a manager reads it, in light and dark, on a desk and on a phone."""

import pytest

from tests import factories as make
from tests.browser.conftest import picture, sign_in
from tests.browser.test_accessibility import violations


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_roster_shows_a_week_and_a_month_without_accessibility_violations(scheme, new_page, world):
    make.make_time_off(practitioner=world.ada, start_at=world.at("10:00"), end_at=world.at("12:00"), reason="Dentist")
    page = new_page(bypass_csp=True, color_scheme=scheme)
    sign_in(page, world.manager)
    page.goto(f"/admin/roster/?on={world.monday}")
    row = page.get_by_role("row", name="Ada Conti")
    row.get_by_text("Dentist").wait_for()
    if scheme == "light":
        picture(page, "roster", sizes=("wide", "phone"))
    found = violations(page)
    page.get_by_role("link", name="Month", exact=True).click()
    page.get_by_role("columnheader", name="31").or_(page.get_by_role("columnheader", name="30")).first.wait_for()
    found += violations(page)
    page.get_by_label("Location").select_option(label="Macerata")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Ben Rossi").wait_for()
    assert page.get_by_role("link", name="Ada Conti").count() == 0
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not found, "\n".join(found)


def test_manager_copies_a_week_and_sees_what_it_does_first(new_page, world):
    lost = world.visit("15:00", days=7)
    page = new_page(bypass_csp=True)
    sign_in(page, world.manager)
    page.goto(f"/admin/roster/?on={world.monday}")
    page.get_by_role("link", name="Ben Rossi").click()
    monday = page.get_by_role("group", name="Camerino").first.get_by_label("Monday")
    assert monday.input_value() == "09:00–13:00"
    found = violations(page)
    page.get_by_role("link", name="Copy to another week or person").click()
    page.get_by_label("The hours of the week of").fill(world.monday.isoformat())
    page.get_by_label("For", exact=True).select_option(label="Ada Conti")
    page.get_by_label("Into the week of").fill(lost.local_start.date().isoformat())
    page.get_by_role("button", name="Show what changes").click()
    page.get_by_text("1 booked visit loses its time.").wait_for()
    page.get_by_role("link", name="Bianchi Anna").wait_for()
    found += violations(page)
    picture(page, "hours-copied", sizes=("wide",))
    page.get_by_role("button", name="Copy these hours").click()
    page.get_by_text("Copied: Ada Conti").wait_for()
    page.get_by_role("link", name="1 visit lies outside these hours or in time off: rebook it.").wait_for()
    page.goto(f"/admin/roster/?on={lost.local_start.date()}")
    page.get_by_role("row", name="Ada Conti").get_by_text("Macerata").first.wait_for()
    assert not found, "\n".join(found)


def test_reception_sees_whom_time_off_hits_before_it_is_saved(new_page, world):
    visit = world.visit("10:00")
    page = new_page(bypass_csp=True)
    sign_in(page, world.reception)
    page.goto(f"/admin/clinic/timeoff/add/?room={world.room_one.pk}")
    page.get_by_label("First day").fill(world.monday.isoformat())
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name=str(visit.patient)).wait_for()
    picture(page, "time-off-effect", sizes=("wide",))
    found = violations(page)
    page.get_by_role("button", name="Save all the same").click()
    page.get_by_role("link", name="1 visit lies in this time: rebook it.").click()
    page.locator(f"#visit-{visit.pk}").get_by_text("Room 1 is off until").wait_for()
    assert not found, "\n".join(found)
