"""What stands around the picture: its title, where its buttons lead, what the filters offer, what scripts are told."""

from __future__ import annotations

import datetime as dt

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic import permissions
from clinic.admin.calendar.asked import (
    ALL,
    BY_PRACTITIONER,
    BY_ROOM,
    DAY,
    LIST,
    MONTH,
    VIEWS,
    WEEK,
    Asked,
    own_practice,
    sees_own_only,
)
from clinic.admin.calendar.picture import may
from clinic.admin.calendar.words import STATUS_ICONS, texts
from clinic.insights.calendar import shared_zone
from clinic.models import Appointment, Location, Practitioner, Room, Service


def heading(asked: Asked) -> str:
    """The days of the picture, in words."""
    if asked.view == MONTH:
        return date_format(asked.on, "YEAR_MONTH_FORMAT")
    if asked.view == WEEK:
        first_on, last_on = asked.days
        return f"{date_format(first_on, 'j M')} – {date_format(last_on, 'j M Y')}"
    return date_format(asked.on, "l j F Y")


def toolbar(asked: Asked) -> dict:
    """The context of the bar and the filters. Everything is a link or a field of a form: scripts only hurry."""
    page = reverse("admin:clinic_appointment_calendar")

    def to(**changes):
        return f"{page}?{asked.query(**changes)}"

    by = [(BY_PRACTITIONER, _("Practitioners")), (BY_ROOM, _("Rooms"))]
    return {
        "heading": heading(asked),
        "views": [(name, label, to(view=name), name == asked.view) for name, label in VIEWS],
        "columns": [
            (name, label, to(by="" if name == BY_PRACTITIONER else name), name == asked.by) for name, label in by
        ],
        "links": {
            "before": to(on=asked.other_day(-1).isoformat()),
            "after": to(on=asked.other_day(1).isoformat()),
            "today": to(on=""),
            "list": to(view=LIST),
            "print": f"{reverse('admin:clinic_appointment_calendar_print')}?{asked.query(view='')}",
            "book": f"{reverse('admin:clinic_appointment_add')}?on={asked.on}",
        },
        **_filters(asked),
    }


def _filters(asked: Asked) -> dict:
    where = [location.pk for location in asked.locations]
    known = list(Location.objects.active())
    people = Practitioner.objects.active().filter(locations__in=where).distinct()
    rooms = Room.objects.active().filter(location__in=where).select_related("location")
    # Rooms of several locations may bear the same name.
    named = [(room.pk, f"{room} · {room.location}" if len(where) > 1 else str(room)) for room in rooms]
    everywhere = [(ALL, _("All locations"), asked.all_locations)] if len(known) > 1 and shared_zone(known) else []
    return {
        "locations": [
            *everywhere,
            *((place.pk, place.name, not asked.all_locations and place.pk in where) for place in known),
        ],
        "filters": [
            (name, label, [(value, text, value in chosen) for value, text in options])
            for name, label, options, chosen in (
                ("practitioner", _("Practitioners"), [(row.pk, str(row)) for row in people], asked.practitioners),
                ("room", _("Rooms"), named, asked.rooms),
                ("service", _("Services"), [(s.pk, str(s)) for s in Service.objects.active()], asked.services),
                ("status", _("Status"), Appointment.Status.choices, asked.statuses),
            )
        ],
    }


def setup(asked: Asked) -> dict:
    """What the scripts are told: addresses, rights, texts. No patient."""
    user = asked.user
    return {
        "urls": {
            "page": reverse("admin:clinic_appointment_calendar"),
            "feed": reverse("admin:clinic_appointment_calendar_feed"),
            "list": reverse("admin:clinic_appointment_calendar_list"),
            "print": reverse("admin:clinic_appointment_calendar_print"),
            "move": reverse("admin:clinic_appointment_calendar_move", args=[0]),
            "visit": reverse("admin:clinic_appointment_change", args=[0]),
            "book": reverse("admin:clinic_appointment_add"),
            "patient": reverse("admin:clinic_patient_add"),
        },
        "may": may(user),
        "mayRegister": permissions.scope(user, "add", "patient") is not None,
        # Whose column somebody who books for the own practice only may touch.
        "own": own_practice(user) if permissions.scope(user, "book", Appointment) == permissions.OWN_ONLY else None,
        "ownFirst": sees_own_only(user),
        "movable": [str(status) for status in Appointment.MOVABLE],
        "step": min((place.slot_step for place in asked.locations), default=15),
        "locations": {str(place.pk): place.name for place in asked.locations},
        "today": dt.datetime.now(asked.zone).date().isoformat(),
        "language": get_language(),
        "icons": STATUS_ICONS,
        "statuses": {str(value): str(label) for value, label in Appointment.Status.choices},
        "views": [DAY, WEEK, MONTH, LIST],
        "texts": texts(),
    }
