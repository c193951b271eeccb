"""What the calendar's address asks for: view, day, whose columns, filters. Whatever makes no sense is left out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from clinic import permissions
from clinic.admin.scheduling.times import as_day
from clinic.insights.calendar import Window, shared_zone
from clinic.models import Appointment, Location, Practitioner

DAY, WEEK, MONTH, LIST = "day", "week", "month", "list"
VIEWS = [(DAY, _("Day")), (WEEK, _("Week")), (MONTH, _("Month")), (LIST, _("List"))]
BY_PRACTITIONER, BY_ROOM = "practitioner", "room"
ALL = "all"
_MOST_IDS = 200


@dataclass(frozen=True)
class Asked:
    """One reading of the address. `practitioners` empty means everybody."""

    user: object
    view: str
    by: str
    on: dt.date
    locations: tuple[Location, ...]
    all_locations: bool
    practitioners: tuple[int, ...]
    rooms: tuple[int, ...]
    services: tuple[int, ...]
    statuses: tuple[str, ...]

    @classmethod
    def of(cls, request) -> Asked:
        read, user = request.GET, request.user
        known = list(Location.objects.active().select_related("organization"))
        locations, everywhere = _locations(read.get("location", ""), known, user)
        on = as_day(read.get("on")) or _today(locations)
        view = read.get("view", "")
        return cls(
            user=user,
            view=view if view in dict(VIEWS) else DAY,
            by=BY_ROOM if read.get("by") == BY_ROOM else BY_PRACTITIONER,
            on=on,
            locations=locations,
            all_locations=everywhere,
            practitioners=_practitioners(read.getlist("practitioner"), user),
            rooms=_ids(read.getlist("room")),
            services=_ids(read.getlist("service")),
            statuses=tuple(status for status in read.getlist("status") if status in Appointment.Status.values),
        )

    @cached_property
    def days(self) -> tuple[dt.date, dt.date]:
        """First and last day of the picture; a month is shown in whole weeks."""
        if self.view in (DAY, LIST):
            return self.on, self.on
        if self.view == WEEK:
            monday = self.on - dt.timedelta(days=self.on.weekday())
            return monday, monday + dt.timedelta(days=6)
        first = self.on.replace(day=1)
        last = (first + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
        return first - dt.timedelta(days=first.weekday()), last + dt.timedelta(days=6 - last.weekday())

    @property
    def zone(self):
        return self.locations[0].zone if self.locations else timezone.get_default_timezone()

    def query(self, **changes) -> str:
        """The address of another picture: this one with changes; an empty value leaves a part out."""
        said: dict = {
            "view": self.view,
            "by": self.by if self.by == BY_ROOM else "",
            "on": self.on.isoformat(),
            "location": ALL if self.all_locations else self.locations[0].pk if self.locations else "",
            "practitioner": self.practitioners or (ALL if sees_own_only(self.user) else ""),
            "room": self.rooms,
            "service": self.services,
            "status": self.statuses,
            **changes,
        }
        return urlencode({name: value for name, value in said.items() if value}, doseq=True)

    def other_day(self, direction: int) -> dt.date:
        """A picture earlier or later."""
        if self.view == MONTH:
            return (self.on.replace(day=15) + direction * dt.timedelta(days=30)).replace(day=1)
        return self.on + direction * dt.timedelta(days=7 if self.view == WEEK else 1)

    @cached_property
    def window(self) -> Window:
        first_on, last_on = self.days
        return Window(
            first_on=first_on,
            last_on=last_on,
            zone=self.zone,
            locations=tuple(location.pk for location in self.locations),
            practitioners=self.practitioners,
            rooms=self.rooms,
            services=self.services,
            statuses=self.statuses,
        )


def own_practice(user) -> int | None:
    """The practitioner that this person is."""
    return Practitioner.objects.filter(user=user, active=True).values_list("pk", flat=True).first()


def _locations(raw, known, user) -> tuple[tuple[Location, ...], bool]:
    """(shown, all of them?). Different clocks cannot share a picture: then it is one location at a time."""
    if not known:
        return (), False
    own = set(user.locations.values_list("pk", flat=True))
    default = next((location for location in known if location.pk in own), known[0])
    one_clock = shared_zone(known)
    if raw == ALL or (not raw and sees_own_only(user)):
        return (tuple(known), True) if one_clock else ((default,), False)
    return (next((location for location in known if str(location.pk) == raw), default),), False


def _practitioners(raw, user) -> tuple[int, ...]:
    """Who treats sees the own calendar unless told otherwise: a default, not a wall."""
    if not raw and sees_own_only(user):
        own = own_practice(user)
        return (own,) if own else ()
    return _ids(raw)


def sees_own_only(user) -> bool:
    return permissions.scope(user, "view", Appointment) == permissions.OWN_ONLY


def _ids(raw) -> tuple[int, ...]:
    return tuple(int(value) for value in raw[:_MOST_IDS] if value.isdecimal() and value.isascii() and len(value) < 19)


def _today(locations) -> dt.date:
    zone = locations[0].zone if locations else None
    return timezone.localdate(timezone=zone)
