"""A value as the cell of a spreadsheet, and what a cell says: formulas are neutralised going out, and no others."""

import re
from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

# A cell that starts like this is a formula, or becomes one after the spreadsheet has trimmed it.
_FORMULA = re.compile(r"^'*[\s\x00-\x1f]*[=+\-@\t\r\n＝＋－＠]")
# No spreadsheet can hold these; the last two no XML.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def harmless(text: str) -> str:
    """The text as a spreadsheet may read it: what looks like a formula gets an apostrophe in front.

    So does a formula that has apostrophes already: `meant` takes exactly one away.
    """
    text = _UNPRINTABLE.sub("�", text)
    return f"'{text}" if _FORMULA.match(text) else text


def meant(text: str) -> str:
    """What a cell means: without the apostrophe of `harmless`, else without blanks around it."""
    if text.startswith("'") and _FORMULA.match(text[1:]):
        return text[1:]
    return text.strip()


def cell(value):
    """One value as a cell. None stays empty; numbers stay numbers; moments are told by the clinic's clock."""
    if value is None or isinstance(value, bool):
        return {None: None, True: _("yes"), False: _("no")}[value]
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple):
        value = ", ".join(str(item) for item in value)
    return harmless(str(value))
