"""Second factors: asked for where there is one, forced where the settings want one, on every page of the staff's."""

import pytest
from allauth.mfa.models import Authenticator
from django.urls import URLPattern, get_resolver, reverse
from django.urls.exceptions import NoReverseMatch

from clinic.signin.adapter import FactorAdapter
from clinic.signin.middleware import FactorGate
from tests import factories as make
from tests.signin.conftest import Door, add_totp, code_of, recovery_code_of, trail


def staff_addresses():
    """Every address of the product that can be named without a row, and every one that takes a number."""

    def walk(patterns, namespace=""):
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                if pattern.name:
                    yield f"{namespace}{pattern.name}", pattern
            else:
                inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
                yield from walk(pattern.url_patterns, inner)

    for name, _pattern in walk(get_resolver().url_patterns):
        for values in ([], [1], ["1"], ["clinic"], [1, 1]):
            try:
                yield name, reverse(name, args=values)
                break
            except NoReverseMatch:
                continue


def test_code_is_asked_for_before_any_page(door, ada):
    secret = add_totp(ada)
    response = door.come_in(ada)
    assert response.url == "/accounts/2fa/authenticate/"
    assert not door.signed_in
    assert door.client.get("/admin/").status_code == 302
    assert door.show_code("000000").status_code == 200
    assert not door.signed_in
    assert door.show_code(code_of(secret)).url == "/admin/"
    assert door.signed_in
    assert trail() == [
        ("sign_in_failed", None, ada.pk, "authenticator app"),
        ("sign_in", ada.pk, ada.pk, ""),
    ]


def test_code_is_taken_once(ada):
    secret = add_totp(ada)
    code = code_of(secret)
    first, second = Door(), Door()
    first.come_in(ada)
    first.show_code(code)
    second.come_in(ada)
    second.show_code(code)
    assert first.signed_in
    assert not second.signed_in


def test_recovery_code_opens_once(ada):
    add_totp(ada)
    code = recovery_code_of(ada)
    first, second = Door(), Door()
    first.come_in(ada)
    first.show_code(code)
    second.come_in(ada)
    second.show_code(code)
    assert first.signed_in
    assert not second.signed_in


@pytest.mark.usefixtures("memory_cache")
@pytest.mark.parametrize("tries", [12, pytest.param(1000, marks=pytest.mark.heavy)])
def test_wrong_codes_are_soon_not_looked_at(ada, tries):
    secret = add_totp(ada)
    door = Door()
    door.come_in(ada)
    for n in range(tries):
        door.show_code(f"{n:06d}")
    assert len(trail("sign_in_failed")) <= 10
    assert "Try again in a quarter of an hour" in door.show_code(code_of(secret)).content.decode()
    assert not door.signed_in


def test_secret_is_not_readable_in_the_database(ada):
    secret = add_totp(ada)
    stored = Authenticator.objects.get(user=ada, type="totp").data["secret"]
    assert secret not in stored
    assert FactorAdapter().decrypt(stored) == secret


def test_secret_survives_a_new_key_that_names_the_old_one(ada, settings):
    secret = add_totp(ada)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "n" * 60
    stored = Authenticator.objects.get(user=ada, type="totp").data["secret"]
    assert FactorAdapter().decrypt(stored) == secret


def test_nobody_is_forced_where_settings_name_no_role(door, alba):
    door.come_in(alba)
    assert door.client.get("/admin/").status_code == 200


def test_role_without_the_rule_is_free(door, ada, factor_wanted):
    factor_wanted("administrator")
    door.come_in(ada)
    assert door.client.get("/admin/").status_code == 200


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_staff_page_before_the_factor_is_set_up(door, alba, factor_wanted, method):
    factor_wanted("administrator")
    door.come_in(alba)
    open_ones, met = set(), 0
    for name, address in staff_addresses():
        if name in FactorGate.SET_UP | FactorGate.DOORS:
            continue
        response = getattr(door.client, method)(address)
        met += 1
        if (response.status_code, response.get("Location")) != (302, "/accounts/2fa/"):
            open_ones.add((name, address, response.status_code, response.get("Location")))
    assert met > 50
    assert open_ones == set()


def test_without_the_gate_pages_would_open(door, alba, factor_wanted, monkeypatch):
    factor_wanted("administrator")
    monkeypatch.setattr(FactorGate, "process_view", lambda *args: None)
    door.come_in(alba)
    assert door.client.get("/admin/").status_code == 200


# allauth tells of a new factor when it is committed.
@pytest.mark.django_db(transaction=True)
def test_setting_a_factor_up_opens_the_desk(door, alba, factor_wanted):
    factor_wanted("administrator")
    door.come_in(alba)
    page = door.client.get("/admin/", follow=True)
    assert "Your role wants a second factor" in page.content.decode()
    assert "Back to the desk" not in page.content.decode()
    _set_up_totp(door)
    assert door.client.get("/admin/").status_code == 200
    assert {row[3] for row in trail("factor")} == {"authenticator app added", "recovery codes added"}


def test_factor_shown_at_the_sign_in_opens_the_desk(door, alba, factor_wanted):
    factor_wanted("administrator")
    secret = add_totp(alba)
    door.come_in(alba)
    door.show_code(code_of(secret))
    assert door.client.get("/admin/").status_code == 200


def test_session_from_before_the_factor_must_show_it_and_cannot_replace_it(door, alba, factor_wanted):
    door.come_in(alba)
    secret = add_totp(alba)
    factor_wanted("administrator")
    door.let_pass(minutes=2)
    response = door.client.get("/admin/")
    assert response.url == "/accounts/2fa/reauthenticate/?next=/admin/"
    for page in ("mfa_index", "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes"):
        assert door.client.get(reverse(page)).url.startswith("/accounts/2fa/reauthenticate/"), page
    assert door.client.post(reverse("mfa_deactivate_totp")).url.startswith("/accounts/2fa/reauthenticate/")
    response = door.client.post("/accounts/2fa/reauthenticate/", {"code": code_of(secret), "next": "/admin/"})
    assert response.url == "/admin/"
    assert door.client.get("/admin/").status_code == 200


def test_new_role_forces_the_factor_in_an_open_session(door, ada, factor_wanted):
    factor_wanted("administrator")
    door.come_in(ada)
    assert door.client.get("/admin/").status_code == 200
    from django.contrib.auth.models import Group

    ada.groups.add(Group.objects.get(name="administrator"))
    assert door.client.get("/admin/").url == "/accounts/2fa/"


@pytest.mark.django_db(transaction=True)
def test_last_factor_stays_where_the_role_wants_one(door, alba, factor_wanted):
    factor_wanted("administrator")
    door.come_in(alba)
    _set_up_totp(door)
    response = door.client.post("/accounts/2fa/totp/deactivate/")
    assert "add another one before you remove this" in response.content.decode()
    assert Authenticator.objects.filter(user=alba, type="totp").exists()


def test_factor_is_removed_where_nobody_wants_it(door, ada):
    door.come_in(ada)
    _set_up_totp(door)
    assert door.client.post("/accounts/2fa/totp/deactivate/").url == "/accounts/2fa/"
    assert not Authenticator.objects.filter(user=ada).exists()
    assert ("factor", ada.pk, ada.pk, "authenticator app removed") in trail("factor")


def test_factors_change_only_after_the_password_once_more(door, ada):
    door.come_in(ada)
    for page in ("mfa_activate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes"):
        assert door.client.get(reverse(page)).url.startswith("/accounts/reauthenticate/"), page


def test_passkey_page_asks_for_person_and_product(door, ada):
    door.come_in(ada)
    _reauthenticate(door)
    page = door.client.get("/accounts/2fa/webauthn/add/")
    options = page.context["js_data"]["creation_options"]["publicKey"]
    assert options["rp"] == {"id": "testserver", "name": "Camerino"}
    assert options["authenticatorSelection"]["userVerification"] == "required"


def test_passkey_that_is_nonsense_is_refused(db, door):
    for nonsense in ("{}", "[]", "null", "x", '{"id": 1, "rawId": "%", "type": "public-key", "response": {}}'):
        response = door.client.post("/accounts/2fa/webauthn/login/", {"credential": nonsense})
        assert response.status_code == 302
        assert not door.signed_in


def _reauthenticate(door):
    door.client.post("/accounts/reauthenticate/", {"password": make.PASSWORD})


def _set_up_totp(door):
    _reauthenticate(door)
    page = door.client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    response = door.client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert response.url == "/accounts/2fa/recovery-codes/"
    return secret
