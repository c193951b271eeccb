"""Taking back a word about a visit that was a wrong tap, moments after it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.actor import Actor
from clinic.exceptions import RuleBroken
from clinic.models import Appointment
from clinic.services.scheduling.statuses import check_in, confirm, reopen, undo

_S = Appointment.Status

# The desk offers it for ten seconds; the rest is a slow network or a second look.
LIMIT = timedelta(seconds=60)
_TAPS = ("check_in", "start", "complete", "mark_no_show", "cancel")
_WAYS = {_S.ARRIVED: undo, _S.IN_SESSION: undo, _S.COMPLETED: reopen, _S.NO_SHOW: reopen, _S.CANCELLED: reopen}


def take_back(appointment: Appointment, *, by: Actor, at: datetime | None = None) -> Appointment:
    """Put a visit back to where it stood before `by` said last what became of it, step by step along MOVES.

    Refused where that is older than LIMIT, was somebody else's word, or was an answer to a request; and where the time
    that a cancelled or missed visit gave back has been given away since.
    """
    at = at or timezone.now()
    before = _before(appointment, by, at)
    reason = _("taken back at once")
    with transaction.atomic():
        arrived_at = appointment.arrived_at
        while appointment.status != before and appointment.status in _WAYS:
            appointment = _WAYS[_S(appointment.status)](appointment, by=by, reason=reason, at=at)
        if before == _S.CONFIRMED:
            appointment = confirm(appointment, by=by, reason=reason, at=at)
        elif before == _S.ARRIVED and appointment.status == _S.SCHEDULED:
            appointment = check_in(appointment, by=by, reason=reason, at=arrived_at)
        if appointment.status != before:
            raise RuleBroken("too_late", _("This can no longer be taken back."))
    return appointment


def _before(appointment: Appointment, by: Actor, at: datetime) -> str:
    """The status before the last tap. One tap may have gone several steps: then all of them bear its moment."""
    changes = list(appointment.status_changes.order_by("-at", "-pk")[:3])
    last = changes[0] if changes else None
    if last is None or last.verb not in _TAPS or last.by_id != by.user_id or last.at < at - LIMIT:
        raise RuleBroken("too_late", _("This can no longer be taken back."))
    return [change.old for change in changes if change.at == last.at and change.verb in _TAPS][-1]
