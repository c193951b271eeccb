"""Signing in and out: who may, where it leads, what is written down, and that there is one door."""

import pytest
from django.urls import reverse

from clinic.models import AuditEntry, User
from tests import factories as make
from tests.signin.conftest import Door, trail


def test_sign_in_leads_to_the_desk_and_is_written_down(door, ada):
    response = door.come_in(ada, HTTP_USER_AGENT="Firefox")
    assert response.status_code == 302
    assert response.url == reverse("admin:index")
    assert door.signed_in
    assert trail() == [("sign_in", ada.pk, ada.pk, "")]
    entry = AuditEntry.objects.get(verb="sign_in")
    assert (entry.ip, entry.agent, entry.role, entry.route) == (
        "1.1.1.1",
        "Firefox",
        "practitioner",
        "/accounts/login/",
    )


def test_sign_in_leaves_no_version_of_the_user(door, ada):
    before = ada.history.count()
    door.come_in(ada)
    ada.refresh_from_db()
    assert ada.last_login is not None
    assert ada.history.count() == before


def test_history_keeps_no_password(ada):
    assert not hasattr(ada.history.first(), "password")


@pytest.mark.parametrize("typed", ["ADA@clinic.test", " ada@clinic.test "])
def test_sign_in_takes_the_email_in_any_case(door, ada, typed):
    assert door.come_in(typed).status_code == 302


def test_wrong_password_says_one_sentence_and_is_written_down(door, ada):
    response = door.come_in(ada, "wrong")
    assert response.status_code == 200
    assert "do not belong together" in response.content.decode()
    assert not door.signed_in
    assert trail() == [("sign_in_failed", None, ada.pk, "password")]


def test_unknown_email_says_the_same_and_is_not_kept(door, ada):
    unknown = door.come_in("my-secret-password@clinic.test", "wrong").content.decode()
    assert "do not belong together" in unknown
    assert trail() == [("sign_in_failed", None, None, "password")]
    assert not AuditEntry.objects.filter(purpose__contains="secret").exists()


def test_sign_in_returns_to_the_page_asked_for(door, ada):
    response = door.client.get("/admin/clinic/patient/", follow=True)
    assert response.redirect_chain[-1][0] == "/accounts/login/?next=/admin/clinic/patient/"
    response = door.client.post(
        "/accounts/login/?next=/admin/clinic/patient/", {"login": ada.email, "password": make.PASSWORD}
    )
    assert response.url == "/admin/clinic/patient/"


@pytest.mark.parametrize(
    "target", ["https://evil.test/", "//evil.test/", "javascript:alert(1)", "https:evil.test", "/\\evil.test"]
)
def test_sign_in_never_leads_elsewhere(door, ada, target):
    response = door.client.post("/accounts/login/", {"login": ada.email, "password": make.PASSWORD, "next": target})
    assert response.url == "/admin/"


def test_sign_in_changes_the_session_key_and_no_planted_one_survives(door, ada):
    door.client.get("/accounts/login/")
    planted = door.client.session
    planted["x"] = 1
    planted.save()
    door.client.cookies["sessionid"] = planted.session_key
    door.come_in(ada)
    assert door.client.session.session_key != planted.session_key


def test_session_cookie_is_for_http_only_and_ends_with_the_browser(door, ada):
    cookie = door.come_in(ada).cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["max-age"]


def test_sign_out_by_post_only(door, ada):
    door.come_in(ada)
    assert door.client.get("/accounts/logout/").status_code == 200
    assert door.client.get("/admin/logout/").status_code == 405
    assert door.signed_in
    response = door.client.post("/admin/logout/")
    assert response.url == "/accounts/login/"
    assert not door.signed_in
    assert trail("sign_out") == [("sign_out", ada.pk, ada.pk, "")]


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_who_may_not_come_in_is_refused(door, ada, change):
    User.objects.filter(pk=ada.pk).update(**change)
    response = door.come_in(ada)
    assert response.url == "/accounts/inactive/"
    assert not door.signed_in


@pytest.mark.parametrize("person", [{"is_superuser": True, "email": "root@clinic.test"}, {"email": "admin@demo.test"}])
def test_production_refuses_superusers_and_demo_accounts(door, settings, person):
    user = make.make_user("administrator", **person)
    assert door.come_in(user).url == "/admin/"
    assert door.client.get("/admin/").status_code == 200
    settings.PRODUCTION = True
    # The open session ends, and no new one begins.
    assert door.client.get("/admin/").status_code == 302
    other = Door()
    assert other.come_in(user).url == "/accounts/inactive/"
    assert not other.signed_in


def test_admin_login_is_no_second_door(door, ada, alba):
    door.come_in(ada)
    credentials = {"username": alba.email, "login": alba.email, "email": alba.email, "password": make.PASSWORD}
    response = door.client.post("/admin/login/", credentials)
    assert response.status_code == 302
    assert door.client.session["_auth_user_id"] == str(ada.pk)
    stranger = Door()
    stranger.client.post("/admin/login/", credentials)
    assert not stranger.signed_in


def test_admin_password_page_leads_to_the_one_at_the_door(door, ada):
    door.come_in(ada)
    assert door.client.get("/admin/password_change/").url == "/accounts/password/change/"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "signup/",
        "email/",
        "confirm-email/",
        "confirm-email/x/",
        "password/set/",
        "password/reset/",
        "password/reset/key/1-x/",
        "password/reset/done/",
        "login/code/",
        "login/code/confirm/",
        "3rdparty/",
        "social/login/cancelled/",
        "phone/verify/",
        "signup/passkey/",
        "2fa/webauthn/signup/",
        "2fa/trust/",
        "sessions/",
    ],
)
def test_what_is_not_needed_has_no_address(door, ada, path):
    door.come_in(ada)
    assert door.client.get(f"/accounts/{path}").status_code == 404
    assert door.client.post(f"/accounts/{path}").status_code == 404


def test_door_wants_the_csrf_token(ada):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    assert client.post("/accounts/login/", {"login": ada.email, "password": make.PASSWORD}).status_code == 403


STRICT = {
    "default-src 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}


def _policy(response):
    return set(response["Content-Security-Policy"].split("; "))


def test_pages_at_the_door_have_the_strict_policy(door, ada):
    assert _policy(door.client.get("/accounts/login/")) == STRICT
    door.come_in(ada)
    assert _policy(door.client.get("/accounts/2fa/")) == STRICT
    assert _policy(door.client.get("/nowhere/")) == STRICT


def test_desk_may_evaluate_and_style_and_no_more(door, ada):
    door.come_in(ada)
    policy = _policy(door.client.get("/admin/"))
    assert policy - STRICT == {"script-src 'self' 'unsafe-eval'", "style-src 'self' 'unsafe-inline'"}
    assert policy >= STRICT


def test_change_password_ends_other_sessions_and_keeps_this_one(door, ada):
    other = Door("2.2.2.2")
    other.come_in(ada)
    door.come_in(ada)
    response = door.client.post(
        "/accounts/password/change/",
        {"oldpassword": make.PASSWORD, "password1": "sette gatti sul tetto", "password2": "sette gatti sul tetto"},
    )
    assert response.url == "/accounts/2fa/"
    assert door.client.get("/admin/").status_code == 200
    assert other.client.get("/admin/").status_code == 302
    assert trail("password") == [("password", ada.pk, ada.pk, "changed")]
    assert Door().come_in(ada).status_code == 200
    assert Door().come_in(ada, "sette gatti sul tetto").status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("wrong", "sette gatti sul tetto", "not your present password"),
        (make.PASSWORD, "short", "at least 12 characters"),
        (make.PASSWORD, "1qaz2wsx3edc", "too common"),
        (make.PASSWORD, "ada@clinic.test", "too similar"),
    ],
)
def test_change_password_refuses(door, ada, old, new, sentence):
    door.come_in(ada)
    response = door.client.post("/accounts/password/change/", {"oldpassword": old, "password1": new, "password2": new})
    assert sentence in response.content.decode()
    assert User.objects.get(pk=ada.pk).check_password(make.PASSWORD)


def test_change_password_without_one_says_whom_to_ask(door, ada):
    ada.set_unusable_password()
    ada.save()
    door.client.force_login(ada)
    response = door.client.get("/accounts/password/change/", follow=True)
    assert "ask your administrator" in response.content.decode()
