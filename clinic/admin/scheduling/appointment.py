"""The appointment's screen: book with offered times, walk a visit through its day, find what nobody resolved."""

from django.contrib import admin, messages
from django.forms import Script
from django.http import HttpResponseForbidden, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from clinic import permissions
from clinic.admin.base import ClinicAdmin
from clinic.admin.base.actions import way_back
from clinic.admin.base.scope import may
from clinic.admin.base.search import of_patients
from clinic.admin.scheduling import lists
from clinic.admin.scheduling.actions import VisitActions
from clinic.admin.scheduling.columns import VisitColumns, who_and_when
from clinic.admin.scheduling.forms import (
    BookingForm,
    DetailsForm,
    WalkInForm,
)
from clinic.admin.scheduling.rebooking import RebookingPage
from clinic.admin.scheduling.times import Question, label_of, own_practitioners, value_of
from clinic.models import Appointment, Location, Patient, Practitioner
from clinic.services import scheduling

_S = Appointment.Status
WALK_IN = "walk_in"
REFERRAL = [
    "referral_source",
    ("referrer", "referring_doctor"),
    "referral_reason",
    ("referral_received_on", "referral_document"),
]


@admin.register(Appointment)
class AppointmentAdmin(VisitActions, VisitColumns, RebookingPage, ClinicAdmin):
    list_display = ["when", "patient", "service", "practitioner", "site", "state"]
    list_display_links = ["when", "patient"]
    list_filter = [
        lists.ShowFilter,
        ("day", lists.VisitDays),
        "status",
        "location",
        ("practitioner", AutocompleteSelectFilter),
        ("service", AutocompleteSelectFilter),
        "source",
        "referral_source",
        ("referrer", AutocompleteSelectFilter),
    ]
    list_filter_submit = True
    # Only what an index sorts: a million rows are not sorted for a page of them.
    sortable_by = ["when"]
    date_hierarchy = "start_at"
    add_label = _("Book")
    search_fields = ["patient__search"]
    search_help_text = _("Patient’s name, phone, e-mail or number")
    looks_are_recorded = True
    stays_after_adding = True
    autocomplete_fields = ["patient", "service", "practitioner", "room", "referrer"]
    form = BookingForm
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
        "referral_source",
        "referring_doctor",
        "referral_received_on",
        "referral_document",
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
        form.user = request.user
        return form

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
            return [
                (None, {"fields": ["key", "patient", "service", "practitioner"]}),
                (_("Where and why"), {"fields": ["location", "reason"], "classes": folded}),
            ]
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
            new_patient = reverse("admin:clinic_patient_add") if walk_in and may(request, "add", Patient) else ""
            here = urlencode({"next": request.get_full_path()})
            extra_context = {
                "title": title,
                "walk_in": walk_in,
                "new_patient": new_patient and f"{new_patient}?{here}",
                **(extra_context or {}),
            }
        return super().changeform_view(request, object_id, form_url, extra_context)

    def submit(self, request, object_id, form_url, extra):
        """A form that is in order is booked at once: without the page around it, and without a transaction around the
        service's own, whose locks others wait for."""
        if object_id is None and self.has_add_permission(request):
            form = self.get_form(request)(request.POST)
            if form.is_valid():
                self.save_model(request, form.instance, form, change=False)
                return self.response_add(request, form.instance)
        return super().submit(request, object_id, form_url, extra)

    def get_changeform_initial_data(self, request):
        initial = super().get_changeform_initial_data(request)
        if "location" not in initial:
            mine = request.user.locations.filter(active=True).first() or Location.objects.active().first()
            initial["location"] = mine.pk if mine else None
        if permissions.scope(request.user, "book", Appointment) == permissions.OWN_ONLY:
            initial.setdefault("practitioner", own_practitioners(request.user).values_list("pk", flat=True).first())
        return initial

    def choosable(self, request, db_field, queryset):
        if db_field.name == "practitioner" and permissions.scope(request.user, "book", Appointment) != permissions.ANY:
            return queryset.filter(pk__in=own_practitioners(request.user))
        return queryset

    def store(self, request, obj, form, change, by, **accepted):
        if change:
            obj.save()
            return
        book = scheduling.walk_in if WALK_IN in request.GET else scheduling.book
        booked = book(obj, by=by, key=str(form.cleaned_data["key"]), **accepted)
        # A form that was sent twice answers with its first appointment.
        obj.__dict__.update(booked.__dict__)

    def response_add(self, request, obj, post_url_continue=None):
        page = reverse("admin:clinic_appointment_change", args=[obj.pk])
        link = format_html('<a href="{}" class="desk-link">{}</a>', page, who_and_when(obj))
        if obj.repeated:
            sentence = _("This form was sent twice. The visit is there already, nothing was booked again: {}")
            self.message_user(request, format_html(sentence, link), messages.INFO)
        else:
            sentence = _("Checked in: {}") if WALK_IN in request.GET else _("Booked: {}")
            self.message_user(request, format_html(sentence, link), messages.SUCCESS)
        if wanted := way_back(request):
            return HttpResponseRedirect(wanted)
        return self.response_post_save_add(request, obj)

    def alternatives(self, request, obj, refusal):
        if not refusal.alternatives:
            return []
        zones = {location.pk: location.zone for location in Location.objects.active()}
        if WALK_IN in request.GET:
            # The form has no time to lay it over: these are to read out.
            names = Practitioner.objects.in_bulk({slot.practitioner_id for slot in refusal.alternatives})
            return [
                (f"{label_of(slot, zones[slot.location_id])} · {names[slot.practitioner_id]}", {})
                for slot in refusal.alternatives
            ]
        return [
            (
                label_of(slot, zones[slot.location_id]),
                {
                    "slot": value_of(slot),
                    "on": slot.start_at.astimezone(zones[slot.location_id]).date().isoformat(),
                    "starts": "",
                    "ends": "",
                },
            )
            for slot in refusal.alternatives
        ]

    # Its buttons

    def in_words(self, record):
        return who_and_when(record)

    def next_action(self, visit, names):
        return next((name for name in steps(visit) if name in names), None)

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
        found = self.record_actions
        return format_html_join(
            " ",
            '<button type="submit" class="desk-step" formaction="{}">{}</button>',
            (
                (self.action_url(visit, name, next=here), found[name].label)
                for name in steps(visit)
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
        return of_patients(self, request, queryset, search_term), False

    def get_changelist_instance(self, request):
        changes = super().get_changelist_instance(request)
        if lists.is_plain(request):
            changes.empty_sentence = lists.EMPTY[lists.chosen(request)]
        return changes

    def shows_periods(self, request):
        # Today, coming and the like are narrow enough.
        return lists.chosen(request) == lists.ALL

    def changelist_view(self, request, extra_context=None):
        base = reverse("admin:clinic_appointment_changelist")
        shown = lists.chosen(request)
        extra = {
            "cuts": [(f"{base}?{urlencode({lists.SHOW: cut})}", label, cut == shown) for cut, label in lists.LABELS],
            "may_walk_in": may(request, "walk_in", Appointment),
            **(extra_context or {}),
        }
        return super().changelist_view(request, extra)


def steps(visit) -> list[str]:
    """What a visit's day wants next, or what a past one still wants said; the first is the likely one."""
    if visit.end_at <= timezone.now() and visit.status in (_S.SCHEDULED, _S.CONFIRMED, _S.ARRIVED):
        return ["complete", "mark_no_show"]
    return {_S.REQUESTED: ["approve"], _S.ARRIVED: ["start"], _S.IN_SESSION: ["complete"]}.get(
        visit.status, ["check_in"]
    )
