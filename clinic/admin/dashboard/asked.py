"""What the dashboard's address asks for: days, location; and what its cards share. Nonsense in it is left out."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import permissions
from clinic.admin.scheduling.times import as_day
from clinic.insights import dashboard
from clinic.insights.dashboard import Figures, Patients, Span
from clinic.models import Appointment, Location, Practitioner, Room
from clinic.services.scheduling.capacity import Capacity

WEEK, MONTH, QUARTER, YEAR, OWN = "week", "month", "quarter", "year", "own"
PERIODS = [
    (WEEK, gettext_lazy("This week")),
    (MONTH, gettext_lazy("This month")),
    (QUARTER, gettext_lazy("This quarter")),
    (YEAR, gettext_lazy("This year")),
]
ALL = "all"
LONGEST_DAYS = 2 * 366
MANAGEMENT = {"administrator", "manager"}

# What took more than so many visits, or days of practitioners, to count is kept for a while, and says so.
KEPT_FROM_VISITS = 20_000
KEPT_FROM_DAYS = 10_000
KEPT_SECONDS = 600


@dataclass(frozen=True)
class Time:
    """Seconds that could be booked, by practitioner and by room, in a span and in the one before."""

    practitioners: dict[int, int]
    practitioners_before: dict[int, int]
    rooms: dict[int, int]
    rooms_before: dict[int, int]


class Asked:
    """One reading of the address for one person. Figures are counted when the first card wants them."""

    def __init__(self, request: HttpRequest):
        self.request, self.user = request, request.user
        read = request.GET
        self.at = timezone.now()
        self.problem = ""
        self.as_of: dt.datetime | None = None
        self.locations = list(Location.objects.active())
        self.location = self._location(read.get("location", ""))
        self.today = timezone.localdate(self.at, self.zone)
        wanted = read.get("period", "")
        self.period = wanted if wanted in (*dict(PERIODS), OWN) else MONTH if self.manages else WEEK
        self.span = self._span(read) if self.period == OWN else period(self.period, self.today)

    @property
    def manages(self) -> bool:
        """Is the whole clinic this person's business?"""
        return self.user.is_superuser or bool(MANAGEMENT & set(self.user.roles))

    @cached_property
    def sees_own_only(self) -> bool:
        return permissions.scope(self.user, "view", Appointment) == permissions.OWN_ONLY

    @property
    def zone(self):
        place = self.location or next(iter(self.locations), None)
        return place.zone if place else timezone.get_default_timezone()

    @property
    def where(self) -> int | None:
        return self.location.pk if self.location else None

    @property
    def measured(self) -> list[int]:
        """The locations whose time is measured."""
        return [place.pk for place in ([self.location] if self.location else self.locations)]

    def query(self, **changes) -> str:
        """The address of other figures: these with changes; an empty value leaves a part out."""
        said = {"period": self.period, "location": self.where or ALL}
        if self.period == OWN:
            said |= {"from": self.span.first_on.isoformat(), "to": self.span.last_on.isoformat()}
        return urlencode({name: value for name, value in {**said, **changes}.items() if value})

    @cached_property
    def figures(self) -> Figures:
        def count():
            return dashboard.figures(self.user, self.span, location=self.where, measured=self.measured)

        return self._kept("figures", count, lambda found: found.now.total + found.before.total > KEPT_FROM_VISITS)

    @cached_property
    def patients(self) -> tuple[Patients, Patients]:
        """Who came in the period, and in the one before."""
        visits = self.figures.now.total + self.figures.before.total

        def count():
            return dashboard.patients(self.user, self.span, location=self.where)

        return self._kept("patients", count, lambda _found: visits > KEPT_FROM_VISITS)

    @cached_property
    def people(self) -> dict[int, Practitioner]:
        """Practitioners whose figures this person sees."""
        found = Practitioner.objects.active()
        return {row.pk: row for row in (found.filter(user=self.user) if self.sees_own_only else found)}

    @cached_property
    def rooms(self) -> dict[int, Room]:
        found = Room.objects.active().filter(location__in=self.measured).select_related("location")
        return {row.pk: row for row in found}

    @cached_property
    def time(self) -> Time:
        """What could be booked: one query, or none where it was kept."""
        days = len(self.people) * self.span.length * 2
        people, rooms = self.people, self.rooms

        def count():
            whole = self.span.with_before()
            known = Capacity(whole.first_on, whole.last_on, practitioners=people, locations=self.measured)
            used = [(room.pk, room.location_id, room.places) for room in rooms.values()]
            spans = [(span.first_on, span.last_on) for span in (self.span, self.span.before)]
            return Time(
                *(known.of_practitioners(*span) for span in spans), *(known.of_rooms(*span, used) for span in spans)
            )

        return self._kept("time", count, lambda _found: days > KEPT_FROM_DAYS)

    def _kept(self, what: str, count: Callable[[], Any], is_large: Callable[[Any], bool]) -> Any:
        if self.sees_own_only:
            # Theirs alone, and never many.
            return count()
        key = f"dashboard:{what}:{self.span.first_on}:{self.span.last_on}:{self.where or ALL}"
        kept = cache.get(key)
        if kept is None:
            found = count()
            if is_large(found):
                cache.set(key, (self.at, found), KEPT_SECONDS)
            return found
        counted_at, found = kept
        self.as_of = min(self.as_of or counted_at, counted_at)
        return found

    def _location(self, raw) -> Location | None:
        """The one that was asked for; else, for who works at the desk of one, that one. None: everywhere."""
        chosen = next((place for place in self.locations if str(place.pk) == raw), None)
        if chosen or raw == ALL or self.manages or self.sees_own_only or len(self.locations) < 2:
            return chosen
        own = set(self.user.locations.values_list("pk", flat=True))
        return next((place for place in self.locations if place.pk in own), None)

    def _span(self, read) -> Span:
        first_on, last_on = as_day(read.get("from")), as_day(read.get("to"))
        if not (first_on and last_on):
            self.problem = _("Say from which day to which day.")
        elif first_on > last_on:
            self.problem = _("The first day must not come after the last.")
        elif (last_on - first_on).days >= LONGEST_DAYS:
            self.problem = _("Two years at most can be looked at together.")
        else:
            return Span(first_on, last_on)
        self.period = MONTH if self.manages else WEEK
        return period(self.period, self.today)


def period(name: str, today: dt.date) -> Span:
    """The week, month, quarter or year that `today` is in, whole."""
    if name == WEEK:
        monday = today - dt.timedelta(days=today.weekday())
        return Span(monday, monday + dt.timedelta(days=6))
    first = {MONTH: today.month, QUARTER: (today.month - 1) // 3 * 3 + 1, YEAR: 1}[name]
    last = {MONTH: first, QUARTER: first + 2, YEAR: 12}[name]
    return Span(
        today.replace(month=first, day=1), today.replace(month=last, day=calendar.monthrange(today.year, last)[1])
    )
