"""Every model, by the name it is known by elsewhere."""

from clinic.models.audit import AuditEntry, AuditShape, Seal
from clinic.models.cache import CacheEntry
from clinic.models.favourites import Favourite
from clinic.models.files import StoredFile
from clinic.models.patients import Patient
from clinic.models.scheduling import (
    MOVES,
    Appointment,
    EquipmentUse,
    Hold,
    Offering,
    ReferralSource,
    ReferringDoctor,
    RequestKey,
    Service,
    ServiceCategory,
    StatusChange,
)
from clinic.models.sites import (
    ClinicSettings,
    DayException,
    Equipment,
    EquipmentKind,
    Location,
    OpeningHours,
    Organization,
    Room,
    RoomKind,
    Weekday,
)
from clinic.models.team import (
    ExtraHours,
    Invitation,
    Practitioner,
    PractitionerSpecialisation,
    Specialisation,
    TimeOff,
    User,
    WorkingHours,
)

__all__ = [
    "MOVES",
    "Appointment",
    "AuditEntry",
    "AuditShape",
    "CacheEntry",
    "ClinicSettings",
    "DayException",
    "Equipment",
    "EquipmentKind",
    "EquipmentUse",
    "ExtraHours",
    "Favourite",
    "Hold",
    "Invitation",
    "Location",
    "Offering",
    "OpeningHours",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerSpecialisation",
    "ReferralSource",
    "ReferringDoctor",
    "RequestKey",
    "Room",
    "RoomKind",
    "Seal",
    "Service",
    "ServiceCategory",
    "Specialisation",
    "StatusChange",
    "StoredFile",
    "TimeOff",
    "User",
    "Weekday",
    "WorkingHours",
]
