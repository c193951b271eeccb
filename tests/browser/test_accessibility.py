"""The pages that reception works on, checked by axe against WCAG 2.1 A and AA, in light and dark."""

from pathlib import Path

import pytest

from tests.browser.conftest import sign_in

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
RUN = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})"


def violations(page):
    """One line for each rule and element: enough to find it."""
    # Behind everybody who waits for the page to be ready.
    page.evaluate("new Promise(done => window.django?.jQuery ? django.jQuery(done) : done())")
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    return [
        f"{page.url} {rule['id']} ({rule['impact']}): {node['html'][:300]} {node['failureSummary']}"
        for rule in page.evaluate(RUN, TAGS)["violations"]
        for node in rule["nodes"]
    ]


@pytest.fixture(params=["light", "dark"])
def page(request, new_page):
    # The policy would refuse the checker itself.
    return new_page(bypass_csp=True, color_scheme=request.param)


def test_sign_in_has_no_accessibility_violations(page, world):
    page.goto("/accounts/login/")
    found = violations(page)
    assert not found, "\n".join(found)


def test_desk_has_no_accessibility_violations(page, world):
    visit = world.visit()
    pages = {
        world.reception: [
            "/admin/clinic/appointment/?show=all",
            "/admin/clinic/appointment/add/",
            f"/admin/clinic/appointment/add/?patient={world.anna.pk}&service={world.massage.pk}&on={world.monday}",
            f"/admin/clinic/appointment/{visit.pk}/change/",
            f"/admin/clinic/appointment/{visit.pk}/do/move/",
            f"/admin/clinic/appointment/{visit.pk}/do/cancel/",
            "/admin/clinic/patient/",
            f"/admin/clinic/patient/{world.anna.pk}/change/",
        ],
        world.administrator: ["/admin/clinic/auditentry/"],
    }
    found = []
    for user, addresses in pages.items():
        page.context.clear_cookies()
        sign_in(page, user)
        for address in addresses:
            page.goto(address)
            found += violations(page)
    assert not found, "\n".join(found)


def test_dialog_has_no_accessibility_violations(page, world):
    visit = world.visit()
    sign_in(page, world.reception)
    page.goto(f"/admin/clinic/appointment/{visit.pk}/change/")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("dialog", name="Cancel").wait_for()
    found = violations(page)
    assert not found, "\n".join(found)
