"""Fills one branch of the demo clinic: patients, visits and all that hangs on them, each row with its history, by COPY.
Memory does not grow with the number of rows. It passes every constraint, not the booking service."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import batched

from django.db import transaction

from clinic import models as m
from clinic.actor import Actor, acting
from clinic.database import bulk
from clinic.services.demo import outcomes, people
from clinic.services.demo.branches import Branch
from clinic.services.demo.chance import chance
from clinic.services.demo.diary import Diary, Visit
from clinic.services.demo.outcomes import Outcome
from clinic.services.demo.register import Register
from clinic.services.demo.sizes import AHEAD_EACH, HALF_HOURS_A_WEEK

BATCH = 5000

PATIENT = (
    "id", "uid", "given_name", "family_name", "birth_on", "sex", "gender", "email", "mobile", "phone", "address",
    "postal_code", "city", "province", "country", "language", "emergency_name", "emergency_phone",
    "emergency_relation", "family_doctor", "employer", "desk_note", "active", "deceased_on", "created_at",
)  # fmt: skip
APPOINTMENT = (
    "id", "uid", "service_id", "practitioner_id", "location_id", "room_id", "place", "patient_id", "start_at",
    "end_at", "busy_from", "busy_until", "zone", "status", "overlap_reason", "accepted", "source", "reason",
    "desk_note", "referral_source", "referrer_id", "referring_doctor", "referral_reason", "price_quoted", "version",
    "cancelled_by", "late", "created_at", "updated_at", "arrived_at", "started_at", "ended_at",
)  # fmt: skip
# How people of a clinic came to it; one in ten nobody asked.
_SOURCES = (*["doctor"] * 4, *["patient"] * 2, *["online"] * 2, "returning", "")
USE = ("appointment_id", "equipment_id", "busy_from", "busy_until", "holds")
MOVE = ("appointment_id", "old", "new", "verb", "at", "actor_kind", "by_id", "reason")


@dataclass(frozen=True)
class Rows:
    """Keys of what a branch's visits point to, by the names of the catalogue, and those kept for its own rows."""

    locations: dict[str, int]
    rooms: dict[tuple[str, str], int]
    units: dict[tuple[str, str], int]
    services: dict[str, int]
    practitioners: dict[str, int]
    users: dict[str, int]
    doctors: tuple[tuple[int, str], ...]
    reception: int
    first_patient: int
    # None: how many there will be, nobody knows before.
    first_appointment: int | None


def fill(branch: Branch, rows: Rows, seed: int, at: dt.datetime, by: Actor, report: Callable[[int], None]) -> None:
    """Write the branch's patients and visits; `report` hears of each batch how many visits it holds."""
    with acting(by):
        _Filling(branch, rows, seed, at).run(report)


class _Filling:
    def __init__(self, branch: Branch, rows: Rows, seed: int, at: dt.datetime):
        self.branch, self.rows, self.seed, self.at = branch, rows, seed, at
        self.zone = zoneinfo.ZoneInfo(branch.sites[0].time_zone)
        self.today = at.astimezone(self.zone).date()
        self.register = Register(self.zone)
        self.rng = chance(seed, branch.key, "rows")

    def run(self, report) -> None:
        since, old, visits = self._plan()
        rng = chance(self.seed, self.branch.key, "people")
        invented = people.invent(
            self.branch.patients,
            rng=rng,
            today=self.today,
            since=since,
            old=old,
            zone=self.zone,
            first=self.rows.first_patient,
        )
        for batch in batched(enumerate(invented, self.rows.first_patient), BATCH):
            with transaction.atomic():
                self._patients(batch)
        for visited in batched(visits(), BATCH):
            with transaction.atomic():
                self._visits(visited)
            report(len(visited))

    def _plan(self) -> tuple[dt.date, float, Callable[[], Iterator[Visit]]]:
        """Since when new patients register, the share of those who did before, and what makes the visits."""
        branch = self.branch
        if not branch.appointments:
            reach = dt.timedelta(weeks=branch.weeks)
            return (
                self.today - reach - dt.timedelta(weeks=2),
                0.7,
                lambda: self._diary().between(self.today - reach, self.today + reach, branch.fill),
            )
        staff = len(branch.clinicians)
        ahead = min(AHEAD_EACH * staff, branch.appointments // 2)
        # Holidays, buffers and gaps leave four of five half hours.
        weeks = max(4, round((branch.appointments - ahead) / (HALF_HOURS_A_WEEK * staff * 0.8)))
        since = self.today - dt.timedelta(weeks=weeks)
        return (
            since - dt.timedelta(weeks=8),
            0.15,
            lambda: self._diary().exactly(branch.appointments, ahead, since),
        )

    def _diary(self) -> Diary:
        return Diary(self.branch, self.register, seed=self.seed, today=self.today)

    def _patients(self, batch: Iterable[tuple[int, people.Person]]) -> None:
        first = last = 0
        rows = []
        for key, person in batch:
            self.register.add(person)
            first, last = first or key, key
            rows.append(_patient(key, person))
        bulk.copy(m.Patient, PATIENT, rows)
        bulk.first_versions(m.Patient, first, last)

    def _visits(self, visits: tuple[Visit, ...]) -> None:
        rows, uses, moves = [], [], []
        first = self.rows.first_appointment
        if first is None:
            first = bulk.reserve(m.Appointment, len(visits))
        else:
            self.rows = replace(self.rows, first_appointment=first + len(visits))
        for key, visit in enumerate(visits, first):
            outcome = self._outcome(visit)
            rows.append(self._appointment(key, visit, outcome))
            holds = outcome.status in m.Appointment.HOLDING
            uses += [
                (key, self.rows.units[visit.site.key, unit], visit.busy_from, visit.busy_until, holds)
                for unit in visit.units
            ]
            moves += self._moves(key, visit, outcome)
        bulk.copy(m.Appointment, APPOINTMENT, rows)
        bulk.first_versions(m.Appointment, first, first + len(visits) - 1)
        bulk.copy(m.EquipmentUse, USE, uses)
        bulk.copy(m.StatusChange, MOVE, moves)

    def _outcome(self, visit: Visit) -> Outcome:
        rng = chance(self.seed, visit.clinician.key, visit.start_at, visit.patient)
        return outcomes.of(visit, rng, self.at, self.register.registered_at(visit.patient))

    def _appointment(self, key: int, visit: Visit, outcome: Outcome) -> tuple:
        """In the order of APPOINTMENT."""
        price = visit.clinician.own.get(visit.treatment.key, (None, None))[0]
        rows = self.rows
        return (
            key,
            people.uid(self.rng),
            rows.services[visit.treatment.key],
            rows.practitioners[visit.clinician.key],
            rows.locations[visit.site.key],
            rows.rooms[visit.site.key, visit.room] if visit.room else None,
            visit.place,
            rows.first_patient + visit.patient,
            visit.start_at,
            visit.end_at,
            visit.busy_from,
            visit.busy_until,
            visit.site.time_zone,
            outcome.status,
            "",
            [],
            outcome.source,
            outcome.reason,
            outcome.desk_note,
            *self._referral(visit),
            "",
            visit.treatment.price if price is None else price,
            0,
            outcome.cancelled_by,
            outcome.late,
            outcome.created_at,
            self.at,
            outcome.arrived_at,
            outcome.started_at,
            outcome.ended_at,
        )

    def _referral(self, visit: Visit) -> tuple[str, int | None, str]:
        """Source, doctor and name: the same for all visits of a patient that need no referral."""
        source = "doctor" if visit.treatment.referral else _SOURCES[visit.patient % len(_SOURCES)]
        if source != "doctor":
            return source, None, ""
        return source, *self.rows.doctors[visit.patient % len(self.rows.doctors)]

    def _moves(self, key: int, visit: Visit, outcome: Outcome) -> list[tuple]:
        """In the order of MOVE."""
        users = {"staff": self.rows.reception, "practitioner": self.rows.users[visit.clinician.key]}
        return [
            (
                key,
                move.old,
                move.new,
                move.verb,
                move.at,
                "staff" if move.who in users else move.who,
                users.get(move.who),
                move.reason,
            )
            for move in outcome.moves
        ]


def _patient(key: int, person: people.Person) -> tuple:
    """In the order of PATIENT."""
    return (
        key,
        person.uid,
        person.given,
        person.family,
        person.birth_on,
        person.sex,
        "",
        person.email,
        person.mobile,
        person.phone,
        person.address,
        person.postal_code,
        person.city,
        person.province,
        "IT",
        person.language,
        *person.emergency,
        person.family_doctor,
        person.employer,
        "",
        person.active,
        person.deceased_on,
        person.registered_at,
    )
