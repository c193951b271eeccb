"""ClinicAdmin, the one base of every screen, and its inlines."""

from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import unquote
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, StackedInline, TabularInline

from clinic import actor
from clinic.admin.base.actions import RecordActions
from clinic.admin.base.export import Exports
from clinic.admin.base.forms import ClinicForm, PlainFields, RowsTogether, native, readable
from clinic.admin.base.history import HistoryPage
from clinic.admin.base.importing import Imports
from clinic.admin.base.paging import CappedPaginator, PagedChangeList
from clinic.admin.base.refusals import REFUSALS, Acceptance, posted, refusal_of
from clinic.admin.base.scope import ScopedInline, ScopedObjects
from clinic.database import conflicts
from clinic.models.base import Retirable, TranslatedField
from clinic.services import audit


class ClinicAdmin(ScopedObjects, PlainFields, RecordActions, HistoryPage, Exports, Imports, ModelAdmin):
    """One model's screens. Subclasses say what is shown, which service saves, and which record actions there are.

    Hooks: `store` (the one write), `acceptance` (refusal code -> verb that lets somebody go past it),
    `looks_are_recorded`, `stays_after_adding`, `empty` (what an empty list says), `add_label` (what adding is called),
    `export_fields`, `natural_key` (what a record is found by in spreadsheets), `importable`.
    """

    form = ClinicForm
    formfield_overrides = native(ModelAdmin.formfield_overrides)
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_disable_select_all = True
    # Counting every choice of every filter reads the table as often.
    show_facets = ShowFacets.NEVER
    list_filter_sheet = True
    save_on_top = False
    change_list_template = "admin/change_list.html"
    change_form_template = "admin/change_form.html"

    empty = ""
    add_label = ""
    acceptance: dict[str, str] = {}
    looks_are_recorded = False
    stays_after_adding = False

    @property
    def retirable(self) -> bool:
        return issubclass(self.model, Retirable)

    # Addresses

    def get_urls(self):
        # Ours first: Django's "<path:object_id>/" would swallow them.
        pages = [*self.action_urls(), *self.export_urls(), *self.import_urls(), *super().get_urls()]
        return [page for page in pages if self.keeps_history or not str(page.name).endswith("_history")]

    def get_changelist(self, request, **kwargs):
        return PagedChangeList

    # What the audit trail is told

    def record_look(self, obj):
        """Every page that shows the record says so, also one shown again because something was wrong."""
        if self.looks_are_recorded:
            audit.looked(obj, by=actor.current())

    def _ask(self, request, action, obj, *args, **kwargs):
        self.record_look(obj)
        return super()._ask(request, action, obj, *args, **kwargs)

    def get_changelist_instance(self, request):
        changes = super().get_changelist_instance(request)
        if self.looks_are_recorded and changes.query.strip():
            audit.searched(self.model, changes.query, by=actor.current())
        return changes

    # Writing

    def store(self, request, obj, form, change, by, **accepted):
        """Save the record by its service. `accepted` holds accept= and reason= when somebody goes past a refusal."""
        obj.save()

    def save_model(self, request, obj, form, change):
        self.store(request, obj, form, change, actor.current(), **Acceptance.of(request).arguments())

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        # Made for this request a line above: another class below it would make every field again.
        form.refusal = getattr(request, "_refusal", None)
        return form

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        texts = {field.name: _in_words(field) for field in self.opts.fields if isinstance(field, TranslatedField)}
        return [
            (title, {**options, "fields": [texts.get(name, name) for name in options["fields"]]})
            for title, options in fieldsets
        ]

    def suggestion(self, obj):
        """How an autocomplete names a record; more than its name where names repeat."""
        return str(obj)

    def get_changeform_initial_data(self, request):
        """What an address may fill in beforehand: inputs of the form's own, and what the column itself understands."""
        asked = super().get_changeform_initial_data(request)
        own = {name: value for name, value in asked.items() if name in self.form.declared_fields}
        return {**readable(self.model, asked), **own}

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        extra = {**(extra_context or {}), **self._buttons(request, object_id)}
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra)
        subject = self._subject(request, object_id)
        Acceptance.of(request).check(request, subject, self.acceptance)
        request.POST = posted(request)
        try:
            return self.submit(request, object_id, form_url, extra)
        except REFUSALS as error:
            # Django's transaction is over: what was refused is undone as a whole, and the form says why.
            request._refusal = refusal_of(error)
        # The panel says it; the theme's "correct the errors below" would say it again.
        extra.update(self.refusal_context(request, subject, request._refusal, self.acceptance), errors=None)
        return super().changeform_view(request, object_id, form_url, extra)

    def submit(self, request, object_id, form_url, extra):
        """Take in what was posted. Django's view is one transaction; what contention undoes is tried again from its
        start."""
        return conflicts.retried(super().changeform_view)(request, object_id, form_url, extra)

    def _subject(self, request, object_id):
        if object_id is None:
            return self.model()
        return self.get_object_or_refuse(request, object_id, "change")

    def _buttons(self, request, object_id):
        obj = self.get_object(request, unquote(object_id)) if object_id and self.record_actions else None
        return {"record_actions": self.open_actions(request, obj) if obj is not None else []}

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj is not None:
            self.record_look(obj)
        context.setdefault("show_save_and_add_another", False)
        context["show_history"] = self.keeps_history
        return super().render_change_form(request, context, add=add, change=change, form_url=form_url, obj=obj)

    def response_post_save_add(self, request, obj):
        if not self.stays_after_adding:
            return super().response_post_save_add(request, obj)
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[obj.pk]))

    def delete_view(self, request, object_id, extra_context=None):
        # Before Django's transaction, which would take back what the trail keeps of a refusal.
        self.get_object_or_refuse(request, object_id, "delete")
        try:
            return super().delete_view(request, object_id, extra_context)
        except REFUSALS as error:
            self.message_user(request, refusal_of(error).message, "ERROR")
            name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(name, args=[unquote(object_id)]))

    # Django's own log would keep names of patients outside the scope; history and audit trail know more.

    def log_addition(self, request, obj, message):
        return None

    def log_change(self, request, obj, message):
        return None

    def log_deletions(self, request, queryset):
        return []

    # Lists

    def changelist_view(self, request, extra_context=None):
        extra = {
            "title": capfirst(str(self.opts.verbose_name_plural)),
            "has_export_permission": self.has_export_permission(request),
            "has_import_permission": self.has_import_permission(request),
            **(extra_context or {}),
        }
        return super().changelist_view(request, extra)

    def get_list_display(self, request):
        shown = [*super().get_list_display(request)]
        return [*shown, "inactive_mark"] if self.retirable else shown

    def inactive_mark(self, obj):
        return "" if obj.active else inactive_badge()

    inactive_mark.short_description = ""

    def shows_periods(self, request):
        """Is the list narrowed by years, months and days? Asked where there is a `date_hierarchy`."""
        return True

    def empty_text(self):
        return self.empty or _("Nothing here yet.")


def _in_words(field):
    """A translated column for those who only read it; the theme would show the JSON."""

    def words(obj):
        return str(getattr(obj, field.name)) or "—"

    words.short_description = field.verbose_name
    return words


def inactive_badge():
    return format_html('<span class="desk-inactive">{}</span>', _("inactive"))


class _Inline(ScopedInline, PlainFields):
    formfield_overrides = native(TabularInline.formfield_overrides)
    form = ClinicForm
    formset = RowsTogether
    extra = 0
    show_change_link = False
    show_title = False


class ClinicTabularInline(_Inline, TabularInline):
    """Rows of a child model in a table below the form."""


class ClinicStackedInline(_Inline, StackedInline):
    """Rows of a child model, each as a small form."""
