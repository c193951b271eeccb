"""A new clinic: the front page says what is missing, and each line leads to its form."""

import pytest

from clinic.models import Organization
from tests import factories as make
from tests.browser.conftest import picture, sign_in
from tests.browser.test_accessibility import violations
from tests.services.test_files import drawn


@pytest.fixture
def clinic(db):
    """As `manage.py setup` leaves it, and somebody who treats."""
    here = make.make_location(name="Camerino", organization=make.make_organization(name="Fisioterapia Camerino srl"))
    make.make_opening_hours(here)
    make.make_practitioner(given_name="Ada", family_name="Conti")
    return make.make_user("administrator")


def test_checklist_leads_to_the_forms(new_page, clinic):
    page = new_page(bypass_csp=True)
    sign_in(page, clinic)
    steps = page.get_by_role("region", name="Before the first booking")
    steps.get_by_text("2 of 6 done").wait_for()
    found = violations(page)
    picture(page, "first-run", sizes=("wide", "phone"))
    steps.get_by_role("link", name="What they offer").click()
    page.get_by_role("heading", name="Ada Conti").wait_for()
    assert not found, "\n".join(found)


def test_logo_is_chosen_and_seen(new_page, clinic, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    page = new_page()
    sign_in(page, clinic)
    page.goto(f"/admin/clinic/organization/{Organization.objects.get().pk}/change/")
    page.get_by_label("New logo").set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": drawn()})
    page.get_by_role("button", name="Save and continue editing").click()
    logo = page.get_by_role("img", name="Fisioterapia Camerino srl")
    logo.wait_for()
    assert logo.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [40, 20]
    picture(page, "legal-entity")
