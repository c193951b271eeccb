"""Screens of practitioners and their specialisations."""

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ClinicAdmin, ClinicTabularInline, RetirableAdmin
from clinic.admin.team.hours import HoursPage, Keeps
from clinic.models import Offering, Practitioner, PractitionerSpecialisation, Specialisation


@admin.register(Specialisation)
class SpecialisationAdmin(ClinicAdmin):
    list_display = ["name"]
    search_fields = ["name"]
    importable, natural_key = True, ("name",)
    empty = _("No specialisations yet. “Sports physiotherapy” is one.")


class OfferingInline(ClinicTabularInline):
    model = Offering
    fields = ["service", "price", "minutes", "online"]


class SpecialisationInline(ClinicTabularInline):
    model = PractitionerSpecialisation
    fields = ["specialisation", "certified_by", "certified_on"]


@admin.register(Practitioner)
class PractitionerAdmin(HoursPage, RetirableAdmin):
    list_display = ["__str__", "profession", "online"]
    list_filter = ["profession", "locations", "active"]
    search_fields = ["search"]
    search_help_text = _("Name or profession")
    empty = _("No practitioners yet. Add the first person who treats.")
    inlines = [OfferingInline, SpecialisationInline]
    change_form_template = "admin/team/practitioner.html"
    # The hours come next.
    stays_after_adding = True
    fieldsets = [
        (None, {"fields": ["title", "given_name", "family_name", "profession", "colour"]}),
        (_("Work"), {"fields": ["locations", "online", "user"]}),
        (_("About"), {"fields": ["licence_number", "experience_years", "biography", "office_address"]}),
    ]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "user":
            # Those who treat, and whoever is linked already.
            treats = Q(groups__name="practitioner") | Q(practitioner__isnull=False)
            field.queryset = field.queryset.filter(treats).distinct()
        return field

    def render_change_form(self, request, context, *args, obj=None, **kwargs):
        context["sees_hours"] = obj is not None and Keeps.of(request.user, obj).sees
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)
