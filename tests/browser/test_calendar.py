"""The calendar as reception uses it: with the mouse, with the keyboard, and with a colleague at the other desk."""

import re

import pytest

from clinic.models import Appointment, Patient
from tests.browser.conftest import picture, sign_in
from tests.browser.test_accessibility import violations

QUARTER, OPENS = 21, 8


@pytest.fixture
def visits(world):
    """Anna with Ada at ten, Bruno with Ben at eleven."""
    return (
        world.visit("10:00"),
        world.visit("11:00", practitioner=world.ben, room=world.room_two, patient=world.bruno),
    )


def open_day(page, world, **address):
    query = "&".join(f"{name}={value}" for name, value in {"on": world.monday, **address}.items())
    page.goto(f"/admin/calendar/?{query}")
    page.locator("#calendar-grid:not([aria-busy]), #calendar-list").first.wait_for()


def at(page, column, hours):
    """Where in the picture this column is at that time."""
    box = page.locator(".ec-body .ec-day").nth(column).bounding_box()
    return box["x"] + box["width"] * 0.7, box["y"] + (hours - OPENS) * 4 * QUARTER + 4


def visit_of(page, name):
    return page.locator(".calendar-of-visit", has_text=name)


def drag(page, grip, to):
    box = grip.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 4)
    page.mouse.down()
    # The library wants to see it move before it believes.
    page.mouse.move(box["x"] + box["width"] * 0.7 + 12, box["y"] + 20, steps=3)
    page.mouse.move(*to, steps=8)
    page.mouse.up()


def choose(page, name, typed, wanted):
    page.locator(f"#calendar-panel .field-{name} .select2-selection").click()
    page.locator(".select2-container--open .select2-search__field").fill(typed)
    page.locator(".select2-results").get_by_role("option", name=wanted).click()


def again(visit):
    return Appointment.objects.get(pk=visit.pk)


def test_book_by_clicking_a_gap(page, world, visits):
    sign_in(page, world.reception)
    open_day(page, world)
    page.mouse.click(*at(page, 0, 12))
    panel = page.get_by_role("dialog", name=re.compile("^Book · Mon .* 12:00"))
    panel.wait_for()
    choose(page, "patient", "D’Ang", "D’Angelo Bruno")
    choose(page, "service", "Mass", "Massage")
    # The time that was clicked is free for it, and taken for chosen.
    picked = panel.locator(".desk-time-choice", has_text="12:00").locator("input")
    picked.and_(page.locator(":checked")).wait_for(state="attached")
    picture(page, "calendar-book", sizes=("wide", "phone"))
    panel.get_by_role("button", name="Book").click()
    visit_of(page, "12:00").wait_for()
    booked = Appointment.objects.latest("pk")
    assert (booked.patient, booked.practitioner, booked.start_at) == (world.bruno, world.ada, world.at("12:00"))
    assert panel.is_hidden()


def test_book_a_stretch_that_was_dragged_for_a_new_patient(page, world):
    sign_in(page, world.reception)
    open_day(page, world)
    page.mouse.move(*at(page, 0, 11))
    page.mouse.down()
    page.mouse.move(*at(page, 0, 11.6), steps=6)
    page.mouse.up()
    page.get_by_role("dialog", name=re.compile("11:00–11:45")).wait_for()
    page.get_by_role("button", name="New patient").click()
    form = page.get_by_role("dialog", name="Register a patient")
    form.get_by_label("Family name").fill("Nuova")
    form.get_by_label("Given name").fill("Nadia")
    form.get_by_label("Mobile").fill("+39 333 1234567")
    form.get_by_role("button", name="Save").click()
    page.get_by_role("dialog", name=re.compile("11:00–11:45")).wait_for()
    choose(page, "service", "Mass", "Massage")
    page.locator("#calendar-panel").get_by_role("button", name="Book").click()
    visit_of(page, "Nuova Nadia").wait_for()
    booked = Appointment.objects.latest("pk")
    assert booked.patient == Patient.objects.get(family_name="Nuova")
    assert (booked.start_at, booked.end_at) == (world.at("11:00"), world.at("11:45"))


def test_drag_between_columns_pull_and_take_back(page, world, visits):
    sign_in(page, world.reception)
    open_day(page, world)
    picture(page, "calendar", sizes=("wide", "phone"))
    drag(page, visit_of(page, "Bianchi Anna"), at(page, 1, 9.5))
    page.get_by_text(re.compile("^Moved: Bianchi Anna .* 09:30–10:00 · Ben Rossi")).wait_for()
    anna = again(visits[0])
    assert (anna.start_at, anna.practitioner) == (world.at("09:30"), world.ben)
    page.get_by_role("button", name="Undo").click()
    page.get_by_text(re.compile("^Taken back: Bianchi Anna .* 10:00–10:30 · Ada Conti")).wait_for()
    assert (again(visits[0]).start_at, again(visits[0]).practitioner) == (world.at("10:00"), world.ada)
    page.locator(".calendar-of-visit", has_text=re.compile("10:00 ?Bianchi")).hover()
    box = visit_of(page, "Bianchi Anna").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + box["height"] - 3)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + box["height"] + 2 * QUARTER - 6, steps=8)
    page.mouse.up()
    page.get_by_text(re.compile("10:00–11:00 · Ada Conti")).wait_for()
    assert again(visits[0]).end_at == world.at("11:00")


def test_refused_drag_snaps_back_and_a_free_time_is_taken(page, world, visits):
    sign_in(page, world.reception)
    open_day(page, world)
    drag(page, visit_of(page, "Bianchi Anna"), at(page, 1, 11))
    dialog = page.get_by_role("dialog", name="Not moved")
    dialog.get_by_text("Ben Rossi is busy from 11:00 to 11:30.").wait_for()
    assert dialog.locator("[name=_instead]").count() == 3
    assert again(visits[0]).version == 0
    picture(page, "calendar-refused", sizes=("wide", "phone"))
    before = visit_of(page, "Bianchi Anna").bounding_box()
    dialog.get_by_role("button", name="Leave it where it was").click()
    assert abs(before["y"] - at(page, 0, 10)[1]) < QUARTER
    drag(page, visit_of(page, "Bianchi Anna"), at(page, 1, 11))
    offered = dialog.locator("[name=_instead]").first
    label = offered.inner_text()
    offered.click()
    page.get_by_text(re.compile("^Moved: Bianchi Anna")).wait_for()
    assert again(visits[0]).practitioner == world.ben
    assert label.endswith(f"{again(visits[0]).local_start:%H:%M}")


def test_deliberate_overlap_with_a_reason(page, world, visits):
    sign_in(page, world.reception)
    open_day(page, world)
    drag(page, visit_of(page, "Bianchi Anna"), at(page, 1, 11))
    dialog = page.get_by_role("dialog", name="Not moved")
    dialog.get_by_role("button", name="Go on anyway").click()
    dialog.get_by_text("wants a reason").wait_for()
    dialog.get_by_label("Reason for going on anyway").fill("heat while waiting")
    dialog.get_by_role("button", name="Go on anyway").click()
    page.get_by_text(re.compile("^Moved: Bianchi Anna")).wait_for()
    anna = again(visits[0])
    assert (anna.start_at, anna.practitioner, anna.overlap_reason) == (
        world.at("11:00"),
        world.ben,
        "heat while waiting",
    )
    page.locator(".calendar-overlaps", has_text="Bianchi Anna").hover()
    page.get_by_role("tooltip").get_by_text("deliberate overlap: heat while waiting").wait_for()
    picture(page, "calendar-overlap")


def test_colleague_sees_a_move_within_five_seconds(new_page, world, visits):
    here, there = new_page(), new_page()
    for page, user in ((here, world.reception), (there, world.administrator)):
        sign_in(page, user)
        open_day(page, world)
    drag(here, visit_of(here, "Bianchi Anna"), at(here, 0, 12))
    here.get_by_text(re.compile("^Moved: Bianchi Anna")).wait_for()
    there.locator(".calendar-of-visit", has_text=re.compile("12:00 ?Bianchi")).wait_for(timeout=5000)


def test_who_comes_second_is_told_where_the_visit_is_now(new_page, world, visits):
    here, there = new_page(), new_page()
    for page, user in ((here, world.reception), (there, world.administrator)):
        sign_in(page, user)
        open_day(page, world)
    # Nothing new comes to this desk.
    there.route("**/calendar/feed/**", lambda route: route.fulfill(status=304))
    drag(here, visit_of(here, "Bianchi Anna"), at(here, 0, 12))
    here.get_by_text(re.compile("^Moved: Bianchi Anna")).wait_for()
    drag(there, visit_of(there, "Bianchi Anna"), at(there, 0, 9.5))
    there.get_by_role("dialog", name="Not moved").get_by_text("Somebody else has just moved this visit").wait_for()
    assert again(visits[0]).start_at == world.at("12:00")


def test_keyboard_only(page, world, visits):
    """Sign in, go to the visit, read its card, open it, move it; then book. No mouse."""
    sign_in(page, world.reception)
    open_day(page, world)
    visit_of(page, "Bianchi Anna").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.get_by_role("tooltip").get_by_text("+393331112222").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("tooltip").wait_for(state="hidden")
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Bianchi Anna")
    panel.wait_for()
    assert page.evaluate("document.activeElement.id") == "calendar-panel-title"
    page.keyboard.press("Escape")
    panel.wait_for(state="hidden")
    # Where the keyboard was before.
    assert page.evaluate("document.activeElement.classList.contains('calendar-of-visit')")
    page.keyboard.press("Enter")
    panel.get_by_role("link", name="Move").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/do/move/**")
    page.locator(".desk-time-choice", has_text="12:00").locator("input").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**/calendar/**")
    assert again(visits[0]).start_at == world.at("12:00")
    page.locator("[data-book]").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Book an appointment").wait_for()
    assert page.evaluate("document.activeElement.closest('.field-patient') !== null")


def test_practitioner_sees_colleagues_as_busy(page, world, visits):
    sign_in(page, world.ada_user)
    open_day(page, world, practitioner="all")
    page.locator(".calendar-busy", has_text="busy").wait_for()
    assert "Angelo" not in page.content()
    picture(page, "calendar-practitioner")


def test_views_filters_and_address(page, world, visits):
    sign_in(page, world.reception)
    open_day(page, world)
    page.get_by_role("link", name="Week", exact=True).click()
    page.wait_for_url("**view=week**")
    visit_of(page, "Bianchi Anna").wait_for()
    picture(page, "calendar-week", sizes=("wide", "phone"))
    page.get_by_role("link", name="Month", exact=True).click()
    page.locator(".calendar-month-visit", has_text="Bianchi Anna").wait_for()
    picture(page, "calendar-month", sizes=("wide", "phone"))
    page.get_by_role("link", name="Day", exact=True).click()
    page.locator(".calendar-by").get_by_role("link", name="Rooms").click()
    page.get_by_text("Gym · 3").wait_for()
    page.locator("summary", has_text="Practitioners").click()
    page.get_by_label("Ben Rossi").check()
    page.wait_for_url(f"**practitioner={world.ben.pk}**")
    visit_of(page, "Bianchi Anna").wait_for(state="detached")
    page.go_back()
    visit_of(page, "Bianchi Anna").wait_for()
    assert not page.get_by_label("Ben Rossi").is_checked()


def test_list_and_panel_have_no_accessibility_violations(new_page, world, visits):
    found = []
    for scheme in ("light", "dark"):
        page = new_page(bypass_csp=True, color_scheme=scheme)
        sign_in(page, world.reception)
        open_day(page, world, view="list")
        found += violations(page)
        page.goto(f"/admin/calendar/print/?on={world.monday}")
        found += violations(page)
        open_day(page, world, view="month")
        page.locator(".calendar-month").wait_for()
        found += violations(page)
        open_day(page, world)
        # The grid is the library's, with faults of its own; the list is its equal.
        page.evaluate("document.getElementById('calendar-grid').remove()")
        page.locator("[data-book]").click()
        page.get_by_role("dialog", name="Book an appointment").wait_for()
        page.locator(".field-patient .select2-selection").wait_for()
        found += violations(page)
    assert not found, "\n".join(found)


def test_without_scripts_the_list_is_there(new_page, world, visits):
    page = new_page()
    sign_in(page, world.reception)
    plain = new_page(java_script_enabled=False, storage_state=page.context.storage_state())
    plain.goto(f"/admin/calendar/?on={world.monday}")
    plain.get_by_role("link", name="The list shows the same without.").click()
    plain.get_by_role("link", name="Bianchi Anna", exact=True).wait_for()
    plain.get_by_role("link", name="Later").click()
    plain.get_by_text("Nothing is booked on this day.").wait_for()
