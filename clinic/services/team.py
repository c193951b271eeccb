"""Who works here: invitations and links, roles, leaving and coming back. Signing in itself is clinic.signin's."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import signals
from clinic.actor import Actor
from clinic.exceptions import RuleBroken
from clinic.models import Invitation, User
from clinic.permissions import ROLES
from clinic.services import audit

ADMINISTRATOR = "administrator"
LINK_LIVES = {Invitation.Purpose.JOIN: timedelta(days=7), Invitation.Purpose.RESET: timedelta(days=1)}


def invite(user: User, *, roles: Collection[str], by: Actor, at: datetime | None = None) -> Invitation:
    """Save a new member of staff with these roles; returns their invitation, its `token` set this once.

    Until they set a password they cannot sign in. Refused: an e-mail that is taken, no role, an unknown role.
    """
    user.email = user.email.strip().lower()
    _check_roles(roles)
    taken = User.objects.filter(email=user.email).first()
    if taken is not None:
        message = (
            _("Somebody with this e-mail works here already.")
            if taken.is_active
            else _("Somebody with this e-mail worked here: reactivate them instead.")
        )
        raise RuleBroken("email_taken", message, field="email")
    with transaction.atomic():
        user.set_unusable_password()
        user.save()
        _set_roles(user, roles, by)
        invitation = _link(user, by, at)
        signals.announce(signals.staff_invited, user, by=by, invitation=invitation)
    return invitation


def issue_link(user: User, *, by: Actor, at: datetime | None = None) -> Invitation:
    """A new link with which this person sets a password, in place of any before; its `token` is set this once.

    An invitation for who never signed in, else a reset: the old password holds until the link is used.
    """
    _not_oneself(user, by)
    if not user.is_active:
        raise RuleBroken("inactive", _("%(name)s is not active: reactivate them first.") % {"name": user})
    with transaction.atomic():
        return _link(user, by, at)


def revoke_link(user: User, *, by: Actor, at: datetime | None = None) -> User:
    """The person's open link opens nothing any more."""
    with transaction.atomic():
        if not _close_links(user, at or timezone.now()):
            raise RuleBroken("no_link", _("%(name)s has no open link.") % {"name": user})
        _note("password", by, user, "link revoked")
    return user


def find_invitation(token: str, *, at: datetime | None = None) -> Invitation | None:
    """The open invitation that this token belongs to. Reads only."""
    invitation = Invitation.objects.select_related("user").filter(token_hash=_hash(token)).first()
    return invitation if invitation and _opens(invitation, at or timezone.now()) else None


def accept_invitation(invitation: Invitation, *, password: str, by: Actor, at: datetime | None = None) -> User:
    """Set the invited person's password and use the link up; every session of theirs ends.

    Refused when the link was used, revoked or replaced meanwhile, has expired, or the password is too weak.
    """
    at = at or timezone.now()
    with transaction.atomic():
        invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
        user = invitation.user
        if not _opens(invitation, at):
            raise RuleBroken("link_over", _("This link has been used or has expired. Ask for a new one."))
        _check_password(user, password)
        invitation.used_at = at
        invitation.save(update_fields=["used_at"])
        _save_password(user, password)
        _end_sessions(user)
        _note("password", by, user, f"set by link ({invitation.purpose})")
    return user


def change_password(user: User, password: str, *, by: Actor) -> User:
    """A person's own new password. Every other session ends, for a session knows the password's hash."""
    _check_password(user, password)
    with transaction.atomic():
        _save_password(user, password)
        _close_links(user, timezone.now())
        _note("password", by, user, "changed")
    return user


def assign_roles(user: User, roles: Collection[str], *, by: Actor) -> User:
    """Exactly these roles from now on, for open sessions too. Refused: none, unknown, the last administrator's."""
    _check_roles(roles)
    with transaction.atomic():
        if ADMINISTRATOR not in roles:
            _keep_an_administrator(user)
        _set_roles(user, roles, by)
    return user


def deactivate(user: User, *, by: Actor) -> User:
    """Signed out everywhere at once, cannot sign in; what they did stays. Refused: oneself, the last administrator."""
    if by.user_id == user.pk:
        raise RuleBroken("oneself", _("You cannot deactivate yourself: ask another administrator."))
    with transaction.atomic():
        _keep_an_administrator(user)
        user.is_active = False
        user.save(update_fields=["is_active"])
        _close_links(user, timezone.now())
        _end_sessions(user)
    return user


def reactivate(user: User, *, by: Actor) -> User:
    """May sign in again, with the password, factors and roles of before."""
    user.is_active = True
    user.save(update_fields=["is_active"])
    return user


def clear_factors(user: User, *, by: Actor) -> User:
    """For who lost phone and recovery codes: authenticator app, passkeys and codes are gone, every session ends.

    Whoever asks must have been recognised by other means than e-mail: from here on the password alone opens.
    """
    _not_oneself(user, by)
    with transaction.atomic():
        gone, _per_model = Authenticator.objects.filter(user=user).delete()
        if not gone:
            raise RuleBroken("no_factor", _("%(name)s has no second factor.") % {"name": user})
        _end_sessions(user)
        _note("factor", by, user, "cleared")
    return user


def _not_oneself(user: User, by: Actor) -> None:
    # Who finds an administrator's session open must not make it their own for good.
    if by.user_id == user.pk:
        message = _(
            "Change your own password and factors under “Sign-in and security”, where your password is asked for."
        )
        raise RuleBroken("oneself", message)


def _link(user: User, by: Actor, at: datetime | None) -> Invitation:
    at = at or timezone.now()
    _close_links(user, at)
    purpose = Invitation.Purpose.RESET if user.has_usable_password() else Invitation.Purpose.JOIN
    token = secrets.token_urlsafe(16)
    invitation = Invitation.objects.create(
        user=user, purpose=purpose, token_hash=_hash(token), expires_at=at + LINK_LIVES[purpose]
    )
    invitation.token = token
    _note("password", by, user, f"link given ({purpose})")
    return invitation


def _close_links(user: User, at: datetime) -> int:
    # The person's row queues those who give and take links: one is open at most.
    User.objects.select_for_update().filter(pk=user.pk).first()
    links = list(Invitation.objects.filter(user=user, used_at=None, revoked_at=None))
    for link in links:
        link.revoked_at = at
        link.save(update_fields=["revoked_at"])
    return len(links)


def _opens(invitation: Invitation, at: datetime) -> bool:
    spent = invitation.used_at is not None or invitation.revoked_at is not None
    return not spent and invitation.expires_at > at and invitation.user.is_active


def _hash(token: str) -> str:
    # 128 random bits: nothing to guess, so nothing to salt.
    return hashlib.sha256(token.encode()).hexdigest()


def _check_roles(roles: Collection[str]) -> None:
    if not roles:
        raise RuleBroken("no_role", _("Choose at least one role."), field="roles")
    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise RuleBroken("unknown_role", _("There is no role “%(role)s”.") % {"role": unknown[0]}, field="roles")


def _set_roles(user: User, roles: Collection[str], by: Actor) -> None:
    before = user.role_names
    user.groups.set(Group.objects.filter(name__in=roles))
    # Both are remembered on the instance.
    for remembered in ("roles", "_granted"):
        user.__dict__.pop(remembered, None)
    if user.role_names != before:
        _note("roles", by, user, f"{before or '-'} > {user.role_names}")


def _keep_an_administrator(leaving: User) -> None:
    """Refuse when nobody else could let people in. Locks, so that two administrators cannot remove each other."""
    administrators = (
        User.objects.select_for_update(of=("self",))
        .filter(groups__name=ADMINISTRATOR, is_active=True, is_staff=True)
        .order_by("pk")
    )
    able = {user.pk for user in administrators if user.has_usable_password()}
    if leaving.pk in able and len(able) == 1:
        raise RuleBroken(
            "last_administrator",
            _("%(name)s is the only administrator: make somebody else one first.") % {"name": leaving},
            field="roles",
        )


def _check_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise RuleBroken("weak_password", " ".join(error.messages), field="password1") from error


def _save_password(user: User, password: str) -> None:
    user.set_password(password)
    user.save_unversioned("password")


def _end_sessions(user: User) -> None:
    """Sessions do not say whose they are until they are opened; a clinic has dozens."""
    for session in Session.objects.filter(expire_date__gt=timezone.now()):
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()


def _note(verb: str, by: Actor, user: User, purpose: str) -> None:
    audit.noted(verb, by=by, model="user", row_id=user.pk, purpose=purpose)
