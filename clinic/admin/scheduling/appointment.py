"""The appointment's screen: book with offered times, walk a visit through its day, find what nobody resolved."""

from django.contrib import admin
from django.forms import Script
from django.http import HttpResponseForbidden
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from clinic import permissions
from clinic.admin.base import ClinicAdmin, record_action
from clinic.admin.base.scope import may
from clinic.admin.scheduling import lists
from clinic.admin.scheduling.forms import (
    BookingForm,
    CancelForm,
    DetailsForm,
    MoveForm,
    OptionalReasonForm,
    ReasonForm,
    WalkInForm,
    is_today,
)
from clinic.admin.scheduling.times import Question, label_of, own_practitioners, value_of
from clinic.models import MOVES, Appointment, Location, Patient
from clinic.services import scheduling

_S = Appointment.Status
WALK_IN = "walk_in"
REFERRAL = (
    _("Referral"),
    {"fields": ["referring_doctor", "referral_reason", "referral_received_on"], "classes": ["collapse"]},
)


def _open_for(verb):
    """Does MOVES know a way with this verb from where the visit is?"""
    return lambda visit: any(old == visit.status and name == verb for (old, _new), name in MOVES.items())


def _is_over(visit):
    return visit.status in (_S.SCHEDULED, _S.CONFIRMED, _S.ARRIVED) and visit.end_at <= timezone.now()


@admin.register(Appointment)
class AppointmentAdmin(ClinicAdmin):
    list_display = ["when", "patient", "service", "practitioner", "site", "state"]
    list_display_links = ["when", "patient"]
    list_filter = [
        lists.ShowFilter,
        ("day", lists.DayFilter),
        "status",
        "location",
        ("practitioner", AutocompleteSelectFilter),
        ("service", AutocompleteSelectFilter),
        "source",
    ]
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

    approve = record_action(
        _("Approve"),
        verb="approve",
        service=scheduling.approve,
        icon="check",
        variant="primary",
        available=_open_for("approve"),
        bulk=True,
    )
    decline = record_action(
        _("Decline"),
        verb="decline",
        service=scheduling.decline,
        form=OptionalReasonForm,
        icon="block",
        available=_open_for("decline"),
    )
    check_in = record_action(
        _("Check in"),
        verb="check_in",
        service=scheduling.check_in,
        icon="how_to_reg",
        variant="primary",
        available=lambda visit: _open_for("check_in")(visit) and is_today(visit),
        bulk=True,
    )
    start = record_action(
        _("Start"),
        verb="start",
        service=scheduling.start,
        icon="play_arrow",
        variant="primary",
        available=_open_for("start"),
    )
    complete = record_action(
        _("Complete"),
        verb="complete",
        service=scheduling.complete,
        icon="task_alt",
        variant="primary",
        available=lambda visit: _open_for("complete")(visit) or _is_over(visit),
        bulk=True,
    )
    confirm = record_action(
        _("Confirm"),
        verb="confirm",
        service=scheduling.confirm,
        icon="thumb_up",
        available=lambda visit: visit.status == _S.SCHEDULED and visit.start_at > timezone.now(),
        bulk=True,
    )
    move = record_action(
        _("Move"),
        verb="move",
        service=scheduling.move,
        form=MoveForm,
        icon="event_repeat",
        dialog=False,
        available=lambda visit: visit.status in (_S.REQUESTED, _S.SCHEDULED, _S.CONFIRMED),
    )
    mark_no_show = record_action(
        _("No-show"),
        verb="mark_no_show",
        service=scheduling.mark_no_show,
        icon="person_off",
        confirm=_("The patient did not come?"),
        available=lambda visit: _open_for("mark_no_show")(visit) and visit.start_at <= timezone.now(),
        bulk=True,
    )
    undo = record_action(_("Undo"), verb="undo", service=scheduling.undo, icon="undo", available=_open_for("undo"))
    cancel = record_action(
        _("Cancel"),
        verb="cancel",
        service=scheduling.cancel,
        form=CancelForm,
        icon="event_busy",
        variant="danger",
        available=_open_for("cancel"),
    )
    reopen = record_action(
        _("Correct"),
        verb="reopen",
        service=scheduling.reopen,
        form=ReasonForm,
        icon="history",
        available=_open_for("reopen"),
    )

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
        exclude = request.GET.get("exclude", "")
        exclude = int(exclude) if exclude.isdecimal() and len(exclude) < 19 else 0
        question = Question.of(request.GET.get, request.user, exclude=exclude)
        context = {
            **question.offers(request.user, chosen=request.GET.get("slot", "")),
            "exclude": exclude or "",
            "widget": {"name": "slot"},
        }
        return TemplateResponse(request, "admin/scheduling/times.html", context)

    # Forms

    def get_form(self, request, obj=None, change=False, **kwargs):
        kwargs["form"] = DetailsForm if obj else WalkInForm if WALK_IN in request.GET else BookingForm
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"user": request.user})

    def get_fieldsets(self, request, obj=None):
        if obj is not None:
            facts = ["who", "when", "what", "with_whom", "where", "state", "price", "booked"]
            if obj.accepted or obj.overlap_reason:
                facts.append("exceptions")
            return [
                (None, {"fields": facts}),
                (_("Notes"), {"fields": ["reason", "desk_note"]}),
                REFERRAL,
                (_("What happened"), {"fields": ["changes"]}),
            ]
        if WALK_IN in request.GET:
            return [(None, {"fields": ["key", "patient", "service", "practitioner", "location", "reason"]})]
        return [
            (None, {"fields": ["key", "patient", "service", "practitioner", "location"]}),
            (_("Time"), {"fields": [("on", "part"), "slot"]}),
            (
                _("Another time or room"),
                {"fields": [("starts", "ends"), "room"], "classes": ["collapse"]},
            ),
            (_("Notes"), {"fields": ["reason", "desk_note"]}),
            REFERRAL,
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

    def changelist_view(self, request, extra_context=None):
        base = reverse("admin:clinic_appointment_changelist")
        shown = lists.chosen(request)
        extra = {
            "cuts": [(f"{base}?{urlencode({lists.SHOW: cut})}", label, cut == shown) for cut, label in lists.LABELS],
            "may_walk_in": may(request, "walk_in", Appointment),
            "empty_sentence": lists.EMPTY[shown],
            **(extra_context or {}),
        }
        return super().changelist_view(request, extra)

    # Columns

    @admin.display(description=_("when"), ordering="start_at")
    def when(self, visit):
        start, end = visit.local_start, visit.local_end
        hours = f"{start:%H:%M}–{end:%H:%M}"
        return format_html('<span class="desk-when">{}, {}</span>', date_format(start, "D j M"), hours)

    @admin.display(description=_("where"))
    def site(self, visit):
        return " · ".join(filter(None, (str(visit.location), str(visit.room or ""))))

    @admin.display(description=_("status"), ordering="status")
    def state(self, visit):
        return status_badge(visit)

    @admin.display(description=_("patient"))
    def who(self, visit):
        url = reverse("admin:clinic_patient_change", args=[visit.patient_id])
        contact = " · ".join(filter(None, (visit.patient.mobile, visit.patient.phone, visit.patient.email)))
        return format_html(
            '<a href="{}" class="desk-link">{}</a> <span class="desk-subtle">{}</span>', url, visit.patient, contact
        )

    @admin.display(description=_("service"))
    def what(self, visit):
        return visit.service

    @admin.display(description=_("practitioner"))
    def with_whom(self, visit):
        return visit.practitioner

    @admin.display(description=_("where"))
    def where(self, visit):
        units = [str(use.equipment) for use in visit.equipment_uses.select_related("equipment")]
        place = (
            f"{visit.room} ({visit.place}/{visit.room.places})" if visit.room and visit.room.places > 1 else visit.room
        )
        return " · ".join([str(visit.location), *([str(place)] if place else []), *units])

    @admin.display(description=_("price"))
    def price(self, visit):
        return f"{visit.price_quoted} {visit.location.organization.currency}"

    @admin.display(description=_("booked"))
    def booked(self, visit):
        return f"{date_format(timezone.localtime(visit.created_at), 'j M Y, H:i')} · {visit.get_source_display()}"

    @admin.display(description=_("exceptions"))
    def exceptions(self, visit):
        words = {
            "overlap": _("deliberate overlap"),
            "outside_hours": _("outside hours"),
            "past": _("entered afterwards"),
        }
        said = [str(words.get(code, code)) for code in visit.accepted]
        if visit.overlap_reason:
            said.append(f"“{visit.overlap_reason}”")
        return ", ".join(said) or "—"

    @admin.display(description=_("status changes"))
    def changes(self, visit):
        rows = visit.status_changes.select_related("by").order_by("at", "pk")
        return format_html(
            '<ol class="desk-changes">{}</ol>',
            format_html_join(
                "",
                "<li><b>{}</b> <span class='desk-subtle'>{} · {}</span> {}</li>",
                (
                    (
                        change.get_new_display() if change.verb != "move" else _("moved"),
                        date_format(timezone.localtime(change.at), "j M Y, H:i"),
                        change.by or _("automatic"),
                        change.reason,
                    )
                    for change in rows
                ),
            ),
        )


_ICONS = {
    _S.REQUESTED: "hourglass_top",
    _S.SCHEDULED: "event",
    _S.CONFIRMED: "event_available",
    _S.ARRIVED: "how_to_reg",
    _S.IN_SESSION: "play_circle",
    _S.COMPLETED: "task_alt",
    _S.DECLINED: "block",
    _S.CANCELLED: "event_busy",
    _S.EXPIRED: "timer_off",
    _S.NO_SHOW: "person_off",
}


def status_badge(visit):
    """Icon and text: colour alone tells nobody."""
    waiting = ""
    if visit.status == _S.ARRIVED and visit.arrived_at:
        waiting = format_html(
            ' <relative-time datetime="{}" format="relative" tense="past"></relative-time>',
            visit.arrived_at.isoformat(),
        )
    return format_html(
        '<span class="desk-status desk-status-{}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>'
        "{}{}{}</span>",
        visit.status,
        _ICONS[visit.status],
        visit.get_status_display(),
        f" ({_('late')})" if visit.late else "",
        waiting,
    )
