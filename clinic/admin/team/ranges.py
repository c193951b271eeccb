"""Hours as people type them: “9–13, 14:30–18” is two stretches of a day. Pure."""

from __future__ import annotations

import datetime as dt
import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

Range = tuple[dt.time, dt.time]

_CLOCK = r"(\d{1,2})(?:[:.h]?(\d{2}))?"
_RANGE = re.compile(rf"\s*{_CLOCK}\s*(?:-|–|—)\s*{_CLOCK}\s*")


def parse(text: str) -> list[Range]:
    """The stretches of a day, sorted; 24 and 00:00 as an end are midnight. Raises ValidationError for anything else."""
    found = [_range(part) for part in re.split(r"[,;/\n]", text) if part.strip()]
    return sorted(found)


def _range(part: str) -> Range:
    match = _RANGE.fullmatch(part)
    if match is None:
        sentence = _("“%(text)s” is not understood: write hours as 9–13, 14:30–18.")
        raise ValidationError(sentence % {"text": part.strip()[:40]})
    starts, ends = _minutes(part, match[1], match[2]), _minutes(part, match[3], match[4])
    if starts >= (ends or 24 * 60) or starts == 24 * 60:
        raise ValidationError(_("“%(text)s”: the end must come after the start.") % {"text": part.strip()[:40]})
    return _time(starts), _time(ends)


def _minutes(part: str, hours: str, minutes: str | None) -> int:
    found = int(hours) * 60 + int(minutes or 0)
    if int(minutes or 0) > 59 or found > 24 * 60:
        raise ValidationError(_("“%(text)s”: a day has 24 hours of 60 minutes.") % {"text": part.strip()[:40]})
    return found


def _time(minutes: int) -> dt.time:
    return dt.time(*divmod(minutes % (24 * 60), 60))


def written(ranges: list[Range]) -> str:
    """One stretch per line, as the page shows it."""
    return "\n".join(f"{starts:%H:%M}–{ends:%H:%M}" for starts, ends in sorted(ranges))
