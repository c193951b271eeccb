"""Invitations and links, roles, leaving: the services, and the page behind a link."""

import datetime as dt
import functools

import pytest
from django.utils import timezone

from clinic import actor, signals
from clinic.exceptions import RuleBroken
from clinic.models import Invitation, User
from clinic.services import team
from tests import factories as make
from tests.signin.conftest import Door, add_totp, code_of, trail

NEW = "sette gatti sul tetto"


@pytest.fixture
def by(alba):
    return actor.staff(alba)


@pytest.fixture
def invitation(by):
    person = User(email="New@Clinic.test", given_name="Nina", family_name="Nuova")
    return team.invite(person, roles=["receptionist"], by=by)


def _open(invitation):
    return f"/accounts/invitation/{invitation.token}/"


def _set(door, address, password=NEW, again=None):
    return door.client.post(address, {"password1": password, "password2": again or password})


def test_invite_makes_a_person_who_cannot_sign_in_yet(invitation, alba):
    user = invitation.user
    assert (user.email, user.roles, user.is_active, user.has_usable_password()) == (
        "new@clinic.test",
        ("receptionist",),
        True,
        False,
    )
    assert invitation.purpose == "join"
    assert abs(invitation.expires_at - timezone.now() - dt.timedelta(days=7)) < dt.timedelta(minutes=1)
    assert trail() == [
        ("roles", alba.pk, user.pk, "- > receptionist"),
        ("password", alba.pk, user.pk, "link given (join)"),
    ]


def test_invite_keeps_the_hash_of_128_bits_only(invitation):
    assert len(invitation.token) == 22
    stored = Invitation.objects.get()
    assert stored.token == ""
    assert invitation.token not in stored.token_hash
    assert not stored.history.filter(token_hash__contains=invitation.token).exists()


def test_invite_is_announced(by):
    heard = []

    def hear(sender, subject, by, **facts):
        heard.append((subject.email, by.user_id))

    signals.staff_invited.connect(hear)
    try:
        team.invite(User(email="a@clinic.test", given_name="A"), roles=["manager"], by=by)
    finally:
        signals.staff_invited.disconnect(hear)
    assert heard == [("a@clinic.test", by.user_id)]


@pytest.mark.parametrize(
    ("email", "roles", "code"),
    [
        ("ALBA@clinic.test", ["manager"], "email_taken"),
        ("x@clinic.test", [], "no_role"),
        ("x@clinic.test", ["king"], "unknown_role"),
    ],
)
def test_invite_refuses(by, email, roles, code):
    with pytest.raises(RuleBroken) as refusal:
        team.invite(User(email=email, given_name="X"), roles=roles, by=by)
    assert refusal.value.code == code
    assert User.objects.count() == 1


def test_invite_of_somebody_who_left_says_what_to_do(by):
    make.make_user(email="left@clinic.test", is_active=False)
    with pytest.raises(RuleBroken, match="reactivate"):
        team.invite(User(email="left@clinic.test", given_name="X"), roles=["manager"], by=by)


def test_link_sets_the_password_and_signs_in(door, invitation):
    page = door.client.get(_open(invitation)).content.decode()
    assert "Welcome, Nina" in page
    assert "new@clinic.test" in page
    response = _set(door, _open(invitation))
    assert response.url == "/admin/"
    assert door.client.get("/admin/").status_code == 200
    user = invitation.user
    assert trail()[-2:] == [
        ("password", user.pk, user.pk, "set by link (join)"),
        ("sign_in", user.pk, user.pk, ""),
    ]


def test_opening_a_link_changes_nothing(invitation):
    before = list(Invitation.objects.values())
    for _n in range(20):
        assert Door().client.get(_open(invitation)).status_code == 200
        assert Door().client.head(_open(invitation)).status_code == 200
    assert list(Invitation.objects.values()) == before


def test_link_opens_once(invitation):
    _set(Door(), _open(invitation))
    other = Door()
    response = _set(other, _open(invitation), "otto cani nel prato")
    assert response.status_code == 404
    assert "opens nothing any more" in response.content.decode()
    assert not other.signed_in
    assert User.objects.get(email="new@clinic.test").check_password(NEW)


def test_link_that_was_used_meanwhile_is_refused_under_the_lock(invitation, by):
    found = team.find_invitation(invitation.token)
    team.accept_invitation(found, password=NEW, by=by)
    with pytest.raises(RuleBroken) as refusal:
        team.accept_invitation(found, password="otto cani nel prato", by=by)
    assert refusal.value.code == "link_over"


@pytest.mark.parametrize("what", ["expired", "revoked", "renewed", "deactivated", "invented"])
def test_dead_link_opens_nothing(door, invitation, by, what):
    address = _open(invitation)
    match what:
        case "expired":
            Invitation.objects.update(expires_at=timezone.now())
        case "revoked":
            team.revoke_link(invitation.user, by=by)
        case "renewed":
            assert team.issue_link(invitation.user, by=by).purpose == "join"
        case "deactivated":
            team.deactivate(invitation.user, by=by)
        case "invented":
            address = "/accounts/invitation/AAAAAAAAAAAAAAAAAAAAAA/"
    assert door.client.get(address).status_code == 404
    assert _set(door, address).status_code == 404
    assert not door.signed_in


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("short", None, "at least 12 characters"),
        ("new@clinic.test", None, "too similar"),
        (NEW, "otto cani nel prato", "same password each time"),
        ("", "", "required"),
    ],
)
def test_link_refuses_a_weak_password_and_stays(door, invitation, password, again, sentence):
    response = _set(door, _open(invitation), password, again)
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert team.find_invitation(invitation.token) is not None


def test_link_opened_at_a_desk_where_somebody_is_signed_in_is_the_invited_persons(door, ada, invitation):
    door.come_in(ada)
    _set(door, _open(invitation))
    assert door.client.session["_auth_user_id"] == str(invitation.user_id)
    assert ("sign_out", ada.pk, ada.pk, "") in trail("sign_out")


def test_reset_keeps_the_old_password_until_it_is_used(ada, by):
    ada_at_home = Door()
    ada_at_home.come_in(ada)
    link = team.issue_link(ada, by=by)
    assert link.purpose == "reset"
    assert abs(link.expires_at - timezone.now() - dt.timedelta(days=1)) < dt.timedelta(minutes=1)
    assert ada_at_home.client.get("/admin/").status_code == 200
    door = Door("2.2.2.2")
    assert _set(door, _open(link)).url == "/admin/"
    assert ada_at_home.client.get("/admin/").status_code == 302


def test_reset_asks_for_the_second_factor(door, ada, by):
    secret = add_totp(ada)
    response = _set(door, _open(team.issue_link(ada, by=by)))
    assert response.url == "/accounts/2fa/authenticate/"
    assert not door.signed_in
    assert door.show_code(code_of(secret)).url == "/admin/"


def test_reset_forgives_wrong_tries(door, ada, by):
    for _n in range(6):
        door.come_in(ada, "wrong")
    assert "Try again" in door.come_in(ada).content.decode()
    _set(door, _open(team.issue_link(ada, by=by)))
    door.client.post("/accounts/logout/")
    assert door.come_in(ada, NEW).status_code == 302


def test_own_new_password_closes_a_given_link(ada, by):
    link = team.issue_link(ada, by=by)
    team.change_password(ada, NEW, by=actor.staff(ada))
    assert team.find_invitation(link.token) is None


def test_issue_link_for_somebody_inactive_is_refused(by):
    with pytest.raises(RuleBroken, match="reactivate"):
        team.issue_link(make.make_user(is_active=False), by=by)


def test_revoke_without_an_open_link_is_refused(ada, by):
    with pytest.raises(RuleBroken, match="no open link"):
        team.revoke_link(ada, by=by)


def test_assign_roles_replaces_and_is_written_down(ada, alba, by):
    team.assign_roles(ada, ["manager", "receptionist"], by=by)
    assert ada.roles == ("manager", "receptionist")
    assert ada.has_perm("clinic.view_auditentry")
    assert trail("roles") == [("roles", alba.pk, ada.pk, "practitioner > manager, receptionist")]
    team.assign_roles(ada, ["manager", "receptionist"], by=by)
    assert len(trail("roles")) == 1


@pytest.mark.parametrize("remove", [functools.partial(team.assign_roles, roles=["manager"]), team.deactivate])
def test_last_administrator_stays(ada, alba, remove):
    # An invited administrator who never set a password lets nobody in.
    invited = make.make_user("administrator")
    invited.set_unusable_password()
    invited.save()
    with pytest.raises(RuleBroken) as refusal:
        remove(alba, by=actor.staff(ada))
    assert refusal.value.code == "last_administrator"
    assert list(User.objects.get(pk=alba.pk).groups.values_list("name", flat=True)) == ["administrator"]
    make.make_user("administrator")
    team.assign_roles(alba, ["manager"], by=actor.staff(ada))


@pytest.mark.parametrize("verb", [team.deactivate, team.issue_link, team.clear_factors])
def test_oneself_is_refused(alba, by, verb):
    make.make_user("administrator")
    add_totp(alba)
    with pytest.raises(RuleBroken) as refusal:
        verb(alba, by=by)
    assert refusal.value.code == "oneself"


def test_clear_factors_opens_with_the_password_alone_and_ends_sessions(door, ada, alba, by):
    secret = add_totp(ada)
    door.come_in(ada)
    door.show_code(code_of(secret))
    team.clear_factors(ada, by=by)
    assert door.client.get("/admin/").status_code == 302
    assert Door().come_in(ada).url == "/admin/"
    assert trail("factor") == [("factor", alba.pk, ada.pk, "cleared")]
    with pytest.raises(RuleBroken, match="no second factor"):
        team.clear_factors(ada, by=by)
