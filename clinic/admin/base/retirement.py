"""Deactivation and reactivation, on every screen whose record is retired instead of deleted."""

from django.utils.translation import gettext_lazy as _

from clinic.admin.base.actions import record_action
from clinic.admin.base.screen import ClinicAdmin
from clinic.services import retirement


class RetirableAdmin(ClinicAdmin):
    """A ClinicAdmin of a Retirable model: `active` is no input but two record actions, each a line in the history."""

    deactivate = record_action(
        _("Deactivate"),
        verb="change",
        service=retirement.deactivate,
        icon="visibility_off",
        done=_("Deactivated"),
        confirm=_("It can no longer be chosen. What was booked stays."),
        available=lambda record: record.active,
        acceptance={"future_visits": "change"},
        effect=retirement.upcoming_visits,
        bulk=True,
    )
    reactivate = record_action(
        _("Reactivate"),
        verb="change",
        service=retirement.reactivate,
        icon="visibility",
        done=_("Reactivated"),
        available=lambda record: not record.active,
        bulk=True,
    )

    @property
    def verbs(self):
        return super().verbs - {"delete"}

    def get_exclude(self, request, obj=None):
        return [*(super().get_exclude(request, obj) or []), "active"]
