"""Brand, navigation and tabs of the admin, as data."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _list(model):
    return reverse_lazy(f"admin:clinic_{model}_changelist")


def _item(title, icon, model, permission=None, link=None, **more):
    codename = permission or f"clinic.view_{model}"
    return {
        "title": title,
        "icon": icon,
        "link": link or _list(model),
        "permission": lambda request: request.user.has_perm(codename),
        **more,
    }


UNFOLD = {
    "SITE_TITLE": "Camerino",
    "SITE_HEADER": "Camerino",
    "SITE_SYMBOL": "ecg_heart",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SHOW_LANGUAGES": False,
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "240 253 250",
            "100": "204 251 241",
            "200": "153 246 228",
            "300": "94 234 212",
            "400": "45 212 191",
            "500": "20 184 166",
            "600": "13 148 136",
            "700": "15 118 110",
            "800": "17 94 89",
            "900": "19 78 74",
            "950": "4 47 46",
        }
    },
    "COMMAND": {"search_models": False, "show_history": False},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": _("Desk"),
                "items": [
                    _item(_("Appointments"), "calendar_month", "appointment"),
                    _item(_("Patients"), "groups", "patient"),
                ],
            },
            {
                "title": _("Clinic"),
                "separator": True,
                "items": [
                    _item(_("Services"), "medical_services", "service"),
                    _item(_("Practitioners"), "stethoscope", "practitioner"),
                    _item(_("Time off"), "event_busy", "timeoff"),
                    _item(_("Locations"), "location_on", "location"),
                    _item(_("Rooms"), "meeting_room", "room"),
                    _item(_("Equipment"), "precision_manufacturing", "equipment"),
                ],
            },
            {
                "title": _("Management"),
                "separator": True,
                "items": [
                    _item(_("Staff"), "badge", "user"),
                    _item(_("Audit trail"), "policy", "auditentry"),
                    _item(_("Settings"), "settings", "clinicsettings"),
                ],
            },
        ],
    },
}
