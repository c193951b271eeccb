"""Free times: who could treat where and when, with room and equipment. Reads only; pure once the facts are loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.database import scheduling as sql
from clinic.services.scheduling import clock, facts, ranking
from clinic.services.scheduling.facts import Facts, Offer, Site
from clinic.services.scheduling.intervals import Stretch, around, both, forbidden_starts, merged, minus
from clinic.services.scheduling.ranking import Suggestion
from clinic.services.scheduling.resources import Resources, Shape, Taken

# Minutes after local midnight, by the start of the visit.
PARTS_OF_DAY = {"morning": (0, 12 * 60), "afternoon": (12 * 60, 17 * 60), "evening": (17 * 60, 24 * 60)}
PART_LABELS = {"morning": _("morning"), "afternoon": _("afternoon"), "evening": _("evening")}

# Where next_available looks first: most often tomorrow has a time. The third look takes in all the rest.
_LOOKS = (3, 18)


class Slot(NamedTuple):
    """A free time with everything it would take. Moments are UTC; `place` is the lowest free one in the room."""

    start_at: datetime
    end_at: datetime
    practitioner_id: int
    location_id: int
    room_id: int | None
    place: int
    equipment_ids: tuple[int, ...]
    price: Decimal


def free(
    service_id: int,
    *,
    first_on: date,
    last_on: date | None = None,
    practitioners: Iterable[int] | None = None,
    locations: Iterable[int] | None = None,
    part: str | None = None,
    patient_id: int | None = None,
    exclude: int = 0,
    minutes: int | None = None,
    binding: bool = False,
    at: datetime | None = None,
) -> list[Slot]:
    """All free times of the local days `first_on` to `last_on`, by start, then practitioner. Two queries.

    `binding` applies what binds patients: minimum notice, horizon, online switches. Past times are never offered.
    `exclude` is an appointment that is being moved and does not stand in its own way; `minutes` is its own length,
    otherwise a visit is as long as it is offered.
    """
    at = at or timezone.now()
    last_on = last_on or first_on
    known = _known(service_id, first_on, last_on, practitioners, locations, minutes)
    if known is None:
        return []
    known.load_busy(patient_id=patient_id, exclude=exclude, at=at)
    found = list(compute(known, part=part, patient_id=patient_id, binding=binding, at=at))
    found.sort(key=_order)
    return found


def suggested(
    service_id: int,
    *,
    first_on: date,
    last_on: date,
    practitioners: Iterable[int] | None = None,
    locations: Iterable[int] | None = None,
    part: str | None = None,
    patient_id: int | None = None,
    exclude: int = 0,
    minutes: int | None = None,
    binding: bool = False,
    at: datetime | None = None,
) -> tuple[list[Slot], list[Suggestion]]:
    """What `free` finds, and the best few of it for this patient. At most three queries."""
    at = at or timezone.now()
    known = _known(service_id, first_on, last_on, practitioners, locations, minutes)
    if known is None:
        return [], []
    known.load_busy(patient_id=patient_id, exclude=exclude, at=at)
    found = sorted(compute(known, part=part, patient_id=patient_id, binding=binding, at=at), key=_order)
    return found, _ranked(known, found, patient_id, at)


def free_at(
    service_id: int,
    start_at: datetime,
    *,
    location_id: int,
    practitioners: Iterable[int] | None = None,
    patient_id: int | None = None,
    at: datetime | None = None,
) -> list[Slot]:
    """Who could begin at this very moment at this location, who suits the patient best first. At most three queries."""
    at = at or timezone.now()
    # Whichever of these is the local day there.
    day = start_at.astimezone(UTC).date()
    known = _known(service_id, day - timedelta(days=1), day + timedelta(days=1), practitioners, [location_id], None)
    if known is None:
        return []
    known.load_busy(patient_id=patient_id, at=at)
    calendars = _calendars(known, part=None, patient_id=patient_id, binding=False, at=at)
    start = int(start_at.timestamp())
    found = sorted((slot for calendar in calendars if (slot := calendar.slot_at(start))), key=_order)
    best = [suggestion.slot for suggestion in _ranked(known, found, patient_id, at)]
    return [*best, *(slot for slot in found if slot not in best)]


def _ranked(known: Facts, found: list[Slot], patient_id: int | None, at: datetime) -> list[Suggestion]:
    """The best few of them for this patient. One query."""
    visits = sql.read_habits(patient_id, before=at) if patient_id and found else []
    service = known.service
    measure = ranking.Measure(
        service["before"] * 60, service["after"] * 60, (known.document["shortest"] or service["minutes"]) * 60
    )
    return ranking.suggest(found, places(known, found), habits=ranking.Habits.of(visits), measure=measure)


def places(known: Facts, found: Iterable[Slot]) -> dict[Slot, ranking.Place]:
    """For each slot its local day and minute, and the stretch of its practitioner's time that is free around it."""
    free_time: dict[tuple, list] = {}
    out = {}
    for slot in found:
        site = known.sites[slot.location_id]
        local = slot.start_at.astimezone(ZoneInfo(site.zone))
        day, who = local.date(), slot.practitioner_id
        stretches = free_time.get((who, site.id, day))
        if stretches is None:
            busy = merged(known.busy.get(("practitioner", who, 0), ()))
            stretches = free_time[who, site.id, day] = minus(known.working_hours(who, site, day), busy)
        free_around = around(stretches, int(slot.start_at.timestamp()))
        out[slot] = ranking.Place(day.toordinal(), local.hour * 60 + local.minute, free_around)
    return out


def next_available(
    service_id: int,
    *,
    from_on: date,
    horizon_days: int = 180,
    practitioners: Iterable[int] | None = None,
    locations: Iterable[int] | None = None,
    part: str | None = None,
    patient_id: int | None = None,
    exclude: int = 0,
    minutes: int | None = None,
    binding: bool = False,
    at: datetime | None = None,
) -> Slot | None:
    """The first free time from that day on, of those that `free` would find up to the horizon. At most four queries,
    however far it is and however full the days are."""
    at = at or timezone.now()
    last_on = from_on + timedelta(days=horizon_days)
    known = _known(service_id, from_on, last_on, practitioners, locations, minutes)
    if known is None:
        return None
    for days in (*_LOOKS, horizon_days + 1):
        until = min(from_on + timedelta(days=days - 1), last_on)
        known.load_busy(patient_id=patient_id, exclude=exclude, at=at, first_on=from_on, last_on=until)
        calendars = _calendars(known, part=part, patient_id=patient_id, binding=binding, at=at)
        found = _first(calendars, facts.days(from_on, until))
        if found or until == last_on:
            return found
        from_on = until + timedelta(days=1)
    return None


def compute(
    known: Facts, *, part: str | None = None, patient_id: int | None = None, binding: bool = False, at: datetime
) -> Iterator[Slot]:
    """The pure half of `free`: unsorted slots from loaded facts."""
    days = facts.days(known.first_on, known.last_on)
    for calendar in _calendars(known, part=part, patient_id=patient_id, binding=binding, at=at):
        for day in days:
            yield from calendar.slots(day)


class Calendar:
    """One practitioner's free starts at one location."""

    def __init__(self, known: Facts, site: Site, offer: Offer, resources: Resources, patient_busy: list):
        self.known = known
        self.site = site
        self.offer = offer
        self.resources = resources
        before, after = known.service["before"] * 60, known.service["after"] * 60
        self.shape = Shape(offer.minutes * 60, before, after)
        closed = forbidden_starts(
            known.busy.get(("practitioner", offer.practitioner_id, 0), ()), before, self.shape.length, after
        )
        if patient_busy:
            # The patient is bound by bare times: two treatments may follow each other.
            closed = merged([*closed, *forbidden_starts(patient_busy, 0, self.shape.length, 0)])
        self.closed = closed
        self.part: str | None = None
        self.earliest = 0
        self.last_on = date.max

    def slots(self, day: date) -> Iterator[Slot]:
        """The free times of a local day, in order."""
        site, offer, length = self.site, self.offer, self.shape.length
        for stretch, taken in self._open(day):
            for start in clock.grid(site.zone, day, site.step, stretch):
                # Named here: this runs for every time that is offered.
                yield Slot(
                    clock.as_datetime(start),
                    clock.as_datetime(start + length),
                    offer.practitioner_id,
                    site.id,
                    *taken,
                    offer.price,
                )

    def slot_at(self, start: int) -> Slot | None:
        """The slot that begins at this very moment, on the grid or not; None where it is not free."""
        day = clock.local_day(self.site.zone, clock.as_datetime(start))
        for stretch, taken in self._open(day):
            if stretch[0] <= start < stretch[1]:
                begin, end = clock.as_datetime(start), clock.as_datetime(start + self.shape.length)
                return Slot(begin, end, self.offer.practitioner_id, self.site.id, *taken, self.offer.price)
        return None

    def _open(self, day: date) -> Iterator[tuple[Stretch, Taken]]:
        """Stretches of free starts on a local day, each with the room, place and equipment that it would take."""
        if day > self.last_on:
            return
        site, length = self.site, self.shape.length
        hours = self.known.working_hours(self.offer.practitioner_id, site, day)
        starts = [
            (max(start, self.earliest), end - length + 1)
            for start, end in hours
            if end - start >= length and end - length >= self.earliest
        ]
        if starts and self.part:
            first, last = (clock.moment(site.zone, day, minutes) for minutes in PARTS_OF_DAY[self.part])
            starts = both(starts, [(first, last)])
        yield from self.resources.share(minus(starts, self.closed), self.shape)


def first_of_each(
    services: Iterable[int],
    *,
    first_on: date,
    last_on: date,
    practitioners: Iterable[int] | None = None,
    locations: Iterable[int] | None = None,
    at: datetime | None = None,
) -> dict[int, Slot | None]:
    """By service the first free time of these local days, or None. A query for each service, and one for what is busy:
    several services look at the same people and rooms."""
    at = at or timezone.now()
    known = {id_: _known(id_, first_on, last_on, practitioners, locations, None) for id_ in services}
    some = [facts_ for facts_ in known.values() if facts_]
    if some:
        busy = sql.read_taken(
            practitioners=sorted({id_ for facts_ in some for id_ in facts_.offers}),
            rooms=sorted({row[0] for facts_ in some for row in facts_.document["rooms"]}),
            equipment=sorted({row[0] for facts_ in some for row in facts_.document["equipment"]}),
            now=at,
            **facts.reach(first_on, last_on),
        )
        for facts_ in some:
            facts_.busy = busy
    span = facts.days(first_on, last_on)
    found: dict[int, Slot | None] = {}
    for id_, of_service in known.items():
        calendars = _calendars(of_service, part=None, patient_id=None, binding=False, at=at) if of_service else ()
        found[id_] = _first(calendars, span)
    return found


def _known(service_id, first_on, last_on, practitioners, locations, minutes) -> Facts | None:
    """The facts, or None where nobody gives this service anywhere."""
    known = facts.load(service_id, first_on, last_on, practitioners=practitioners, locations=locations)
    if not known.service or not known.service["active"] or not known.offers or not known.sites:
        return None
    if minutes is not None:
        known.fix_length(minutes)
    return known


def _calendars(
    known: Facts, *, part: str | None, patient_id: int | None, binding: bool, at: datetime
) -> Iterator[Calendar]:
    """Everybody who may be offered, at every location."""
    if binding and not known.service["online"]:
        return
    now = int(at.timestamp())
    patient_busy = known.busy.get(("patient", patient_id, 0), []) if patient_id else []
    for site in known.sites.values():
        resources = Resources(known, site)
        for offer in known.offers.values():
            if binding and not offer.online:
                continue
            calendar = Calendar(known, site, offer, resources, patient_busy)
            calendar.part = part
            calendar.earliest = now + site.notice * 60 if binding else now
            if binding:
                calendar.last_on = clock.local_day(site.zone, at) + timedelta(days=site.horizon)
            yield calendar


def _first(calendars: Iterable[Calendar], days: list[date]) -> Slot | None:
    best = None
    for calendar in calendars:
        for day in days:
            if best and clock.midnight(calendar.site.zone, day) > best.start_at.timestamp():
                break
            found = next(calendar.slots(day), None)
            if found:
                best = min(best or found, found, key=_order)
                break
    return best


def _order(slot: Slot) -> tuple:
    return slot.start_at, slot.practitioner_id, slot.location_id
