"""The calendar's page, its data, its list and its print. Each answers within what the person may see."""

from __future__ import annotations

import dataclasses
import functools

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotModified, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clinic import actor, permissions
from clinic.admin.base.forms import OneOfMany
from clinic.admin.calendar.asked import BY_ROOM, DAY, LIST, Asked
from clinic.admin.calendar.picture import may, picture
from clinic.admin.calendar.toolbar import heading, setup, toolbar
from clinic.admin.scheduling.columns import status_badge
from clinic.admin.scheduling.times import TimesForm
from clinic.insights import calendar
from clinic.models import Appointment, Practitioner, Room
from clinic.services import audit

SCRIPTS = [f"clinic/calendar{part}.js" for part in ("_feed", "_card", "_grid", "_month", "_panel", "_moves", "")]


def reading(view):
    """Who may see visits, and only to look."""

    @functools.wraps(view)
    def guarded(request):
        if not permissions.can(request.user, "view", Appointment):
            raise PermissionDenied
        return require_safe(view)(request)

    return guarded


@reading
def page_view(request):
    """The page: toolbar and filters. The picture itself is fetched, but for the list, which needs no script."""
    asked = Asked.of(request)
    request.current_app = admin.site.name
    context = {
        **admin.site.each_context(request),
        "title": _("Calendar"),
        "is_fullwidth": "1",
        "media": form_media(),
        "own_scripts": SCRIPTS,
        "setup": setup(asked),
        **toolbar(asked),
        **(_list_context(request, asked) if asked.view == LIST else {"asked": asked, "may": may(request.user)}),
    }
    return TemplateResponse(request, "admin/calendar/page.html", context)


@reading
def feed_view(request):
    """What the page draws, or 304 while nothing has changed."""
    asked = Asked.of(request)
    tag = _tag(asked)
    if knows(request, tag):
        return fresh(HttpResponseNotModified(), tag)
    return fresh(JsonResponse(picture(asked), json_dumps_params={"separators": (",", ":"), "ensure_ascii": False}), tag)


@reading
def list_view(request):
    """The list alone, for the page that shows it and asks whether it has changed."""
    asked = Asked.of(request)
    tag = _tag(asked)
    if knows(request, tag):
        return fresh(HttpResponseNotModified(), tag)
    return fresh(TemplateResponse(request, "admin/calendar/list.html", _list_context(request, asked)), tag)


@reading
def print_view(request):
    """A day on paper: who comes when, a table per practitioner or room. Recorded, as every print is."""
    asked = dataclasses.replace(Asked.of(request), view=DAY)
    audit.noted("print", by=actor.current(), model="appointment", purpose=f"calendar {asked.on}")
    context = {
        "asked": asked,
        "groups": _groups(asked),
        "title": heading(asked),
        "where": ", ".join(place.name for place in asked.locations),
        "printed_at": timezone.now(),
    }
    return TemplateResponse(request, "admin/calendar/print.html", context)


def _tag(asked: Asked) -> str:
    return f'"{calendar.fingerprint(asked.window)}"'


def knows(request, tag: str) -> bool:
    # Compressed, the same answer bears a weak tag.
    return request.headers.get("If-None-Match", "").removeprefix("W/") == tag


def fresh(response, tag):
    response["ETag"] = tag
    return response


def form_media():
    """What the booking form needs, which opens in a panel of this page."""
    screen = admin.site.get_model_admin(Appointment)
    chooser = OneOfMany(Appointment._meta.get_field("patient"), admin.site)
    return screen.media + chooser.media + TimesForm().media


def _rows(asked: Asked):
    window = asked.window
    found = permissions.visible(asked.user, Appointment.objects.filter(window.where() & window.what() & window.when()))
    rows = found.select_related("patient", "service", "practitioner", "location", "room").order_by("start_at", "pk")
    return rows[: calendar.MOST]


def _list_context(request, asked: Asked) -> dict:
    """The list: visits in their order, colleagues' busy time, and where the buttons of a visit lead."""
    here = f"{reverse('admin:clinic_appointment_calendar')}?{request.GET.urlencode()}"
    visits = list(_rows(asked))
    for visit in visits:
        visit.badge = status_badge(visit)
    return {
        "asked": asked,
        "may": may(request.user),
        "movable": Appointment.MOVABLE,
        "visits": visits,
        "busy": _busy(asked),
        "next": urlencode({"next": here}),
    }


def _busy(asked: Asked) -> list[tuple]:
    blocks = calendar.busy(asked.user, asked.window)
    people = Practitioner.objects.in_bulk({block[2] for block in blocks})
    rooms = Room.objects.in_bulk({block[3] for block in blocks if block[3]})
    return sorted(
        (start.astimezone(asked.zone), end.astimezone(asked.zone), str(people[who]), str(rooms.get(room, "")))
        for start, end, who, room, _place in blocks
    )


def _groups(asked: Asked) -> list[tuple[str, list]]:
    groups: dict[str, list] = {}
    for visit in _rows(asked):
        key = str(visit.room or _("No room")) if asked.by == BY_ROOM else str(visit.practitioner)
        groups.setdefault(key, []).append(visit)
    return sorted(groups.items())
