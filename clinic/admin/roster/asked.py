"""What the roster's address asks for: week or month, day, location, profession. What makes no sense is left out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from clinic import permissions
from clinic.admin.scheduling.times import as_day
from clinic.insights import roster
from clinic.models import Location

WEEK, MONTH = "week", "month"
VIEWS = [(WEEK, _("Week")), (MONTH, _("Month"))]


@dataclass(frozen=True)
class Asked:
    """One reading of the address. `location` None means all."""

    view: str
    on: dt.date
    known: tuple[Location, ...]
    location: Location | None
    professions: tuple[str, ...]
    profession: str

    @classmethod
    def of(cls, request) -> Asked:
        read = request.GET
        known = tuple(permissions.visible(request.user, Location.objects.active()))
        professions = tuple(roster.professions(request.user))
        return cls(
            view=MONTH if read.get("view") == MONTH else WEEK,
            on=as_day(read.get("on")) or timezone.localdate(),
            known=known,
            location=next((place for place in known if str(place.pk) == read.get("location")), None),
            professions=professions,
            profession=read.get("profession", "") if read.get("profession") in professions else "",
        )

    @property
    def places(self) -> tuple[Location, ...]:
        return (self.location,) if self.location else self.known

    @property
    def days(self) -> tuple[dt.date, dt.date]:
        if self.view == WEEK:
            monday = self.on - dt.timedelta(days=self.on.weekday())
            return monday, monday + dt.timedelta(days=6)
        first = self.on.replace(day=1)
        return first, (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)

    @property
    def heading(self) -> str:
        first_on, last_on = self.days
        if self.view == MONTH:
            return date_format(first_on, "YEAR_MONTH_FORMAT")
        return f"{date_format(first_on, 'j M')} – {date_format(last_on, 'j M Y')}"

    def other_day(self, direction: int) -> dt.date:
        first_on, last_on = self.days
        return last_on + dt.timedelta(days=1) if direction > 0 else first_on - dt.timedelta(days=1)

    def query(self, **changes) -> str:
        """The address of another roster: this one with changes; an empty value leaves a part out."""
        said = {
            "view": self.view if self.view == MONTH else "",
            "on": self.on.isoformat(),
            "location": self.location.pk if self.location else "",
            "profession": self.profession,
            **changes,
        }
        return urlencode({name: value for name, value in said.items() if value})
