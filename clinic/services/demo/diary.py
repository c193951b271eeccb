"""Who is treated when, where and by whom. Pure: a walk through days that keeps practitioners, rooms, units and patients
free of overlaps, so that it can grow without a look at the database. Buffers stay inside the working hours."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from clinic.services.demo import catalogue
from clinic.services.demo.catalogue import Clinician, Site, Treatment
from clinic.services.demo.chance import chance
from clinic.services.demo.people import Person

SITES = {site.key: site for site in catalogue.SITES}
TREATMENTS = {treatment.key: treatment for treatment in catalogue.TREATMENTS}

# Of ten visits that are called off early, six are filled by somebody else.
REFILLED = 0.6
_TRIES = 12


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit in the book. `fate` is what becomes of it unless time has not got there yet: see outcomes."""

    treatment: Treatment
    clinician: Clinician
    site: Site
    room: str | None
    place: int
    units: tuple[str, ...]
    patient: int
    start_at: dt.datetime
    end_at: dt.datetime
    busy_from: dt.datetime
    busy_until: dt.datetime
    fate: str


class Diary:
    """`fill` is the share of working time that visits keep busy; `today` divides what happened from what is planned."""

    def __init__(self, people: list[Person], *, seed: int, today: dt.date, fill: float):
        self.people = people
        self.seed = seed
        self.today = today
        self.monday = today - dt.timedelta(days=today.weekday())
        self.fill = fill
        self.seen: set[tuple[str, int]] = set()
        self.regulars = self._regulars()

    def between(self, first: dt.date, last: dt.date) -> Iterator[Visit]:
        """Every visit of these days, day by day."""
        day = first
        while day <= last:
            yield from self._day(day)
            day += dt.timedelta(days=1)

    def hours(self, clinician: Clinician, day: dt.date) -> list[tuple[Site, int, int]]:
        """Where the practitioner works that day, from and until which minute; closures and absences are out."""
        found = []
        weeks = (day - self.monday).days // 7
        for shift in clinician.shifts:
            site = SITES[shift.site]
            if shift.weekday != day.weekday() or weeks % shift.every or (day.month, day.day) in site.feasts:
                continue
            found += [
                (site, starts, ends)
                for starts, ends in self._without_absences(clinician.key, day, shift.starts, shift.ends)
            ]
        return sorted(found, key=lambda entry: entry[1])

    def _without_absences(self, who, day, starts, ends) -> list[tuple[int, int]]:
        stretches = [(starts, ends)]
        for absence in catalogue.ABSENCES:
            if absence.who == who and absence.covers(self.monday, day):
                parts = [
                    part
                    for first, last in stretches
                    for part in ((first, min(last, absence.starts)), (max(first, absence.ends), last))
                ]
                stretches = [(first, last) for first, last in parts if first < last]
        return stretches

    def _regulars(self) -> dict[str, list[int]]:
        """Each patient has a practitioner whom they mostly see."""
        rng = chance(self.seed, "regulars")
        pools = defaultdict(list)
        weights = [len(clinician.shifts) for clinician in catalogue.CLINICIANS]
        for number, person in enumerate(self.people):
            clinician = rng.choices(catalogue.CLINICIANS, weights)[0]
            if person.active:
                pools[clinician.key].append(number)
        return pools

    def _day(self, day: dt.date) -> Iterator[Visit]:
        rng = chance(self.seed, day)
        book = _DayBook(self.monday, day)
        for clinician in catalogue.CLINICIANS:
            for site, opens, closes in self.hours(clinician, day):
                yield from self._session(rng, book, day, clinician, site, opens, closes)

    def _session(self, rng, book, day, clinician, site, opens, closes) -> Iterator[Visit]:
        """Fill one stretch of work from its start; a gap is left as often as the target wants it."""
        target = min(0.97, max(0.05, rng.gauss(self.fill, 0.10)))
        busy, at = 0, opens
        while at < closes:
            behind = busy < target * (at - opens)
            if rng.random() > (0.97 if behind else self.fill * 0.45):
                at += site.slot_step
                continue
            visit = self._visit(rng, book, day, clinician, site, at, closes)
            if visit is None:
                at += site.slot_step
                continue
            treatment = visit.treatment
            yield visit
            if visit.fate in ("cancelled", "declined", "expired") and rng.random() < REFILLED:
                continue
            length = (visit.end_at - visit.start_at).seconds // 60
            busy += treatment.before + length + treatment.after if visit.fate != "cancelled" else 0
            at = _minutes(visit.end_at) + treatment.after

    def _visit(self, rng, book, day, clinician, site, at, closes) -> Visit | None:
        patient = self._patient(rng, book, day, clinician)
        if patient is None:
            return None
        treatment = self._treatment(rng, clinician, patient)
        length = clinician.own.get(treatment.key, (None, None))[1] or treatment.minutes
        start = -(-(at + treatment.before) // site.slot_step) * site.slot_step
        busy = (start - treatment.before, start + length + treatment.after)
        if busy[1] > closes:
            return None
        fate = self._fate(rng, day, treatment)
        taken = book.resources(site, treatment, busy)
        if taken is None:
            return None
        if fate in ("kept", "no_show", "unresolved"):
            book.take(site, taken, busy, patient)
            self.seen.add((clinician.key, patient))
        room, place, units = taken
        zone = self.people[patient].registered_at.tzinfo

        def moment(minute: int) -> dt.datetime:
            return dt.datetime.combine(day, catalogue.clock(minute), tzinfo=zone)

        return Visit(
            treatment=treatment,
            clinician=clinician,
            site=site,
            room=room,
            place=place,
            units=units,
            patient=patient,
            start_at=moment(start),
            end_at=moment(start + length),
            busy_from=moment(busy[0]),
            busy_until=moment(busy[1]),
            fate=fate,
        )

    def _patient(self, rng, book, day, clinician) -> int | None:
        """Mostly one of the practitioner's own; some come often, most now and then; nobody twice a day."""
        own = self.regulars.get(clinician.key) or range(len(self.people))
        for _attempt in range(_TRIES):
            if rng.random() < 0.92:
                patient = own[int(len(own) * rng.random() ** 1.4)]
            else:
                patient = rng.randrange(len(self.people))
            person = self.people[patient]
            if person.active and patient not in book.patients and person.registered_at.date() < day:
                return patient
        return None

    def _treatment(self, rng, clinician, patient) -> Treatment:
        """Somebody new is assessed first; whoever was registered before the diary opens, mostly was."""
        offers = [TREATMENTS[key] for key in clinician.offers]
        if (clinician.key, patient) not in self.seen and (
            self.today - self.people[patient].registered_at.date()
        ).days < 60 + patient % 60:
            return next(offer for offer in offers if offer.first)
        later = [offer for offer in offers if not offer.first]
        return rng.choices(later, [offer.weight for offer in later])[0]

    def _fate(self, rng, day, treatment) -> str:
        draw, ago = rng.random(), (self.today - day).days
        if treatment.approval and rng.random() < 0.10:
            return "declined" if ago <= 0 or draw < 0.6 else "expired"
        if draw < (0.08 if ago > 0 else 0.04):
            return "cancelled"
        if ago > 0 and draw < 0.13:
            return "no_show"
        if 0 < ago <= 10 and draw < 0.16:
            return "unresolved"
        return "kept"


class _DayBook:
    """What is taken on one day. Rooms and units that are out of service are taken all the time of it."""

    def __init__(self, monday: dt.date, day: dt.date):
        self.patients: set[int] = set()
        self.taken: dict[tuple, list[tuple[int, int]]] = defaultdict(list)
        for absence in catalogue.ABSENCES:
            if isinstance(absence.who, tuple) and absence.covers(monday, day):
                site, name = absence.who
                places = next((places for room, _kind, places in SITES[site].rooms if room == name), 1)
                for place in range(1, places + 1):
                    self.taken[site, name, place].append((absence.starts, absence.ends))

    def resources(self, site: Site, treatment: Treatment, busy) -> tuple[str | None, int, tuple[str, ...]] | None:
        """A room with its place and the units that are free, or None."""
        units = []
        for kind in treatment.equipment:
            unit = next(
                (name for name, k in site.equipment if k == kind and self._free((site.key, name, 1), busy)), None
            )
            if unit is None:
                return None
            units.append(unit)
        if not treatment.rooms:
            return None, 1, tuple(units)
        for name, kind, places in site.rooms:
            if kind in treatment.rooms:
                for place in range(1, places + 1):
                    if self._free((site.key, name, place), busy):
                        return name, place, tuple(units)
        return None

    def take(self, site: Site, resources, busy, patient: int) -> None:
        room, place, units = resources
        self.patients.add(patient)
        for key in ((site.key, room, place), *((site.key, unit, 1) for unit in units)):
            self.taken[key].append(busy)

    def _free(self, key, busy) -> bool:
        return all(busy[1] <= starts or ends <= busy[0] for starts, ends in self.taken[key])


def _minutes(moment: dt.datetime) -> int:
    return moment.hour * 60 + moment.minute
