"""Screens of services and their categories."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ClinicAdmin, ClinicTabularInline, RetirableAdmin
from clinic.admin.sites import WINDOWS
from clinic.models import Offering, Service, ServiceCategory


@admin.register(ServiceCategory)
class ServiceCategoryAdmin(ClinicAdmin):
    list_display = ["__str__", "position"]
    importable, natural_key = True, ("name",)
    empty = _("No categories yet. Services are grouped by them.")


class OfferingByServiceInline(ClinicTabularInline):
    model = Offering
    fields = ["practitioner", "price", "minutes", "online"]
    verbose_name_plural = _("Offered by")


@admin.register(Service)
class ServiceAdmin(RetirableAdmin):
    list_display = ["__str__", "category", "minutes", "price", "online"]
    list_select_related = ["category"]
    list_filter = ["category", "online", "active"]
    search_fields = ["search"]
    search_help_text = _("Name in any language")
    importable, natural_key = True, ("name",)
    empty = _("No services yet. Add the first one that can be booked.")
    inlines = [OfferingByServiceInline]
    fieldsets = [
        (None, {"fields": ["name", "category", "description", "colour", "position"]}),
        (_("Time"), {"fields": ["minutes", "buffer_before", "buffer_after"]}),
        (_("Price"), {"fields": ["price"]}),
        (_("Needs"), {"fields": ["room_kinds", "equipment_kinds", "referral_required", "capacity", "video"]}),
        (
            WINDOWS[0],
            {**WINDOWS[1], "fields": ["online", "approval", *WINDOWS[1]["fields"]]},
        ),
    ]
