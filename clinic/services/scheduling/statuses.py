"""A visit's way through its statuses: a verb per function, MOVES is the map."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import signals
from clinic.actor import Actor
from clinic.database import conflicts
from clinic.exceptions import RuleBroken
from clinic.models import MOVES, Appointment, ClinicSettings
from clinic.services.scheduling import answers, clock, planning
from clinic.services.scheduling.booking import is_late, note, refuse_outside_window

_S = Appointment.Status

# Where a correction leads, and what it takes back.
_CORRECTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    _S.COMPLETED: (_S.IN_SESSION, {"ended_at": None}),
    _S.NO_SHOW: (_S.ARRIVED, {}),
    _S.CANCELLED: (_S.SCHEDULED, {"cancelled_by": "", "late": False}),
}


def approve(
    appointment: Appointment, *, by: Actor, reason: str = "", message: str | None = None, at: datetime | None = None
) -> Appointment:
    """A request becomes a visit; it has held its time all along. `message` is kept for the patient: None means the
    usual words, in the patient's language."""
    message = answers.usual(appointment, "approve") if message is None else message
    return _go(appointment, _S.SCHEDULED, "approve", by=by, reason=reason, message=message, at=at)


def decline(
    appointment: Appointment, *, by: Actor, reason: str = "", message: str | None = None, at: datetime | None = None
) -> Appointment:
    """A request is turned down and gives its time back. `message`: as in `approve`."""
    message = answers.usual(appointment, "decline") if message is None else message
    return _go(appointment, _S.DECLINED, "decline", by=by, reason=reason, message=message, at=at)


def expire(appointment: Appointment, *, by: Actor, reason: str = "", at: datetime | None = None) -> Appointment:
    """A request that nobody answered gives its time back."""
    return _go(appointment, _S.EXPIRED, "expire", by=by, reason=reason, at=at)


def confirm(appointment: Appointment, *, by: Actor, reason: str = "", at: datetime | None = None) -> Appointment:
    """The patient, or reception for her, said yes."""
    return _go(appointment, _S.CONFIRMED, "confirm", by=by, reason=reason, at=at)


def check_in(appointment: Appointment, *, by: Actor, reason: str = "", at: datetime | None = None) -> Appointment:
    """The patient is here. Refused before the day of the visit."""
    at = at or timezone.now()
    if clock.local_day(appointment.zone, at) < appointment.local_start.date():
        raise RuleBroken("too_early", _("This visit is not today; it cannot be checked in yet."))
    return _go(appointment, _S.ARRIVED, "check_in", by=by, reason=reason, at=at, arrived_at=at)


def start(appointment: Appointment, *, by: Actor, reason: str = "", at: datetime | None = None) -> Appointment:
    """The session begins."""
    at = at or timezone.now()
    return _go(appointment, _S.IN_SESSION, "start", by=by, reason=reason, at=at, started_at=at)


def complete(appointment: Appointment, *, by: Actor, reason: str = "", at: datetime | None = None) -> Appointment:
    """The visit took place. A past visit that nobody checked in goes the whole way at once, without times of its own:
    nobody knows them."""
    at = at or timezone.now()
    with transaction.atomic():
        current = _locked(appointment)
        if current.status in (_S.SCHEDULED, _S.CONFIRMED, _S.ARRIVED) and current.end_at <= at:
            if current.status != _S.ARRIVED:
                current = _step(current, _S.ARRIVED, "check_in", by=by, reason=reason, at=at)
            current = _step(current, _S.IN_SESSION, "start", by=by, reason=reason, at=at)
            return _step(current, _S.COMPLETED, "complete", by=by, reason=reason, at=at)
        return _step(current, _S.COMPLETED, "complete", by=by, reason=reason, at=at, ended_at=at)


def mark_no_show(appointment: Appointment, *, by: Actor, reason: str = "", at: datetime | None = None) -> Appointment:
    """The patient did not come; said by a person, never by a job (S15). Refused before the visit's start."""
    at = at or timezone.now()
    if at < appointment.start_at:
        raise RuleBroken("too_early", _("The visit has not begun; nobody can have missed it yet."))
    return _go(appointment, _S.NO_SHOW, "mark_no_show", by=by, reason=reason, at=at)


def undo(appointment: Appointment, *, by: Actor, reason: str = "", at: datetime | None = None) -> Appointment:
    """Take back an arrival or a start that was clicked by mistake."""
    if appointment.status == _S.IN_SESSION:
        return _go(appointment, _S.ARRIVED, "undo", by=by, reason=reason, at=at, started_at=None)
    return _go(appointment, _S.SCHEDULED, "undo", by=by, reason=reason, at=at, arrived_at=None)


def cancel(
    appointment: Appointment,
    *,
    by: Actor,
    reason: str = "",
    cancelled_by: str = "",
    at: datetime | None = None,
) -> Appointment:
    """Call the visit off, for the patient or for the clinic; marked late where it comes inside the window.

    Patients only outside it (S13). Staff give a reason.
    """
    at = at or timezone.now()
    whose = Appointment.CancelledBy.PATIENT if by.kind == "patient" else cancelled_by or Appointment.CancelledBy.CLINIC
    if by.kind == "patient":
        refuse_outside_window(appointment, at=at)
    elif by.kind == "staff" and not reason.strip():
        raise RuleBroken("reason_missing", _("Say why the visit is cancelled."), field="reason")
    late = whose == Appointment.CancelledBy.PATIENT and is_late(appointment, at=at)
    return _go(appointment, _S.CANCELLED, "cancel", by=by, reason=reason, at=at, cancelled_by=whose, late=late)


@conflicts.retried
def reopen(
    appointment: Appointment,
    *,
    by: Actor,
    reason: str = "",
    accept: Collection[str] = (),
    at: datetime | None = None,
) -> Appointment:
    """Correct a status afterwards, with a reason: completed, missed or cancelled by mistake.

    What gave its time back returns only if that is still free, whatever it overlapped before; going past that wants
    `accept={"overlap"}`. What was retired meanwhile is not planned again.
    """
    at = at or timezone.now()
    if not reason.strip():
        raise RuleBroken("reason_missing", _("A correction wants a reason."), field="reason")
    # What the caller holds may be old, and the way depends on the status.
    appointment = Appointment.objects.get(pk=appointment.pk)
    target, cleared = _CORRECTIONS.get(appointment.status, (_S.SCHEDULED, {}))
    if appointment.status in Appointment.HOLDING:
        return _go(appointment, target, "reopen", by=by, reason=reason, at=at, **cleared)
    wish, plan = planning.as_it_was(appointment)
    # What took place is put right with whatever it took place with.
    past = target != _S.SCHEDULED
    with transaction.atomic():
        plan.lock(wish)
        overlaps = planning.check(wish, plan, by=by, accept=accept, at=at, retry_is_vain=True, retired=past)
        cleared = {**cleared, "overlap_reason": reason.strip()[:200] if overlaps else ""}
        current = _locked(appointment)
        if current.status != appointment.status:
            raise RuleBroken("not_possible", _("Somebody else has changed this visit just now."))
        return _step(current, target, "reopen", by=by, reason=reason, at=at, **cleared)


def expire_requests(*, by: Actor, at: datetime | None = None) -> int:
    """Expire every request that is older than the settings allow or whose time has come; each by itself."""
    at = at or timezone.now()
    oldest = at - timedelta(hours=ClinicSettings.current().request_hours)
    requests = Appointment.objects.requests()
    due = requests.filter(created_at__lt=oldest) | requests.filter(start_at__lte=at)
    count = 0
    for appointment in due.order_by("pk"):
        try:
            expire(appointment, by=by, at=at)
        except RuleBroken:
            # Answered by somebody in this very moment: theirs is the better answer.
            continue
        count += 1
    return count


def _locked(appointment: Appointment) -> Appointment:
    return Appointment.objects.select_for_update().get(pk=appointment.pk)


def _go(appointment: Appointment, new: str, verb: str, *, by: Actor, reason: str, at: datetime | None, **more):
    with transaction.atomic():
        return _step(_locked(appointment), new, verb, by=by, reason=reason, at=at or timezone.now(), **more)


def _step(
    appointment: Appointment,
    new: str,
    verb: str,
    *,
    by: Actor,
    reason: str,
    at: datetime,
    message: str = "",
    **fields,
) -> Appointment:
    """One move of a locked row, if MOVES knows it: status, fields, the fact, the event."""
    old = appointment.status
    if MOVES.get((old, new)) != verb:
        raise RuleBroken(
            "not_possible",
            _("This visit is “%(old)s” and cannot become “%(new)s”.")
            % {"old": appointment.get_status_display(), "new": _S(new).label},
        )
    appointment.status = new
    for name, value in fields.items():
        setattr(appointment, name, value)
    appointment.save()
    note(appointment, old=old, verb=verb, by=by, reason=reason, message=message, at=at)
    if new in (_S.CANCELLED, _S.DECLINED, _S.EXPIRED):
        signals.announce(signals.appointment_released, appointment, by=by)
    elif new == _S.COMPLETED:
        signals.announce(signals.appointment_completed, appointment, by=by)
    else:
        signals.announce(signals.appointment_changed, appointment, by=by, old=old)
    return appointment
