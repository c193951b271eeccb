"""Somebody stands at the desk without an appointment."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from copy import copy
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.actor import Actor
from clinic.database import conflicts, locks
from clinic.exceptions import RuleBroken
from clinic.models import Appointment
from clinic.services.scheduling import claims, clock, planning, slots
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

    Without a practitioner whoever offers the service there and is free now, the patient's usual one first.
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
        booked = _book(appointment, by=by, accept=accept, reason=reason, at=at)
        claim.remember(booked.pk)
        return check_in(booked, by=by, at=at)


def _book(appointment: Appointment, *, by: Actor, accept: Collection[str], reason: str, at: datetime) -> Appointment:
    if appointment.practitioner_id is not None:
        return book(copy(appointment), by=by, accept=accept, reason=reason, at=at)
    what, where, who = appointment.service_id, appointment.location_id, appointment.patient_id
    for slot in slots.free_at(what, appointment.start_at, location_id=where, patient_id=who, at=at):
        chosen = copy(appointment)
        chosen.practitioner_id = slot.practitioner_id
        # Somebody may have been faster; then the next one.
        with suppress(RuleBroken):
            return book(chosen, by=by, at=at)
    today = clock.local_day(appointment.location.time_zone, at)
    later = slots.free(what, first_on=today, locations=[where], patient_id=who, at=at)
    raise RuleBroken(
        "nobody_free",
        _("Nobody who offers this is free now. Choose who treats nevertheless, or another time."),
        field="practitioner",
        alternatives=later[: planning.OFFERED],
    )
