"""Writes around legal entities and locations: the logo, opening on a public holiday."""

from __future__ import annotations

from datetime import date, time

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.actor import Actor
from clinic.exceptions import RuleBroken
from clinic.models import DayException, Location, OpeningHours, Organization
from clinic.services import files


def save_organization(
    organization: Organization, *, by: Actor, logo: files.Checked | None = None, without_logo: bool = False
) -> Organization:
    """Save a legal entity; with a new `logo` or `without_logo` the one it had is its logo no longer.

    The former file stays: documents that were issued with it show it.
    """
    with transaction.atomic():
        if logo is not None:
            organization.logo = files.keep(logo)
        elif without_logo:
            organization.logo = None
        organization.save()
    return organization


def open_on(
    location: Location, *, by: Actor, on: date, starts: time | None = None, ends: time | None = None, reason: str = ""
) -> Location:
    """Open a location on one day, with these hours or those of its weekday, from the first to the last.

    Refused: `hours_missing` where the weekday has none; `open_already` where the day is an exceptional one.
    """
    if starts is None or ends is None:
        starts, ends = _usual(location, on)
    with transaction.atomic():
        if DayException.objects.filter(location=location, on=on).exists():
            raise RuleBroken("open_already", _("This day has an exception already."), field="on")
        DayException.objects.create(location=location, on=on, open=True, starts=starts, ends=ends, reason=reason)
    return location


def _usual(location: Location, on: date) -> tuple[time, time]:
    rows = [
        row
        for row in OpeningHours.objects.filter(location=location, weekday=on.weekday())
        if (row.valid_from is None or row.valid_from <= on) and (row.valid_until is None or on <= row.valid_until)
    ]
    if not rows:
        raise RuleBroken(
            "hours_missing",
            _("%(location)s is not open on this weekday: say from when until when.") % {"location": location},
            field="starts",
        )
    # 00:00 is midnight, the latest end of all.
    return min(row.starts for row in rows), max((row.ends for row in rows), key=lambda end: (end == time(), end))
