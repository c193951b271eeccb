"""The door in a real browser: passkeys, codes, and a policy that nothing on these pages breaks."""

import os
import shutil
from pathlib import Path

import pytest
from django.db import connections

from clinic.models import AuditEntry
from tests import factories as make
from tests.signin.conftest import code_of

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "images"
PICTURED = {"sign-in", "security"}
SIZES = {"wide": (1280, 860, "light"), "phone": (390, 844, "dark")}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def browser(monkeypatch):
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread; the ORM would refuse to work beside it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()
        # Beside a running loop Django keeps connections of their own, which the clean-up would not find.
        connections.close_all()


@pytest.fixture
def page(browser, live_server):
    """A page on our server; whatever the browser complains about is in `page.complaints`."""
    context = browser.new_context(base_url=live_server.url.replace("127.0.0.1", "localhost"))
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda said: page.complaints.append(said.text) if _matters(said) else None)
    yield page
    context.close()


def _matters(said):
    return said.type == "error" and "favicon" not in said.location.get("url", "")


def give_passkey(page):
    """A device that keeps passkeys and recognises its owner."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def look(page, name):
    """No page is wider than its window; pictures of it when SCREENSHOTS is set."""
    for size, (width, height, scheme) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, size)
        if os.environ.get("SCREENSHOTS") and name in PICTURED:
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=PICTURES / f"{name}-{size}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 860})


def come_in(page, user, path="/accounts/login/"):
    page.goto(path)
    page.fill("[name=login]", user.email)
    page.fill("[name=password]", make.PASSWORD)
    page.click("main form button >> nth=0")


def confirm(page):
    page.fill("[name=password]", make.PASSWORD)
    page.click("main form button >> nth=0")


def sign_out(page):
    page.goto("/accounts/logout/")
    page.click("main button")
    page.wait_for_url("**/accounts/login/")


def test_passkey_is_made_and_opens_the_desk(page, ada):
    give_passkey(page)
    page.goto("/accounts/login/")
    look(page, "sign-in")
    come_in(page, ada)
    page.wait_for_url("**/admin/")
    page.goto("/accounts/2fa/webauthn/add/")
    confirm(page)
    look(page, "passkey")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/recovery-codes/")
    look(page, "recovery-codes")
    sign_out(page)
    page.click("#passkey_login")
    page.wait_for_url("**/admin/")
    # With a password first, the passkey is the second step.
    sign_out(page)
    come_in(page, ada)
    page.wait_for_url("**/2fa/authenticate/")
    page.click("#mfa_webauthn_authenticate")
    page.wait_for_url("**/admin/")
    assert AuditEntry.objects.filter(verb="sign_in", user=ada).count() == 3
    assert page.complaints == []


def test_authenticator_app_is_set_up_by_hand_and_asked_for(page, alba, factor_wanted):
    factor_wanted("administrator")
    come_in(page, alba, "/admin/clinic/location/")
    page.wait_for_url("**/accounts/2fa/")
    look(page, "security-wanted")
    page.click("a[href$='/totp/activate/']")
    confirm(page)
    page.wait_for_url("**/totp/activate/")
    assert page.evaluate("document.querySelector('.qr').naturalWidth") > 0
    look(page, "authenticator-app")
    page.click("summary")
    secret = page.inner_text("details code")
    page.fill("[name=code]", "000000")
    page.click("main form button")
    assert "This code is not right" in page.inner_text("main")
    page.fill("[name=code]", code_of(secret))
    page.click("main form button")
    page.wait_for_url("**/recovery-codes/")
    page.goto("/accounts/2fa/")
    look(page, "security")
    page.goto("/admin/clinic/location/")
    assert page.url.endswith("/admin/clinic/location/")
    sign_out(page)
    come_in(page, alba)
    page.wait_for_url("**/2fa/authenticate/")
    look(page, "second-step")
    assert page.complaints == []


def test_passkey_that_is_not_there_is_told_on_the_page(page, ada):
    page.goto("/accounts/login/")
    # What the browser answers when the person closes its dialog.
    refuse = "navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    page.evaluate(f"() => {{ {refuse} }}")
    page.click("#passkey_login")
    page.wait_for_selector("#passkey_problem:visible", timeout=10_000)
    assert "did not work" in page.inner_text("main")


def test_without_the_policy_being_kept_the_browser_would_complain(page, ada):
    """The control: an inline script on one of these pages is refused, and heard of."""
    page.goto("/accounts/login/")
    page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)"
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in complaint for complaint in page.complaints)
