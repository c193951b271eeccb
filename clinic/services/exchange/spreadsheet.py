"""Reads a spreadsheet that somebody sends, CSV or Excel, whatever is in it. Plain texts come out; no file is kept."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.parsers import expat

import openpyxl
from django.utils.translation import gettext as _

from clinic.exceptions import RuleBroken

# What one request can write row by row, and what a page can carry from the rehearsal to the import.
ROWS = 500
FILE_BYTES = 1_000_000
# A small archive may hold a large sheet, and a large sheet a text a million times.
UNPACKED_BYTES = 4_000_000
# Of one kilobyte packed, a million empty elements keep the reader busy for a minute.
ELEMENTS = 75_000
CHARACTERS = 2_000_000
COLUMNS = 100
# What Excel keeps of a text; the rest would be gone unseen.
CELL = 32_767
# Blank lines cost time as well.
LINES = 20_000
DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Sheet:
    """A table as it was sent: `rows` are (number as the spreadsheet shows it, cells), blank rows left out."""

    name: str
    headers: list[str]
    rows: list[tuple[int, list[str]]]


def read(name: str, data: bytes) -> Sheet:
    """The first sheet of an Excel file, or a CSV file in UTF-8, UTF-16 or Windows-1252, by comma, semicolon or tab.

    The content decides which it is, not the name. Refused: `file_large`, `unreadable`, `no_rows`, `too_many_rows`.
    """
    if len(data) > FILE_BYTES:
        raise RuleBroken("file_large", too_large())
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise _unreadable(_("This is Excel’s old format, or protected by a password: save it as .xlsx or CSV."))
    lines = _workbook(data) if data.startswith(b"PK") else _csv(_decoded(data))
    return _table(name, lines)


def too_large() -> str:
    return _("The file is larger than %d kB: split it and import the parts one after the other.") % (FILE_BYTES // 1000)


def too_much() -> str:
    return _("The file holds too much: split it and import the parts, or save it as CSV.")


def as_text(value: Any) -> str:
    """One cell as plain text, the same for every format; line ends carry no meaning."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds").removesuffix(":00")
    return str(value).replace("\r\n", "\n").replace("\r", "\n")


def _unreadable(sentence: str = "") -> RuleBroken:
    return RuleBroken("unreadable", sentence or _("This file cannot be read: save it as .xlsx or as CSV (UTF-8)."))


def _table(name: str, lines: Iterable[Iterable[Any]]) -> Sheet:
    headers: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    characters = 0
    for number, line in enumerate(lines, 1):
        cells = [as_text(value) for value in line]
        while cells and not cells[-1]:
            cells.pop()
        characters += sum(map(len, cells))
        if characters > CHARACTERS:
            raise RuleBroken("file_large", too_much())
        if number > LINES or (len(rows) == ROWS and any(map(str.strip, cells))):
            sentence = _("More than %d rows: split the file and import the parts one after the other.")
            raise RuleBroken("too_many_rows", sentence % ROWS)
        if not any(map(str.strip, cells)):
            continue
        if len(cells) > COLUMNS:
            raise _unreadable(_("More than %d columns: this is hardly the file that was meant.") % COLUMNS)
        if headers:
            rows.append((number, cells))
        else:
            headers = [cell.strip() for cell in cells]
    if not rows:
        raise RuleBroken("no_rows", _("The file is empty: a line of column names and at least one row are wanted."))
    return Sheet(name, headers, rows)


def _decoded(data: bytes) -> str:
    encodings = ["utf-8-sig", "cp1252"]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\x00" in data[:2]:
        encodings = ["utf-16-be" if data[:1] == b"\x00" else "utf-16-le"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise _unreadable()


def _csv(text: str) -> Iterator[list[str]]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        sentence = _("The quotes of line %d are not closed, or a cell is too long: save it again as .xlsx or CSV.")
        raise _unreadable(sentence % reader.line_num) from error


def _workbook(data: bytes) -> Iterator[tuple[Any, ...]]:
    try:
        book = openpyxl.load_workbook(_weighed(data), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        # What the file says about its own size is not believed.
        sheet.reset_dimensions()
        yield from itertools.islice(sheet.iter_rows(max_col=COLUMNS + 1, values_only=True), LINES + 1)
    except RuleBroken:
        raise
    except Exception as error:
        # The reader answers a broken file with whatever broke in it.
        raise _unreadable() from error


def _weighed(data: bytes) -> io.BytesIO:
    """The archive again, of parts that were weighed while they were unpacked: what it says of itself may lie."""
    again, room, elements = io.BytesIO(), UNPACKED_BYTES, ELEMENTS
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(again, "w") as weighed:
        for member in archive.infolist():
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                # The others unpack without a measure.
                raise _unreadable()
            content = bytearray()
            with archive.open(member) as part:
                while chunk := part.read(65_536):
                    content += chunk
                    if len(content) > room:
                        raise RuleBroken("file_large", too_much())
            room -= len(content)
            elements -= _elements(bytes(content), elements)
            weighed.writestr(member.filename, bytes(content))
    return again


def _elements(content: bytes, at_most: int) -> int:
    """How many elements a part has. Refused: more than `at_most`, which the reader is slow with; any entity."""
    count = 0

    def counted(*_element: Any) -> None:
        nonlocal count
        count += 1
        if count > at_most:
            raise RuleBroken("file_large", too_much())

    parser = expat.ParserCreate()
    parser.StartElementHandler = counted
    parser.StartDoctypeDeclHandler = _refuse_entities
    try:
        parser.Parse(content, True)
    except expat.ExpatError:
        # A picture, or a part that the reader will refuse.
        return count
    return count


def _refuse_entities(*_declaration: Any) -> None:
    raise _unreadable()
