"""What became of a record: its versions, field by field, before and after. Reading only; nothing is ever put back."""

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import permissions
from clinic.models import User
from clinic.models.base import TranslatedField

PER_PAGE = 20
SECRET = {"password"}
# Written by the machine beside every change; nobody asks for these.
NOISE = {"updated_at", "search", "last_login", "version"}


@dataclass(frozen=True)
class Change:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Version:
    at: object
    who: str
    what: str
    changes: list


def tracked_fields(model):
    """The columns of a model that history keeps and people read."""
    kept = {field.name for field in model.history.model.tracked_fields}
    return [
        field
        for field in model._meta.concrete_fields
        if field.name in kept
        and not field.primary_key
        and not field.generated
        and field.name not in NOISE
        and not isinstance(field, models.UUIDField)
    ]


class Describer:
    """Turns column values into words; reads the names behind foreign keys once per model, within the scope."""

    def __init__(self, user, fields, pairs):
        wanted: dict[type, set] = {}
        for field in fields:
            if field.is_relation:
                keys = {getattr(row, field.attname) for pair in pairs for row in pair if row is not None}
                wanted.setdefault(field.related_model, set()).update(keys - {None})
        self.names = {
            model: {row.pk: str(row) for row in permissions.visible(user, model._default_manager.filter(pk__in=keys))}
            for model, keys in wanted.items()
            if keys
        }

    def words(self, field, row) -> str:
        if row is None:
            return ""
        value = getattr(row, field.attname)
        if value is None or value == "":
            return ""
        if field.name in SECRET:
            return "•••"
        if field.is_relation:
            return self.names.get(field.related_model, {}).get(value, f"#{value}")
        return _plain(field, value)

    def changes(self, fields, before, after) -> list[Change]:
        found = []
        for field in fields:
            old = getattr(before, field.attname) if before is not None else None
            new = getattr(after, field.attname) if after is not None else None
            if old != new and not (before is None and new in (None, "", [])):
                label = capfirst(str(field.verbose_name))
                found.append(Change(label, self.words(field, before), self.words(field, after)))
        return found


def _plain(field, value) -> str:
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, models.DateTimeField):
        return formats.date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
    if isinstance(field, models.DateField):
        return formats.date_format(value, "SHORT_DATE_FORMAT")
    if isinstance(field, TranslatedField):
        return " · ".join(f"{language}: {text}" for language, text in value.items())
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)


def before_and_after(user, model, before, after) -> list[Change]:
    """The changes between two history rows of `model`; either may be None (made, deleted)."""
    fields = tracked_fields(model)
    return Describer(user, fields, [(before, after)]).changes(fields, before, after)


WHAT = {"+": gettext_lazy("created"), "~": gettext_lazy("changed"), "-": gettext_lazy("deleted")}


class HistoryPage:
    """The history page of ClinicAdmin: GET only, of a record within the person's scope."""

    @property
    def keeps_history(self) -> bool:
        return hasattr(self.model, "history")

    def history_view(self, request, object_id, extra_context=None):
        obj = self.get_object_or_refuse(request, object_id)
        if not self.keeps_history:
            raise Http404
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        self.record_look(obj)
        page = Paginator(obj.history.order_by("-history_id"), PER_PAGE).get_page(request.GET.get("p"))
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": _("History"),
            "opts": self.opts,
            "original": obj,
            "page": page,
            "versions": self.versions(request, obj, page),
        }
        return TemplateResponse(request, "admin/object_history.html", context)

    def versions(self, request, obj, page) -> list[Version]:
        rows = list(page.object_list)
        # The version before the oldest one shown is what that one is compared with.
        older = obj.history.filter(history_id__lt=rows[-1].history_id).order_by("-history_id").first() if rows else None
        pairs = list(zip([*rows[1:], older], rows, strict=True)) if rows else []
        fields = tracked_fields(self.model)
        describer = Describer(request.user, fields, pairs)
        who = self._people(rows)
        return [
            Version(
                row.history_date,
                who.get(row.history_user_id, _("the system")),
                str(WHAT.get(row.history_type, row.history_type)),
                describer.changes(fields, before, row),
            )
            for before, row in pairs
        ]

    def _people(self, rows) -> dict:
        return {user.pk: str(user) for user in User.objects.filter(pk__in={row.history_user_id for row in rows})}
