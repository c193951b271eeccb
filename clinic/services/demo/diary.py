"""Who is treated when, where and by whom. Pure: a walk through days that keeps practitioners, rooms, units and patients
free of overlaps, so that it can grow without a look at the database. Buffers stay inside the working hours."""

from __future__ import annotations

import datetime as dt
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice

from clinic.services.demo import catalogue
from clinic.services.demo.branches import Branch
from clinic.services.demo.catalogue import Clinician, Site, Treatment
from clinic.services.demo.chance import chance
from clinic.services.demo.register import Register
from clinic.services.demo.sizes import DAYS_AHEAD

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
    """The book of one branch; `today` divides what happened from what is planned."""

    def __init__(self, branch: Branch, register: Register, *, seed: int, today: dt.date):
        self.branch = branch
        self.register = register
        self.seed = seed
        self.today = today
        self.monday = today - dt.timedelta(days=today.weekday())
        self.sites = {site.key: site for site in branch.sites}
        self.regulars = self._regulars()

    def between(self, first: dt.date, last: dt.date, fill: float) -> Iterator[Visit]:
        """Every visit of these days, day by day; `fill` is the share of working time that they keep busy."""
        day = first
        while day <= last:
            yield from self._day(day, fill)
            day += dt.timedelta(days=1)

    def exactly(self, count: int, ahead: int, since: dt.date) -> Iterator[Visit]:
        """`count` visits, about `ahead` of them after today, the others as evenly as can be since that day."""
        left, until = count, self.today + dt.timedelta(days=DAYS_AHEAD)
        minutes = sum(shift.ends - shift.starts for clinician in self.branch.clinicians for shift in clinician.shifts)
        # How many visits come of a minute to fill: learnt on the way, so that the book fills evenly to its end.
        made, filled = 1.0, 36.0
        day = since
        while left > 0:
            end, keep = (self.today, ahead) if day < self.today else (until, 0)
            open_minutes = minutes * max(1, (end - day).days) / 7
            fill = min(0.97, max(0.02, (left - keep) * filled / made / open_minutes))
            visits = list(islice(self._day(day, fill), left))
            yield from visits
            if visits:
                made += len(visits)
                filled += fill * minutes / 5
            left -= len(visits)
            day += dt.timedelta(days=1)

    def hours(self, clinician: Clinician, day: dt.date) -> list[tuple[Site, int, int]]:
        """Where the practitioner works that day, from and until which minute; closures and absences are out."""
        found = []
        weeks = (day - self.monday).days // 7
        for shift in clinician.shifts:
            site = self.sites[shift.site]
            if shift.weekday != day.weekday() or weeks % shift.every or site.is_closed(day):
                continue
            found += [
                (site, starts, ends)
                for starts, ends in self._without_absences(clinician.key, day, shift.starts, shift.ends)
            ]
        return sorted(found, key=lambda entry: entry[1])

    def _without_absences(self, who, day, starts, ends) -> list[tuple[int, int]]:
        stretches = [(starts, ends)]
        for absence in self.branch.absences:
            if absence.who == who and absence.covers(self.monday, day):
                parts = [
                    part
                    for first, last in stretches
                    for part in ((first, min(last, absence.starts)), (max(first, absence.ends), last))
                ]
                stretches = [(first, last) for first, last in parts if first < last]
        return stretches

    def _regulars(self) -> dict[str, array]:
        """Each patient has a practitioner whom they mostly see."""
        rng = chance(self.seed, self.branch.key, "regulars")
        clinicians = self.branch.clinicians
        weights = list(accumulate(len(clinician.shifts) for clinician in clinicians))
        pools = {clinician.key: array("i") for clinician in clinicians}
        for number in range(len(self.register)):
            pools[rng.choices(clinicians, cum_weights=weights)[0].key].append(number)
        return pools

    def _day(self, day: dt.date, fill: float) -> Iterator[Visit]:
        rng = chance(self.seed, self.branch.key, day)
        book = _DayBook(self.branch, self.sites, self.monday, day, self.register.before(day))
        for clinician in self.branch.clinicians:
            for site, opens, closes in self.hours(clinician, day):
                yield from self._session(rng, book, day, clinician, site, opens, closes, fill)

    def _session(self, rng, book, day, clinician, site, opens, closes, fill) -> Iterator[Visit]:
        """Fill one stretch of work from its start; a gap is left as often as the target wants it."""
        target = min(0.97, max(0.05, rng.gauss(fill, 0.10)))
        busy, at = 0, opens
        while at < closes:
            behind = busy < target * (at - opens)
            if rng.random() > (0.97 if behind else fill * 0.45):
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
        patient = self._patient(rng, book, clinician)
        if patient is None:
            return None
        treatment = self._treatment(rng, day, clinician, patient)
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
            self.register.seen[patient] = True
        room, place, units = taken
        zone = self.register.zone

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

    def _patient(self, rng, book, clinician) -> int | None:
        """Mostly one of the practitioner's own, and rather one who came lately; nobody twice a day."""
        own = self.regulars[clinician.key]
        known = bisect_left(own, book.registered)
        for _attempt in range(_TRIES if book.registered else 0):
            if known and rng.random() < 0.92:
                patient = own[known - 1 - int(known * rng.random() ** 2)]
            else:
                patient = rng.randrange(book.registered)
            if self.register.active[patient] and patient not in book.patients:
                return patient
        return None

    def _treatment(self, rng, day, clinician, patient) -> Treatment:
        """Somebody new is assessed first; whoever was registered long before, mostly was."""
        fresh = day.toordinal() - self.register.days[patient] < 60 + patient % 60
        if fresh and not self.register.seen[patient]:
            return clinician.assessment
        return rng.choices(clinician.treatments, cum_weights=clinician.weights)[0]

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

    def __init__(self, branch: Branch, sites: dict[str, Site], monday: dt.date, day: dt.date, registered: int):
        self.registered = registered
        self.patients: set[int] = set()
        self.taken: dict[tuple, list[tuple[int, int]]] = defaultdict(list)
        for absence in branch.absences:
            if isinstance(absence.who, tuple) and absence.covers(monday, day):
                site, name = absence.who
                places = next((places for room, _kind, places in sites[site].rooms if room == name), 1)
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
