"""Wrong tries: how many are too many, for whom, until when. Every refusal has the right person beside it as control."""

import pytest
from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from django.test import RequestFactory

from clinic.models import CacheEntry
from tests.signin.conftest import HOME, Door, add_totp, code_of, trail

ATTACKER = "6.6.6.6"


def _try(door, user, times, **extra):
    """How many of so many wrong tries were looked at."""
    for _n in range(times):
        door.come_in(user, "wrong", **extra)
    return len([row for row in trail("sign_in_failed") if row[3] == "password"])


def test_five_wrong_tries_lock_this_address_and_say_for_how_long(ada):
    attacker = Door(ATTACKER)
    assert _try(attacker, ada, 7) == 5
    page = attacker.come_in(ada).content.decode()
    assert "Try again in 15 minutes." in page
    assert not attacker.signed_in
    assert ("sign_in_failed", None, ada.pk, "locked") in trail()


def test_stranger_elsewhere_does_not_lock_the_right_person(ada):
    _try(Door(ATTACKER), ada, 7)
    assert Door(HOME).come_in(ada).status_code == 302


def test_without_the_address_in_the_key_the_stranger_would_lock_everybody(ada, monkeypatch):
    from clinic.signin.adapter import AccountAdapter

    monkeypatch.setattr(
        AccountAdapter, "_get_login_attempts_cache_key", DefaultAccountAdapter._get_login_attempts_cache_key
    )
    _try(Door(ATTACKER), ada, 7)
    assert Door(HOME).come_in(ada).status_code == 200


def test_private_hooks_of_allauth_are_still_there():
    # The one that all of allauth asks for the key, and the one that gives a right try back.
    for name in ("_get_login_attempts_cache_key", "_rollback_login_failed_rl_usage"):
        assert callable(getattr(DefaultAccountAdapter, name))


def test_budget_lies_in_the_database_so_that_all_workers_share_it(ada):
    Door(ATTACKER).come_in(ada, "wrong")
    for action in ("login_address", "login_failed", "login_ceiling"):
        assert CacheEntry.objects.filter(cache_key__contains=action).exists()


def test_budget_is_not_multiplied_by_host_names(ada):
    attacker = Door(ATTACKER)
    looked_at = 0
    for host in ("localhost", "127.0.0.1", "testserver"):
        looked_at = _try(attacker, ada, 5, HTTP_HOST=host)
    assert looked_at == 5


@pytest.mark.parametrize("known", [False, True])
def test_right_password_costs_no_try(ada, known):
    door = Door()
    for _n in range(12):
        door.come_in(ada)
        assert door.signed_in
        door.client.post("/accounts/logout/")
        if not known:
            del door.client.cookies["known_device"]


def test_stranger_behind_the_same_router_does_not_lock_a_known_browser(ada):
    home, guest = Door(HOME), Door(HOME)
    home.come_in(ada)
    home.client.post("/accounts/logout/")
    for n in range(12):
        guest.come_in(ada, "wrong")
        guest.come_in(f"somebody{n}@clinic.test", "wrong")
    assert "Try again" in guest.come_in(ada).content.decode()
    secret = add_totp(ada)
    assert home.come_in(ada).url == "/accounts/2fa/authenticate/"
    assert home.show_code(code_of(secret)).url == "/admin/"


def test_ipv6_household_is_one_address(ada):
    looked_at = 0
    for n in range(8):
        looked_at = _try(Door(f"2001:db8:1:1::{n + 1}"), ada, 1)
    assert looked_at == 5
    assert Door("2001:db8:1:2::1").come_in(ada).status_code == 302


@pytest.mark.heavy
@pytest.mark.usefixtures("memory_cache")
def test_a_thousand_tries_from_one_address_on_one_account(ada):
    assert _try(Door(ATTACKER), ada, 1000) <= 10
    assert Door(HOME).come_in(ada).status_code == 302


@pytest.mark.heavy
@pytest.mark.usefixtures("memory_cache")
def test_a_thousand_tries_from_one_address_on_many_accounts(ada):
    attacker = Door(ATTACKER)
    for n in range(1000):
        attacker.come_in(f"somebody{n}@clinic.test", "wrong")
    assert len([row for row in trail("sign_in_failed") if row[3] == "password"]) <= 10
    assert Door(HOME).come_in(ada).status_code == 302


@pytest.mark.usefixtures("memory_cache")
@pytest.mark.parametrize("tries", [60, pytest.param(1000, marks=pytest.mark.heavy)])
def test_tries_from_many_addresses(ada, tries):
    home, stranger = Door(HOME), Door()
    home.come_in(ada)
    home.client.post("/accounts/logout/")
    for n in range(tries):
        stranger.come_in(ada, "wrong", REMOTE_ADDR=f"10.{n // 250}.{n % 250}.7")
    assert len([row for row in trail("sign_in_failed") if row[3] == "password"]) <= 50
    # The browser that she used before is free; one that nobody knows must bring a passkey or a link.
    assert home.come_in(ada).status_code == 302
    unknown = Door("3.3.3.3").come_in(ada)
    assert "Sign in with a passkey" in unknown.content.decode()


@pytest.mark.usefixtures("memory_cache")
def test_known_browser_in_wrong_hands_has_a_budget_too(ada):
    thief = Door(HOME)
    thief.come_in(ada)
    thief.client.post("/accounts/logout/")
    cookie = thief.client.cookies["known_device"].value
    for n in range(12):
        thief.client.cookies["known_device"] = cookie
        thief.come_in(ada, "wrong", REMOTE_ADDR=f"10.9.{n}.7")
    assert len([row for row in trail("sign_in_failed") if row[3] == "password"]) == 5
    # It used up its own budget, not the account's.
    assert Door("3.3.3.3").come_in(ada).status_code == 302


def test_device_cookie_names_nobody_and_cannot_be_forged(ada):
    door = Door()
    cookie = door.come_in(ada).cookies["known_device"]
    assert "ada" not in cookie.value
    assert cookie["httponly"]
    from clinic.signin import lockout

    request = RequestFactory().post("/")
    request.COOKIES["known_device"] = cookie.value[:-2] + "xx"
    assert lockout.device_key(request, ada.email) == ""
    request.COOKIES["known_device"] = cookie.value
    assert lockout.device_key(request, ada.email).startswith("device|")
    assert lockout.device_key(request, "ben@clinic.test") == ""


def test_forged_forwarded_for_is_ignored(ada):
    attacker = Door(ATTACKER)
    for n in range(12):
        attacker.come_in(ada, "wrong", HTTP_X_FORWARDED_FOR=f"9.9.9.{n}")
    assert len([row for row in trail("sign_in_failed") if row[3] == "password"]) == 5


@pytest.mark.parametrize(
    ("proxies", "header", "expected"),
    [
        (0, "9.9.9.9", "10.0.0.1"),
        (1, "9.9.9.9", "9.9.9.9"),
        (1, "8.8.8.8, 9.9.9.9", "9.9.9.9"),
        (2, "7.7.7.7, 9.9.9.9, 10.0.0.2", "9.9.9.9"),
        (2, "9.9.9.9", "10.0.0.1"),
        (1, "<script>", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_address_is_what_our_own_proxies_wrote(settings, proxies, header, expected):
    from clinic.signin.middleware import ClientAddress

    settings.TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=header)
    ClientAddress(lambda request: None)(request)
    assert request.META["REMOTE_ADDR"] == expected
    assert "HTTP_X_FORWARDED_FOR" not in request.META


def test_reauthentication_spends_the_same_budget(ada):
    door = Door()
    door.come_in(ada)
    door.client.post("/accounts/reauthenticate/", {"password": "wrong"})
    assert ("sign_in_failed", None, ada.pk, "password") in trail()
    for _n in range(5):
        page = door.client.post("/accounts/reauthenticate/", {"password": "wrong"}).content.decode()
    assert "Try again in 15 minutes." in page


def test_too_many_posts_a_minute_get_a_page_that_says_so(ada):
    door = Door()
    for _n in range(121):
        response = door.client.post("/accounts/login/", {})
    assert response.status_code == 429
    assert "Wait a minute" in response.content.decode()


def test_get_adapter_is_ours():
    assert type(get_adapter()).__module__ == "clinic.signin.adapter"
