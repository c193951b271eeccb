"""What happens at the door goes into the audit trail. Connected once, when the app is ready."""

from allauth.mfa import signals as factors
from allauth.mfa.models import Authenticator
from django.contrib.auth import signals as auth
from django.contrib.auth.models import update_last_login
from django.utils import timezone

from clinic import actor
from clinic.models import User
from clinic.services import audit
from clinic.signin import session

KINDS = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}


def connect() -> None:
    # Django's own would write a version of the user's record at every sign-in.
    auth.user_logged_in.disconnect(update_last_login, dispatch_uid="update_last_login")
    for signal, receiver in (
        (auth.user_logged_in, signed_in),
        (auth.user_logged_out, signed_out),
        (auth.user_login_failed, failed),
        (factors.authenticator_used, factor_used),
        (factors.authenticator_added, factor_added),
        (factors.authenticator_removed, factor_removed),
        (factors.authenticator_reset, factor_reset),
        (factors.authentication_failed, factor_failed),
    ):
        signal.connect(receiver, dispatch_uid=f"camerino.{receiver.__name__}")


def person(request, user) -> actor.Actor:
    """This person, in this request. Links carry secrets, so the page is named by its pattern, not by its address."""
    return actor.staff(user, **_where(request))


def stranger(request) -> actor.Actor:
    """Somebody at the staff's door who has not proved who they are."""
    return actor.Actor(kind="staff", **_where(request))


def signed_in(sender, request, user, **kwargs):
    user.last_login = timezone.now()
    user.save_unversioned("last_login")
    session.start_clock(request)
    _note("sign_in", person(request, user), user)


def signed_out(sender, request, user, **kwargs):
    if user is not None:
        _note("sign_out", person(request, user), user, getattr(request, "signed_out_because", ""))


def failed(sender, credentials, request=None, **kwargs):
    _note("sign_in_failed", stranger(request), _known(credentials.get("email", "")), "password")


def locked(request, email: str) -> None:
    """A try that was not even looked at."""
    _note("sign_in_failed", stranger(request), _known(email), "locked")


def factor_used(sender, request, user, **kwargs):
    session.factor_shown(request, user)


def factor_added(sender, request, user, authenticator, **kwargs):
    if authenticator.type in session.STRONG:
        session.factor_shown(request, user)
    _note("factor", person(request, user), user, f"{KINDS[authenticator.type]} added")


def factor_removed(sender, request, user, authenticator, **kwargs):
    session.factor_removed(request, user)
    _note("factor", person(request, user), user, f"{KINDS[authenticator.type]} removed")


def factor_reset(sender, request, user, authenticator, **kwargs):
    _note("factor", person(request, user), user, f"{KINDS[authenticator.type]} renewed")


def factor_failed(sender, request, user, authenticator, **kwargs):
    _note("sign_in_failed", stranger(request), user, KINDS[authenticator.type])


def _note(verb, by, user, purpose=""):
    audit.noted(verb, by=by, model="user", row_id=user.pk if user else None, purpose=purpose)


def _known(email: str) -> User | None:
    # What was typed is not kept: people type passwords into the wrong field.
    return User.objects.filter(email=email.strip().lower()).first()


def _where(request) -> dict:
    if request is None:
        return {}
    match = getattr(request, "resolver_match", None)
    return {
        "route": f"/{match.route}" if match else "",
        "ip": request.META.get("REMOTE_ADDR") or None,
        "agent": request.META.get("HTTP_USER_AGENT", ""),
    }
