"""What stands in the calendar between two days: visits, the busy time of others, and whether any of it changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Aggregate, Count, DecimalField, F, Func, Q, Sum

from clinic import permissions
from clinic.models import Appointment, Location

# More than this nobody can read in one picture; then days are counted instead.
MOST = 2000
# A visit lasts at most a day (a check constraint), so a plain index finds what reaches into a window.
_LONGEST = dt.timedelta(hours=24)

COLUMNS = (
    "pk",
    "version",
    "start_at",
    "end_at",
    "practitioner_id",
    "location_id",
    "room_id",
    "place",
    "status",
    "service_id",
    "patient_id",
    "patient__family_name",
    "patient__given_name",
    "patient__mobile",
    "patient__phone",
    "desk_note",
    "overlap_reason",
    "source",
    "late",
)


@dataclass(frozen=True)
class Window:
    """Local days `first_on` to `last_on` of `locations`, which share the clock of `zone`."""

    first_on: dt.date
    last_on: dt.date
    zone: ZoneInfo
    locations: tuple[int, ...]
    practitioners: tuple[int, ...] = ()
    rooms: tuple[int, ...] = ()
    services: tuple[int, ...] = ()
    statuses: tuple[str, ...] = ()

    @property
    def since(self) -> dt.datetime:
        return dt.datetime.combine(self.first_on, dt.time(), self.zone)

    @property
    def until(self) -> dt.datetime:
        return dt.datetime.combine(self.last_on + dt.timedelta(days=1), dt.time(), self.zone)

    def where(self) -> Q:
        """Who and where, as the reader chose; a room or a practitioner may be seen busy by everybody."""
        found = Q(location__in=self.locations)
        if self.practitioners:
            found &= Q(practitioner__in=self.practitioners)
        if self.rooms:
            found &= Q(room__in=self.rooms)
        return found

    def what(self) -> Q:
        """Which visits. Never asked of visits that the reader may not see: the answer would tell their service."""
        found = Q(status__in=self.statuses or SHOWN)
        if self.services:
            found &= Q(service__in=self.services)
        return found

    def when(self) -> Q:
        # By location and start, which an index holds together; a visit of the evening before reaches in.
        return Q(start_at__gt=self.since - _LONGEST, start_at__lt=self.until, end_at__gt=self.since)


# Who cancelled is of interest to who asks for it.
SHOWN = (*Appointment.HOLDING, Appointment.Status.NO_SHOW)


def fingerprint(window: Window, **more: Aggregate) -> str:
    """Changes whenever a visit in the window comes, goes or changes, or one of the sums in `more` does. One query.

    The sum of the times of change, not the latest: of two changes that were begun in one order and committed in the
    other, the latest would hide one.
    """
    micros = "(date_part('epoch', %(expressions)s) * 1000000)::numeric"
    found = Appointment.objects.filter(window.where() & window.when()).aggregate(
        count=Count("pk"),
        versions=Sum("version"),
        changed=Sum(Func(F("updated_at"), template=micros, output_field=DecimalField(decimal_places=0, max_digits=40))),
        **more,
    )
    return "-".join(str(value or 0) for value in found.values())


def visits(user, window: Window) -> list[tuple]:
    """Rows of COLUMNS that `user` may see, at most MOST + 1. One query."""
    rows = permissions.visible(user, Appointment.objects.filter(window.where() & window.what() & window.when()))
    return list(rows.order_by("start_at", "pk").values_list(*COLUMNS)[: MOST + 1])


def busy(user, window: Window) -> list[tuple[dt.datetime, dt.datetime, int, int | None, int]]:
    """(from, until, practitioner, room, place) of what `user` may not see; stretches that touch are joined, so that
    neither number nor length of visits shows. Nothing else is read. At most one query."""
    granted = permissions.scope(user, "view", Appointment)
    if granted != permissions.OWN_ONLY:
        return []
    others = Appointment.objects.filter(window.where() & window.when(), status__in=Appointment.HOLDING)
    others = others.exclude(permissions.OWN["appointment"](user)).order_by(
        "practitioner_id", "room_id", "place", "start_at"
    )
    return joined(others.values_list("start_at", "end_at", "practitioner_id", "room_id", "place")[:MOST])


def elsewhere(window: Window, practitioners: Iterable[int]) -> list[tuple[dt.datetime, dt.datetime, int, int]]:
    """(from, until, practitioner, location) of what keeps these practitioners busy at other locations. One query."""
    rows = Appointment.objects.filter(
        practitioner__in=list(practitioners),
        busy_from__gte=window.since - _LONGEST,
        busy_from__lt=window.until,
        busy_until__gt=window.since,
        status__in=Appointment.HOLDING,
    ).exclude(location__in=window.locations)
    found = rows.order_by("practitioner_id", "location_id", "start_at").values_list(
        "start_at", "end_at", "practitioner_id", "location_id"
    )
    return joined(found[:MOST])


def totals(user, window: Window) -> list[tuple[dt.date, int]]:
    """(day, visits) where there are too many to show each. One query."""
    rows = permissions.visible(user, Appointment.objects.filter(window.where() & window.what() & window.when()))
    return list(rows.values("day").annotate(visits=Count("pk")).order_by("day").values_list("day", "visits"))


def joined(rows: Iterable[tuple]) -> list[tuple]:
    """Rows of (from, until, *whose), sorted by whose and from: those of the same that touch become one."""
    found: list[tuple] = []
    for start, end, *whose in rows:
        if found and found[-1][2:] == tuple(whose) and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]), *whose)
        else:
            found.append((start, end, *whose))
    return found


def shared_zone(locations: Iterable[Location]) -> bool:
    """Can these be shown on one clock?"""
    return len({location.time_zone for location in locations}) <= 1
