"""Before any page: whose address this is, whether the session still lasts, whether a second factor was shown."""

import ipaddress
from contextlib import suppress
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth.views import redirect_to_login
from django.http import JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.signin import session

POLL_HEADER = "X-Camerino-Poll"


class ClientAddress:
    """REMOTE_ADDR is the client's, for everybody behind us. What a client claims in X-Forwarded-For counts only as far
    as proxies of our own wrote it: TRUSTED_PROXY_COUNT says how many there are."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        claimed = request.META.pop("HTTP_X_FORWARDED_FOR", "").split(",")
        proxies = settings.TRUSTED_PROXY_COUNT
        if proxies and len(claimed) >= proxies:
            # What is no address leaves the proxy's own, the best we know.
            with suppress(ValueError):
                request.META["REMOTE_ADDR"] = str(ipaddress.ip_address(claimed[-proxies].strip()))
        return self.get_response(request)


class SessionWatch:
    """Ends sessions that nobody used for a while, or that lasted long enough.

    A page that asks for news by itself says so in a header and does not count as use: it would never be idle.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            if reason := session.over(request):
                return self._end(request, reason)
            if POLL_HEADER not in request.headers:
                session.touch(request)
        return self.get_response(request)

    def _end(self, request, reason):
        if _by_script(request):
            # The session stays, dead, for the page that a person opens next: it tells why.
            return JsonResponse({"code": "signed_out"}, status=401)
        sentence = _farewell(request, reason)
        request.signed_out_because = reason
        auth.logout(request)
        messages.info(request, sentence)
        if request.path == reverse("account_login"):
            return self.get_response(request)
        return redirect_to_login(_page_to_return_to(request))


class FactorGate:
    """No page of the staff's before the second factor that the person's role wants."""

    DOORS = {"account_logout", "admin:logout"}
    SET_UP = {"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"}
    SHOW = {"mfa_reauthenticate", "mfa_reauthenticate_webauthn"}

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if not request.user.is_authenticated or not session.factor_missing(request):
            return None
        request.factor_missing = True
        page = request.resolver_match.view_name
        # Who has a factor shows it; only who has none sets one up. Else a password alone would replace the factor.
        enrolled = session.has_factor(request.user)
        if page in self.DOORS or page in (self.SHOW if enrolled else self.SET_UP):
            return None
        if not enrolled:
            return redirect("mfa_index")
        return redirect_to_login(_page_to_return_to(request), _way_to_show(request))


def _way_to_show(request) -> str:
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    return next(method["url"] for method in methods if method["id"].startswith("mfa_"))


def _by_script(request) -> bool:
    return POLL_HEADER in request.headers or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"


def _page_to_return_to(request) -> str:
    """The page itself, or the one that a lost form stood on."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    origin = urlsplit(request.headers.get("Referer", ""))
    return origin.path if origin.path and origin.netloc == request.get_host() else reverse("admin:index")


def _farewell(request, reason) -> str:
    if reason == "idle":
        minutes = request.session[session.CLOCK]["idle"] // 60
        sentence = ngettext(
            "You were signed out after %(minutes)d minute without use.",
            "You were signed out after %(minutes)d minutes without use.",
            minutes,
        ) % {"minutes": minutes}
    else:
        sentence = _("You were signed out because your day’s session has ended.")
    if request.method == "POST" and not request.path.endswith("/logout/"):
        sentence = f"{sentence} {_('What you sent last was not saved.')}"
    return sentence
