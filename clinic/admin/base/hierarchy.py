"""Years, months and days above a list. Django's own asks the whole table which of them have rows; this reads its two
ends, by the index of the column."""

import calendar
import datetime as dt

from django.db.models import Max, Min
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _


def periods(changes) -> dict | None:
    """What templates/admin/date_hierarchy.html shows: where the list can be narrowed to, and the way back."""
    name = changes.date_hierarchy
    asked = [_number(changes.params.get(f"{name}__{part}")) for part in ("year", "month", "day")]
    year, month, day = asked
    ends = _ends(changes, name)
    if ends is None:
        return None
    first, last = ends
    if year is None:
        choices = [(str(number), {"year": number}) for number in range(first.year, last.year + 1)]
        return _shown(changes, name, None, choices)
    if month is None:
        months = (dt.date(year, number, 1) for number in range(1, 13))
        known = [
            begin for begin in months if (first.year, first.month) <= (year, begin.month) <= (last.year, last.month)
        ]
        choices = [(_month(begin), {"year": year, "month": begin.month}) for begin in known]
        return _shown(changes, name, (_("All dates"), {}), choices)
    begin = dt.date(year, month, 1)
    back = (str(year), {"year": year})
    if day is not None:
        here = date_format(dt.date(year, month, day), "MONTH_DAY_FORMAT")
        return _shown(changes, name, (_month(begin), {"year": year, "month": month}), [(here, None)])
    days = [begin + dt.timedelta(days=number) for number in range(calendar.monthrange(year, month)[1])]
    choices = [
        (date_format(on, "MONTH_DAY_FORMAT"), {"year": year, "month": month, "day": on.day})
        for on in days
        if first <= on <= last
    ]
    return _shown(changes, name, back, choices)


def _shown(changes, name, back, choices) -> dict:
    def link(parts):
        asked = {f"{name}__{part}": number for part, number in parts.items()}
        return changes.get_query_string(asked, [f"{name}__", "p"])

    return {
        "show": True,
        "back": {"title": back[0], "link": link(back[1])} if back else None,
        "choices": [
            {"title": capfirst(title), "link": link(parts) if parts is not None else None} for title, parts in choices
        ],
    }


def _ends(changes, name) -> tuple[dt.date, dt.date] | None:
    ends = changes.root_queryset.order_by().aggregate(first=Min(name), last=Max(name))
    if ends["first"] is None:
        return None
    first, last = (timezone.localdate(end) if isinstance(end, dt.datetime) else end for end in ends.values())
    return first, last


def _number(values) -> int | None:
    value = values[-1] if isinstance(values, list) else values
    return int(value) if value is not None else None


def _month(begin) -> str:
    return date_format(begin, "YEAR_MONTH_FORMAT")
