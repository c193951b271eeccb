"""What a session knows of itself: when it began, when somebody last used it, and whether a second factor was shown.

The rules of the clinic's settings are copied beside the clock, so that a request asks the database for nothing; they
are read anew whenever the clock is written, at most once a minute.
"""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled

from clinic.models import ClinicSettings

CLOCK, FACTOR = "clock", "factor"
TICK_SECONDS = 60
STRONG = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def start_clock(request) -> None:
    request.session[CLOCK] = _reading(began=time.time())


def touch(request) -> None:
    """Somebody is there. Writes at most once a minute."""
    clock = request.session[CLOCK]
    if time.time() - clock["seen"] >= TICK_SECONDS:
        request.session[CLOCK] = _reading(began=clock["began"])


def over(request) -> str:
    """Why this session has ended: "idle", "long", or empty while it lasts."""
    clock = request.session.get(CLOCK)
    now = time.time()
    if clock is None or now - clock["began"] >= clock["life"]:
        return "long"
    return "idle" if now - clock["seen"] >= clock["idle"] else ""


def factor_missing(request) -> bool:
    """This person's role wants a second factor, and this session has not seen one."""
    wanted = request.session[CLOCK]["factor_roles"]
    return _concerns(request.user, wanted) and request.session.get(FACTOR) != request.user.pk


def factor_shown(request, user) -> None:
    request.session[FACTOR] = user.pk


def factor_removed(request, user) -> None:
    if not has_factor(user):
        request.session.pop(FACTOR, None)


def factor_wanted(user) -> bool:
    return _concerns(user, ClinicSettings.current().factor_roles)


def has_factor(user) -> bool:
    """An authenticator app or a passkey. Recovery codes alone are none: they run out."""
    return is_mfa_enabled(user, STRONG)


def _concerns(user, roles) -> bool:
    return bool(roles) and (user.is_superuser or not set(roles).isdisjoint(user.roles))


def _reading(began: float) -> dict:
    rules = ClinicSettings.current()
    return {
        "began": began,
        "seen": time.time(),
        "idle": rules.idle_minutes * 60,
        "life": rules.session_hours * 3600,
        "factor_roles": list(rules.factor_roles),
    }
