"""The audit page: who did what, when, to which record; before and after. Reading only."""

import datetime as dt

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.utils import flatten_fieldsets
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.contrib.filters.admin.mixins import DropdownMixin

from clinic.admin.base import ClinicAdmin
from clinic.admin.base.filters import DayRangeFilter
from clinic.admin.base.history import before_and_after
from clinic.admin.base.paging import OrderedPaginator
from clinic.admin.base.search import of_patients
from clinic.models import AuditEntry
from clinic.permissions import ROLES

# Entries get their numbers in the order of their moments, but for what transactions that ran side by side mixed up.
MIXED_UP = 10_000


def kind_of(name):
    """The model that an entry names; None for sign-ins and models of the past."""
    try:
        return apps.get_model("clinic", name) if name else None
    except LookupError:
        return None


class MomentFilter(DayRangeFilter):
    """Bounds the numbers of entries as well as their moments: lists go by number, and so do the other filters."""

    def queryset(self, request, queryset):
        first, last = (self.days[name] for name in self.expected_parameters())
        queryset = super().queryset(request, queryset)
        if first:
            number = self._number(first)
            if number is None:
                return queryset.none()
            queryset = queryset.filter(pk__gt=number - MIXED_UP)
        if last:
            number = self._number(last + dt.timedelta(days=1))
            if number is not None:
                queryset = queryset.filter(pk__lt=number + MIXED_UP)
        return queryset

    def _number(self, day):
        """The first entry at or after the beginning of that day."""
        later = AuditEntry.objects.filter(at__gte=self._start(day))
        return later.order_by("at").values_list("pk", flat=True).first()


class KindFilter(DropdownMixin, SimpleListFilter):
    title = _("kind of record")
    parameter_name = "model"

    def lookups(self, request, model_admin):
        kept = [model for model in apps.get_app_config("clinic").get_models() if hasattr(model, "history")]
        names = sorted((capfirst(str(model._meta.verbose_name)), model._meta.model_name) for model in kept)
        return [(name, label) for label, name in names]

    def queryset(self, request, queryset):
        return queryset.filter(model=self.value()) if self.value() else queryset

    def choices(self, changelist):
        form = self.form_class(
            label=_("By %(what)s") % {"what": self.title},
            name=self.parameter_name,
            choices=[self.all_option, *self.lookup_choices],
            data={self.parameter_name: self.value()},
            multiple=False,
        )
        yield {"form": form}


@admin.register(AuditEntry)
class AuditEntryAdmin(ClinicAdmin):
    list_display = ["at", "who", "verb", "record", "patient_link", "route", "ip"]
    list_display_links = ["at"]
    list_select_related = ["user", "patient"]
    list_filter = [
        ("at", MomentFilter),
        ("user", AutocompleteSelectFilter),
        ("verb", ChoicesDropdownFilter),
        KindFilter,
    ]
    list_filter_submit = True
    sortable_by = ["at"]
    paginator = OrderedPaginator
    list_fullwidth = True
    search_fields = ["patient"]
    search_help_text = _("Name, phone or number of a patient")
    empty = _("Nothing has been recorded yet.")
    export_fields = ("at", "actor_kind", "user", "role", "verb", "model", "row_id", "route", "ip", "purpose")
    fieldsets = [
        (None, {"fields": ["at", "who", "role_label", "verb", "record", "patient_link", "purpose"]}),
        (_("Before and after"), {"fields": ["changes"]}),
        (_("Where from"), {"fields": ["route", "ip", "agent"]}),
    ]

    def get_readonly_fields(self, request, obj=None):
        return flatten_fieldsets(self.fieldsets)

    def get_object(self, request, object_id, from_field=None):
        entry = super().get_object(request, object_id, from_field)
        if entry is not None:
            # `changes` below names records only within this person's scope.
            entry.reader = request.user
        return entry

    def get_search_results(self, request, queryset, search_term):
        if not search_term.strip():
            return queryset, False
        return of_patients(self, request, queryset, search_term), False

    @admin.display(description=_("who"), ordering="user")
    def who(self, entry):
        # The name is read with the list; somebody unknown to it is not one of the staff.
        return str(entry.user) if entry.user_id and entry.user else entry.get_actor_kind_display()

    @admin.display(description=_("role"))
    def role_label(self, entry):
        # The names of the roles then held, as the database wrote them down.
        return ", ".join(str(ROLES[name].label) if name in ROLES else name for name in entry.role.split(", ")) or "—"

    @admin.display(description=_("record"))
    def record(self, entry):
        model = kind_of(entry.model)
        label = capfirst(str(model._meta.verbose_name)) if model else entry.model or "—"
        if entry.row_id is None:
            return label
        try:
            url = reverse(f"admin:clinic_{entry.model}_change", args=[entry.row_id])
        except NoReverseMatch:
            return f"{label} {entry.row_id}"
        return format_html('<a class="desk-link" href="{}">{} {}</a>', url, label, entry.row_id)

    @admin.display(description=_("patient"))
    def patient_link(self, entry):
        if not entry.patient_id:
            return "—"
        url = reverse("admin:clinic_patient_change", args=[entry.patient_id])
        return format_html('<a class="desk-link" href="{}">{}</a>', url, entry.patient or entry.patient_id)

    @admin.display(description=_("changes"))
    def changes(self, entry):
        model = kind_of(entry.model)
        if model is None or entry.history_id is None or not hasattr(model, "history"):
            return "—"
        versions = model.history.model.objects.filter(id=entry.row_id, history_id__lte=entry.history_id)
        rows = list(versions.order_by("-history_id")[:2])
        if not rows or rows[0].history_id != entry.history_id:
            return "—"
        after, before = rows[0], rows[1] if len(rows) > 1 else None
        if entry.verb == AuditEntry.Verb.DELETE:
            before, after = after, None
        return render_to_string("admin/changes.html", {"changes": before_and_after(entry.reader, model, before, after)})
