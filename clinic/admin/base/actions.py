"""Record actions: a button on a record that calls one service. Declared on the admin class, executed by POST only.

    cancel = record_action(_("Cancel"), verb="cancel", form=CancelForm, service=scheduling.cancel, icon="event_busy")

The object comes through the person's scope, the permission is asked for that object, the service is called once.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import actor
from clinic.admin.base import scope
from clinic.admin.base.effects import Effect
from clinic.admin.base.refusals import ACCEPT, INSTEAD, REASON, REFUSALS, Acceptance, posted, refusal_of, way_past
from clinic.database import conflicts

# A bulk action runs in the request, one transaction per row.
BULK_LIMIT = 200
# Asks for, and bears, the address to go to instead of a redirect.
DIALOG = "X-Dialog"


def way_back(request) -> str:
    """The page of ours that somebody wants to return to, or ""."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    allowed = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if wanted and allowed else ""


@dataclass(frozen=True)
class RecordAction:
    """One declared action. Immutable; nothing of a request is ever kept on it.

    `done` is what is said afterwards, before the record's name.
    """

    label: str
    verb: str
    service: Callable
    form: type | None = None
    icon: str = ""
    variant: str = "default"
    confirm: str = ""
    done: str = ""
    available: Callable[[Any], bool] = lambda obj: True
    bulk: bool = False
    # record -> the visits to come that it would leave behind; they are named before it is done.
    effect: Callable[[Any], Any] | None = None
    # A dialog shows what the page has scripts for; a form with its own media opens as a page.
    dialog: bool = True
    # Refusal code -> verb that lets somebody go on; a code without an entry is its own verb.
    acceptance: dict[str, str] = field(default_factory=dict)
    name: str = ""

    def __set_name__(self, owner, name):
        object.__setattr__(self, "name", name)

    @property
    def asks(self) -> bool:
        """Does it want an answer (a form, a confirmation) before it runs?"""
        return self.form is not None or bool(self.confirm)

    @property
    def button(self) -> str:
        """The look of the button that does it, at the end of its form."""
        return "danger" if self.variant == "danger" else "primary"

    @conflicts.retried
    def run(self, obj, by, **arguments):
        """The one service call, whole or not at all."""
        with transaction.atomic():
            return self.service(obj, by=by, **arguments)

    def accepted(self, acceptance, arguments) -> dict:
        """accept= and reason= for a service that knows them; elsewhere nothing can be gone past: it was forged."""
        if not acceptance.codes:
            return {}
        if "accept" not in inspect.signature(self.service).parameters:
            raise PermissionDenied
        # A form that asks for the reason itself has asked already.
        return acceptance.arguments(arguments.get("reason", ""))

    def build_form(self, request, obj, data=None):
        if self.form is None:
            return None
        initial = None if data is not None else {key: request.GET[key] for key in request.GET if key != "next"}
        return self.form(data, initial=initial or None, obj=obj, request=request)


def record_action(label, *, verb, service, **options) -> RecordAction:
    """Declare an action; see RecordAction for the options: form, icon, variant (default, primary, danger), confirm,
    done ("Checked in"; without it the label), available, bulk, dialog, effect, acceptance."""
    return RecordAction(label=label, verb=verb, service=service, **options)


class RecordActions:
    """The part of ClinicAdmin that serves record actions."""

    record_action_template = "admin/record_action.html"

    @property
    def record_actions(self) -> dict[str, RecordAction]:
        found = {}
        for klass in reversed(type(self).__mro__):
            found.update({name: value for name, value in vars(klass).items() if isinstance(value, RecordAction)})
            for name in vars(klass):
                if name in found and not isinstance(vars(klass)[name], RecordAction):
                    del found[name]
        return found

    def action_urls(self):
        return [
            path(
                f"<path:object_id>/do/{name}/",
                self.admin_site.admin_view(self._action_view(action)),
                name=self.action_url_name(name),
            )
            for name, action in self.record_actions.items()
        ]

    def action_url_name(self, name):
        return f"{self.opts.app_label}_{self.opts.model_name}_do_{name}"

    def action_url(self, obj, name, **query):
        url = reverse(f"{self.admin_site.name}:{self.action_url_name(name)}", args=[obj.pk])
        return f"{url}?{urlencode(query)}" if query else url

    def open_actions(self, request, obj):
        """What this person can do with this record now, as the page's buttons need it."""
        found = {
            name: action
            for name, action in self.record_actions.items()
            if scope.may(request, action.verb, obj) and action.available(obj)
        }
        loud = self.next_action(obj, found)
        return [
            {"action": action, "url": self.action_url(obj, name), "variant": "primary" if name == loud else "default"}
            for name, action in found.items()
        ]

    def next_action(self, obj, found):
        """The name of the one button of `found` that is loud, or None. What ends things is loud in its dialog only."""
        return next((name for name, action in found.items() if action.variant == "primary"), None)

    def in_words(self, record):
        """How a message names a record."""
        return str(record)

    def alternatives(self, request, obj, refusal):
        """(label, {field: value}) offered beside a refusal; a click repeats the request with these values."""
        return [(str(alternative), {}) for alternative in refusal.alternatives]

    def refusal_context(self, request, obj, refusal, verbs):
        """What templates/admin/refusal.html shows."""
        accepted = Acceptance.of(request)
        offered = self.alternatives(request, obj, refusal)
        return {
            "refusal": refusal,
            "refusal_way_past": way_past(request, refusal, obj, verbs),
            "refusal_effect": getattr(request, "_effect", None),
            # Refused in spite of it: only the reason was missing.
            "refusal_wants_reason": refusal.code in accepted.codes,
            "refusal_accepted": [code for code in accepted.codes if code != refusal.code],
            "refusal_reason": accepted.reason,
            "refusal_alternatives": [(label, urlencode(values)) for label, values in offered],
            "accept_name": ACCEPT,
            "reason_name": REASON,
            "instead_name": INSTEAD,
        }

    def _action_view(self, action):
        def view(request, object_id):
            obj = self.get_object_or_refuse(request, object_id, action.verb)
            if request.method == "POST":
                return self._do(request, action, obj)
            return self._ask(request, action, obj, action.build_form(request, obj))

        return view

    def _do(self, request, action, obj):
        accepted = Acceptance.of(request)
        accepted.check(request, obj, action.acceptance)
        form = action.build_form(request, obj, posted(request))
        if form is not None and not form.is_valid():
            return self._ask(request, action, obj, form)
        arguments = form.arguments() if hasattr(form, "arguments") else form.cleaned_data if form else {}
        try:
            result = action.run(obj, actor.current(), **{**arguments, **action.accepted(accepted, arguments)})
        except REFUSALS as error:
            refusal = refusal_of(error)
            # The service may have changed the instance before it refused.
            obj = self.get_object_or_refuse(request, str(obj.pk), action.verb)
            if form is not None:
                refusal.blame(form)
            return self._ask(request, action, obj, form, refusal)
        self.message_user(request, self.action_done(request, action, result or obj), messages.SUCCESS)
        address = self._after(request, result if isinstance(result, self.model) else obj)
        if DIALOG in request.headers:
            # The script must not fetch the page: what is said there is said once.
            return HttpResponse(status=204, headers={DIALOG: address})
        return HttpResponseRedirect(address)

    def action_done(self, request, action, result):
        """What is said afterwards; `result` is what the service returned."""
        return _("%(what)s: %(record)s") % {"what": action.done or action.label, "record": self.in_words(result)}

    def _after(self, request, obj):
        if wanted := way_back(request):
            return wanted
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}"
        # What was done may have moved the record out of the person's sight.
        if self.get_queryset(request).filter(pk=obj.pk).exists():
            return reverse(f"{name}_change", args=[obj.pk])
        return reverse(f"{name}_changelist")

    def _ask(self, request, action, obj, form, refusal=None):
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": capfirst(str(action.label)),
            "opts": self.opts,
            "action": action,
            "original": obj,
            "form": form,
            "media": form.media if form else "",
            "next": request.POST.get("next") or request.GET.get("next") or "",
            "runnable": action.available(obj),
        }
        if action.effect is not None and context["runnable"]:
            context["effect"] = Effect.read(request, action.effect(obj))
        if refusal is not None:
            context.update(self.refusal_context(request, obj, refusal, action.acceptance))
        return TemplateResponse(request, self.record_action_template, context)

    # In bulk

    def get_actions(self, request):
        """Bulk actions of the list: the record actions that say so. Nothing deletes in bulk."""
        return {
            f"do_{name}": (self._bulk(action), f"do_{name}", action.label)
            for name, action in self.record_actions.items()
            if action.bulk and scope.may(request, action.verb, self.model)
        }

    def _bulk(self, action):
        def run(admin, request, queryset):
            rows = list(queryset[: BULK_LIMIT + 1])
            if len(rows) > BULK_LIMIT:
                message = _("At most %d records at once; nothing was done.") % BULK_LIMIT
                return admin.message_user(request, message, messages.ERROR)
            return admin.report_bulk(request, [admin.do_one(request, action, row) for row in rows])

        return run

    def do_one(self, request, action, obj):
        """Run an action on one row of many. Returns (object, reason why not)."""
        if not scope.may(request, action.verb, obj):
            return obj, _("you may not")
        if not action.available(obj):
            return obj, _("not possible now")
        try:
            action.run(obj, actor.current())
        except REFUSALS as error:
            return obj, refusal_of(error).message
        return obj, ""

    def report_bulk(self, request, outcomes):
        refused = [f"{self.in_words(obj)}: {reason}" for obj, reason in outcomes if reason]
        done = len(outcomes) - len(refused)
        if done:
            self.message_user(request, ngettext("%d done.", "%d done.", done) % done, messages.SUCCESS)
        if refused:
            count = ngettext("%d refused:", "%d refused:", len(refused)) % len(refused)
            self.message_user(request, f"{count} {'; '.join(refused)}", messages.WARNING)
