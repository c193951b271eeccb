"""The screen of referring doctors: who they are, how to reach them, whom they sent."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import RetirableAdmin
from clinic.models import ReferringDoctor


@admin.register(ReferringDoctor)
class ReferringDoctorAdmin(RetirableAdmin):
    list_display = ["__str__", "speciality", "workplace", "phone", "email"]
    list_filter = ["active"]
    sortable_by = []
    search_fields = ["search"]
    search_help_text = _("Name, practice, phone or e-mail")
    empty = _("No referring doctors yet. Whoever is on this list can be chosen on a visit.")
    readonly_fields = ["visits"]
    fieldsets = [
        (None, {"fields": [("family_name", "given_name"), ("speciality", "workplace")]}),
        (_("Contact"), {"fields": [("phone", "email"), "address"]}),
    ]

    def get_fieldsets(self, request, obj=None):
        found = super().get_fieldsets(request, obj)
        return found if obj is None else [*found, (_("Patients sent"), {"fields": ["visits"]})]

    def suggestion(self, doctor):
        return " · ".join(filter(None, (str(doctor), doctor.speciality, doctor.workplace)))

    @admin.display(description=_("visits"))
    def visits(self, doctor):
        url = f"{reverse('admin:clinic_appointment_changelist')}?show=all&referrer__id__exact={doctor.pk}"
        return format_html('<a class="desk-link" href="{}">{}</a>', url, _("Their visits here"))
