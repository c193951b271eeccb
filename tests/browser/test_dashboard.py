"""The front page as people use it: another period, one location, own dates, the table behind a chart."""

import datetime as dt

import pytest
from django.utils import timezone

from tests import factories as make
from tests.browser.conftest import PHONE, WIDE, picture, sign_in
from tests.browser.test_accessibility import violations


@pytest.fixture
def month(world):
    """Visits of the last weeks, the latest yesterday."""
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    statuses = ["completed", "completed", "completed", "no_show", "completed", "completed"]
    for number in range(12):
        day = yesterday - dt.timedelta(days=number * 2)
        start = make.moment(day, "10:00", world.camerino.zone)
        world.visit(start_at=start, status=statuses[number % 6], patient=make.make_patient())
    world.visit("09:00", practitioner=world.ben, location=world.macerata, room=world.macerata_room)
    return yesterday


def test_manager_looks_at_own_dates_and_one_location(page, world, month):
    sign_in(page, world.manager)
    page.get_by_text("Own dates").click()
    page.get_by_label("From").fill((month - dt.timedelta(days=29)).isoformat())
    page.get_by_label("To", exact=True).fill(month.isoformat())
    page.locator(".dash-own").get_by_role("button", name="Show").click()
    visits = page.get_by_role("region", name="Visits", exact=True)
    visits.get_by_text("Took place").first.wait_for()
    assert visits.locator("dd").first.inner_text().split() == ["10", "10", "more", "than", "before", "(0)"]
    # The chart was drawn, and the table behind it holds the same.
    assert visits.locator("canvas").evaluate("canvas => Boolean(Chart.getChart(canvas))")
    visits.get_by_text("The chart as a table").click()
    cells = visits.locator("table").first.locator("tbody tr td:nth-child(2)").all_inner_texts()
    assert sum(int(cell) for cell in cells) == 10
    picture(page, "dashboard", sizes=("wide", "phone"))

    page.get_by_label("Location").select_option(label="Macerata")
    page.locator(".dash-bar > form").get_by_role("button", name="Show").click()
    page.get_by_text("No visits in this period, nor in the one before.").wait_for()
    assert f"to={month}" in page.url

    page.get_by_role("link", name="This year").click()
    page.locator('a[aria-current="true"]', has_text="This year").wait_for()
    assert "location=" in page.url


def test_reception_books_the_next_free_time(page, world):
    sign_in(page, world.reception)
    page.get_by_role("region", name="Next free times").get_by_role("link").first.click()
    page.wait_for_url("**/appointment/add/**")
    page.locator("#times:not([aria-busy]) .desk-time-choice").first.wait_for()
    assert f"service={world.assessment.pk}" in page.url


@pytest.mark.parametrize("user", ["manager", "reception", "ada_user"])
def test_front_page_fits_and_has_no_accessibility_violations(new_page, world, month, user):
    for scheme in ("light", "dark"):
        page = new_page(bypass_csp=True, color_scheme=scheme)
        sign_in(page, getattr(world, user))
        for details in page.locator("main details").all():
            details.evaluate("details => { details.open = true }")
        found = violations(page)
        assert not found, "\n".join(found)
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_figures_show_without_a_script(new_page, world, month):
    page = new_page(java_script_enabled=False)
    sign_in(page, world.manager)
    page.get_by_role("link", name="This year").click()
    page.get_by_role("region", name="Visits", exact=True).get_by_text("Took place").first.wait_for()
