"""What a card shows, whatever it is about: figures with a comparison in words, a chart with its table, a list."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from clinic.insights.dashboard import Span

# So many bars can be told apart on a phone.
_MOST_DAYS, _MOST_WEEKS = 31, 20


@dataclass(frozen=True)
class Fact:
    """One figure. `compared` says in words how it differs from before."""

    label: str
    value: str
    compared: str = ""
    url: str = ""


@dataclass(frozen=True)
class Table:
    """Behind a click; with a chart it says the same as the chart."""

    caption: str
    headers: Sequence[str]
    rows: list[list]


@dataclass(frozen=True)
class Item:
    """A line of a list: when or what, in words, leading somewhere."""

    label: str
    text: str
    url: str = ""
    detail: str = ""


@dataclass
class Content:
    facts: list[Fact] = field(default_factory=list)
    chart: str = ""
    chart_options: str = ""
    chart_size: str = "small"
    tables: list[Table] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    # Instead of everything else.
    empty: str = ""
    note: str = ""


def count(value: int) -> str:
    return number_format(value, force_grouping=True)


def _rounded(value: float) -> str:
    # Django's own would cut the digits off.
    return number_format(round(value, 1), 1, force_grouping=True)


def percent(share: float | None) -> str:
    return "–" if share is None else f"{_rounded(100 * share)} %"


def hours(seconds: int) -> str:
    return f"{_rounded(seconds / 3600)} h"


def versus(now: int, before: int) -> str:
    """A difference in words."""
    if now == before:
        return _("as many as before")
    said = (
        _("%(difference)s more than before (%(before)s)")
        if now > before
        else _("%(difference)s fewer than before (%(before)s)")
    )
    return said % {"difference": count(abs(now - before)), "before": count(before)}


def versus_share(now: float | None, before: float | None) -> str:
    """A difference of two shares, in points."""
    if now is None or before is None:
        return _("nothing to compare with")
    points = round(100 * now, 1) - round(100 * before, 1)
    if abs(points) < 0.05:
        return _("as before")
    said = (
        _("%(points)s points higher than before (%(before)s)")
        if points > 0
        else _("%(points)s points lower than before (%(before)s)")
    )
    return said % {"points": _rounded(abs(points)), "before": percent(before)}


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def in_steps(span: Span, days: dict[dt.date, Counter]) -> list[tuple[str, Counter]]:
    """(label, counts) by day, week or month, as many as can be told apart; those without a visit as well."""
    found: dict[dt.date, Counter] = {}
    for day in span.days():
        if span.length <= _MOST_DAYS:
            step = day
        elif span.length <= 7 * _MOST_WEEKS:
            step = max(day - dt.timedelta(days=day.weekday()), span.first_on)
        else:
            step = max(day.replace(day=1), span.first_on)
        found.setdefault(step, Counter()).update(days.get(day, {}))
    form = "j M" if span.length <= 7 * _MOST_WEEKS else "M Y"
    return [(date_format(step, form), counts) for step, counts in found.items()]


def stacked(labels: Iterable[str], datasets: Iterable[tuple[str, str, list[int]]]) -> dict[str, str]:
    """`chart` and `chart_options` of bars upon each other: (label, colour, values)."""
    return {
        "chart": _chart(labels, datasets),
        "chart_options": json.dumps(
            {**_OPTIONS, "scales": {"x": {"stacked": True, **_AXIS}, "y": _counted(stacked=True)}}
        ),
    }


def lying(labels: Sequence[str], datasets: Iterable[tuple[str, str, list]]) -> dict:
    """The same for bars that lie beside their names; `chart_size` grows with them."""
    scales = {"x": {"beginAtZero": True, **_AXIS}, "y": _AXIS}
    return {
        "chart": _chart(labels, datasets),
        "chart_options": json.dumps({**_OPTIONS, "indexAxis": "y", "scales": scales}),
        "chart_size": "small" if len(labels) <= 4 else "medium" if len(labels) <= 8 else "large",
    }


# One grey that can be read on white and on black: the theme's script colours lines, not words.
_GREY = "#7a8290"
_AXIS = {"ticks": {"color": _GREY, "autoSkipPadding": 8, "maxRotation": 0}, "grid": {"display": False}}
_OPTIONS = {
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "plugins": {"legend": {"position": "bottom", "labels": {"color": _GREY, "boxWidth": 10, "boxHeight": 10}}},
}


def _counted(*, stacked):
    return {
        "stacked": stacked,
        "beginAtZero": True,
        "ticks": {"color": _GREY, "precision": 0},
        "grid": {"tickWidth": 0},
    }


def _chart(labels, datasets):
    return json.dumps(
        {
            "labels": list(labels),
            "datasets": [
                {"label": str(label), "data": list(values), "backgroundColor": colour, "maxBarThickness": 28}
                for label, colour, values in datasets
            ],
        }
    )
