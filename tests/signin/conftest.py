"""What the tests at the door share: people, a way to sign in as a browser does, and codes."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core.cache import cache
from django.test import Client

from clinic.models import AuditEntry, ClinicSettings
from tests import factories as make

HOME = "1.1.1.1"


class Door:
    """A browser at an address of its own. `come_in` posts the form; the session stays in `client`."""

    def __init__(self, address=HOME):
        self.client = Client(REMOTE_ADDR=address)

    def come_in(self, user, password=make.PASSWORD, **extra):
        email = user if isinstance(user, str) else user.email
        return self.client.post("/accounts/login/", {"login": email, "password": password}, **extra)

    def show_code(self, code):
        return self.client.post("/accounts/2fa/authenticate/", {"code": code})

    @property
    def signed_in(self):
        return "_auth_user_id" in self.client.session

    def let_pass(self, minutes):
        """So many minutes later, as the session sees it."""
        session = self.client.session
        session["clock"] = {
            **session["clock"],
            "seen": session["clock"]["seen"] - minutes * 60,
            "began": session["clock"]["began"] - minutes * 60,
        }
        session.save()


@pytest.fixture
def door(db):
    return Door()


@pytest.fixture
def ada(db):
    return make.make_user("practitioner", email="ada@clinic.test", given_name="Ada", family_name="Conti")


@pytest.fixture
def alba(db):
    return make.make_user("administrator", email="alba@clinic.test", given_name="Alba", family_name="Ministra")


@pytest.fixture
def memory_cache(settings):
    """For tests of a thousand tries: the same budgets without the database's pace."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def factor_wanted(db):
    def from_(*roles):
        ClinicSettings.objects.update_or_create(pk=1, defaults={"factor_roles": list(roles)})

    return from_


def add_totp(user) -> str:
    """An authenticator app of this person's; returns its secret."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return secret


def code_of(secret) -> str:
    """What the app shows now. It is taken once only."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def recovery_code_of(user) -> str:
    return Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()[0]


def trail(verb=None) -> list[tuple]:
    """(verb, who did it, whose record, purpose), oldest first."""
    rows = AuditEntry.objects.filter(model="user").exclude(verb__in=["create", "update"]).order_by("id")
    if verb:
        rows = rows.filter(verb=verb)
    return list(rows.values_list("verb", "user_id", "row_id", "purpose"))
