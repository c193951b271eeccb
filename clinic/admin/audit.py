"""The audit page: who did what, when, to which record; before and after. Reading only."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ClinicAdmin
from clinic.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ClinicAdmin):
    list_display = ["at", "user", "verb", "model", "row_id", "patient"]
    list_select_related = ["user", "patient"]
    list_filter = ["verb", "actor_kind"]
    empty = _("Nothing has been recorded yet.")

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False
