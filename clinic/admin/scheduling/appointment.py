"""The appointment's screen: book with offered times, walk a visit through its day, find what nobody resolved."""

from django.contrib import admin
from django.forms import Script
from django.http import HttpResponseForbidden
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from clinic import permissions
from clinic.admin.base import ClinicAdmin
from clinic.admin.base.filters import DayRangeFilter
from clinic.admin.base.scope import may
from clinic.admin.scheduling import lists
from clinic.admin.scheduling.actions import VisitActions
from clinic.admin.scheduling.columns import VisitColumns
from clinic.admin.scheduling.forms import (
    BookingForm,
    DetailsForm,
    WalkInForm,
)
from clinic.admin.scheduling.times import Question, label_of, own_practitioners, value_of
from clinic.models import Appointment, Location, Patient
from clinic.services import scheduling

_S = Appointment.Status
WALK_IN = "walk_in"
REFERRAL = ["referring_doctor", "referral_reason", "referral_received_on"]


@admin.register(Appointment)
class AppointmentAdmin(VisitActions, VisitColumns, ClinicAdmin):
    list_display = ["when", "patient", "service", "practitioner", "site", "state"]
    list_display_links = ["when", "patient"]
    list_filter = [
        lists.ShowFilter,
        ("day", DayRangeFilter),
        "status",
        "location",
        ("practitioner", AutocompleteSelectFilter),
        ("service", AutocompleteSelectFilter),
        "source",
    ]
    list_filter_submit = True
    add_label = _("Book")
    search_fields = ["patient__search"]
    search_help_text = _("Patient’s name, phone, e-mail or number")
    looks_are_recorded = True
    stays_after_adding = True
    autocomplete_fields = ["patient", "service", "practitioner", "room"]
    change_list_template = "admin/scheduling/change_list.html"
    change_form_template = "admin/scheduling/change_form.html"
    export_fields = (
        "start_at",
        "end_at",
        "status",
        "patient",
        "service",
        "practitioner",
        "location",
        "room",
        "price_quoted",
        "source",
        "reason",
    )

    class Media:
        css = {"all": ["clinic/scheduling.css"]}
        # Waiting times that count on; comes with the browser libraries.
        js = [Script("vendor/@github/relative-time-element/dist/bundle.js", type="module")]

    def get_queryset(self, request):
        # List and page alike name all of these.
        return (
            super()
            .get_queryset(request)
            .select_related("patient", "service", "practitioner", "location__organization", "room")
        )

    # Rights that bear the verbs' own names

    def has_add_permission(self, request):
        return may(request, "walk_in" if WALK_IN in request.GET else "book", Appointment)

    # Addresses

    def get_urls(self):
        view = self.admin_site.admin_view(self.times_view)
        return [path("times/", view, name="clinic_appointment_times"), *super().get_urls()]

    def times_view(self, request):
        """The offered times alone, for the script of the form."""
        if not (may(request, "book", Appointment) or may(request, "move", Appointment)):
            return HttpResponseForbidden()
        question = Question.of(request.GET.get, request.user, moving=self._moving(request))
        context = {
            **question.offers(request.user, chosen=request.GET.get("slot", "")),
            "exclude": question.moving.pk if question.moving else "",
            "widget": {"name": "slot"},
        }
        return TemplateResponse(request, "admin/scheduling/times.html", context)

    def _moving(self, request):
        """The visit that is being moved, if this person may: without another's, its time would show."""
        number = request.GET.get("exclude", "")
        if not number.isdecimal() or len(number) > 18:
            return None
        movable = permissions.visible(request.user, Appointment.objects.all(), "move")
        return movable.filter(pk=int(number)).first()

    # Forms

    def get_form(self, request, obj=None, change=False, **kwargs):
        kwargs["form"] = DetailsForm if obj else WalkInForm if WALK_IN in request.GET else BookingForm
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"user": request.user})

    def get_fieldsets(self, request, obj=None):
        # A form that comes back is unfolded: what is wrong may be inside.
        folded = ["collapse"] if request.method == "GET" else []
        referral = (_("Referral"), {"fields": REFERRAL, "classes": folded})
        if obj is not None:
            facts = ["who", "when", "what", "with_whom", "where", "state", "price", "booked"]
            if obj.accepted or obj.overlap_reason:
                facts.append("exceptions")
            return [
                (None, {"fields": facts}),
                (_("Notes"), {"fields": ["reason", "desk_note"]}),
                referral,
                (_("What happened"), {"fields": ["changes"]}),
            ]
        if WALK_IN in request.GET:
            return [(None, {"fields": ["key", "patient", "service", "practitioner", "location", "reason"]})]
        return [
            (None, {"fields": ["key", "patient", "service", "practitioner", "location"]}),
            (_("Time"), {"fields": [("on", "part"), "slot"]}),
            (
                _("Another time or room"),
                {"fields": [("starts", "ends"), "room"], "classes": folded},
            ),
            (_("Notes"), {"fields": ["reason", "desk_note"]}),
            referral,
        ]

    def get_readonly_fields(self, request, obj=None):
        if obj is None:
            return []
        return ["who", "when", "what", "with_whom", "where", "state", "price", "booked", "exceptions", "changes"]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        if object_id is None:
            walk_in = WALK_IN in request.GET
            title = _("Somebody without an appointment") if walk_in else _("Book an appointment")
            extra_context = {"title": title, "walk_in": walk_in, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_changeform_initial_data(self, request):
        initial = super().get_changeform_initial_data(request)
        if "location" not in initial:
            mine = request.user.locations.filter(active=True).first() or Location.objects.active().first()
            initial["location"] = mine.pk if mine else None
        if permissions.scope(request.user, "book", Appointment) == permissions.OWN_ONLY:
            initial.setdefault("practitioner", own_practitioners(request.user).values_list("pk", flat=True).first())
        return initial

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "practitioner":
            kwargs["queryset"] = own_practitioners(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def store(self, request, obj, form, change, by, **accepted):
        if change:
            obj.save()
            return
        book = scheduling.walk_in if WALK_IN in request.GET else scheduling.book
        booked = book(obj, by=by, key=str(form.cleaned_data["key"]), **accepted)
        # A form that was sent twice answers with its first appointment.
        obj.__dict__.update(booked.__dict__)

    def alternatives(self, request, obj, refusal):
        if not refusal.alternatives:
            return []
        zones = {location.pk: location.zone for location in Location.objects.active()}
        if WALK_IN in request.GET:
            # The form has no time to lay it over: these are to read out.
            return [(label_of(slot, zones[slot.location_id]), {}) for slot in refusal.alternatives]
        return [
            (
                label_of(slot, zones[slot.location_id]),
                {
                    "slot": value_of(slot.start_at, slot.practitioner_id),
                    "on": slot.start_at.astimezone(zones[slot.location_id]).date().isoformat(),
                    "starts": "",
                    "ends": "",
                },
            )
            for slot in refusal.alternatives
        ]

    # The list

    def get_list_display(self, request):
        shown = super().get_list_display(request)
        if not any(may(request, verb, Appointment) for verb in ("check_in", "approve", "complete")):
            return shown

        here = request.get_full_path()

        def next_step(visit):
            return self._next_step(request, visit, here)

        next_step.short_description = _("next step")
        return [*shown, next_step]

    def _next_step(self, request, visit, here):
        """Buttons of the list's own form; each posts to the action's address and comes back here."""
        names = {
            _S.REQUESTED: ["approve"],
            _S.ARRIVED: ["start"],
            _S.IN_SESSION: ["complete"],
        }.get(visit.status, ["check_in"])
        if visit.end_at <= timezone.now() and visit.status in (_S.SCHEDULED, _S.CONFIRMED, _S.ARRIVED):
            names = ["complete", "mark_no_show"]
        found = self.record_actions
        return format_html_join(
            " ",
            '<button type="submit" class="desk-step" formaction="{}">{}</button>',
            (
                (self.action_url(visit, name, next=here), found[name].label)
                for name in names
                if may(request, found[name].verb, Appointment) and found[name].available(visit)
            ),
        )

    def get_ordering(self, request):
        return (
            ["start_at", "pk"]
            if lists.chosen(request) in (lists.TODAY, lists.COMING, lists.REQUESTS)
            else (
                "-start_at",
                "-pk",
            )
        )

    def get_search_results(self, request, queryset, search_term):
        if not search_term:
            return queryset, False
        # Found among patients by their index, then the visits of those few; never the other way round.
        return queryset.filter(patient__in=Patient.objects.matching(search_term).values("pk")), False

    def get_changelist_instance(self, request):
        changes = super().get_changelist_instance(request)
        if lists.is_plain(request):
            changes.empty_sentence = lists.EMPTY[lists.chosen(request)]
        return changes

    def changelist_view(self, request, extra_context=None):
        base = reverse("admin:clinic_appointment_changelist")
        shown = lists.chosen(request)
        extra = {
            "cuts": [(f"{base}?{urlencode({lists.SHOW: cut})}", label, cut == shown) for cut, label in lists.LABELS],
            "may_walk_in": may(request, "walk_in", Appointment),
            **(extra_context or {}),
        }
        return super().changelist_view(request, extra)
