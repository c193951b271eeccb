"""What each role may do, in plain words, read from the table that decides it."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from clinic.permissions import APP, ROLES, Role

# In the order in which people meet them. A verb without a word fails the test of this page.
VERBS = {
    "view": pgettext_lazy("may", "see"),
    "add": pgettext_lazy("may", "add"),
    "change": pgettext_lazy("may", "change"),
    "delete": pgettext_lazy("may", "delete"),
    "import": pgettext_lazy("may", "import"),
    "export": pgettext_lazy("may", "export"),
    "book": pgettext_lazy("may", "book"),
    "walk_in": pgettext_lazy("may", "take in walk-ins"),
    "approve": pgettext_lazy("may", "approve requests"),
    "decline": pgettext_lazy("may", "decline requests"),
    "confirm": pgettext_lazy("may", "confirm"),
    "move": pgettext_lazy("may", "move"),
    "cancel": pgettext_lazy("may", "cancel"),
    "check_in": pgettext_lazy("may", "check in"),
    "start": pgettext_lazy("may", "start"),
    "complete": pgettext_lazy("may", "complete"),
    "mark_no_show": pgettext_lazy("may", "mark as no-show"),
    "undo": pgettext_lazy("may", "undo an arrival or a start"),
    "reopen": pgettext_lazy("may", "correct afterwards"),
    "overlap": pgettext_lazy("may", "book over somebody, with a reason"),
    "outside_hours": pgettext_lazy("may", "book outside hours, with a reason"),
    "past": pgettext_lazy("may", "book in the past, with a reason"),
}
# Parts of a visit, never met by themselves.
_PARTS = {"equipmentuse", "statuschange"}


@dataclass(frozen=True)
class Grant:
    """What one role may do with one kind of record; `whose` is empty where it holds for all of them."""

    whose: str
    verbs: str


def grants(role: Role, model: str) -> list[Grant]:
    found: dict[str, list[str]] = {}
    for grant in role.grants.get(model, "").split():
        name, _mark, setting = grant.partition("?")
        verb, _colon, own = name.partition(":")
        whose = "" if not own else _("own, if the settings allow") if setting else _("own")
        found.setdefault(whose, []).append(verb)
    order = list(VERBS)
    return [
        Grant(whose, " · ".join(str(VERBS[verb]) for verb in sorted(verbs, key=order.index)))
        for whose, verbs in found.items()
    ]


def table() -> list[tuple[str, list[list[Grant]]]]:
    """(kind of record, what each role may do with it), visits and patients first."""
    models = list(dict.fromkeys(model for role in ROLES.values() for model in role.grants if model not in _PARTS))
    models.sort(key=lambda model: model not in ("appointment", "patient"))
    return [
        (
            capfirst(str(apps.get_model(APP, model)._meta.verbose_name_plural)),
            [grants(role, model) for role in ROLES.values()],
        )
        for model in models
    ]


class RolesPage:
    """For UserAdmin: the table as a page, which the staff form leads to."""

    roles_help = gettext_lazy("What each role may do")

    def get_urls(self):
        view = self.admin_site.admin_view(self.roles_view)
        return [path("roles/", view, name="clinic_user_roles"), *super().get_urls()]

    def roles_view(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": self.roles_help,
            "opts": self.opts,
            "roles": list(ROLES.values()),
            "rows": table(),
        }
        return TemplateResponse(request, "admin/team/roles.html", context)
