"""What decides about the times of one service: hours, resources, what is busy. Loaded in two statements, then pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from django.utils import timezone

from clinic.database import scheduling as sql
from clinic.services import holidays
from clinic.services.scheduling import clock
from clinic.services.scheduling.intervals import Stretch, both, merged, minus

# A local day reaches at most this far beyond the same day in UTC.
_ZONE_REACH = timedelta(hours=26)


@dataclass(frozen=True)
class Offer:
    """A practitioner's way of giving the service: length in minutes, price in the clinic's currency."""

    practitioner_id: int
    minutes: int
    price: Decimal
    online: bool


@dataclass(frozen=True)
class Site:
    id: int
    zone: str
    step: int
    notice: int
    horizon: int
    # Where public holidays close it; None: nowhere.
    country: str | None = None
    subdivision: str = ""


@dataclass
class Facts:
    """Hours and resources for one service between two local days, and what is busy there."""

    document: dict
    first_on: date
    last_on: date
    # (what, id, place) -> stretches, buffers included.
    busy: dict[tuple[str, int, int], list[Stretch]] = field(default_factory=dict)
    _hours: dict = field(default_factory=dict)

    @property
    def service(self) -> dict:
        return self.document["service"]

    @cached_property
    def offers(self) -> dict[int, Offer]:
        service = self.service
        return {
            id_: Offer(
                id_,
                service["minutes"] if minutes is None else minutes,
                Decimal(service["price"] if price is None else price),
                online,
            )
            for id_, minutes, price, online in self.document["offers"]
        }

    def fix_length(self, minutes: int) -> None:
        """Every offer is this long: a visit that is moved keeps its own length."""
        self.offers = {id_: replace(offer, minutes=minutes) for id_, offer in self.offers.items()}

    @cached_property
    def sites(self) -> dict[int, Site]:
        """Windows resolved: service, then location, then clinic."""
        notice, horizon = self.document["clinic"] or (120, 90)
        service = self.service
        out = {}
        for id_, zone, step, own_notice, own_horizon, *region in self.document["locations"]:
            notices = (service["notice"], own_notice, notice)
            horizons = (service["horizon"], own_horizon, horizon)
            out[id_] = Site(
                id_,
                zone,
                step,
                next(value for value in notices if value is not None),
                next(value for value in horizons if value is not None),
                *region,
            )
        return out

    @cached_property
    def _off(self) -> dict[tuple[str, int], list[Stretch]]:
        found = defaultdict(list)
        for practitioner, room, equipment, location, start, end in self.document["off"]:
            for what, id_ in (
                ("practitioner", practitioner),
                ("room", room),
                ("equipment", equipment),
                ("location", location),
            ):
                if id_ is not None:
                    found[what, id_].append((start, end))
        return {who: merged(stretches) for who, stretches in found.items()}

    @cached_property
    def _by_key(self) -> dict[str, dict]:
        """Hours by whom and when they concern, so that a day looks up instead of searching."""
        tables: dict[str, dict] = {name: defaultdict(list) for name in ("opening", "working", "extra", "exceptions")}
        for location, weekday, *rest in self.document["opening"]:
            tables["opening"][location, weekday].append(rest)
        for practitioner, location, weekday, *rest in self.document["working"]:
            tables["working"][practitioner, location, weekday].append(rest)
        for practitioner, location, on, starts, ends in self.document["extra"]:
            tables["extra"][practitioner, location, on].append((starts, ends))
        for location, on, is_open, starts, ends in self.document["exceptions"]:
            tables["exceptions"][location, on].append((is_open, starts, ends))
        return tables

    def open_hours(self, site: Site, day: date) -> list[Stretch]:
        """When the location is open on its local day: an exceptional day's hours instead of the weekly ones, none on a
        public holiday."""
        cached = self._hours.get((site.id, day))
        if cached is not None:
            return cached
        iso = day.isoformat()
        exceptions = self._by_key["exceptions"].get((site.id, iso))
        if exceptions is not None:
            rows = [(starts, ends) for is_open, starts, ends in exceptions if is_open]
        elif site.country and holidays.closes(site.country, site.subdivision, day):
            rows = []
        else:
            weekly = self._by_key["opening"].get((site.id, day.weekday()), ())
            rows = [(starts, ends) for starts, ends, since, until in weekly if _valid(since, until, iso)]
        hours = merged(clock.stretch(site.zone, day, starts, ends) for starts, ends in rows)
        hours = minus(hours, self._off.get(("location", site.id), []))
        self._hours[site.id, day] = hours
        return hours

    def holiday(self, site: Site, day: date) -> str:
        """The public holiday that closes the location on this day, in words, or ""."""
        if site.country is None or (site.id, day.isoformat()) in self._by_key["exceptions"]:
            return ""
        return holidays.name(site.country, site.subdivision, day)

    def working_hours(self, practitioner_id: int, site: Site, day: date) -> list[Stretch]:
        """When the practitioner can treat there: own hours, extra hours included, while the location is open."""
        rows = self._kept(practitioner_id, site, day)
        opened = self.open_hours(site, day) if rows else []
        if not opened:
            return []
        hours = merged(clock.stretch(site.zone, day, starts, ends) for starts, ends in rows)
        return minus(both(hours, opened), self._off.get(("practitioner", practitioner_id), []))

    def planned_hours(self, practitioner_id: int, site: Site, day: date) -> list[Stretch]:
        """The practitioner's own hours there, whether or not the location is open and somebody absent."""
        rows = self._kept(practitioner_id, site, day)
        return merged(clock.stretch(site.zone, day, starts, ends) for starts, ends in rows)

    def extra_hours(self, practitioner_id: int, site: Site, day: date) -> list[Stretch]:
        """Those of the own hours that hold on this single day."""
        rows = self._by_key["extra"].get((practitioner_id, site.id, day.isoformat()), ())
        return merged(clock.stretch(site.zone, day, starts, ends) for starts, ends in rows)

    def _kept(self, practitioner_id: int, site: Site, day: date) -> list[tuple[int, int]]:
        """Rows of hours in force on this day: weekly and extra ones."""
        iso = day.isoformat()
        rows = [
            (starts, ends)
            for starts, ends, since, until, every, anchor in self._by_key["working"].get(
                (practitioner_id, site.id, day.weekday()), ()
            )
            if _valid(since, until, iso) and _in_rhythm(day, every, anchor)
        ]
        return [*rows, *self._by_key["extra"].get((practitioner_id, site.id, iso), ())]

    def closed(self, what: str, id_: int) -> list[Stretch]:
        """Time off of a room or a unit of equipment."""
        return self._off.get((what, id_), [])

    def rooms_at(self, location_id: int) -> list[tuple[int, int]]:
        """(room, place) pairs that suit the service, in order of preference."""
        return [
            (id_, place)
            for id_, location, _kind, places in self.document["rooms"]
            if location == location_id
            for place in range(1, places + 1)
        ]

    def units_at(self, location_id: int) -> list[list[int]]:
        """Per kind of equipment that the service needs, the units there."""
        return [
            [
                id_
                for id_, location, unit_kind in self.document["equipment"]
                if location == location_id and unit_kind == kind
            ]
            for kind in self.service["equipment_kinds"]
        ]

    def load_busy(
        self,
        *,
        at: datetime,
        patient_id: int | None = None,
        exclude: int = 0,
        rooms: Iterable[int] = (),
        first_on: date | None = None,
        last_on: date | None = None,
    ) -> Facts:
        """Read what is busy in these days, or in `first_on` to `last_on` of them; `exclude` leaves one appointment out
        (it is being moved), `rooms` are read beside those that suit the service. One query."""
        self.busy = sql.read_taken(
            practitioners=self.offers,
            rooms=[*(row[0] for row in self.document["rooms"]), *rooms],
            equipment=[row[0] for row in self.document["equipment"]],
            patient=patient_id,
            exclude=exclude,
            now=at,
            **reach(first_on or self.first_on, last_on or self.last_on),
        )
        return self


def days(first_on: date, last_on: date) -> list[date]:
    return [first_on + timedelta(days=n) for n in range((last_on - first_on).days + 1)]


def load(
    service_id: int,
    first_on: date,
    last_on: date,
    *,
    practitioners: Iterable[int] | None = None,
    locations: Iterable[int] | None = None,
) -> Facts:
    """One statement. None means: everybody who offers it, everywhere."""
    document = sql.read_facts(
        service=service_id,
        practitioners=practitioners,
        locations=locations,
        first=first_on,
        last=last_on,
        **reach(first_on, last_on),
    )
    return Facts(document, first_on, last_on)


def reach(first_on: date, last_on: date) -> dict[str, datetime]:
    """The moments that these local days can touch, wherever."""
    utc = timezone.get_fixed_timezone(0)
    start = datetime(first_on.year, first_on.month, first_on.day, tzinfo=utc)
    end = datetime(last_on.year, last_on.month, last_on.day, tzinfo=utc)
    # Buffers and visits of neighbouring days reach in.
    return {"from": start - _ZONE_REACH, "until": end + timedelta(days=1) + _ZONE_REACH}


def _valid(since: str | None, until: str | None, day: str) -> bool:
    return (since is None or since <= day) and (until is None or day <= until)


def _in_rhythm(day: date, every: int, anchor: str | None) -> bool:
    """Alternating weeks count Mondays from the anchor's week, so that years of 53 weeks do not break them."""
    if every == 1 or anchor is None:
        return True
    anchored = date.fromisoformat(anchor)
    weeks = (day - timedelta(days=day.weekday())) - (anchored - timedelta(days=anchored.weekday()))
    return (weeks.days // 7) % every == 0
