"""What every foreign export is read into, whatever its format; intake.py knows no other shape. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ForeignPatient:
    """`reference` is unique in the other system and names it: "synthea:593aaa05-…"."""

    reference: str
    given_name: str
    family_name: str
    birth_on: dt.date
    deceased_on: dt.date | None
    sex: str
    address: str
    postal_code: str
    city: str
    province: str
    country: str
    language: str


@dataclass(frozen=True, slots=True)
class ForeignPractitioner:
    reference: str
    given_name: str
    family_name: str
    profession: str
    office_address: str


@dataclass(frozen=True, slots=True)
class ForeignVisit:
    """A visit that took place. Moments are aware; `patient` and `practitioner` are references."""

    reference: str
    patient: str
    practitioner: str
    category: str
    service: str
    start_at: dt.datetime
    end_at: dt.datetime
    price: Decimal


@dataclass(frozen=True)
class Export:
    """`country` and `currency` are those of the other system's legal entity."""

    name: str
    country: str
    currency: str
    language: str
    patients: list[ForeignPatient] = field(default_factory=list)
    practitioners: list[ForeignPractitioner] = field(default_factory=list)
    visits: list[ForeignVisit] = field(default_factory=list)
