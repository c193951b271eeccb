"""What every screen of the desk is made of: scope, refusals, record actions, history, export, paging.

class RoomAdmin(ClinicAdmin):
    list_display = ["name", "location", "kind"]
    retire = record_action(_("Deactivate"), verb="change", service=sites.deactivate)
"""

from clinic.admin.base.actions import RecordAction, record_action
from clinic.admin.base.forms import ActionForm, ClinicForm
from clinic.admin.base.retirement import RetirableAdmin
from clinic.admin.base.screen import ClinicAdmin, ClinicStackedInline, ClinicTabularInline

__all__ = [
    "ActionForm",
    "ClinicAdmin",
    "ClinicForm",
    "ClinicStackedInline",
    "ClinicTabularInline",
    "RecordAction",
    "RetirableAdmin",
    "record_action",
]
