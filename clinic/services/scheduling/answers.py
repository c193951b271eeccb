"""The usual words to a patient whose request is answered, in the patient's language."""

from __future__ import annotations

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.models import Appointment
from clinic.services.scheduling import clock


def usual(appointment: Appointment, verb: str) -> str:
    """What is said unless somebody writes otherwise; `verb` is approve or decline."""
    with translation.override(appointment.patient.language):
        facts = {
            "patient": f"{appointment.patient.given_name} {appointment.patient.family_name}",
            "service": str(appointment.service),
            "practitioner": str(appointment.practitioner),
            "location": str(appointment.location),
            "day": date_format(appointment.local_start, "l j F Y"),
            "time": clock.wall(appointment.local_start),
        }
        if verb == "approve":
            words = _(
                "Dear %(patient)s, your visit is booked: %(day)s at %(time)s, %(service)s with %(practitioner)s, "
                "%(location)s. We look forward to seeing you."
            )
        else:
            words = _(
                "Dear %(patient)s, we are sorry: %(service)s on %(day)s at %(time)s is not possible. Please choose "
                "another time or call us, and we will find one together."
            )
        return words % facts
