"""The door in a real browser: passkeys, codes, and a policy that nothing on these pages breaks (see conftest)."""

from clinic.models import AuditEntry, ClinicSettings
from tests import factories as make
from tests.browser.conftest import PHONE, WIDE, picture, sign_in, sign_out
from tests.signin.conftest import code_of


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


def fits(page):
    """No page at the door is wider than a phone."""
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url
    page.set_viewport_size(WIDE)


def enter_password(page, email=None):
    if email:
        page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(make.PASSWORD)
    page.locator("main form button").first.click()


def test_passkey_is_made_and_opens_the_desk(page, world):
    ada = world.ada_user
    give_passkey(page)
    page.goto("/accounts/login/")
    fits(page)
    picture(page, "sign-in", sizes=("wide", "phone"))
    sign_in(page, ada)
    page.goto("/accounts/2fa/webauthn/add/")
    enter_password(page)
    fits(page)
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/recovery-codes/")
    fits(page)
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/admin/")
    # After a password the passkey is the second step.
    sign_out(page)
    enter_password(page, ada.email)
    page.wait_for_url("**/2fa/authenticate/")
    fits(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/admin/")
    assert AuditEntry.objects.filter(verb="sign_in", user=ada).count() == 3


def test_authenticator_app_is_set_up_and_asked_for(page, world):
    ClinicSettings.objects.update_or_create(pk=1, defaults={"factor_roles": ["administrator"]})
    page.goto("/admin/clinic/location/")
    enter_password(page, world.administrator.email)
    page.wait_for_url("**/accounts/2fa/")
    assert "Your role wants a second factor" in page.inner_text("main")
    page.get_by_role("link", name="Set up").click()
    enter_password(page)
    page.wait_for_url("**/totp/activate/")
    assert page.evaluate("document.querySelector('.qr').naturalWidth") > 0
    fits(page)
    page.click("summary")
    secret = page.inner_text("details code")
    page.get_by_label("code").fill("000000")
    page.get_by_role("button", name="Turn on").click()
    assert "This code is not right" in page.inner_text("main")
    page.get_by_label("code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    page.wait_for_url("**/recovery-codes/")
    page.goto("/accounts/2fa/")
    fits(page)
    picture(page, "security", sizes=("wide", "phone"))
    page.goto("/admin/clinic/location/")
    assert page.url.endswith("/admin/clinic/location/")
    sign_out(page)
    enter_password(page, world.administrator.email)
    page.wait_for_url("**/2fa/authenticate/")
    assert page.get_by_role("button", name="Use a passkey").count() == 0


def test_passkey_dialog_that_is_closed_is_told_on_the_page(page, world):
    page.goto("/accounts/login/")
    refuse = "navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    page.evaluate(f"() => {{ {refuse} }}")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_selector("#passkey_problem:visible")
    assert "did not work" in page.inner_text("main")


def test_inline_script_is_refused_and_heard_of(browser, live_server):
    """The control: a breach of the policy does reach the list that must be empty everywhere else."""
    page = browser.new_page(base_url=live_server.url)
    heard = []
    page.on("console", lambda message: heard.append(message.text))
    page.goto("/accounts/login/")
    inline = "const it = document.createElement('script'); it.textContent = 'window.ran = 1'; document.body.append(it)"
    page.evaluate(f"() => {{ {inline} }}")
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in text for text in heard)
    page.close()
