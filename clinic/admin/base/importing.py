"""A spreadsheet into records: rehearsed first, then done exactly as rehearsed, all or nothing.

Nothing is stored in between: the page carries the rows, signed for this person and screen, and they are checked anew.
"""

import dataclasses

import tablib
from django import forms
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.db import transaction
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from unfold.widgets import UnfoldAdminFileFieldWidget

from clinic import actor
from clinic.admin.base import intake
from clinic.database import conflicts
from clinic.exceptions import RuleBroken
from clinic.services import audit
from clinic.services.exchange import spreadsheet
from clinic.services.exchange.spreadsheet import Sheet

CARRIED = "carried"
# A form field of Django's may be two and a half million bytes long.
CARRIED_BYTES = 2_000_000
HOLDS_SECONDS = 60 * 60
SHOWN = 100


class Kept(FileUploadHandler):
    """Keeps what one spreadsheet may weigh in memory and lets the rest go by: nothing is written to the disk."""

    kept = 0

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        self.content = b""

    def receive_data_chunk(self, raw_data, start):
        # One byte too many says that there was more.
        chunk = raw_data[: max(spreadsheet.FILE_BYTES + 1 - self.kept, 0)]
        self.kept += len(chunk)
        self.content += chunk

    def file_complete(self, file_size):
        return SimpleUploadedFile(self.file_name, self.content, self.content_type)


class ImportForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".xlsx,.csv,.tsv,.txt"}),
        allow_empty_file=True,
        max_length=200,
    )


class Imports:
    """The import page of ClinicAdmin, on screens that are `importable`. Records are found by `natural_key`."""

    importable = False
    natural_key: tuple[str, ...] = ()

    def import_urls(self):
        if not self.importable:
            return []
        name = f"{self.opts.app_label}_{self.opts.model_name}_import"
        view = self.admin_site.admin_view(self.import_view)

        # Exempt only until the handler of files is chosen, which must come first: admin_view asks for the token.
        @csrf_exempt
        def with_small_files(request):
            request.upload_handlers = [Kept(request)]
            return view(request)

        return [path("import/", with_small_files, name=name)]

    def import_view(self, request):
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
        rehearsal = {}
        try:
            if CARRIED in request.POST:
                form = ImportForm()
                sheet, rehearsed = self._carried(request)
                rehearsal = self._import(request, sheet, rehearsed)
                if rehearsal is None:
                    return HttpResponseRedirect(reverse(self._changelist()))
            elif request.method == "POST" and form.is_valid():
                file = form.cleaned_data["file"]
                sheet = spreadsheet.read(file.name[:80], file.read())
                rehearsal = self._import(request, sheet)
        except RuleBroken as error:
            rehearsal = {"refusal": error}
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import"),
            "opts": self.opts,
            "form": form,
            "columns": [column.label() for column in intake.importable_columns(self, request)],
            "key": self._key_labels(request),
            "rows_at_most": spreadsheet.ROWS,
            "has_export_permission": self.has_export_permission(request),
            **rehearsal,
        }
        return TemplateResponse(request, "admin/import.html", context)

    def _changelist(self):
        return f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist"

    def _key_labels(self, request):
        named = {}
        for column in intake.importable_columns(self, request):
            if column.attribute in self.natural_key:
                named.setdefault(column.attribute, column.label())
        return [named[name] for name in self.natural_key]

    @conflicts.retried
    def _import(self, request, sheet, rehearsed=""):
        """Rehearse, or do what was rehearsed. Returns what the page shows; None when it is done."""
        columns, aside = intake.matched(self, request, sheet)
        labels = [column.column_name for column in columns.values()]
        rows = [[cells[place] if place < len(cells) else "" for place in columns] for _number, cells in sheet.rows]
        dataset = tablib.Dataset(*rows, headers=labels)
        by = dataclasses.replace(actor.current(), purpose=_("Import: %s") % sheet.name)
        with actor.acting(by), transaction.atomic():
            taken = intake.intake_of(self, request, sheet, columns, by)
            taken.import_data(dataset, rollback_on_validation_errors=True)
            done = bool(rehearsed) and rehearsed == taken.fingerprint() and not taken.count(intake.WRONG)
            if done:
                counts = f"+{taken.count(intake.NEW)} ~{taken.count(intake.CHANGED)} ={taken.count(intake.SAME)}"
                audit.noted("import", by=by, model=self.opts.model_name, purpose=f"{sheet.name} {counts}")
            else:
                transaction.set_rollback(True)
        if done:
            self.message_user(request, self._summary(taken))
            return None
        return self._rehearsal(request, sheet, taken, aside, rehearsed)

    def _summary(self, taken):
        counts = {kind: taken.count(kind) for kind in (intake.NEW, intake.CHANGED, intake.SAME)}
        return _("Imported: %(new)d new, %(changed)d changed, %(same)d unchanged.") % counts

    def _rehearsal(self, request, sheet, taken, aside, rehearsed):
        wrong = [row for row in taken.outcomes if row.errors]
        works = [row for row in taken.outcomes if row.kind in (intake.NEW, intake.CHANGED)]
        return {
            "sheet": sheet,
            "counts": {kind: taken.count(kind) for kind in (intake.NEW, intake.CHANGED, intake.SAME, intake.WRONG)},
            "wrong": wrong[:SHOWN],
            "works": works[:SHOWN],
            "shown": SHOWN,
            "aside": aside,
            # Between rehearsal and import somebody else saved something: nothing is done unseen.
            "overtaken": bool(rehearsed),
            "carried": self._carry(request, sheet, taken) if works and not wrong else "",
        }

    # From the rehearsal to the import

    def _salt(self, request):
        return f"import:{self.opts.label_lower}:{request.user.pk}"

    def _carry(self, request, sheet, taken):
        told = [sheet.name, sheet.headers, sheet.rows, taken.fingerprint()]
        carried = signing.dumps(told, salt=self._salt(request), compress=True)
        if len(carried) > CARRIED_BYTES:
            raise RuleBroken("file_large", spreadsheet.too_much())
        return carried

    def _carried(self, request):
        try:
            told = signing.loads(request.POST[CARRIED], salt=self._salt(request), max_age=HOLDS_SECONDS)
        except signing.BadSignature as error:
            sentence = _("This rehearsal is over, and nothing was imported: choose the file again.")
            raise RuleBroken("rehearsal_over", sentence) from error
        name, headers, rows, fingerprint = told
        return Sheet(name, headers, [(number, cells) for number, cells in rows]), fingerprint
