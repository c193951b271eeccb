"""Taking back a move that was a slip of the hand, moments after it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.actor import Actor
from clinic.exceptions import RuleBroken
from clinic.models import Appointment
from clinic.services.scheduling.booking import move
from clinic.services.scheduling.statuses import confirm

# The desk offers it for ten seconds; the rest is a slow network.
LIMIT = timedelta(seconds=60)


def move_back(appointment: Appointment, *, by: Actor, version: int, at: datetime | None = None) -> Appointment:
    """Put a visit back to where `by` moved it from: time, length, practitioner, location, room and its confirmation.

    `version` is the one after that move. What was allowed there is allowed again; a time that has been given away
    since is refused, as is somebody else's move and one that is older than LIMIT.
    """
    at = at or timezone.now()
    last = appointment.status_changes.order_by("-at", "-pk").first()
    if last is None or last.verb != "move" or last.by_id != by.user_id or last.at < at - LIMIT:
        raise RuleBroken("too_late", _("This move can no longer be taken back."))
    before = appointment.history.filter(version=version - 1).order_by("-history_id").first()
    if before is None:
        raise RuleBroken("too_late", _("This move can no longer be taken back."))
    # Its time may have begun meanwhile, and hours may say otherwise by now: it stood there all the same.
    accept = {"past", "outside_hours", *(["overlap"] if before.overlap_reason else [])}
    with transaction.atomic():
        back = move(
            appointment,
            by=by,
            start_at=before.start_at,
            end_at=before.end_at,
            practitioner=before.practitioner,
            location=before.location,
            room=before.room,
            version=version,
            accept=accept,
            reason=before.overlap_reason,
            at=at,
        )
        if before.status == Appointment.Status.CONFIRMED:
            back = confirm(back, by=by, at=at)
        return back
