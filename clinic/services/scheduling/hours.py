"""When locations are open and practitioners work there, whatever they offer: for those who look at a day as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from clinic.database import hours as sql
from clinic.services.scheduling.facts import Facts

# No service narrows the windows, and nothing is offered.
_NO_SERVICE: dict = {"service": {"notice": None, "horizon": None}, "clinic": None, "offers": []}
# A local day reaches at most this far beyond the same day in UTC.
_ZONE_REACH = timedelta(hours=26)


def load(first_on: date, last_on: date, *, practitioners: Iterable[int], locations: Iterable[int]) -> Facts:
    """The hours of these days. Retired practitioners have theirs, too: their visits stay. One query."""
    document = sql.read_hours(
        practitioners=list(practitioners),
        locations=list(locations),
        first=first_on,
        last=last_on,
        since=datetime.combine(first_on, time(), UTC) - _ZONE_REACH,
        until=datetime.combine(last_on, time(), UTC) + timedelta(days=1) + _ZONE_REACH,
    )
    return Facts({**_NO_SERVICE, **document}, first_on, last_on)
