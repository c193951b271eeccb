"""Wall clocks of locations, in whole seconds since 1970. Pure; knows daylight saving."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
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
    ends = ends or DAY_MINUTES
    until = moment(zone, day, ends)
    if until != moment(zone, day, ends, last=True):
        # The end comes twice. Hours until 02:00 are over when it first strikes: 01:59 came once.
        until = moment(zone, day, ends - 1, last=True) + 60
    return moment(zone, day, starts), until


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


def wall(local: datetime) -> str:
    """What people read: "09:00"; "02:30 (CEST)" where the clock shows that time twice."""
    other = local.replace(fold=1 - local.fold)
    return f"{local:%H:%M}" if other.utcoffset() == local.utcoffset() else f"{local:%H:%M (%Z)}"


class Change(NamedTuple):
    """A day whose clock is moved: between these two wall clocks times come twice (`back`) or not at all."""

    since: str
    until: str
    back: bool


@lru_cache(maxsize=1024)
def change(zone: str, day: date) -> Change | None:
    if _even(zone, day):
        return None
    first, end = midnight(zone, day), midnight(zone, day + timedelta(days=1))
    # A clock may jump at midnight itself.
    first, last = first - 1, end
    before = _offset(zone, first)
    # The first moment of the new offset.
    while first < last:
        middle = (first + last) // 2
        if _offset(zone, middle) == before:
            first = middle + 1
        else:
            last = middle
    at = as_datetime(first)
    since, until = sorted((at + before, at + _offset(zone, first)))
    return Change(f"{since:%H:%M}", f"{until:%H:%M}", back=_offset(zone, first) < before)
