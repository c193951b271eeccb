"""The patient's screen: found by name, phone, e-mail, number or birth date; registered without doubles."""

import datetime as dt
import re

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from clinic import actor, permissions
from clinic.admin.base import ActionForm, RetirableAdmin, record_action
from clinic.admin.base.actions import way_back
from clinic.admin.base.forms import DATE_FORMATS
from clinic.admin.base.paging import CAP
from clinic.admin.base.scope import may
from clinic.exceptions import RuleBroken
from clinic.models import Appointment, Patient
from clinic.services import audit, patients

VISITS_SHOWN = 10


def as_birth_date(text: str) -> dt.date | None:
    """The day that `text` means in one of the usual writings (day first), or None."""
    text = re.sub(r"\s+", " ", text.strip())
    for pattern in DATE_FORMATS:
        try:
            day = dt.datetime.strptime(text, pattern).date()  # noqa: DTZ007  (a day has no zone)
        except ValueError:
            continue
        if day > timezone.localdate():
            # Two digits of a year: nobody is born tomorrow.
            day = day.replace(year=day.year - 100) if "%y" in pattern else day
        return day
    return None


def age_on(birth: dt.date, day: dt.date) -> int:
    """Full years on that day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


class DeathForm(ActionForm):
    on = forms.DateField(label=_("Deceased on"))


@admin.register(Patient)
class PatientAdmin(RetirableAdmin):
    list_display = ["__str__", "birth", "mobile", "phone", "email", "number"]
    list_filter = ["active", "sex"]
    sortable_by = ["birth", "number"]
    search_fields = ["search"]
    search_help_text = _("Name, phone, e-mail, number or birth date")
    empty = _("No patients yet. Register the first one.")
    acceptance = {"duplicate": "add"}
    looks_are_recorded = True
    change_form_template = "admin/patients/change_form.html"
    stays_after_adding = True
    readonly_fields = ["number", "deceased_on", "created_at"]
    fieldsets = [
        (None, {"fields": ["family_name", "given_name", "birth_on", "sex", "gender"]}),
        (_("Contact"), {"fields": ["mobile", "phone", "email", "language"]}),
        (_("Address"), {"fields": ["address", "postal_code", "city", "province", "country"]}),
        (_("In an emergency"), {"fields": ["emergency_name", "emergency_phone", "emergency_relation"]}),
        (_("More"), {"fields": ["family_doctor", "employer", "desk_note"]}),
    ]
    record_death = record_action(
        _("Record death"),
        verb="change",
        service=patients.record_death,
        form=DeathForm,
        icon="deceased",
        available=lambda patient: patient.deceased_on is None,
        acceptance={"future_visits": "change"},
    )
    undo_death = record_action(
        _("Undo record of death"),
        verb="change",
        service=patients.undo_death,
        icon="undo",
        confirm=_("The record becomes active again."),
        available=lambda patient: patient.deceased_on is not None,
    )

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        patient = self.get_object(request, unquote(object_id)) if object_id else None
        extra = {}
        if patient is not None:
            visits = permissions.visible(request.user, patient.appointments.all())
            extra = {
                "visits": visits.select_related("service", "practitioner").order_by("-start_at")[:VISITS_SHOWN],
                "may_book": patient.active and may(request, "book", Appointment),
            }
        return super().changeform_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def response_post_save_add(self, request, obj):
        """Back to the form that wanted a new patient, with the patient filled in."""
        if wanted := way_back(request):
            return HttpResponseRedirect(f"{wanted}{'&' if '?' in wanted else '?'}patient={obj.pk}")
        return super().response_post_save_add(request, obj)

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            return self.fieldsets
        record = [*(["deceased_on"] if obj.deceased_on else []), "number", "created_at"]
        return [*self.fieldsets, (_("Record"), {"fields": record})]

    def store(self, request, obj, form, change, by, **accepted):
        save = patients.update if change else patients.register
        try:
            save(obj, by=by, **accepted)
        except RuleBroken:
            request._twin = permissions.visible(request.user, patients.same_person(obj)).order_by("pk").first()
            raise

    def refusal_context(self, request, obj, refusal, verbs):
        context = super().refusal_context(request, obj, refusal, verbs)
        twin = getattr(request, "_twin", None)
        if twin is not None and refusal.code == "duplicate":
            url = reverse("admin:clinic_patient_change", args=[twin.pk])
            context["refusal_link"] = (url, _("Open the record of %(name)s") % {"name": twin})
        return context

    def suggestion(self, patient):
        """Two people of one name differ in birth date or number."""
        birth = date_format(patient.birth_on, "SHORT_DATE_FORMAT") if patient.birth_on else ""
        return " · ".join(filter(None, (str(patient), birth, str(patient.number))))

    @admin.display(description=_("birth date"), ordering="birth_on")
    def birth(self, patient):
        if patient.birth_on is None:
            return "—"
        return (
            f"{date_format(patient.birth_on, 'SHORT_DATE_FORMAT')} ({age_on(patient.birth_on, timezone.localdate())})"
        )

    def get_search_results(self, request, queryset, search_term):
        day = as_birth_date(search_term)
        queryset, duplicates = super().get_search_results(request, queryset, "")
        if search_term.strip() and request.resolver_match.url_name == "autocomplete":
            # Lists tell the trail themselves.
            audit.searched(Patient, search_term, by=actor.current())
        if day:
            return queryset.filter(birth_on=day), duplicates
        if not search_term.strip():
            return queryset, duplicates
        # Found by the index first, then sorted: in the order of names the planner would look for them one by one.
        found = [row["pk"] for row in queryset.matching(search_term).newest_keys()[: CAP + 1]]
        return queryset.filter(pk__in=found), duplicates

    def changelist_view(self, request, extra_context=None):
        response = super().changelist_view(request, extra_context)
        found = getattr(response, "context_data", {}).get("cl")
        if request.method == "GET" and found is not None and found.query and found.result_count == 1:
            # Who searches and finds exactly one wants to see it.
            return HttpResponseRedirect(reverse("admin:clinic_patient_change", args=[found.result_list[0].pk]))
        return response
