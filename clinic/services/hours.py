"""A practitioner's weekly and extra hours: saved together, and never two at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import combinations
from math import gcd

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.actor import Actor
from clinic.database import locks
from clinic.exceptions import RuleBroken
from clinic.models import ExtraHours, Practitioner, WorkingHours

_ENDLESS = date.max


@dataclass(frozen=True)
class Timetable:
    """What is to be saved: rows, new or changed, and those that go."""

    weekly: Sequence[WorkingHours] = ()
    extra: Sequence[ExtraHours] = ()
    gone: Sequence[WorkingHours | ExtraHours] = ()


def keep(practitioner: Practitioner, timetable: Timetable, *, by: Actor) -> Practitioner:
    """Save a practitioner's hours. Refused: `hours_overlap`, whatever was saved by somebody else meanwhile."""
    with transaction.atomic():
        locks.take([locks.key(locks.PRACTITIONER, practitioner.pk)])
        for gone in timetable.gone:
            gone.delete()
        rows: list[WorkingHours | ExtraHours] = [*timetable.weekly, *timetable.extra]
        for row in rows:
            row.practitioner = practitioner
            row.save()
        refuse_overlaps([*practitioner.working_hours.all()], [*practitioner.extra_hours.all()])
    return practitioner


def refuse_overlaps(weekly: Sequence[WorkingHours], extra: Sequence[ExtraHours]) -> None:
    """Raise for the first two rows that are in force at the same time."""
    found: list[tuple] = [*clashes(weekly), *clashes(extra)]
    for row, other in found:
        raise RuleBroken(
            "hours_overlap", _("%(row)s overlaps %(other)s.") % {"row": in_words(row), "other": in_words(other)}
        )


def clashes[Row: (WorkingHours, ExtraHours)](rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Pairs of rows of one practitioner that overlap on some day, the later of each first."""
    return [(second, first) for first, second in combinations(rows, 2) if _meet(first, second)]


def _meet(first, second) -> bool:
    if not (_before(first.starts, second.ends) and _before(second.starts, first.ends)):
        return False
    if isinstance(first, ExtraHours):
        return first.on == second.on
    return (
        first.weekday == second.weekday
        and (first.valid_from or date.min) <= (second.valid_until or _ENDLESS)
        and (second.valid_from or date.min) <= (first.valid_until or _ENDLESS)
        and _same_weeks(first, second)
    )


def _before(starts: time, ends: time) -> bool:
    # 00:00 is midnight, the end of the day.
    return ends == time() or starts < ends


def _same_weeks(first: WorkingHours, second: WorkingHours) -> bool:
    """Do two rhythms ever fall into the same week? They do where their anchors lie apart by a multiple of what both
    rhythms share."""
    shared = gcd(first.every_weeks, second.every_weeks)
    if shared == 1 or first.anchor_on is None or second.anchor_on is None:
        return True
    weeks = (monday(first.anchor_on) - monday(second.anchor_on)).days // 7
    return weeks % shared == 0


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def in_words(row: WorkingHours | ExtraHours) -> str:
    day = row.get_weekday_display() if isinstance(row, WorkingHours) else date_format(row.on, "j F Y")
    return f"{day} {row.starts:%H:%M}–{row.ends:%H:%M}"


def split(
    weekdays: Sequence[int], starts: time, ends: time, pause: tuple[time, time] | None = None, **more
) -> list[WorkingHours]:
    """The same hours on several weekdays, with a break between or without, as rows."""
    stretches = [(starts, pause[0]), (pause[1], ends)] if pause else [(starts, ends)]
    return [
        WorkingHours(weekday=day, starts=since, ends=until, **more) for day in weekdays for since, until in stretches
    ]
