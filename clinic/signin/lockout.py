"""How many wrong passwords are too many, for whom, and until when. Counts live in the cache, shared by all workers.

A browser from which an account has signed in before has a budget of its own: nothing that strangers do anywhere, not
even behind the same router, uses it up. All other browsers share three: of their address, of the account at their
address, and a slow one of the account, against guessing from many addresses.
(OWASP: "Slow Down Online Guessing Attacks with Device Cookies".)
"""

from __future__ import annotations

import math
import secrets
import time

from allauth.core.internal import ratelimit
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.utils.crypto import salted_hmac

DEVICE_COOKIE = "known_device"
DEVICE_DAYS = 90
# People who share one browser, as at a reception desk.
DEVICE_PEOPLE = 20
APP = "allauth.account"
# Names in ACCOUNT_RATE_LIMITS. "login_failed" is allauth's own: second factors count there, too, per account.
KNOWN, ADDRESS, FAILED, CEILING = "login_known", "login_address", "login_failed", "login_ceiling"
_SALT = "clinic.signin.device"


def address_key(address: str, email: str) -> str:
    """The budget of this account at this address; an IPv6 household is one address."""
    return f"{ratelimit.truncate_ip(address)}|{email.lower()}"


def account_key(email: str) -> str:
    return f"account|{email.lower()}"


def device_key(request, email: str) -> str:
    """The budget of this browser, if it is known to this account; else empty."""
    device = _device(request)
    return f"device|{device['id']}|{email.lower()}" if _name(email) in device["people"] else ""


def minutes_to_wait(request, action: str, key: str) -> int:
    """Until the fullest of the action's budgets takes another try."""
    now, waits = time.time(), [0.0]
    for rate in ratelimit.get_rates(app=APP, action=action):
        name = ratelimit.get_cache_key(request, app=APP, action=action, rate=rate, key=key)
        tries = [moment for moment in cache.get(name, []) if moment > now - rate.duration]
        if len(tries) >= rate.amount:
            waits.append(min(tries) + rate.duration - now)
    return max(1, math.ceil(max(waits) / 60))


def remember_device(request, response, email: str) -> None:
    """This browser is known to this account from now on."""
    device = _device(request)
    people = [name for name in device["people"] if name != _name(email)]
    value = {"id": device["id"], "people": [*people, _name(email)][-DEVICE_PEOPLE:]}
    response.set_cookie(
        DEVICE_COOKIE,
        signing.dumps(value, salt=_SALT),
        max_age=DEVICE_DAYS * 86400,
        path="/accounts/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _device(request) -> dict:
    try:
        return signing.loads(request.COOKIES.get(DEVICE_COOKIE, ""), salt=_SALT, max_age=DEVICE_DAYS * 86400)
    except signing.BadSignature:
        return {"id": secrets.token_urlsafe(12), "people": []}


def _name(email: str) -> str:
    # The cookie is signed, not secret: it must not say whose browser this is.
    return salted_hmac(_SALT, email.lower()).hexdigest()[:16]
