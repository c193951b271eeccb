"""Brings a foreign export in: patients, practitioners, past visits. Once per reference: a second run adds nothing.

Past visits are facts and pass the constraints only: what overlaps says so and holds no time.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median_low

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _
from simple_history.utils import bulk_create_with_history

from clinic.actor import Actor, acting
from clinic.exceptions import RuleBroken
from clinic.models import (
    Appointment,
    Location,
    Organization,
    Patient,
    Practitioner,
    Service,
    ServiceCategory,
    StatusChange,
)
from clinic.services import audit
from clinic.services.exchange.foreign import Export, ForeignVisit

LONGEST = dt.timedelta(hours=24)
_BATCH = 1000

Stretch = tuple[dt.datetime, dt.datetime]


@dataclass
class Summary:
    """`added` counts rows per kind; `left_out` are (visit's reference, why)."""

    added: Counter[str] = field(default_factory=Counter)
    known: int = 0
    overlaps: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)


def bring_in(export: Export, *, by: Actor, zone: str, location: Location | None = None) -> Summary:
    """Add what is not there yet, all or nothing. Without a location one is made, named as the export, in `zone`.

    Refuses a person whose data the clinic's own form would refuse. Left out, and listed: visits longer than a day,
    visits that end before they start, visits of somebody whom the export does not hold.
    """
    with acting(by), transaction.atomic():
        intake = _Intake(export, location or _location(export, zone))
        summary = intake.run()
        if summary.added:
            audit.noted("import", by=by, model="appointment", purpose=f"{export.name}: {dict(summary.added)}")
        return summary


def _location(export: Export, zone: str) -> Location:
    found = Location.objects.filter(name=export.name).first()
    if found is None:
        organization = Organization.objects.create(name=export.name, country=export.country, currency=export.currency)
        found = Location(organization=organization, name=export.name, country=export.country, time_zone=zone)
        _clean(found, export.name)
        found.save()
    elif found.time_zone != zone:
        message = _("The location %(location)s is in %(its)s, not in %(zone)s.")
        raise RuleBroken("zone", message % {"location": found, "its": found.time_zone, "zone": zone})
    return found


class _Intake:
    def __init__(self, export: Export, location: Location):
        self.export = export
        self.location = location
        self.summary = Summary()

    def run(self) -> Summary:
        self.patients = self._people(Patient, {entry.reference: self._patient(entry) for entry in self.export.patients})
        self.practitioners = self._people(
            Practitioner, {entry.reference: self._practitioner(entry) for entry in self.export.practitioners}
        )
        self._link_practitioners()
        visits = self._accepted(self._new_visits())
        self.services = self._services(visits)
        self._write(visits)
        return self.summary

    def _patient(self, entry) -> Patient:
        return Patient(
            old_reference=entry.reference,
            given_name=entry.given_name,
            family_name=entry.family_name,
            birth_on=entry.birth_on,
            sex=entry.sex,
            address=entry.address,
            postal_code=entry.postal_code,
            city=entry.city,
            province=entry.province,
            country=entry.country,
            language=entry.language,
            deceased_on=entry.deceased_on,
            active=entry.deceased_on is None,
        )

    def _practitioner(self, entry) -> Practitioner:
        return Practitioner(
            old_reference=entry.reference,
            given_name=entry.given_name,
            family_name=entry.family_name,
            profession=entry.profession,
            office_address=entry.office_address,
            online=False,
        )

    def _people[M: (Patient, Practitioner)](self, model: type[M], rows: dict[str, M]) -> dict[str, int]:
        """Insert those whose reference is new; the key of every one by reference."""
        there = model._default_manager.filter(old_reference__in=rows).values_list("old_reference", "pk")
        known = {reference: pk for reference, pk in there if reference}
        new = {reference: row for reference, row in rows.items() if reference not in known}
        for reference, row in new.items():
            _clean(row, reference)
        self._store(new.values())
        return known | {reference: row.pk for reference, row in new.items()}

    def _link_practitioners(self):
        links = Practitioner.locations.through
        links.objects.bulk_create(
            [links(practitioner_id=pk, location_id=self.location.pk) for pk in self.practitioners.values()],
            ignore_conflicts=True,
        )

    def _new_visits(self) -> Iterable[ForeignVisit]:
        references = [visit.reference for visit in self.export.visits]
        known = set(Appointment.objects.filter(old_reference__in=references).values_list("old_reference", flat=True))
        for visit in self.export.visits:
            if visit.reference in known:
                self.summary.known += 1
            else:
                known.add(visit.reference)
                yield visit

    def _accepted(self, visits: Iterable[ForeignVisit]) -> list[ForeignVisit]:
        found = []
        for visit in visits:
            if visit.end_at - visit.start_at > LONGEST:
                why = _("it lasts longer than 24 hours")
            elif visit.end_at <= visit.start_at:
                why = _("it ends before it starts")
            elif visit.patient not in self.patients:
                why = _("its patient is not in the export")
            elif visit.practitioner not in self.practitioners:
                why = _("its practitioner is not in the export")
            else:
                found.append(visit)
                continue
            self.summary.left_out.append((visit.reference, why))
        return found

    def _services(self, visits: list[ForeignVisit]) -> dict[tuple[str, str], int]:
        """One inactive service per kind of visit: it names the past and is not offered. Its length is the usual one."""
        language = self.export.language
        lengths, prices = defaultdict(list), defaultdict(list)
        for visit in visits:
            kind = (visit.category, visit.service)
            lengths[kind].append(int((visit.end_at - visit.start_at).total_seconds() // 60))
            prices[kind].append(visit.price)
        known = {
            (category.get(language), name.get(language)): pk
            for category, name, pk in Service.objects.values_list("category__name", "name", "pk")
        }
        categories = {category.name.get(language): category for category in ServiceCategory.objects.all()}
        new_categories = sorted({category for category, _service in lengths} - categories.keys())
        made = self._store(ServiceCategory(name={language: name}, position=1000) for name in new_categories)
        categories |= dict(zip(new_categories, made, strict=True))
        new = [kind for kind in sorted(lengths) if kind not in known]
        rows = self._store(
            Service(
                category=categories[kind[0]],
                name={language: kind[1]},
                minutes=min(720, max(5, median_low(lengths[kind]))),
                price=median_low(prices[kind]),
                online=False,
                active=False,
            )
            for kind in new
        )
        return known | {kind: row.pk for kind, row in zip(new, rows, strict=True)}

    def _write(self, visits: list[ForeignVisit]):
        """In the order of their starts: of two that overlap, the earlier one keeps its time."""
        taken = self._taken()
        ordered = sorted(visits, key=lambda visit: (visit.start_at, visit.reference))
        rows = self._store(self._appointment(visit, taken) for visit in ordered)
        StatusChange.objects.bulk_create(
            [
                StatusChange(appointment=row, new=row.status, verb="import", at=row.end_at, actor_kind="system")
                for row in rows
            ],
            batch_size=_BATCH,
        )

    def _taken(self) -> dict[tuple[str, int], list[Stretch]]:
        """The time that these people's visits here hold already, sorted and free of overlaps by constraint."""
        taken: dict[tuple[str, int], list[Stretch]] = defaultdict(list)
        holding = Appointment.objects.filter(holds=True)
        for who, keys, since, until in (
            ("practitioner", self.practitioners, "busy_from", "busy_until"),
            ("patient", self.patients, "start_at", "end_at"),
        ):
            rows = holding.filter(**{f"{who}__in": keys.values()}).values_list(f"{who}_id", since, until)
            for pk, start, end in rows:
                insort(taken[who, pk], (start, end))
        return taken

    def _appointment(self, visit: ForeignVisit, taken) -> Appointment:
        patient, practitioner = self.patients[visit.patient], self.practitioners[visit.practitioner]
        stretch = (visit.start_at, visit.end_at)
        whose = [taken["practitioner", practitioner], taken["patient", patient]]
        overlaps = any(_meets(stretches, stretch) for stretches in whose)
        if overlaps:
            self.summary.overlaps += 1
        else:
            for stretches in whose:
                insort(stretches, stretch)
        return Appointment(
            old_reference=visit.reference,
            service_id=self.services[visit.category, visit.service],
            practitioner_id=practitioner,
            location=self.location,
            patient_id=patient,
            start_at=visit.start_at,
            end_at=visit.end_at,
            busy_from=visit.start_at,
            busy_until=visit.end_at,
            zone=self.location.time_zone,
            status=Appointment.Status.COMPLETED,
            overlap_reason=_("Overlaps another visit in the imported data") if overlaps else "",
            accepted=["overlap"] if overlaps else [],
            source=Appointment.Source.IMPORT,
            price_quoted=visit.price,
            # When it was booked, nobody knows: no lead time is made up.
            created_at=visit.start_at,
            started_at=visit.start_at,
            ended_at=visit.end_at,
        )

    def _store[M: models.Model](self, rows: Iterable[M]) -> list[M]:
        rows = list(rows)
        if not rows:
            return []
        self.summary.added[str(rows[0]._meta.verbose_name_plural)] += len(rows)
        return bulk_create_with_history(rows, type(rows[0]), batch_size=_BATCH)


def _meets(stretches: list[Stretch], stretch: Stretch) -> bool:
    """Does [start, end) touch one of the sorted stretches, which do not overlap each other?"""
    at = bisect_left(stretches, stretch)
    before = at > 0 and stretches[at - 1][1] > stretch[0]
    return before or (at < len(stretches) and stretches[at][0] < stretch[1])


def _clean(row: models.Model, name: str) -> None:
    """What the form would refuse is refused here too; uniqueness and references are the database's."""
    try:
        row.clean_fields(exclude=[field.name for field in row._meta.fields if field.is_relation])
    except ValidationError as error:
        field_name, messages = next(iter(error.message_dict.items()))
        where = {"name": name, "field": field_name, "why": messages[0]}
        raise RuleBroken("invalid", _("%(name)s, %(field)s: %(why)s") % where) from error
