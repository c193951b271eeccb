"""What allauth asks us: who may come in, how often somebody may err, how a second factor is named and kept."""

import base64
import hashlib

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clinic.permissions import may_sign_in
from clinic.services import team
from clinic.signin import lockout, trail
from clinic.signin.session import factor_wanted

PRODUCT = "Camerino"


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("This e-mail and password do not belong together."),
        "incorrect_password": _("This is not your password."),
        "enter_current_password": _("This is not your present password."),
        # Of codes; passwords get the exact time from pre_authenticate.
        "too_many_login_attempts": _("Too many wrong codes. Try again in a quarter of an hour."),
    }

    def is_open_for_signup(self, request):
        return False

    def get_login_stages(self):
        # No sign-in by mailed code, no proof of phone or e-mail: an administrator vouched for both.
        return ["allauth.mfa.stages.AuthenticateStage"]

    def get_password_change_redirect_url(self, request):
        return reverse("mfa_index")

    # The name is allauth's private one: pinned in requirements.txt, held by tests/signin/test_lockout.py.
    def _get_login_attempts_cache_key(self, request, **credentials):
        return lockout.address_key(self.get_client_ip(request), credentials.get("email", ""))

    def pre_authenticate(self, request, **credentials):
        email = credentials.get("email", "")
        if device := lockout.device_key(request, email):
            self._login_failed_rl_usage = self._spend(request, lockout.KNOWN, device, email)
            return
        pair = self._get_login_attempts_cache_key(request, **credentials)
        spent = [self._spend(request, lockout.ADDRESS, "", email), self._spend(request, lockout.FAILED, pair, email)]
        ceiling = ratelimit.consume(request, app=lockout.APP, action=lockout.CEILING, key=lockout.account_key(email))
        if not ceiling:
            trail.locked(request, email)
            raise ValidationError(
                _(
                    "Too many wrong passwords for this account today. Sign in with a passkey, on a device that you "
                    "used before, or ask your administrator for a new link."
                ),
                code="too_many_login_attempts",
            )
        # Taken back together when the password turns out right.
        self._login_failed_rl_usage = ratelimit.RateLimitUsage(
            [single for usage in (*spent, ceiling) for single in usage.usage]
        )

    def _spend(self, request, action, key, email):
        usage = ratelimit.consume(request, app=lockout.APP, action=action, key=key)
        if usage:
            return usage
        trail.locked(request, email)
        minutes = lockout.minutes_to_wait(request, action, key)
        message = ngettext(
            "Too many wrong tries from here. Try again in %(minutes)d minute.",
            "Too many wrong tries from here. Try again in %(minutes)d minutes.",
            minutes,
        ) % {"minutes": minutes}
        raise ValidationError(message, code="too_many_login_attempts")

    def forget_failures(self, request, user):
        """A password set by an administrator's link starts with a clean slate."""
        for action, key in (
            (lockout.KNOWN, lockout.device_key(request, user.email)),
            (lockout.FAILED, self._get_login_attempts_cache_key(request, email=user.email)),
            (lockout.CEILING, lockout.account_key(user.email)),
        ):
            ratelimit.clear(request, app=lockout.APP, action=action, key=key)

    def reauthenticate(self, user, password):
        found = self.authenticate(self.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def pre_login(self, request, user, **hooks):
        # The backend says the same of passwords; passkeys come this way only.
        if not may_sign_in(user):
            return self.respond_user_inactive(request, user)
        return super().pre_login(request, user, **hooks)

    def post_login(self, request, user, **hooks):
        response = super().post_login(request, user, **hooks)
        lockout.remember_device(request, response, user.email)
        return response

    def set_password(self, user, password):
        team.change_password(user, password, by=trail.person(self.request, user))


class FactorAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is not right. Codes change every half minute: take the newest."),
        "cannot_delete_authenticator": _("Your role wants a second factor: add another one before you remove this."),
    }

    def get_totp_issuer(self):
        return PRODUCT

    def get_public_key_credential_rp_entity(self):
        return {**super().get_public_key_credential_rp_entity(), "name": PRODUCT}

    def generate_authenticator_name(self, user, type):
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return str(_("Passkey")) if number == 1 else _("Passkey %(number)d") % {"number": number}

    def can_delete_authenticator(self, authenticator):
        others = Authenticator.objects.filter(user=authenticator.user).exclude(pk=authenticator.pk)
        strong = others.exclude(type=Authenticator.Type.RECOVERY_CODES)
        return strong.exists() or not factor_wanted(authenticator.user)

    def encrypt(self, text):
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text):
        # A lost key must be loud: an empty secret would be a secret that everybody knows.
        return _keys().decrypt(encrypted_text.encode()).decode()


def _keys() -> MultiFernet:
    """A copy of the database alone gives nobody's codes away. Old keys count while SECRET_KEY_FALLBACKS names them."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(b"clinic.signin.factor|" + secret.encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
