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
_SUNDAY = timedelta(days=6)


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


def in_week(practitioner: Practitioner, on: date) -> tuple[list[WorkingHours], list[ExtraHours]]:
    """What holds in the week of a day, alternating weeks and validity considered. Two queries."""
    first = monday(on)
    weekly = practitioner.working_hours.select_related("location").order_by("weekday", "starts")
    extra = practitioner.extra_hours.select_related("location").filter(on__range=(first, first + _SUNDAY))
    return [row for row in weekly if _in_force(row, first + timedelta(days=row.weekday))], list(extra.order_by("on"))


def _in_force(row: WorkingHours, day: date) -> bool:
    if not (row.valid_from or date.min) <= day <= (row.valid_until or _ENDLESS):
        return False
    weeks = (monday(day) - monday(row.anchor_on)).days // 7 if row.anchor_on else 0
    return weeks % row.every_weeks == 0


def copy(
    source: Practitioner, target: Practitioner, *, week_on: date, into: date, only_once: bool, by: Actor
) -> Practitioner:
    """Give `target` the hours that `source` has in the week of `week_on`: in the week of `into` alone, extra hours
    included, or from that week on, every week. What `target` had then ends before it and, after a single week, goes on.

    Hours at deactivated locations are left out. Refused: `same_week`, `nothing_to_copy`, `hours_overlap`.
    """
    first = monday(into)
    last = first + _SUNDAY if only_once else None
    if source == target and only_once and monday(week_on) == first:
        raise RuleBroken("same_week", _("Choose another week or somebody else."), field="into")
    with transaction.atomic():
        locks.take([locks.key(locks.PRACTITIONER, pk) for pk in (source.pk, target.pk)])
        weekly, extra = in_week(source, week_on)
        weekly = [row for row in weekly if row.location.active]
        extra = [row for row in extra if row.location.active] if only_once else []
        if not weekly and not extra:
            raise RuleBroken("nothing_to_copy", _("There are no hours in that week."), field="week_on")
        changed, gone = _cleared(target, first, last)
        new = [_again(row, valid_from=first, valid_until=last, every_weeks=1, anchor_on=None) for row in weekly]
        later = first - monday(week_on)
        more = [ExtraHours(location=r.location, on=r.on + later, starts=r.starts, ends=r.ends) for r in extra]
        old = target.extra_hours.filter(on__range=(first, last)) if last else []
        keep(target, Timetable(weekly=[*changed, *new], extra=more, gone=[*gone, *old]), by=by)
    return target


def _cleared(target: Practitioner, first: date, last: date | None) -> tuple[list[WorkingHours], list[WorkingHours]]:
    """Rows to save and rows that go, so that nothing weekly is left between the two days."""
    changed, gone = [], []
    for row in target.working_hours.select_related("location"):
        if (row.valid_until or _ENDLESS) < first or (last and (row.valid_from or date.min) > last):
            continue
        goes_on = last is not None and (row.valid_until or _ENDLESS) > last
        if (row.valid_from or date.min) < first:
            if goes_on and last:
                changed.append(_again(row, valid_from=last + timedelta(days=1)))
            row.valid_until = first - timedelta(days=1)
            changed.append(row)
        elif goes_on and last:
            row.valid_from = last + timedelta(days=1)
            changed.append(row)
        else:
            gone.append(row)
    return changed, gone


def _again(row: WorkingHours, **over) -> WorkingHours:
    columns = ("weekday", "starts", "ends", "location", "every_weeks", "anchor_on", "valid_from", "valid_until")
    return WorkingHours(**{name: getattr(row, name) for name in columns} | over)
