"""Screens of legal entities, locations, rooms, equipment and the clinic's settings."""

from django import forms
from django.contrib import admin
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from clinic.admin.base import (
    ActionForm,
    ClinicAdmin,
    ClinicForm,
    ClinicTabularInline,
    RetirableAdmin,
    record_action,
)
from clinic.admin.base.files import answer
from clinic.admin.base.order import OrderedRows
from clinic.admin.base.rebooking import tell_of_displaced
from clinic.admin.base.scope import may
from clinic.exceptions import RuleBroken
from clinic.models import (
    ClinicSettings,
    DayException,
    Equipment,
    EquipmentKind,
    Location,
    OpeningHours,
    Organization,
    Room,
    RoomKind,
)
from clinic.permissions import ROLES
from clinic.services import files, holidays, sites

# Pixels: wide enough for print, small enough for a page.
LOGO = (1200, 600)

WINDOWS = (
    _("Online booking"),
    {
        "fields": ["notice_minutes", "horizon_days", "cancel_hours"],
        "description": _("Bind patients, never staff. Empty: as the clinic's settings say."),
    },
)


class OrganizationForm(ClinicForm):
    picture = forms.FileField(
        label=_("New logo"),
        required=False,
        max_length=200,
        help_text=_("PNG, JPEG or WebP, at most 4 megabytes; on a transparent or white ground it prints best."),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(files.ENDINGS)}),
    )
    without_logo = forms.BooleanField(label=_("Without a logo"), required=False, widget=UnfoldBooleanSwitchWidget)

    def clean_picture(self):
        upload = self.cleaned_data["picture"]
        try:
            return upload and files.picture(upload, within=LOGO)
        except RuleBroken as refusal:
            raise forms.ValidationError(str(refusal), code=refusal.code) from refusal


@admin.register(Organization)
class OrganizationAdmin(RetirableAdmin):
    form = OrganizationForm
    list_display = ["name", "legal_name", "vat_number", "country", "currency"]
    natural_key = ("name",)
    empty = _("No legal entity yet. Add the one that issues your invoices.")
    readonly_fields = ["logo_now"]
    fieldsets = [
        (None, {"fields": ["name", "legal_name"]}),
        (_("Tax"), {"fields": ["tax_number", "vat_number", "country", "currency"]}),
    ]

    def get_fieldsets(self, request, obj=None):
        shown = ["logo_now"] if obj is not None and obj.logo_id else []
        if obj is None or self.has_change_permission(request, obj):
            shown += ["picture", *(["without_logo"] if shown else [])]
        logo = (_("On documents"), {"fields": shown})
        return [*super().get_fieldsets(request, obj), *([logo] if shown else [])]

    @admin.display(description=_("logo"))
    def logo_now(self, organization):
        address = reverse("admin:clinic_organization_logo", args=[organization.pk])
        # Another address for another file: the browser must not show the former one.
        return format_html('<img class="desk-logo" src="{}?{}" alt="{}">', address, organization.logo_id, organization)

    def store(self, request, obj, form, change, by, **accepted):
        said = form.cleaned_data
        sites.save_organization(obj, by=by, logo=said.get("picture"), without_logo=said.get("without_logo", False))

    def get_urls(self):
        view = self.admin_site.admin_view(self.logo_view)
        return [path("<path:object_id>/logo/", view, name="clinic_organization_logo"), *super().get_urls()]

    def logo_view(self, request, object_id):
        organization = self.get_object_or_refuse(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        if organization.logo is None:
            return HttpResponseRedirect(reverse("admin:clinic_organization_change", args=[organization.pk]))
        return answer(organization.logo)


class OpeningHoursInline(ClinicTabularInline):
    model = OpeningHours
    fields = ["weekday", "starts", "ends", "valid_from", "valid_until"]


class DayExceptionInline(ClinicTabularInline):
    model = DayException
    fields = ["on", "open", "starts", "ends", "reason"]
    ordering = ["on"]

    def get_queryset(self, request):
        # The past ones say nothing any more and only grow.
        return super().get_queryset(request).filter(on__gte=timezone.localdate())


class LocationForm(ClinicForm):
    # Wider than the column: a region may be written by its name.
    subdivision = forms.CharField(
        label=capfirst(Location._meta.get_field("subdivision").verbose_name),
        max_length=60,
        required=False,
        help_text=Location._meta.get_field("subdivision").help_text,
        widget=UnfoldAdminTextInputWidget,
    )

    def clean(self):
        cleaned = super().clean()
        country = cleaned.get("country")
        if not country or "subdivision" not in cleaned:
            return cleaned
        try:
            if cleaned.get("close_on_holidays"):
                holidays.check_country(country)
            cleaned["subdivision"] = holidays.region(country, cleaned["subdivision"])
        except RuleBroken as refusal:
            self.add_error(refusal.field, str(refusal))
        return cleaned


class OpenOnForm(ActionForm):
    on = forms.DateField(label=_("Day"))
    starts = forms.TimeField(label=capfirst(_("from")), required=False)
    ends = forms.TimeField(
        label=capfirst(_("until")), required=False, help_text=_("Both empty: the usual hours of this weekday.")
    )


@admin.register(Location)
class LocationAdmin(RetirableAdmin):
    form = LocationForm
    list_display = ["name", "city", "phone", "organization"]
    list_select_related = ["organization"]
    natural_key = ("name",)
    empty = _("No location yet. Add the first site of the clinic.")
    inlines = [OpeningHoursInline, DayExceptionInline]
    fieldsets = [
        (None, {"fields": ["name", "organization"]}),
        (_("Address"), {"fields": ["address", "postal_code", "city", "country", "phone", "email"]}),
        (_("Clock"), {"fields": ["time_zone", "slot_step"]}),
        (_("Public holidays"), {"fields": ["close_on_holidays", "subdivision", "upcoming_holidays"]}),
        WINDOWS,
    ]
    readonly_fields = ["upcoming_holidays"]
    open_on = record_action(
        _("Open on a holiday"),
        verb="change",
        done=_("Open on that holiday"),
        service=sites.open_on,
        form=OpenOnForm,
        icon="door_open",
        available=lambda location: location.active and location.close_on_holidays,
    )

    def get_fieldsets(self, request, obj=None):
        if obj is not None:
            # The theme hands columns of a page nothing but the record.
            obj._may_open = may(request, "change", obj)
            return super().get_fieldsets(request, obj)
        fields = {"fields": ["close_on_holidays", "subdivision"]}
        shown = super().get_fieldsets(request, obj)
        return [(title, fields if "upcoming_holidays" in more["fields"] else more) for title, more in shown]

    def response_change(self, request, obj):
        tell_of_displaced(self, request, location=obj.pk)
        return super().response_change(request, obj)

    @admin.display(description=_("upcoming"))
    def upcoming_holidays(self, location):
        """A year of them, each with a button that opens the location on it."""
        if not location.close_on_holidays:
            return _("Switched off: open as on any other day.")
        today = timezone.now().astimezone(location.zone).date()
        own = {row.on: row for row in location.day_exceptions.filter(on__gte=today)}
        url = self.action_url(location, "open_on")
        rows = [
            (day, words, own.get(day))
            for day, words in holidays.upcoming(location.country, location.subdivision, today)
        ]
        return render_to_string(
            "admin/sites/holidays.html",
            {"holidays": rows, "url": url, "may_open": getattr(location, "_may_open", False)},
        )


@admin.register(RoomKind)
class RoomKindAdmin(ClinicAdmin):
    list_display = ["name"]
    importable, natural_key = True, ("name",)
    empty = _("No kinds of room yet. “Treatment room” and “gym” are good ones.")


@admin.register(EquipmentKind)
class EquipmentKindAdmin(ClinicAdmin):
    list_display = ["name"]
    importable, natural_key = True, ("name",)
    empty = _("No kinds of equipment yet. “Tecar” or “shockwave” are good ones.")


@admin.register(Room)
class RoomAdmin(OrderedRows, RetirableAdmin):
    list_display = ["name", "location", "kind", "places"]
    list_select_related = ["location", "kind"]
    list_filter = ["location", "kind", "active"]
    search_fields = ["name"]
    importable, natural_key = True, ("location", "name")
    empty = _("No rooms yet. Add the first room.")
    fields = ["location", "name", "kind", "places"]


@admin.register(Equipment)
class EquipmentAdmin(RetirableAdmin):
    list_display = ["name", "location", "kind"]
    list_select_related = ["location", "kind"]
    list_filter = ["location", "kind", "active"]
    search_fields = ["name"]
    importable, natural_key = True, ("location", "name")
    empty = _("No equipment yet. Add what is booked like a room.")
    fields = ["location", "name", "kind"]


class ClinicSettingsForm(ClinicForm):
    factor_roles = forms.MultipleChoiceField(
        label=_("Second factor wanted from"),
        required=False,
        choices=[(name, role.label) for name, role in ROLES.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Who holds one of these roles must set up an authenticator app or a passkey at the next sign-in."),
    )


@admin.register(ClinicSettings)
class ClinicSettingsAdmin(ClinicAdmin):
    """One row: the menu opens its form, and saving writes it even where nobody had yet."""

    form = ClinicSettingsForm
    fieldsets = [
        (
            _("Online booking"),
            {
                "fields": ["notice_minutes", "horizon_days", "cancel_hours", "request_hours"],
                "description": _("Locations and services may say otherwise."),
            },
        ),
        (_("Practitioners"), {"fields": ["keep_hours", "keep_blocks"]}),
        (_("Signing in"), {"fields": ["idle_minutes", "session_hours", "factor_roles"]}),
        (_("Patients"), {"fields": ["language", "welcome"]}),
    ]

    @property
    def verbs(self):
        return {"view", "change"}

    def get_object(self, request, object_id, from_field=None):
        if str(object_id) != "1":
            return None
        return super().get_object(request, object_id, from_field) or ClinicSettings(pk=1)

    def changelist_view(self, request, extra_context=None):
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        return HttpResponseRedirect(reverse("admin:clinic_clinicsettings_change", args=[1]))
