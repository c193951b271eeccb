"""The list that somebody sees, filtered and sorted as they see it, as a spreadsheet. Recorded before it leaves."""

import re
from datetime import date, datetime

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpResponse, HttpResponseBadRequest
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export import fields, resources
from import_export.formats.base_formats import CSV, XLSX

from clinic import actor
from clinic.admin.base.forms import dress
from clinic.admin.base.history import NOISE, SECRET
from clinic.services import audit

FORMATS = {"csv": CSV, "xlsx": XLSX}
# What a request can carry: larger exports belong in the queue.
LIMIT = 20_000

# A cell that starts like this is a formula, or becomes one after the spreadsheet has trimmed it.
_FORMULA = re.compile(r"^[\s\x00-\x1f]*[=+\-@\t\r\n＝＋－＠]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def harmless(text: str) -> str:
    """The text as a spreadsheet may read it: what looks like a formula gets an apostrophe in front."""
    text = _UNPRINTABLE.sub("�", text)
    return f"'{text}" if _FORMULA.match(text) else text


def cell(value):
    """One value as a cell. None stays empty; numbers stay numbers; moments are told by the clinic's clock."""
    if value is None or isinstance(value, bool):
        return {None: None, True: _("yes"), False: _("no")}[value]
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple):
        value = ", ".join(str(item) for item in value)
    return harmless(str(value))


class Column(fields.Field):
    """One column: what people read (the label of a choice, the name of a related record)."""

    def __init__(self, name, model_field):
        super().__init__(attribute=name, column_name=capfirst(str(model_field.verbose_name)), readonly=True)
        self.model_field = model_field

    def export(self, instance, **kwargs):
        name = self.model_field.name
        if self.model_field.choices:
            return cell(getattr(instance, f"get_{name}_display")())
        value = getattr(instance, name)
        if isinstance(self.model_field, models.DecimalField):
            return value
        return cell(value if not isinstance(value, models.Model | dict) else str(value))


def resource_for(model, names=()):
    """The export resource of a model: the named columns, or every one that people read."""
    columns = [
        field
        for field in model._meta.concrete_fields
        if (field.name in names if names else not field.generated and field.name not in NOISE | SECRET)
    ]
    order = [field.name for field in columns]
    meta = type("Meta", (), {"model": model, "fields": order, "export_order": order})
    declared = {field.name: Column(field.name, field) for field in columns}
    related = [field.name for field in columns if field.is_relation]
    made = type(f"{model.__name__}Export", (resources.ModelResource,), {"Meta": meta, **declared})
    made.related = related
    return made


class ExportForm(forms.Form):
    format = forms.ChoiceField(
        label=gettext_lazy("Format"), choices=[("xlsx", gettext_lazy("Excel")), ("csv", gettext_lazy("CSV"))]
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        dress(self.fields["format"])


class Exports:
    """The export page of ClinicAdmin. `export_fields` names the columns; empty means all that people read."""

    export_fields = ()

    def export_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export_view), name=name)]

    def export_view(self, request):
        if not (self.has_export_permission(request) and self.has_view_permission(request)):
            raise PermissionDenied
        try:
            changes = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseBadRequest()
        form = ExportForm(request.POST or None)
        if changes.result_count and request.method == "POST" and form.is_valid():
            count = changes.queryset.order_by()[: LIMIT + 1].count()
            if count <= LIMIT:
                return self._file(request, changes.queryset, form.cleaned_data["format"], count)
            form.add_error(None, _("More than %d rows: narrow the list with a filter first.") % LIMIT)
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": _("Export"),
            "opts": self.opts,
            "cl": changes,
            "form": form,
        }
        return TemplateResponse(request, "admin/export.html", context)

    def _file(self, request, queryset, kind, count):
        resource = resource_for(self.model, self.export_fields)()
        dataset = resource.export(queryset.select_related(*resource.related))
        audit.noted(
            "export",
            by=actor.current(),
            model=self.opts.model_name,
            purpose=f"{count} × {self.opts.model_name} {request.META.get('QUERY_STRING', '')}".strip()[:200],
        )
        # Not by the format's own export_data: its escaping turns numbers and empty cells into text.
        data = dataset.export(kind)
        if kind == "csv":
            # Without the mark Excel takes UTF-8 for something else.
            data = f"\ufeff{data}"
        response = HttpResponse(data, content_type=FORMATS[kind].CONTENT_TYPE)
        name = f"{self.opts.model_name}-{timezone.localdate():%Y-%m-%d}.{kind}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
