"""Services, appointments and what surrounds them."""

from clinic.models.scheduling.appointment import (
    MOVES,
    Appointment,
    EquipmentUse,
    StatusChange,
)
from clinic.models.scheduling.claim import Hold, RequestKey
from clinic.models.scheduling.referral import ReferralSource, ReferringDoctor
from clinic.models.scheduling.service import Offering, Service, ServiceCategory

__all__ = [
    "MOVES",
    "Appointment",
    "EquipmentUse",
    "Hold",
    "Offering",
    "ReferralSource",
    "ReferringDoctor",
    "RequestKey",
    "Service",
    "ServiceCategory",
    "StatusChange",
]
