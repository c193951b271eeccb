"""Reads the CSV export of Synthea (patients, providers, encounters). Pure: no row is written here.

Columns are taken by name and only these: SSN, DRIVERS and PASSPORT are never looked at, nor the reasons of
encounters, which are diagnoses and no reception's business. Names keep the digits that Synthea appends.
Format: Synthea's "CSV File Data Dictionary"; moments are UTC.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.utils.translation import gettext as _

from clinic.exceptions import RuleBroken
from clinic.services.exchange.foreign import Export, ForeignPatient, ForeignPractitioner, ForeignVisit

_PATIENT = ("Id", "BIRTHDATE", "DEATHDATE", "FIRST", "LAST", "GENDER", "ADDRESS", "CITY", "STATE", "ZIP")
_PROVIDER = ("Id", "NAME", "SPECIALITY", "ADDRESS", "CITY", "STATE", "ZIP")
_ENCOUNTER = ("Id", "START", "STOP", "PATIENT", "PROVIDER", "ENCOUNTERCLASS", "DESCRIPTION", "BASE_ENCOUNTER_COST")

_SEX = {"M": "male", "F": "female"}
_CATEGORY = {"snf": "Skilled nursing", "urgentcare": "Urgent care"}


def read(folder: Path) -> Export:
    """The export in `folder`. Refuses a missing file or column and a value that cannot be read, by file and line."""
    return Export(
        name="Synthea",
        country="US",
        currency="USD",
        language="en",
        patients=_rows(folder / "patients.csv", _PATIENT, _patient),
        practitioners=_rows(folder / "providers.csv", _PROVIDER, _practitioner),
        visits=_rows(folder / "encounters.csv", _ENCOUNTER, _visit),
    )


def _rows[T](path: Path, columns: tuple[str, ...], make: Callable[[dict[str, str]], T]) -> list[T]:
    found: list[T] = []
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
            if missing:
                raise ValueError(_("the column %(column)s is missing") % {"column": missing[0]})
            for row in reader:
                line = reader.line_num
                found.append(make({column: (row[column] or "").strip() for column in columns}))
    except FileNotFoundError as error:
        raise RuleBroken("file_missing", _("%(file)s is missing.") % {"file": path}) from error
    except (ValueError, InvalidOperation, csv.Error, OSError) as error:
        where = {"file": path.name, "line": line, "why": error}
        raise RuleBroken("unreadable", _("%(file)s, line %(line)s: %(why)s.") % where) from error
    return found


def _patient(row: dict[str, str]) -> ForeignPatient:
    return ForeignPatient(
        reference=_reference(row["Id"]),
        given_name=row["FIRST"],
        family_name=row["LAST"],
        birth_on=dt.date.fromisoformat(row["BIRTHDATE"]),
        deceased_on=dt.date.fromisoformat(row["DEATHDATE"]) if row["DEATHDATE"] else None,
        sex=_SEX.get(row["GENDER"], "unknown"),
        address=row["ADDRESS"],
        postal_code=row["ZIP"],
        city=row["CITY"],
        province=row["STATE"],
        country="US",
        language="en",
    )


def _practitioner(row: dict[str, str]) -> ForeignPractitioner:
    given, _space, family = row["NAME"].rpartition(" ")
    place = ", ".join(filter(None, (row["ADDRESS"], row["CITY"], f"{row['STATE']} {row['ZIP']}".strip())))
    return ForeignPractitioner(
        reference=_reference(row["Id"]),
        given_name=given,
        family_name=family,
        profession=row["SPECIALITY"].capitalize(),
        office_address=place,
    )


def _visit(row: dict[str, str]) -> ForeignVisit:
    kind = row["ENCOUNTERCLASS"]
    return ForeignVisit(
        reference=_reference(row["Id"]),
        patient=_reference(row["PATIENT"]),
        practitioner=_reference(row["PROVIDER"]),
        category=_CATEGORY.get(kind, kind.capitalize()),
        # "(procedure)" is SNOMED's tag of the concept, not part of its name.
        service=row["DESCRIPTION"].removesuffix(" (procedure)"),
        start_at=_moment(row["START"]),
        end_at=_moment(row["STOP"]),
        price=Decimal(row["BASE_ENCOUNTER_COST"] or "0").quantize(Decimal("0.01")),
    )


def _reference(identifier: str) -> str:
    if not identifier:
        raise ValueError(_("an identifier is empty"))
    return f"synthea:{identifier}"


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(_("%(moment)s has no time zone") % {"moment": text})
    return moment
