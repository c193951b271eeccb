"""Screens of legal entities, locations, rooms, equipment and the clinic's settings."""

from django import forms
from django.contrib import admin
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from clinic.admin.base import ClinicAdmin, ClinicForm, ClinicTabularInline, RetirableAdmin
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

WINDOWS = (
    _("Online booking"),
    {
        "fields": ["notice_minutes", "horizon_days", "cancel_hours"],
        "description": _("Bind patients, never staff. Empty: as the clinic's settings say."),
    },
)


@admin.register(Organization)
class OrganizationAdmin(RetirableAdmin):
    list_display = ["name", "legal_name", "vat_number", "country", "currency"]
    empty = _("No legal entity yet. Add the one that issues your invoices.")
    fieldsets = [
        (None, {"fields": ["name", "legal_name"]}),
        (_("Tax"), {"fields": ["tax_number", "vat_number", "country", "currency"]}),
    ]


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


@admin.register(Location)
class LocationAdmin(RetirableAdmin):
    list_display = ["name", "city", "phone", "organization"]
    list_select_related = ["organization"]
    empty = _("No location yet. Add the first site of the clinic.")
    inlines = [OpeningHoursInline, DayExceptionInline]
    fieldsets = [
        (None, {"fields": ["name", "organization"]}),
        (_("Address"), {"fields": ["address", "postal_code", "city", "subdivision", "country", "phone", "email"]}),
        (_("Clock"), {"fields": ["time_zone", "slot_step"]}),
        WINDOWS,
    ]


@admin.register(RoomKind)
class RoomKindAdmin(ClinicAdmin):
    list_display = ["name"]
    empty = _("No kinds of room yet. “Treatment room” and “gym” are good ones.")


@admin.register(EquipmentKind)
class EquipmentKindAdmin(ClinicAdmin):
    list_display = ["name"]
    empty = _("No kinds of equipment yet. “Tecar” or “shockwave” are good ones.")


@admin.register(Room)
class RoomAdmin(RetirableAdmin):
    list_display = ["name", "location", "kind", "places"]
    list_select_related = ["location", "kind"]
    list_filter = ["location", "kind", "active"]
    search_fields = ["name"]
    empty = _("No rooms yet. Add the first room.")
    fields = ["location", "name", "kind", "places"]


@admin.register(Equipment)
class EquipmentAdmin(RetirableAdmin):
    list_display = ["name", "location", "kind"]
    list_select_related = ["location", "kind"]
    list_filter = ["location", "kind", "active"]
    search_fields = ["name"]
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
