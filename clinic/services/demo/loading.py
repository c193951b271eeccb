"""Writes the demo clinic: rows in bulk, each with its history. It passes every constraint, not the booking service."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from clinic import models as m
from clinic.actor import Actor, acting
from clinic.exceptions import RuleBroken
from clinic.services import reference
from clinic.services.demo import catalogue, outcomes, people
from clinic.services.demo.chance import chance
from clinic.services.demo.diary import Diary, Visit

PASSWORD = "camerino"  # noqa: S105  (public by design; refused in production)
_DOMAIN = "demo.test"
SIGN_INS = tuple(f"{name}@{_DOMAIN}" for name in ("admin", "manager", "reception", "ada", "ben"))

_BATCH = 1000


@dataclass(frozen=True)
class Size:
    """`weeks` back and ahead of the current day; `fill` is the share of working time that visits keep busy."""

    patients: int
    weeks: int
    fill: float


SIZES = {"small": Size(patients=40, weeks=2, fill=0.15), "clinic": Size(patients=400, weeks=5, fill=0.72)}


def is_empty() -> bool:
    """Nobody works here and nobody is treated here yet."""
    return not any(model.objects.exists() for model in (m.Organization, m.User, m.Patient))


def is_demo() -> bool:
    return m.User.objects.filter(email=SIGN_INS[0]).exists()


def load(size: str, *, seed: int, by: Actor, at: dt.datetime | None = None) -> dict[str, int]:
    """Fill the empty database and return how many rows of each kind are there. One transaction.

    People and times are the same for a seed and a day; what has happened so far follows the clock `at`.
    Refused where there is anything already.
    """
    if not is_empty():
        raise RuleBroken("not_empty", "The database is not empty: the demo clinic is for an empty one.")
    with acting(by), transaction.atomic():
        return _Loading(SIZES[size], seed, at or timezone.now()).run()


class _Loading:
    """One run; holds the rows that later ones point to, by the keys of the catalogue."""

    def __init__(self, size: Size, seed: int, at: dt.datetime):
        self.size, self.seed, self.at = size, seed, at
        self.zone = m.Location(time_zone=catalogue.SITES[0].time_zone).zone
        self.today = at.astimezone(self.zone).date()
        self.monday = self.today - dt.timedelta(days=self.today.weekday())
        self.rng = chance(seed, "rows")

    def run(self) -> dict[str, int]:
        self._sites()
        self._services()
        self._staff()
        self._hours()
        self._absences()
        self._patients()
        self._appointments()
        counted = (
            m.Location, m.Room, m.Equipment, m.Service, m.Practitioner, m.User, m.Patient, m.Appointment, m.StatusChange
        )  # fmt: skip
        return {str(model._meta.verbose_name_plural): model.objects.count() for model in counted}

    def _sites(self):
        # In the demo nobody is sent for a second factor.
        m.ClinicSettings(pk=1, language="it", factor_roles=[], welcome={"it": "Benvenuti!", "en": "Welcome!"}).save(
            force_insert=True
        )
        organization = m.Organization.objects.create(**catalogue.ORGANIZATION)
        reference.load("it")
        room_kinds = {kind.name: kind for kind in m.RoomKind.objects.all()}
        equipment_kinds = {kind.name: kind for kind in m.EquipmentKind.objects.all()}
        self.room_kinds, self.equipment_kinds = room_kinds, equipment_kinds
        self.sites, self.rooms, self.units = {}, {}, {}
        for site in catalogue.SITES:
            location = m.Location.objects.create(
                organization=organization,
                name=site.name,
                address=site.address,
                postal_code=site.postal_code,
                city=site.city,
                subdivision="57",
                phone=site.phone,
                email=f"{site.key}@{_DOMAIN}",
                time_zone=site.time_zone,
                slot_step=site.slot_step,
            )
            self.sites[site.key] = location
            rooms = _store(
                m.Room(location=location, kind=room_kinds[kind], name=name, places=places)
                for name, kind, places in site.rooms
            )
            units = _store(
                m.Equipment(location=location, kind=equipment_kinds[kind], name=name) for name, kind in site.equipment
            )
            self.rooms |= {(site.key, room.name): room for room in rooms}
            self.units |= {(site.key, unit.name): unit for unit in units}

    def _services(self):
        categories = _store(
            m.ServiceCategory(name={"it": italian, "en": english}, position=position)
            for position, (italian, english, _colour) in enumerate(catalogue.CATEGORIES)
        )
        rows = _store(
            m.Service(
                category=categories[treatment.category],
                name={"it": treatment.it, "en": treatment.en},
                minutes=treatment.minutes,
                buffer_before=treatment.before,
                buffer_after=treatment.after,
                price=treatment.price,
                colour=catalogue.CATEGORIES[treatment.category][2],
                online=treatment.online,
                approval=treatment.approval,
                video=treatment.video,
                referral_required=treatment.referral,
                position=position,
            )
            for position, treatment in enumerate(catalogue.TREATMENTS)
        )
        self.services = {treatment.key: service for treatment, service in zip(catalogue.TREATMENTS, rows, strict=True)}
        for treatment in catalogue.TREATMENTS:
            service = self.services[treatment.key]
            service.room_kinds.set([self.room_kinds[kind] for kind in treatment.rooms])
            service.equipment_kinds.set([self.equipment_kinds[kind] for kind in treatment.equipment])

    def _staff(self):
        self.users, self.practitioners = {}, {}
        groups = {group.name: group for group in Group.objects.all()}
        # One hash for all: hashing is slow on purpose, and this password is printed on the first page.
        password = make_password(PASSWORD)
        for desk in catalogue.DESK:
            self._user(desk, groups[desk.role], password)
        for clinician in catalogue.CLINICIANS:
            user = self._user(clinician, groups["practitioner"], password)
            practitioner = m.Practitioner.objects.create(
                uid=people.uid(self.rng),
                user=user,
                title=clinician.title,
                given_name=clinician.given,
                family_name=clinician.family,
                profession=clinician.profession,
                experience_years=clinician.experience,
                colour=clinician.colour,
            )
            practitioner.locations.set([self.sites[site] for site in clinician.sites])
            self.practitioners[clinician.key] = practitioner

    def _user(self, person, group, password):
        user = m.User(
            email=f"{person.key}@{_DOMAIN}", given_name=person.given, family_name=person.family, password=password
        )
        user.save()
        user.groups.add(group)
        user.locations.set([self.sites[site] for site in person.sites])
        self.users[person.key] = user
        return user

    def _hours(self):
        _store(
            m.OpeningHours(
                location=self.sites[site.key],
                weekday=weekday,
                starts=catalogue.clock(opens),
                ends=catalogue.clock(closes),
            )
            for site in catalogue.SITES
            for weekday, (opens, closes) in site.hours.items()
        )
        _store(
            m.WorkingHours(
                practitioner=self.practitioners[clinician.key],
                location=self.sites[shift.site],
                weekday=shift.weekday,
                starts=catalogue.clock(shift.starts),
                ends=catalogue.clock(shift.ends),
                every_weeks=shift.every,
                anchor_on=self.monday if shift.every > 1 else None,
            )
            for clinician in catalogue.CLINICIANS
            for shift in clinician.shifts
        )
        known = {row.name: row for row in m.Specialisation.objects.all()}
        _store(
            m.PractitionerSpecialisation(practitioner=self.practitioners[clinician.key], specialisation=known[name])
            for clinician in catalogue.CLINICIANS
            for name in clinician.specialisations
        )
        _store(
            m.Offering(
                practitioner=self.practitioners[clinician.key],
                service=self.services[key],
                price=clinician.own.get(key, (None, None))[0],
                minutes=clinician.own.get(key, (None, None))[1],
            )
            for clinician in catalogue.CLINICIANS
            for key in clinician.offers
        )

    def _absences(self):
        # Feasts of a year either way, so that patients are offered none of them.
        days = [self.today + dt.timedelta(days=offset) for offset in range(-365, 366)]
        _store(
            m.DayException(location=self.sites[site.key], on=day, reason=site.feasts[day.month, day.day])
            for site in catalogue.SITES
            for day in days
            if (day.month, day.day) in site.feasts
        )
        _store(
            m.TimeOff(
                **self._subject(absence.who),
                start_at=self._moment(absence.first, absence.starts),
                end_at=self._moment(absence.last, absence.ends),
                reason=absence.reason,
            )
            for absence in catalogue.ABSENCES
        )

    def _subject(self, who):
        if isinstance(who, str):
            return {"practitioner": self.practitioners[who]}
        return {"room": self.rooms[who]} if who in self.rooms else {"equipment": self.units[who]}

    def _moment(self, days, minutes):
        day = self.monday + dt.timedelta(days=days + minutes // 1440)
        return dt.datetime.combine(day, catalogue.clock(minutes), tzinfo=self.zone)

    def _patients(self):
        since = self.today - dt.timedelta(weeks=self.size.weeks + 2)
        self.people = people.invent(
            self.size.patients, seed=self.seed, today=self.today, new_since=since, zone=self.zone
        )
        self.patients = [
            patient.pk for batch in _batches(self.people) for patient in _store(_patient(person) for person in batch)
        ]

    def _appointments(self):
        diary = Diary(self.people, seed=self.seed, today=self.today, fill=self.size.fill)
        reach = dt.timedelta(weeks=self.size.weeks)
        # Batch by batch: memory does not grow with the clinic.
        for batch in _batches(diary.between(self.today - reach, self.today + reach)):
            results = [self._outcome(visit) for visit in batch]
            rows = _store(self._appointment(visit, result) for visit, result in zip(batch, results, strict=True))
            m.EquipmentUse.objects.bulk_create(
                m.EquipmentUse(
                    appointment=row,
                    equipment=self.units[visit.site.key, unit],
                    busy_from=row.busy_from,
                    busy_until=row.busy_until,
                    holds=row.holds,
                )
                for visit, row in zip(batch, rows, strict=True)
                for unit in visit.units
            )
            m.StatusChange.objects.bulk_create(
                [
                    self._status_change(visit, row, move)
                    for visit, row, result in zip(batch, rows, results, strict=True)
                    for move in result.moves
                ],
                batch_size=_BATCH,
            )

    def _outcome(self, visit: Visit) -> outcomes.Outcome:
        rng = chance(self.seed, visit.clinician.key, visit.start_at, visit.patient)
        return outcomes.of(visit, rng, self.at, self.people[visit.patient].registered_at)

    def _appointment(self, visit: Visit, outcome: outcomes.Outcome) -> m.Appointment:
        key = visit.treatment.key
        price: Decimal | None = visit.clinician.own.get(key, (None, None))[0]
        return m.Appointment(
            uid=people.uid(self.rng),
            service=self.services[key],
            practitioner=self.practitioners[visit.clinician.key],
            location=self.sites[visit.site.key],
            room=self.rooms[visit.site.key, visit.room] if visit.room else None,
            place=visit.place,
            patient_id=self.patients[visit.patient],
            start_at=visit.start_at,
            end_at=visit.end_at,
            busy_from=visit.busy_from,
            busy_until=visit.busy_until,
            zone=visit.site.time_zone,
            status=outcome.status,
            source=outcome.source,
            reason=outcome.reason,
            desk_note=outcome.desk_note,
            price_quoted=visit.treatment.price if price is None else price,
            cancelled_by=outcome.cancelled_by,
            late=outcome.late,
            created_at=outcome.created_at,
            arrived_at=outcome.arrived_at,
            started_at=outcome.started_at,
            ended_at=outcome.ended_at,
        )

    def _status_change(self, visit: Visit, row: m.Appointment, move: outcomes.Move) -> m.StatusChange:
        users = {"staff": self.users["reception"], "practitioner": self.users[visit.clinician.key]}
        return m.StatusChange(
            appointment=row,
            old=move.old,
            new=move.new,
            verb=move.verb,
            at=move.at,
            actor_kind="staff" if move.who in users else move.who,
            by=users.get(move.who),
            reason=move.reason,
        )


def _patient(person: people.Person) -> m.Patient:
    name, phone, relation = person.emergency
    return m.Patient(
        uid=person.uid,
        given_name=person.given,
        family_name=person.family,
        birth_on=person.birth_on,
        sex=person.sex,
        email=person.email,
        mobile=person.mobile,
        phone=person.phone,
        address=person.address,
        postal_code=person.postal_code,
        city=person.city,
        province=person.province,
        language=person.language,
        emergency_name=name,
        emergency_phone=phone,
        emergency_relation=relation,
        family_doctor=person.family_doctor,
        employer=person.employer,
        active=person.active,
        deceased_on=person.deceased_on,
        created_at=person.registered_at,
    )


def _store(rows: Iterable):
    """Insert rows of one model, each with its first history row."""
    rows = list(rows)
    return bulk_create_with_history(rows, type(rows[0]), batch_size=_BATCH) if rows else []


def _batches(items: Iterable) -> Iterator[list]:
    items = iter(items)
    while batch := list(islice(items, _BATCH)):
        yield batch
