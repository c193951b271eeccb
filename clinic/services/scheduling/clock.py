"""Wall clocks of locations, in whole seconds since 1970. Pure; knows daylight saving."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from clinic.services.scheduling.intervals import Stretch, multiples

DAY_MINUTES = 24 * 60


@lru_cache(maxsize=4096)
def midnight(zone: str, day: date) -> int:
    """The first moment of the local day."""
    return int(datetime.combine(day, time(), ZoneInfo(zone)).timestamp())


@lru_cache(maxsize=65536)
def moment(zone: str, day: date, minutes: int, *, last: bool = False) -> int:
    """When the wall clock shows `minutes` after midnight; of two such moments the first, or the `last`.

    A time that the clock jumps over is the moment of the jump.
    """
    day, minutes = day + timedelta(days=minutes // DAY_MINUTES), minutes % DAY_MINUTES
    local = datetime(day.year, day.month, day.day, *divmod(minutes, 60), tzinfo=ZoneInfo(zone))
    first, second = int(local.timestamp()), int(local.replace(fold=1).timestamp())
    if first <= second:
        return second if last else first
    # In a gap the two readings cross: the jump lies between them.
    offset = _offset(zone, second)
    while second < first:
        middle = (first + second) // 2
        if _offset(zone, middle) == offset:
            second = middle + 1
        else:
            first = middle
    return first


def _offset(zone: str, at: int):
    return datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset()


def stretch(zone: str, day: date, starts: int, ends: int) -> Stretch:
    """Hours of a local day as moments; `ends` 0 is midnight. Both passes of a repeated hour are inside."""
    return moment(zone, day, starts), moment(zone, day, ends or DAY_MINUTES, last=True)


@lru_cache(maxsize=4096)
def _even(zone: str, day: date) -> bool:
    """A day of 24 hours whose clock is not touched."""
    return midnight(zone, day + timedelta(days=1)) - midnight(zone, day) == 24 * 3600


@lru_cache(maxsize=1024)
def _uneven_grid(zone: str, day: date, step: int) -> tuple[int, ...]:
    """Multiples of `step` on a clock that jumps: none in the gap, both of a repeated time."""
    found = set()
    for minutes in range(0, DAY_MINUTES, step):
        for last in (False, True):
            at = moment(zone, day, minutes, last=last)
            shown = datetime.fromtimestamp(at, ZoneInfo(zone))
            if shown.date() == day and shown.hour * 60 + shown.minute == minutes:
                found.add(at)
    return tuple(sorted(found))


def grid(zone: str, day: date, step: int, within: Stretch):
    """Moments inside `within` at which the local clock shows a multiple of `step` minutes."""
    if _even(zone, day):
        return multiples(within, midnight(zone, day), step * 60)
    return (at for at in _uneven_grid(zone, day, step) if within[0] <= at < within[1])


def local_day(zone: str, at: datetime) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def as_datetime(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
