"""Somebody stands at the desk without an appointment."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from clinic.actor import Actor
from clinic.models import Appointment
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
    """Book for now (the next full five minutes, unless `start_at` is set) and check in at once."""
    at = at or timezone.now()
    if appointment.start_at is None:
        appointment.start_at = at.replace(second=0, microsecond=0) + timedelta(minutes=-at.minute % 5)
        if appointment.start_at < at:
            appointment.start_at += timedelta(minutes=5)
    with transaction.atomic():
        booked = book(appointment, by=by, key=key, accept=accept, reason=reason, at=at)
        # A replay of the same key finds the patient checked in already.
        if booked.status == Appointment.Status.ARRIVED:
            return booked
        return check_in(booked, by=by, at=at)
