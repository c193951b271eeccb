"""The roster's page, its print and its spreadsheet. Paper and file travel: they say that somebody is off, never why."""

from __future__ import annotations

import functools

import tablib
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clinic import actor, permissions
from clinic.admin.base.cells import cell
from clinic.admin.base.export import FORMATS
from clinic.admin.roster.asked import VIEWS, Asked
from clinic.insights import roster
from clinic.models import ExtraHours, WorkingHours
from clinic.services import audit

# Beyond these, locations are told apart by their names alone.
HUES = 6


def addresses(guarded):
    """`guarded` is the site's own wrapper. Named as pages of the practitioner, whose crawler asks for rights."""
    return [
        path("roster/", guarded(page_view), name="clinic_practitioner_roster"),
        path("roster/print/", guarded(print_view), name="clinic_practitioner_roster_print"),
        path("roster/export/", guarded(export_view), name="clinic_practitioner_roster_export"),
    ]


def _for_whoever(verb):
    """Who may do `verb` to hours, weekly and extra ones alike."""

    def wrap(view):
        @functools.wraps(view)
        def guarded(request):
            if not all(permissions.can(request.user, verb, model) for model in (WorkingHours, ExtraHours)):
                raise PermissionDenied
            return view(request)

        return guarded

    return wrap


@_for_whoever("view")
@require_safe
def page_view(request):
    asked = Asked.of(request)
    request.current_app = admin.site.name
    context = {
        **admin.site.each_context(request),
        **_context(request, asked),
        "title": _("Roster"),
        "is_fullwidth": "1",
        "views": [(asked.query(view=view), label, view == asked.view) for view, label in VIEWS],
        "before": asked.query(on=asked.other_day(-1)),
        "after": asked.query(on=asked.other_day(1)),
        "now": asked.query(on=""),
        "may_export": permissions.can(request.user, "export", WorkingHours),
        "reasons": True,
    }
    return TemplateResponse(request, "admin/roster/page.html", context)


@_for_whoever("view")
@require_safe
def print_view(request):
    asked = Asked.of(request)
    audit.noted("print", by=actor.current(), model="workinghours", purpose=f"roster {asked.query()}"[:200])
    context = {**_context(request, asked), "printed_at": timezone.now()}
    return TemplateResponse(request, "admin/roster/print.html", context)


@_for_whoever("export")
def export_view(request):
    """One line per person, day and stretch, as Excel or CSV. Asked by address it leads back to the page."""
    asked = Asked.of(request)
    if request.method != "POST":
        return HttpResponseRedirect(f"{reverse('admin:clinic_practitioner_roster')}?{asked.query()}")
    kind = "csv" if request.POST.get("format") == "csv" else "xlsx"
    rows = _lines(_roster(request, asked))
    audit.noted(
        "export",
        by=actor.current(),
        model="workinghours",
        purpose=f"{len(rows)} × roster {asked.query()}"[:200],
    )
    data = tablib.Dataset(
        *([cell(value) for value in row] for row in rows),
        headers=[_("Day"), _("Practitioner"), _("Profession"), _("What"), _("From"), _("Until"), _("Location")],
    ).export(kind)
    # Without the mark Excel takes UTF-8 for something else.
    response = HttpResponse(f"\ufeff{data}" if kind == "csv" else data, content_type=FORMATS[kind].CONTENT_TYPE)
    name = f"roster-{asked.days[0]:%Y-%m-%d}-{asked.days[1]:%Y-%m-%d}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _roster(request, asked: Asked):
    first_on, last_on = asked.days
    return roster.roster(request.user, first_on, last_on, places=asked.places, profession=asked.profession)


def _context(request, asked: Asked) -> dict:
    found = _roster(request, asked)
    for number, place in enumerate(asked.known):
        # A location keeps its colour whatever the filter.
        place.hue = f"roster-place-{number % HUES}"
        place.mark = place.name[: _length([other.name for other in asked.known])]
    return {
        "asked": asked,
        "roster": found,
        "today": timezone.localdate(),
        "clocks": len({place.time_zone for place in found.places}) > 1,
    }


def _length(names: list[str]) -> int:
    """How many letters tell these names apart, three at least."""
    longest = max(map(len, names), default=3)
    return next((n for n in range(3, longest) if len({name[:n] for name in names}) == len(set(names))), longest)


def _lines(found) -> list[tuple]:
    lines = []
    for row in found.rows:
        who = (str(row.practitioner), row.practitioner.profession)
        for day in row.cells:
            for shift in day.shifts:
                what = _("Extra hours") if shift.extra else _("Hours")
                lines.append((day.on, *who, what, shift.span.starts, shift.span.ends, shift.place.name))
            for off in day.absences:
                lines.append(
                    (day.on, *who, _("Off"), *((off.span.starts, off.span.ends) if off.span else ("", "")), "")
                )
            lines += [(day.on, *who, _("Closed"), "", "", place.name) for place, _why in day.closed]
    for place, days in found.cover or ():
        lines += [(day.on, "", "", _("Nobody"), gap.starts, gap.ends, place.name) for day in days for gap in day.gaps]
    return sorted(lines, key=lambda line: (line[0], line[1] == "", line[1], line[4]))
