"""Registering patients and keeping their record. Nothing clinical is written here."""

from __future__ import annotations

import datetime as dt

import phonenumbers
from django.db import transaction
from django.db.models import Func, Value
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic import permissions, signals
from clinic.actor import Actor
from clinic.exceptions import RuleBroken
from clinic.models import Patient
from clinic.services import retirement


def register(patient: Patient, *, by: Actor, accept=frozenset(), reason: str = "") -> Patient:
    """Save a new patient; who registers somebody may see the record afterwards.

    Refused: `duplicate` (acceptable) if somebody of the same name and birth date is registered; whatever the columns
    refuse, as a ValidationError.
    """
    _write_phones_alike(patient)
    with transaction.atomic():
        _check(patient, accept, by)
        patient.registered_by_id = by.user_id
        patient._change_reason = reason[:100] or None
        patient.save()
        # The database hands out the number.
        patient.refresh_from_db(fields=["number"])
        signals.announce(signals.patient_registered, patient, by=by)
    return patient


def update(patient: Patient, *, by: Actor, accept=frozenset(), reason: str = "") -> Patient:
    """Save changes to a patient. Refused: as for `register`, `duplicate` only where name or birth date changed."""
    _write_phones_alike(patient)
    with transaction.atomic():
        before = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
        identity = ("family_name", "given_name", "birth_on")
        if any(getattr(before, name) != getattr(patient, name) for name in identity):
            _check(patient, accept, by)
        if before.email != patient.email:
            # Proved was the other address.
            patient.email_proved_at = None
        patient._change_reason = reason[:100] or None
        patient.save()
    return patient


def record_death(patient: Patient, *, on: dt.date, by: Actor, accept=frozenset(), reason: str = "") -> Patient:
    """Note the day of death; the record becomes inactive.

    Refused: `future` and `before_birth` days, `future_visits` (acceptable).
    """
    if on > timezone.localdate():
        raise RuleBroken("future", _("This day lies in the future."), field="on")
    with transaction.atomic():
        retirement.wait_for_bookings(patient)
        patient = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
        if patient.birth_on and on < patient.birth_on:
            raise RuleBroken("before_birth", _("This day lies before the birth date."), field="on")
        retirement.check_deactivation(patient, accept=accept)
        patient.deceased_on, patient.active = on, False
        patient._change_reason = reason[:100] or None
        patient.save(update_fields=["deceased_on", "active"])
    return patient


def undo_death(patient: Patient, *, by: Actor) -> Patient:
    """The note was a mistake: take it back and make the record active again."""
    with transaction.atomic():
        patient = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
        patient.deceased_on, patient.active = None, True
        patient.save(update_fields=["deceased_on", "active"])
    return patient


def same_person(patient: Patient):
    """Other records with this name (accents and case aside) and this birth date."""
    if patient.birth_on is None:
        return Patient.objects.none()
    name = Func(Value(f"{patient.family_name} {patient.given_name} "), function="f_norm")
    return Patient.objects.filter(birth_on=patient.birth_on, search__startswith=name, merged_into__isnull=True).exclude(
        pk=patient.pk
    )


def _write_phones_alike(patient: Patient) -> None:
    """Numbers that are valid in the patient's country or written internationally become +39…; others stay as typed."""
    for name in ("mobile", "phone", "emergency_phone"):
        typed = getattr(patient, name)
        try:
            number = phonenumbers.parse(typed, patient.country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            setattr(patient, name, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _check(patient: Patient, accept, by: Actor) -> None:
    if "duplicate" in accept:
        return
    twins = same_person(patient).order_by("pk")
    if not twins.exists():
        return
    # A refusal names nobody whom the person who asks may not see.
    known = permissions.visible(by.user, twins).first() if by.user else None
    if known is None:
        sentence = _("Somebody of this name and birth date is registered already. Ask reception.")
    else:
        day = date_format(known.birth_on or "", "SHORT_DATE_FORMAT")
        sentence = _("%(name)s, born on %(day)s, is registered already, as number %(number)d.") % {
            "name": known,
            "day": day,
            "number": known.number,
        }
    raise RuleBroken("duplicate", sentence, acceptable=True, field="family_name")
