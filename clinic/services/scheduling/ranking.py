"""Which of many free times to suggest first, and why in three words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import TYPE_CHECKING, NamedTuple

from django.utils.translation import gettext_lazy as _

from clinic.services.scheduling.intervals import Stretch

if TYPE_CHECKING:
    from clinic.services.scheduling.slots import Slot

REASONS = {
    "practitioner": _("usual practitioner"),
    "hour": _("usual hour"),
    "no_gap": _("no gap"),
    "earliest": _("earliest"),
}

# One point is a day later. Nobody waits five days for the usual hour, but for the usual practitioner nearly.
_PRACTITIONER, _HOUR, _NEIGHBOUR, _GAP, _DAY = 4.0, 3.0, 1.0, -2.0, -1.0
# Minutes from the usual hour: up to the first it is that hour, from the second on it counts no more.
_SAME_HOUR, _OTHER_HOUR = 45, 120
# Suggestions are to differ: of one practitioner on one day none closer than this, in seconds.
_APART = 3600
SUGGESTED = 4


@dataclass(frozen=True, slots=True)
class Habits:
    """Whom a patient used to see, and at what minute of the local day; nothing for a new patient."""

    practitioners: frozenset[int] = frozenset()
    minute: int | None = None

    @classmethod
    def of(cls, visits: Sequence[tuple[int, int]]) -> Habits:
        """From (practitioner, minutes after midnight) of past visits, the latest first."""
        if not visits:
            return cls()
        often = Counter(who for who, _minute in visits).most_common(1)[0][0]
        # One visit is no habit of the clock.
        minute = median_low(minute for _who, minute in visits) if len(visits) > 1 else None
        return cls(frozenset({visits[0][0], often}), minute)


class Place(NamedTuple):
    """Where a slot lies: its local day (a number) and minute, and the free stretch of its practitioner around it."""

    day: int
    minute: int
    around: Stretch


@dataclass(frozen=True, slots=True)
class Suggestion:
    slot: Slot
    reasons: tuple[str, ...]


class Measure(NamedTuple):
    """What a visit takes of the practitioner's time, in seconds; no gap shorter than `shortest` can be filled."""

    before: int
    after: int
    shortest: int


def suggest(
    found: Sequence[Slot],
    places: Mapping[Slot, Place],
    *,
    habits: Habits,
    measure: Measure,
    limit: int = SUGGESTED,
) -> list[Suggestion]:
    """The best few of free times that come in order of time, the best first; the earliest is always among them."""
    if not found:
        return []
    earliest, today = found[0], min(place.day for place in places.values())
    rated = []
    for slot in found:
        points, reasons = rate(slot, places[slot], habits, measure)
        if slot == earliest:
            reasons = (*reasons, "earliest")
        rated.append((-points - _DAY * (places[slot].day - today), slot.start_at, Suggestion(slot, reasons)))
    rated.sort(key=lambda row: row[:2])
    # What has no reason to stand on top stands in the list.
    chosen = _apart((row[2] for row in rated if row[2].reasons), limit)
    if all(one.slot != earliest for one in chosen):
        chosen = [*chosen[: limit - 1], next(row[2] for row in rated if row[2].slot == earliest)]
    return chosen


def rate(slot: Slot, place: Place, habits: Habits, measure: Measure) -> tuple[float, tuple[str, ...]]:
    """Points and the reasons for them."""
    points, reasons = 0.0, []
    if slot.practitioner_id in habits.practitioners:
        points += _PRACTITIONER
        reasons.append("practitioner")
    if habits.minute is not None:
        off = abs(place.minute - habits.minute)
        points += _HOUR * max(0.0, 1 - off / _OTHER_HOUR)
        if off <= _SAME_HOUR:
            reasons.append("hour")
    gaps = (
        int(slot.start_at.timestamp()) - measure.before - place.around[0],
        place.around[1] - int(slot.end_at.timestamp()) - measure.after,
    )
    # A buffer may reach beyond the hours: then nothing is left there either.
    touching = sum(gap <= 0 for gap in gaps)
    orphans = sum(0 < gap < measure.shortest for gap in gaps)
    points += _NEIGHBOUR * touching + _GAP * orphans
    if touching and not orphans:
        reasons.append("no_gap")
    return points, tuple(reasons)


def _apart(suggestions: Iterable[Suggestion], limit: int) -> list[Suggestion]:
    chosen: list[Suggestion] = []
    for one in suggestions:
        if all(
            one.slot.practitioner_id != other.slot.practitioner_id
            or abs((one.slot.start_at - other.slot.start_at).total_seconds()) >= _APART
            for other in chosen
        ):
            chosen.append(one)
            if len(chosen) == limit:
                break
    return chosen
