"""Brand, navigation and tabs of the admin, as data. Navigation follows the jobs that people have, not the models."""

from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _


def _item(title, icon, model, **more):
    """A line of the menu. With `key`, G and that key lead there."""
    codename = f"clinic.view_{model}"
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:clinic_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(codename),
        **more,
    }


def _shows(request):
    """Which cut of the list of appointments is open; None elsewhere, "" for any other appointment page."""
    if not request.path.startswith(str(reverse_lazy("admin:clinic_appointment_changelist"))) or _rebooks(request):
        return None
    cut = request.GET.get("show", "")
    return cut if cut in ("requests", "unresolved") else ""


def _rebooks(request):
    return request.path == str(reverse_lazy("admin:clinic_appointment_rebooking"))


def _cut(title, icon, cut, **more):
    """A cut of the list of appointments with the number that waits there."""
    return _item(
        title,
        icon,
        "appointment",
        link=lazy(lambda: f"{reverse('admin:clinic_appointment_changelist')}?show={cut}", str)(),
        badge=f"clinic.admin.scheduling.lists.{cut}_badge",
        active=lambda request: _shows(request) == cut,
        **more,
    )


def _is_mine(request):
    """The page of the person's own hours."""
    return getattr(request, "own_hours", False)


def _is_of_the_team(request):
    pages = ("practitioner", "specialisation", "user", "timeoff")
    starts = tuple(str(reverse_lazy(f"admin:clinic_{page}_changelist")) for page in pages)
    return request.path.startswith(starts) and not _is_mine(request)


def _keeps_settings(request):
    return request.user.has_perm("clinic.view_clinicsettings")


# Tabs hold together what one job needs: the menu names the job once.
TABS = [
    [(_("Patients"), "patient"), (_("Referring doctors"), "referringdoctor")],
    [(_("Services"), "service"), (_("Categories"), "servicecategory")],
    [
        (_("Practitioners"), "practitioner"),
        (_("Staff"), "user"),
        (_("Time off"), "timeoff"),
        (_("Specialisations"), "specialisation"),
    ],
    [
        (_("Rooms"), "room"),
        (_("Equipment"), "equipment"),
        (_("Kinds of room"), "roomkind"),
        (_("Kinds of equipment"), "equipmentkind"),
    ],
    [(_("Clinic"), "clinicsettings"), (_("Locations"), "location"), (_("Legal entities"), "organization")],
]
# Of these there is no list: their tabs stand on their one record.
WITHOUT_LIST = {"clinicsettings"}


def _tabs():
    return [
        {
            "models": [
                {"name": f"clinic.{model}", "detail": True} if model in WITHOUT_LIST else f"clinic.{model}"
                for _title, model in items
            ],
            "items": [
                {key: value for key, value in _item(title, "", model).items() if key != "icon"}
                for title, model in items
            ],
        }
        for items in TABS
    ]


UNFOLD = {
    "SITE_TITLE": "Camerino",
    "SITE_HEADER": "Camerino",
    "SITE_SYMBOL": "ecg_heart",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("clinic/icon.svg")},
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SHOW_LANGUAGES": False,
    "BORDER_RADIUS": "8px",
    "STYLES": [lambda request: static("clinic/desk.css"), lambda request: static("clinic/palette.css")],
    "SCRIPTS": [
        lambda request: static("clinic/actions.js"),
        lambda request: static("clinic/autocomplete.js"),
        lambda request: static("clinic/rebooking.js"),
        lambda request: static("clinic/palette.js"),
        lambda request: static("clinic/shortcuts.js"),
    ],
    "COLORS": {
        # Teal, darker from 600 on than usual: white on it, and it on grey, keep a contrast of 4.5.
        "primary": {
            "50": "240 253 250",
            "100": "204 251 241",
            "200": "153 246 228",
            "300": "94 234 212",
            "400": "45 212 191",
            "500": "20 184 166",
            "600": "15 118 110",
            "700": "17 94 89",
            "800": "19 78 74",
            "900": "14 60 57",
            "950": "4 47 46",
        }
    },
    "ACCOUNT": {
        "navigation": [
            {"title": _("Sign-in and security"), "link": reverse_lazy("mfa_index")},
            # Opened by clinic/static/clinic/shortcuts.js.
            {"title": _("Keyboard shortcuts"), "link": "#keys"},
        ]
    },
    "TABS": _tabs(),
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "title": _("Reception"),
                "items": [
                    _item(
                        _("Today"),
                        "today",
                        "appointment",
                        link=reverse_lazy("admin:clinic_appointment_today"),
                        key="t",
                    ),
                    _item(
                        _("Calendar"),
                        "calendar_month",
                        "appointment",
                        link=reverse_lazy("admin:clinic_appointment_calendar"),
                        key="c",
                    ),
                    _item(_("Patients"), "groups", "patient", key="p"),
                    _item(
                        _("Appointments"),
                        "event_note",
                        "appointment",
                        active=lambda request: _shows(request) == "",
                        key="a",
                    ),
                    _cut(_("Requests"), "hourglass_top", "requests", key="r"),
                    _cut(_("To resolve"), "rule", "unresolved"),
                    # Its number comes by script: see clinic/static/clinic/rebooking.js.
                    _item(
                        _("To rebook"),
                        "event_repeat",
                        "appointment",
                        link=reverse_lazy("admin:clinic_appointment_rebooking"),
                        active=_rebooks,
                        key="b",
                    ),
                ],
            },
            {
                "title": _("Clinic"),
                "separator": True,
                "items": [
                    _item(
                        _("My hours"),
                        "schedule",
                        "workinghours",
                        link=reverse_lazy("admin:clinic_practitioner_my_hours"),
                        permission=lambda request: "practitioner" in request.user.roles,
                        active=_is_mine,
                        key="h",
                    ),
                    _item(
                        _("Roster"),
                        "calendar_view_week",
                        "workinghours",
                        link=reverse_lazy("admin:clinic_practitioner_roster"),
                        key="w",
                    ),
                    _item(_("Services"), "medical_services", "service", key="s"),
                    _item(_("Team"), "stethoscope", "practitioner", active=_is_of_the_team, key="m"),
                    _item(_("Rooms"), "meeting_room", "room", key="o"),
                    # Who keeps the settings finds them there.
                    _item(
                        _("Locations"),
                        "location_on",
                        "location",
                        permission=lambda request: (
                            request.user.has_perm("clinic.view_location") and not _keeps_settings(request)
                        ),
                    ),
                ],
            },
            {
                "title": _("Management"),
                "separator": True,
                "items": [
                    _item(_("Settings"), "settings", "clinicsettings", permission=_keeps_settings),
                    _item(_("Audit trail"), "policy", "auditentry"),
                ],
            },
        ],
    },
}
