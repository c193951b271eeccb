"""Founds the demo clinic: sites, services, staff, hours. Patients and visits: filling.py."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterable

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from clinic import models as m
from clinic.actor import Actor, acting
from clinic.database import bulk, workers
from clinic.exceptions import RuleBroken
from clinic.services import reference
from clinic.services.demo import branches, catalogue, filling, people, sizes
from clinic.services.demo.branches import Branch
from clinic.services.demo.chance import chance
from clinic.services.demo.filling import Rows

PASSWORD = "camerino"  # noqa: S105  (public by design; refused in production)
_DOMAIN = "demo.test"
SIGN_INS = tuple(f"{name}@{_DOMAIN}" for name in ("admin", "manager", "reception", "ada", "ben"))


def is_empty() -> bool:
    """Nobody works here and nobody is treated here yet."""
    return not any(model.objects.exists() for model in (m.Organization, m.User, m.Patient))


def is_demo() -> bool:
    return m.User.objects.filter(email=SIGN_INS[0]).exists()


def load(
    size: str,
    *,
    seed: int,
    by: Actor,
    at: dt.datetime | None = None,
    progress: Callable[[int, int], None] = lambda done, expected: None,
) -> dict[str, int]:
    """Fill the empty database and return how many rows of each kind are there.

    People and times are the same for a seed and a day; what has happened so far follows the clock `at`. One branch, or
    a caller's transaction, is filled in one transaction; several branches side by side, by processes that commit as
    they go, so that an error or a Ctrl-C leaves an unfinished clinic. `progress` hears how many appointments are there,
    and of how many (0: not known). Refused where there is anything already, and where the size is not understood.
    """
    wanted = sizes.parse(size)
    if not is_empty():
        raise RuleBroken("not_empty", "The database is not empty: the demo clinic is for an empty one.")
    at = at or timezone.now()
    there = 0

    def heard(more: int) -> None:
        nonlocal there
        there += more
        progress(there, wanted.appointments)

    branches_wanted = branches.of(wanted, seed)
    # Other processes would not see what a transaction around us holds.
    together = len(branches_wanted) > 1 and not transaction.get_connection().in_atomic_block
    with acting(by), transaction.atomic():
        jobs = [
            (branch, rows, seed, at, by)
            for branch, rows in zip(branches_wanted, _Founding(branches_wanted, seed, at).run(), strict=True)
        ]
        if not together:
            for job in jobs:
                filling.fill(*job, heard)
    if together:
        workers.run("clinic.services.demo.filling.fill", jobs, heard=heard)
    counted = (
        m.Location, m.Room, m.Equipment, m.Service, m.Practitioner, m.User, m.Patient, m.Appointment, m.StatusChange
    )  # fmt: skip
    return {str(model._meta.verbose_name_plural): model.objects.count() for model in counted}


class _Founding:
    """What is there before patients: sites, rooms, equipment, services, staff, hours. Few rows, one by one."""

    def __init__(self, branches: list[Branch], seed: int, at: dt.datetime):
        self.branches = branches
        self.all_sites = [site for branch in branches for site in branch.sites]
        self.clinicians = [clinician for branch in branches for clinician in branch.clinicians]
        self.absences = [absence for branch in branches for absence in branch.absences]
        self.zone = zoneinfo.ZoneInfo(catalogue.SITES[0].time_zone)
        self.today = at.astimezone(self.zone).date()
        self.monday = self.today - dt.timedelta(days=self.today.weekday())
        self.rng = chance(seed, "rows")

    def run(self) -> list[Rows]:
        """The keys that visits of each branch point to, and those reserved for its patients and appointments."""
        self._sites()
        self._services()
        self.doctors = _store(m.ReferringDoctor(**doctor) for doctor in catalogue.DOCTORS)
        self._staff()
        self._hours()
        self._absences()
        return [self._rows(branch) for branch in self.branches]

    def _rows(self, branch: Branch) -> Rows:
        return Rows(
            locations={site.key: self.sites[site.key].pk for site in branch.sites},
            rooms={key: room.pk for key, room in self.rooms.items() if key[0] in {site.key for site in branch.sites}},
            units={key: unit.pk for key, unit in self.units.items() if key[0] in {site.key for site in branch.sites}},
            services={key: service.pk for key, service in self.services.items()},
            practitioners={one.key: self.practitioners[one.key].pk for one in branch.clinicians},
            users={one.key: self.users[one.key].pk for one in branch.clinicians},
            doctors=tuple((doctor.pk, str(doctor)) for doctor in self.doctors),
            reception=self.users[branch.reception].pk,
            first_patient=bulk.reserve(m.Patient, branch.patients),
            first_appointment=bulk.reserve(m.Appointment, branch.appointments) if branch.appointments else None,
        )

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
        for site in self.all_sites:
            location = m.Location.objects.create(
                organization=organization,
                name=site.name,
                address=site.address,
                postal_code=site.postal_code,
                city=site.city,
                subdivision=site.subdivision,
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
        for desk in (desk for branch in self.branches for desk in branch.desk):
            self._user(desk, groups[desk.role], password)
        for clinician in self.clinicians:
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
            for site in self.all_sites
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
            for clinician in self.clinicians
            for shift in clinician.shifts
        )
        known = {row.name: row for row in m.Specialisation.objects.all()}
        _store(
            m.PractitionerSpecialisation(practitioner=self.practitioners[clinician.key], specialisation=known[name])
            for clinician in self.clinicians
            for name in clinician.specialisations
        )
        _store(
            m.Offering(
                practitioner=self.practitioners[clinician.key],
                service=self.services[key],
                price=clinician.own.get(key, (None, None))[0],
                minutes=clinician.own.get(key, (None, None))[1],
            )
            for clinician in self.clinicians
            for key in clinician.offers
        )

    def _absences(self):
        # Feasts of a year either way, so that patients are offered none of them; public holidays come by themselves.
        days = [self.today + dt.timedelta(days=offset) for offset in range(-365, 366)]
        _store(
            m.DayException(location=self.sites[site.key], on=day, reason=site.feasts[day.month, day.day])
            for site in self.all_sites
            for day in days
            if (day.month, day.day) in site.feasts
        )
        _store(
            m.TimeOff(
                **self._subject(absence.who),
                start_at=self._moment(absence.first, absence.starts),
                end_at=self._moment(absence.last, absence.ends),
                zone=self.zone.key,
                reason=absence.reason,
            )
            for absence in self.absences
        )

    def _subject(self, who):
        if isinstance(who, str):
            return {"practitioner": self.practitioners[who]}
        return {"room": self.rooms[who]} if who in self.rooms else {"equipment": self.units[who]}

    def _moment(self, days, minutes):
        day = self.monday + dt.timedelta(days=days + minutes // 1440)
        return dt.datetime.combine(day, catalogue.clock(minutes), tzinfo=self.zone)


def _store(rows: Iterable):
    """Insert rows of one model, each with its first history row."""
    rows = list(rows)
    return bulk_create_with_history(rows, type(rows[0]), batch_size=1000) if rows else []
