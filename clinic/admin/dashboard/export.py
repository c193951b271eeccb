"""A card's table as a spreadsheet, for who may export visits. Recorded before it leaves."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from tablib import Dataset

from clinic import actor, permissions
from clinic.admin.base.cells import cell
from clinic.admin.dashboard.asked import Asked
from clinic.admin.dashboard.cards import CARDS
from clinic.models import Appointment
from clinic.services import audit


def addresses(guarded):
    """`guarded` is the site's own wrapper. Named as a page of the appointment, whose rights the crawler asks for."""
    return [path("figures/", guarded(table_view), name="clinic_appointment_figures")]


def table_view(request):
    """The table that the address names, as CSV; it is posted, and anything else leads to the front page."""
    if not permissions.can(request.user, "export", Appointment):
        raise PermissionDenied
    found = _table(request) if request.method == "POST" else None
    if found is None:
        return redirect("admin:index")
    asked, name, table = found
    data = Dataset(*([cell(value) for value in row] for row in table.rows), headers=[*table.headers])
    days = f"{asked.span.first_on}-{asked.span.last_on}"
    audit.noted("export", by=actor.current(), model="appointment", purpose=f"dashboard {name} {days}")
    # Without the mark Excel takes UTF-8 for something else.
    response = HttpResponse(f"\ufeff{data.export('csv')}", content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="{name}-{days}.csv"'
    return response


def _table(request):
    asked = Asked(request)
    name, number = request.GET.get("card", ""), request.GET.get("table", "")
    for card in (kind(asked) for kind in CARDS if kind.name == name):
        tables = card.content().tables if card.is_shown() else []
        if number in map(str, range(len(tables))):
            return asked, name, tables[int(number)]
    return None
