"""The palette and the keys, as somebody uses them who leaves the mouse alone."""

import pytest
from django.urls import reverse

from clinic.models import Favourite
from tests.browser.conftest import picture, sign_in
from tests.browser.test_accessibility import violations


@pytest.fixture
def palette(page):
    """Opened by its key; returns the dialog once it has answered."""

    def open_():
        page.keyboard.press("Control+k")
        dialog = page.get_by_role("dialog", name="Search and go to")
        dialog.get_by_role("option").first.wait_for()
        return dialog

    return open_


def chosen(dialog):
    option = dialog.locator("[aria-selected=true]")
    named = dialog.get_by_role("combobox").get_attribute("aria-activedescendant")
    assert option.get_attribute("id") == named
    return option.locator(".palette-title").inner_text()


def test_patient_is_opened_kept_and_found_again_without_a_mouse(page, world, palette):
    world.visit()
    sign_in(page, world.reception)
    dialog = palette()
    assert chosen(dialog) == "Book an appointment"
    page.keyboard.type("bianchi")
    # Enter at once, before the answer has come.
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patient/{world.anna.pk}/change/")
    dialog = palette()
    assert chosen(dialog) == "Bianchi Anna"
    page.keyboard.press("End")
    assert chosen(dialog) == "Keep as a favourite"
    page.keyboard.press("Enter")
    dialog.get_by_role("group", name="Favourites").get_by_role("option", name="Bianchi Anna").wait_for()
    assert Favourite.objects.get().address == reverse("admin:clinic_patient_change", args=[world.anna.pk])
    picture(page, "palette", sizes=("wide", "phone"))
    page.keyboard.type("bian")
    dialog.get_by_role("group", name="Coming visits").wait_for()
    page.keyboard.press("ArrowDown")
    assert chosen(dialog).startswith("Bianchi Anna, ")
    picture(page, "palette-found", sizes=("wide", "phone"))
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    # Names do not stay on the page.
    page.locator(".palette-option").first.wait_for(state="detached")


def test_door_search_nothing_found_and_failure(page, world):
    sign_in(page, world.ada_user)
    page.get_by_role("button", name="Search", exact=False).first.click()
    dialog = page.get_by_role("dialog", name="Search and go to")
    dialog.get_by_role("option").first.wait_for()
    page.keyboard.type("bianchi")
    dialog.locator(".palette-said", has_text="0 results: another word").wait_for()
    dialog.get_by_role("combobox").fill("cal")
    dialog.get_by_role("option", name="Calendar").wait_for()
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.matches('[data-palette-open]')")


def test_keys_lead_where_the_sheet_says_and_can_be_switched_off(page, world):
    sign_in(page, world.reception)
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url("**/clinic/patient/")
    # Inside of an input they type.
    page.keyboard.press("/")
    page.keyboard.type("gc?n")
    assert page.locator("#searchbar").input_value() == "gc?n"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    sheet.get_by_role("link", name="Calendar").wait_for()
    picture(page, "keys", sizes=("wide", "phone"))
    sheet.get_by_label("Use single keys in this browser").uncheck()
    page.keyboard.press("Escape")
    sheet.wait_for(state="hidden")
    for key in ("?", "n", "/", "["):
        page.keyboard.press(key)
    assert page.url.endswith("/clinic/patient/")
    assert sheet.is_hidden()
    assert page.evaluate("document.activeElement.id") != "searchbar"
    page.reload()
    page.keyboard.press("n")
    page.keyboard.press("Control+k")
    page.get_by_role("dialog", name="Search and go to").get_by_role("option", name="Keyboard shortcuts").click()
    sheet.get_by_label("Use single keys in this browser").check()
    page.keyboard.press("Escape")
    sheet.wait_for(state="hidden")
    page.keyboard.press("n")
    page.wait_for_url("**/appointment/add/")


def test_menu_of_a_receptionist_fits_the_screen(page, world):
    sign_in(page, world.reception)
    page.set_viewport_size({"width": 1440, "height": 900})
    assert page.evaluate(
        "(list => list.scrollHeight <= list.clientHeight)(document.getElementById('nav-sidebar-apps'))"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_palette_and_sheet_have_no_accessibility_violations(scheme, new_page, world):
    world.visit()
    page = new_page(bypass_csp=True, color_scheme=scheme)
    sign_in(page, world.reception)
    found = violations(page)
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="Search and go to")
    dialog.get_by_role("option").first.wait_for()
    found += violations(page)
    page.keyboard.type("bian")
    dialog.get_by_role("group", name="Coming visits").wait_for()
    found += violations(page)
    dialog.get_by_role("combobox").fill("zzzz")
    dialog.locator(".palette-said").wait_for()
    found += violations(page)
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    found += violations(page)
    assert not found, "\n".join(found)
