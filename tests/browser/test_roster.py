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
