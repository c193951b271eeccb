"""Today’s page and its board, within what the person may see. What is done there, the visits’ own actions do."""

from __future__ import annotations

import datetime as dt

from django.contrib import admin
from django.http import HttpResponseNotModified
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from clinic import permissions
from clinic.admin.base.scope import may
from clinic.admin.calendar.asked import ALL, Asked
from clinic.admin.calendar.views import form_media, fresh, knows, reading
from clinic.admin.scheduling.lists import REQUESTS, UNRESOLVED
from clinic.admin.today.asked import address, asked_of, is_today, pending_of
from clinic.admin.today.cards import Cards
from clinic.admin.today.words import texts
from clinic.insights import today
from clinic.insights.calendar import shared_zone
from clinic.insights.today import Board, Pending
from clinic.models import Appointment, Location

SCRIPTS = [
    f"clinic/{name}.js" for name in ("calendar_feed", "calendar_card", "calendar_moves", "calendar_panel", "today")
]
# The same as clinic.signin's: a neighbour, whom screens do not import.
POLL_HEADER = "X-Camerino-Poll"


@reading
def page_view(request):
    """The whole page: which day and where, the buttons that begin something, and the board."""
    asked = asked_of(request)
    now = timezone.now()
    pending = pending_of(asked, now)
    request.current_app = admin.site.name
    context = {
        **admin.site.each_context(request),
        "title": _("Today") if is_today(asked, now) else date_format(asked.on, "l j F Y"),
        "is_fullwidth": "1",
        "media": form_media(),
        "own_scripts": SCRIPTS,
        "setup": _setup(request, asked),
        "here": address(asked),
        **_bar(request, asked, now),
        **_board(request, asked, pending, now),
    }
    return TemplateResponse(request, "admin/today/page.html", context)


@reading
def board_view(request):
    """The board alone, for the page that asks whether it has changed; 304 while it has not."""
    asked = asked_of(request)
    now = timezone.now()
    pending = pending_of(asked, now)
    tag = f'"{today.fingerprint(asked.window, pending, at=now)}"' if asked.locations else '"none"'
    if knows(request, tag):
        return fresh(HttpResponseNotModified(), tag)
    # A question that the page asks by itself must not take away what is to be said on the next page.
    told = POLL_HEADER not in request.headers
    context = {"told": told, **_board(request, asked, pending, now)}
    return fresh(TemplateResponse(request, "admin/today/board.html", context), tag)


def _board(request, asked: Asked, pending: Pending, now: dt.datetime) -> dict:
    board = today.board(request.user, asked.window, pending)
    places = {place.pk: place.name for place in asked.locations} if len(asked.locations) > 1 else {}
    cards = Cards(request.user, board, locations=places, at=now)
    columns = [
        ("waiting", _("Waiting room"), "chair", cards.of(board.waiting), _("Nobody is waiting.")),
        ("in-session", _("In session"), "play_circle", cards.of(board.in_session), _("Nobody is being treated.")),
        ("expected", _("Expected"), "schedule", cards.of(board.expected), _("Nobody else is expected.")),
    ]
    folded = [
        ("done", _("Done"), "task_alt", cards.of(board.done)),
        ("gone", _("Cancelled or not come"), "event_busy", cards.of(board.gone)),
    ]
    listed = reverse("admin:clinic_appointment_changelist")
    answers = [
        (
            "requests",
            _("Requests"),
            "hourglass_top",
            cards.of(board.requests),
            f"{listed}?show={REQUESTS}" if pending.more_requests else "",
        ),
        (
            "unresolved",
            _("To resolve"),
            "rule",
            cards.of(board.unresolved),
            f"{listed}?show={UNRESOLVED}" if pending.more_unresolved else "",
        ),
    ]
    return {
        "columns": columns,
        "folded": folded,
        "answers": [part for part in answers if part[3]],
        "next": urlencode({"next": address(asked)}),
        "on": asked.on,
        "people": _people(asked, board),
    }


def _people(asked: Asked, board: Board) -> list[tuple[str, str]]:
    """(address of the sheet, name) of who treats on this day, where these are several."""
    known = {visit.practitioner_id: str(visit.practitioner) for visit in board.of_the_day}
    named = sorted((name, key) for key, name in known.items())
    return [(address(asked, "today_sheet", practitioner=key), name) for name, key in named]


def _bar(request, asked: Asked, now: dt.datetime) -> dict:
    """Days, locations, and what begins here. Links and a form: scripts only hurry."""
    known = list(Location.objects.active())
    shown = [place.pk for place in asked.locations]
    everywhere = [(ALL, _("All locations"), asked.all_locations)] if len(known) > 1 and shared_zone(known) else []
    places = [(place.pk, place.name, not asked.all_locations and place.pk in shown) for place in known]
    back = urlencode({"next": address(asked)})
    where = f"&location={shown[0]}" if shown else ""
    add = reverse("admin:clinic_appointment_add")
    return {
        "asked": asked,
        "is_today": is_today(asked, now),
        "places": [*everywhere, *places] if len(known) > 1 else [],
        "links": {
            "before": address(asked, on=asked.other_day(-1).isoformat()),
            "after": address(asked, on=asked.other_day(1).isoformat()),
            "today": address(asked, on=""),
            "sheet": address(asked, "today_sheet"),
            "walk_in": f"{add}?walk_in=1{where}&{back}" if may(request, "walk_in", Appointment) else "",
            "book": f"{add}?on={asked.on.isoformat()}{where}&{back}" if may(request, "book", Appointment) else "",
        },
    }


def _setup(request, asked: Asked) -> dict:
    """What the script is told: addresses, rights, texts. No patient."""
    return {
        "board": address(asked, "today_board"),
        "here": address(asked),
        "patient": reverse("admin:clinic_patient_add"),
        "mayRegister": permissions.scope(request.user, "add", "patient") is not None,
        "texts": texts(),
    }
