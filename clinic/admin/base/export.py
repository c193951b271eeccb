"""The list that somebody sees, filtered and sorted as they see it, as a spreadsheet. Recorded before it leaves."""

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBadRequest
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.formats.base_formats import CSV, XLSX

from clinic import actor
from clinic.admin.base.columns import resource_for
from clinic.admin.base.forms import dress
from clinic.services import audit

FORMATS = {"csv": CSV, "xlsx": XLSX}
# What a request can carry: larger exports belong in the queue.
LIMIT = 20_000


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
        dataset = resource.export(resource.with_related(queryset))
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
