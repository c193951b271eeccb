"""Screens of services and their categories."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ClinicAdmin, ClinicTabularInline, RetirableAdmin, record_action
from clinic.admin.base.order import OrderedRows
from clinic.admin.sites import WINDOWS
from clinic.models import Offering, Service, ServiceCategory
from clinic.services.scheduling.copying import duplicate


@admin.register(ServiceCategory)
class ServiceCategoryAdmin(OrderedRows, ClinicAdmin):
    list_display = ["__str__"]
    importable, natural_key = True, ("name",)
    empty = _("No categories yet. Services are grouped by them.")


class OfferingByServiceInline(ClinicTabularInline):
    model = Offering
    fields = ["practitioner", "price", "minutes", "online"]
    verbose_name_plural = _("Offered by")


@admin.register(Service)
class ServiceAdmin(OrderedRows, RetirableAdmin):
    list_display = ["__str__", "category", "swatch", "minutes", "price", "online"]
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
    duplicate = record_action(
        _("Duplicate"),
        verb="add",
        service=duplicate,
        icon="content_copy",
        done=_("Copied, and not yet open for online booking"),
        confirm=_("The copy has the same time, price, needs and people. Patients do not see it until it is opened."),
    )

    @admin.display(description=_("colour"))
    def swatch(self, service):
        return format_html(
            '<svg class="desk-swatch" viewBox="0 0 16 16" role="img" aria-label="{0}">'
            '<circle cx="8" cy="8" r="7" fill="{0}"/></svg>',
            service.colour,
        )
