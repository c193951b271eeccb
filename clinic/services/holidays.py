"""Public holidays by country and region, as the `holidays` package knows them. Pure; each year is computed once."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import holidays as package
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from holidays.registry import COUNTRIES

from clinic.exceptions import RuleBroken

# What Location.subdivision holds.
LONGEST = 8
_CODES = {names[1] for names in COUNTRIES.values()}


def closes(country: str, subdivision: str, day: date) -> bool:
    """Is it a public holiday there? None in a country that the package does not know."""
    return day in _year(country, subdivision, day.year, "")


def name(country: str, subdivision: str, day: date) -> str:
    """What is celebrated, in the active language where the package speaks it, else in the country's; or ""."""
    return _year(country, subdivision, day.year, get_language() or "").get(day, "")


def between(country: str, subdivision: str, first: date, last: date) -> list[tuple[date, str]]:
    """The holidays from one day to another, both included, with their names."""
    language = get_language() or ""
    found = [
        item
        for year in range(first.year, last.year + 1)
        for item in _year(country, subdivision, year, language).items()
    ]
    return sorted((day, words) for day, words in found if first <= day <= last)


def region(country: str, text: str) -> str:
    """The code of a region as somebody may write it: "mc", "MC" and "Macerata" are MC. Empty stays empty.

    Refused where the package knows no such region, with those that there are.
    """
    text, known = text.strip(), _known(country)
    if not text or known is None:
        return text
    # Five regions in all the world have names that do not fit the column.
    short = sorted(str(code) for code in known.subdivisions if len(str(code)) <= LONGEST)
    codes = {code.casefold(): code for code in short}
    codes |= {alias.casefold(): str(code) for alias, code in _aliases(known).items() if str(code) in short}
    if text.casefold() not in codes:
        sentence = _(
            "“%(text)s” is no region of %(country)s with holidays of its own. Leave it empty or choose: %(codes)s."
        )
        none = _("“%(text)s”: %(country)s has no regions with holidays of their own. Leave it empty.")
        raise RuleBroken(
            "unknown_region",
            (sentence if short else none) % {"text": text, "country": country, "codes": ", ".join(short)},
            field="subdivision",
        )
    return codes[text.casefold()]


def check_country(country: str) -> None:
    """Refuse a country whose holidays nobody knows."""
    if _known(country) is None:
        raise RuleBroken(
            "unknown_country",
            _("No public holidays are known for “%(country)s”. Correct it, or switch off closing on them.")
            % {"country": country},
            field="country",
        )


@lru_cache(maxsize=512)
def _known(country: str) -> Any:
    return getattr(package, country) if country in _CODES else None


def _aliases(known: Any) -> dict[str, str]:
    return getattr(known, "subdivisions_aliases", None) or {}


@lru_cache(maxsize=2048)
def _year(country: str, subdivision: str, year: int, language: str) -> dict[date, str]:
    known = _known(country)
    if known is None or not known.start_year <= year <= known.end_year:
        return {}
    spoken = [code for code in known.supported_languages if code.split("_")[0] == language.split("-")[0]]
    return dict(
        known(
            years=year,
            # A region that a later edition of the package dropped must not close the booking form.
            subdiv=subdivision if subdivision in known.subdivisions else None,
            language=spoken[0] if language and spoken else None,
            expand=False,
        )
    )


def upcoming(country: str, subdivision: str, on: date) -> list[tuple[date, str]]:
    """The holidays of the twelve months from `on`."""
    return between(country, subdivision, on, on + timedelta(days=365))
