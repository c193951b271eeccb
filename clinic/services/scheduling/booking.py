"""Booking and moving: the one write path for desk, patient, import and API (S8)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from django.db import IntegrityError, transaction
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from clinic import signals
from clinic.actor import Actor
from clinic.database import conflicts
from clinic.exceptions import RuleBroken
from clinic.models import Appointment, ClinicSettings, EquipmentUse, Location, Practitioner, Room, StatusChange
from clinic.services.scheduling import claims, planning
from clinic.services.scheduling.wishes import Plan, Wish

_S = Appointment.Status
# How often another room is tried when the chosen one is lost to somebody faster.
_CHOICES = 8
# What others than the desk come by says where a booking came from, whatever the caller filled in.
_SOURCES = {"patient": Appointment.Source.PORTAL, "api": Appointment.Source.API}


def book(
    appointment: Appointment,
    *,
    by: Actor,
    key: str | None = None,
    accept: Collection[str] = (),
    reason: str = "",
    at: datetime | None = None,
) -> Appointment:
    """Book an unsaved appointment: service, practitioner, location, patient and start_at are set; staff may set end_at
    and room too. What is left open is chosen here, place and equipment always.

    `key` makes a repeated request answer with its first appointment (S10): another instance, marked `repeated`.
    `accept` names soft refusals that somebody with their permission has accepted, never a patient or a program; a
    deliberate overlap wants `reason`. Raises RuleBroken. At most 14 statements.
    """
    _refuse_choosing(by, appointment.end_at, appointment.room)
    claim = claims.Claim(key, _fingerprint(appointment, by))
    wish = _wish(appointment)
    return _book(appointment, wish, claim, by=by, accept=accept, reason=reason, at=at or timezone.now())


@conflicts.retried
def _book(
    appointment: Appointment,
    wish: Wish,
    claim: claims.Claim,
    *,
    by: Actor,
    accept: Collection[str],
    reason: str,
    at: datetime,
) -> Appointment:
    """One try. What is asked for stands in `wish`: the instance may bear the marks of an earlier try."""
    for choice in range(1, _CHOICES + 1):
        try:
            plan = planning.make(wish, by=by, accept=accept, at=at)
        except RuleBroken:
            # The same key may have been answered before: then the first visit is what stood in the way.
            if first := claim.answered():
                return first
            raise
        try:
            with transaction.atomic(), _refusing(wish, by=by, at=at):
                plan.lock(wish, *claim.lock_keys())
                # Somebody may have sent the same key before, or a moment ago.
                if first := claim.answered():
                    return first
                overlaps = planning.check(wish, plan, by=by, accept=accept, at=at, retry_is_vain=choice == _CHOICES)
                _apply(appointment, plan, overlaps=overlaps, reason=reason)
                appointment.status = _first_status(wish, by)
                appointment.source = _SOURCES.get(by.kind, appointment.source)
                appointment.price_quoted = plan.price
                appointment.created_at = at
                appointment.pk = None
                appointment.save(force_insert=True)
                _use_equipment(appointment, plan.equipment_ids)
                note(appointment, old="", verb="book", by=by, reason=reason, at=at)
                claim.remember(appointment.pk)
                signals.announce(signals.appointment_booked, appointment, by=by)
                return appointment
        except planning.Lost:
            continue
    raise AssertionError("the last choice either books or refuses")


@conflicts.retried
def move(
    appointment: Appointment,
    *,
    by: Actor,
    start_at: datetime,
    end_at: datetime | None = None,
    practitioner: Practitioner | None = None,
    location: Location | None = None,
    room: Room | None = None,
    version: int | None = None,
    accept: Collection[str] = (),
    reason: str = "",
    at: datetime | None = None,
) -> Appointment:
    """Move to another time, practitioner, place or room; what is not given stays (the room, where it is free).

    Raises `version`; a confirmed visit is scheduled again, for the patient said yes to another time. Patients move
    only inside their window (S13), and neither they nor programs choose end_at or room. With `version`, refused where
    somebody has moved the visit since that one.
    """
    at = at or timezone.now()
    _refuse_moved_since(appointment, version)
    _refuse_choosing(by, end_at, room)
    if by.kind == "patient":
        refuse_outside_window(appointment, at=at)
    for choice in range(1, _CHOICES + 1):
        wish = Wish(
            service=appointment.service,
            practitioner=practitioner or appointment.practitioner,
            location=location or appointment.location,
            patient=appointment.patient,
            start_at=start_at,
            end_at=end_at or start_at.astimezone(UTC) + (appointment.end_at - appointment.start_at),
            room=room,
            prefer_room=appointment.room_id,
            exclude=appointment.pk,
        )
        plan = planning.make(wish, by=by, accept=accept, at=at)
        try:
            with transaction.atomic(), _refusing(wish, by=by, at=at):
                plan.lock(wish)
                current = Appointment.objects.select_for_update().get(pk=appointment.pk)
                if current.status not in Appointment.MOVABLE:
                    raise RuleBroken(
                        "not_possible",
                        _("This visit is %(status)s; it cannot be moved.") % {"status": current.get_status_display()},
                    )
                _refuse_moved_since(current, version)
                overlaps = planning.check(wish, plan, by=by, accept=accept, at=at, retry_is_vain=choice == _CHOICES)
                return _write_move(current, wish, plan, overlaps=overlaps, by=by, reason=reason, at=at)
        except planning.Lost:
            continue
    raise AssertionError("the last choice either moves or refuses")


def _refuse_choosing(by: Actor, end_at: datetime | None, room: Room | None) -> None:
    """Patients and programs say who, what and when; how long and in which room follows from the service."""
    if planning.binds(by) and (end_at is not None or room is not None):
        raise RuleBroken(
            "not_yours", _("Length and room follow from the service."), field="end_at" if end_at else "room"
        )


def _refuse_moved_since(current: Appointment, version: int | None) -> None:
    if version is not None and current.version != version:
        raise RuleBroken(
            "moved_since",
            _("Somebody else has just moved this visit: it is on %(when)s with %(who)s now.")
            % {
                "when": formats.date_format(current.local_start, "D j M, H:i"),
                "who": current.practitioner,
            },
        )


def _write_move(
    appointment: Appointment, wish: Wish, plan: Plan, *, overlaps: bool, by: Actor, reason: str, at: datetime
) -> Appointment:
    before = {
        name: getattr(appointment, name) for name in ("start_at", "end_at", "practitioner_id", "location_id", "room_id")
    }
    old = appointment.status
    appointment.practitioner = wish.practitioner
    appointment.location = wish.location
    appointment.start_at = wish.start_at
    appointment.overlap_reason = ""
    _apply(appointment, plan, overlaps=overlaps, reason=reason)
    appointment.version += 1
    if appointment.status == _S.CONFIRMED:
        appointment.status = _S.SCHEDULED
    used = set(appointment.equipment_uses.values_list("equipment_id", flat=True))
    appointment.equipment_uses.filter(equipment_id__in=used - set(plan.equipment_ids)).delete()
    appointment.save()
    # Units that stay were carried along by the database.
    _use_equipment(appointment, [id_ for id_ in plan.equipment_ids if id_ not in used])
    note(appointment, old=old, verb="move", by=by, reason=reason, at=at)
    signals.announce(signals.appointment_moved, appointment, by=by, before=before)
    return appointment


def refuse_outside_window(appointment: Appointment, *, at: datetime) -> None:
    """S13: a patient acts only until the window closes."""
    if is_late(appointment, at=at):
        raise RuleBroken("window_closed", _("It is too late to change this visit online. Please call the clinic."))


def is_late(appointment: Appointment, *, at: datetime) -> bool:
    """Inside the cancellation window of service, location or clinic (the first that says)?"""
    hours = appointment.service.cancel_hours
    if hours is None:
        hours = appointment.location.cancel_hours
    if hours is None:
        hours = ClinicSettings.current().cancel_hours
    return (appointment.start_at - at).total_seconds() < hours * 3600


def note(
    appointment: Appointment, *, old: str, verb: str, by: Actor, reason: str, at: datetime, message: str = ""
) -> None:
    """The business fact, beside history; `message` is what the patient is to read of it."""
    StatusChange.objects.create(
        appointment=appointment,
        old=old,
        new=appointment.status,
        verb=verb,
        at=at,
        actor_kind=by.kind,
        by_id=by.user_id,
        reason=reason[:500],
        message=message[:1000],
    )


class _refusing:  # noqa: N801  (a context manager, used like a keyword)
    """The constraints' last word, put into the service's sentence: somebody wrote without taking the locks."""

    def __init__(self, wish: Wish, *, by: Actor, at: datetime):
        self.wish, self.by, self.at = wish, by, at

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if isinstance(error, IntegrityError) and conflicts.sqlstate(error) == conflicts.EXCLUSION:
            raise RuleBroken(
                "overlap",
                _("This time has just been taken."),
                acceptable=not planning.binds(self.by),
                field="start_at",
            ) from error


def _fingerprint(appointment: Appointment, by: Actor) -> str:
    return claims.fingerprint(
        service=appointment.service_id,
        practitioner=appointment.practitioner_id,
        location=appointment.location_id,
        patient=appointment.patient_id,
        room=appointment.room_id,
        start=appointment.start_at,
        end=appointment.end_at,
        by=by.user_id,
    )


def _wish(appointment: Appointment) -> Wish:
    return Wish(
        service=appointment.service,
        practitioner=appointment.practitioner,
        location=appointment.location,
        patient=appointment.patient,
        start_at=appointment.start_at,
        end_at=appointment.end_at,
        room=appointment.room,
    )


def _first_status(wish: Wish, by: Actor) -> str:
    return _S.REQUESTED if planning.binds(by) and wish.service.approval else _S.SCHEDULED


def _apply(appointment: Appointment, plan: Plan, *, overlaps: bool, reason: str) -> None:
    if overlaps and not reason.strip():
        raise RuleBroken("reason_missing", _("A deliberate overlap wants a reason."), field="reason")
    appointment.end_at = plan.end_at
    appointment.busy_from = plan.busy_from
    appointment.busy_until = plan.busy_until
    appointment.zone = appointment.location.time_zone
    appointment.room_id = plan.room_id
    appointment.place = plan.place
    appointment.overlap_reason = reason.strip()[:200] if overlaps else ""
    appointment.accepted = [*plan.accepted, *(["overlap"] if overlaps else [])]


def _use_equipment(appointment: Appointment, equipment_ids: Sequence[int]) -> None:
    if equipment_ids:
        EquipmentUse.objects.bulk_create(
            EquipmentUse(
                appointment=appointment,
                equipment_id=id_,
                busy_from=appointment.busy_from,
                busy_until=appointment.busy_until,
                holds=not appointment.overlap_reason,
            )
            for id_ in equipment_ids
        )
