"""What the address of today asks for: a location, and a day where it is not today."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from clinic.admin.calendar.asked import ALL, DAY, Asked, sees_own_only
from clinic.insights import today
from clinic.insights.today import Pending


def asked_of(request, *, by_practitioner: bool = False) -> Asked:
    """The calendar's reading of the address, cut to one day and its location, and to the practitioner of the address
    where that counts. Who treats begins with the own practice."""
    asked = Asked.of(request)
    people = asked.practitioners if by_practitioner or sees_own_only(request.user) else ()
    return dataclasses.replace(asked, view=DAY, practitioners=people, rooms=(), services=(), statuses=())


def is_today(asked: Asked, at: dt.datetime) -> bool:
    return asked.on == timezone.localdate(at, asked.zone)


def pending_of(asked: Asked, at: dt.datetime) -> Pending:
    """What waits for an answer concerns the present: a past or a coming day shows itself alone."""
    return today.pending(asked.user, asked.window, at=at) if is_today(asked, at) else today.NOTHING_PENDING


def address(asked: Asked, name: str = "today", **changes) -> str:
    """The address of the page of that name for this location and day. Today's day is left out: tomorrow the same
    address shows tomorrow."""
    said = {
        "location": ALL if asked.all_locations else asked.locations[0].pk if asked.locations else "",
        "on": "" if is_today(asked, timezone.now()) else asked.on.isoformat(),
        **changes,
    }
    query = urlencode({key: value for key, value in said.items() if value})
    page = reverse(f"admin:clinic_appointment_{name}")
    return f"{page}?{query}" if query else page
