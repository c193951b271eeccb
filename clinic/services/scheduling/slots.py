"""Free times: who could treat where and when, with room and equipment. Reads only; pure once the facts are loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.services.scheduling import clock, facts
from clinic.services.scheduling.facts import Facts, Offer, Site
from clinic.services.scheduling.intervals import forbidden_starts, merged, minus
from clinic.services.scheduling.resources import Resources, Window

# Minutes after local midnight, by the start of the visit.
PARTS_OF_DAY = {"morning": (0, 12 * 60), "afternoon": (12 * 60, 17 * 60), "evening": (17 * 60, 24 * 60)}
PART_LABELS = {"morning": _("morning"), "afternoon": _("afternoon"), "evening": _("evening")}

# How many days one look of next_available takes in.
_STRIDE = 14


@dataclass(frozen=True, slots=True)
class Slot:
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
    known = facts.load(service_id, first_on, last_on, practitioners=practitioners, locations=locations)
    if not known.service or not known.service["active"] or not known.offers or not known.sites:
        return []
    if minutes is not None:
        known.fix_length(minutes)
    known.load_busy(patient_id=patient_id, exclude=exclude, at=at)
    found = list(compute(known, part=part, patient_id=patient_id, binding=binding, at=at))
    found.sort(key=lambda slot: (slot.start_at, slot.practitioner_id, slot.location_id))
    return found


def next_available(service_id: int, *, from_on: date, horizon_days: int = 180, **wanted) -> Slot | None:
    """The first free time from that day on, looking two weeks at a time up to the horizon."""
    last = from_on + timedelta(days=horizon_days)
    while from_on <= last:
        until = min(from_on + timedelta(days=_STRIDE - 1), last)
        found = free(service_id, first_on=from_on, last_on=until, **wanted)
        if found:
            return found[0]
        from_on = until + timedelta(days=1)
    return None


def compute(
    known: Facts, *, part: str | None = None, patient_id: int | None = None, binding: bool = False, at: datetime
) -> Iterator[Slot]:
    """The pure half of `free`: unsorted slots from loaded facts."""
    now = int(at.timestamp())
    patient_busy = known.busy.get(("patient", patient_id, 0), [])
    if binding and not known.service["online"]:
        return
    for site in known.sites.values():
        earliest = now + site.notice * 60 if binding else now
        last_on = known.last_on
        if binding:
            last_on = min(last_on, clock.local_day(site.zone, at) + timedelta(days=site.horizon))
        resources = Resources(known, site)
        day = known.first_on
        while day <= last_on:
            for offer in known.offers.values():
                if not binding or offer.online:
                    yield from _day(known, site, offer, day, part, patient_busy, earliest, resources)
            day += timedelta(days=1)


def _day(
    known: Facts,
    site: Site,
    offer: Offer,
    day: date,
    part: str | None,
    patient_busy: list,
    earliest: int,
    resources: Resources,
) -> Iterator[Slot]:
    length = offer.minutes * 60
    before, after = known.service["before"] * 60, known.service["after"] * 60
    hours = known.working_hours(offer.practitioner_id, site, day)
    starts = [(start, end - length + 1) for start, end in hours if end - start >= length]
    if not starts:
        return
    busy = known.busy.get(("practitioner", offer.practitioner_id, 0), [])
    closed = forbidden_starts(busy, before, length, after)
    if patient_busy:
        # The patient is bound by bare times: two treatments may follow each other.
        closed = merged([*closed, *forbidden_starts(patient_busy, 0, length, 0)])
    if part:
        first, last = PARTS_OF_DAY[part]
        window = [(clock.moment(site.zone, day, first), clock.moment(site.zone, day, last))]
        starts = [(max(a, window[0][0]), min(b, window[0][1])) for a, b in starts]
    starts = [(max(a, earliest), b) for a, b in starts]
    for stretch in minus(merged(starts), closed):
        for start in clock.grid(site.zone, day, site.step, stretch):
            taken = resources.take(Window(start, length, before, after))
            if taken is not None:
                room_id, place, equipment_ids = taken
                yield Slot(
                    clock.as_datetime(start),
                    clock.as_datetime(start + length),
                    offer.practitioner_id,
                    site.id,
                    room_id,
                    place,
                    equipment_ids,
                    offer.price,
                )
