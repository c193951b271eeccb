"""Somebody stands at the desk without an appointment."""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from clinic.actor import Actor
from clinic.database import conflicts, locks
from clinic.models import Appointment
from clinic.services.scheduling import claims
from clinic.services.scheduling.booking import book
from clinic.services.scheduling.statuses import check_in


def walk_in(
    appointment: Appointment,
    *,
    by: Actor,
    key: str | None = None,
    accept: Collection[str] = (),
    reason: str = "",
    at: datetime | None = None,
) -> Appointment:
    """Book for now (the next full five minutes, unless `start_at` is set) and check in at once.

    A repeated `key` gets the first visit as it is now, whatever happened to it since.
    """
    at = at or timezone.now()
    claim = claims.Claim(key, claims.fingerprint(patient=appointment.patient_id, by=by.user_id), claims.WALK_IN)
    if first := claim.answered():
        return first
    if appointment.start_at is None:
        appointment.start_at = at.replace(second=0, microsecond=0) + timedelta(minutes=-at.minute % 5)
        if appointment.start_at < at:
            appointment.start_at += timedelta(minutes=5)
    return _walk_in(appointment, claim, by=by, accept=accept, reason=reason, at=at)


@conflicts.retried
def _walk_in(
    appointment: Appointment, claim: claims.Claim, *, by: Actor, accept: Collection[str], reason: str, at: datetime
) -> Appointment:
    with transaction.atomic():
        locks.take(claim.lock_keys())
        if first := claim.answered():
            return first
        booked = book(copy(appointment), by=by, accept=accept, reason=reason, at=at)
        claim.remember(booked.pk)
        return check_in(booked, by=by, at=at)
