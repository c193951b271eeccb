"""The domain events: past tense, announced inside the transaction that caused them.

A later domain listens through `receivers.py`; the failure of a RECORD receiver rolls the whole change back.
Every event carries `by`, the Actor.
"""

from django.dispatch import Signal

# subject: Appointment. Sent for a booking, approved or not yet (status says which).
appointment_booked = Signal()
# subject: Appointment, before: dict of the fields that the move changed. `version` was raised.
appointment_moved = Signal()
# subject: Appointment. Cancelled by patient or clinic, declined, or expired: it holds its time no longer.
appointment_released = Signal()
# subject: Appointment, old: the former status. Every change of status but the ones above.
appointment_changed = Signal()
# subject: Appointment. The visit took place.
appointment_completed = Signal()
# subject: Patient. A new registration.
patient_registered = Signal()
# subject: User. Somebody was invited to work here.
staff_invited = Signal()

EVENTS = {
    "appointment_booked": appointment_booked,
    "appointment_moved": appointment_moved,
    "appointment_released": appointment_released,
    "appointment_changed": appointment_changed,
    "appointment_completed": appointment_completed,
    "patient_registered": patient_registered,
    "staff_invited": staff_invited,
}


def announce(event: Signal, subject, *, by, **facts) -> None:
    """Tell the later domains; call it inside the transaction. Whatever a receiver raises goes up."""
    event.send(sender=type(subject), subject=subject, by=by, **facts)
