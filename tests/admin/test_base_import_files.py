"""Files as people and attackers send them to an import page."""

import io
import tracemalloc
import zipfile
import zlib

import pytest

from clinic.models import Specialisation
from clinic.services.exchange import spreadsheet
from tests.admin.sheets import HEAD, csv_of, go, page, refusal_of, rehearse, rooms, workbook_of


@pytest.fixture
def manager(desk, world):
    return desk(world.manager)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings_and_delimiters(encoding, delimiter, manager, world):
    rows = [["Name", "Description"], ["Età, cuore; mente", "così\r\nè"]]
    response = rehearse(manager, "specialisation", csv_of(*rows, delimiter=delimiter, encoding=encoding))
    go(manager, "specialisation", response)
    assert Specialisation.objects.values_list("name", "description").get() == ("Età, cuore; mente", "così\nè")


def test_workbook_with_numbers_where_texts_are_meant(manager, world):
    sheet = workbook_of(["ID", *HEAD], [7, "Camerino", "Gym", 101, 4.0], [None] * 5, [None, "Camerino", "Gym", 1.5, 1])
    response = rehearse(manager, "room", sheet, "rooms.xlsx")
    assert response.context["aside"] == ["ID"]
    go(manager, "room", response)
    assert {("101", "Gym", 4), ("1.5", "Gym", 1)} <= rooms(world)


def bomb(unpacked, packing=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * unpacked)
    return out.getvalue()


def workbook_with(part, content):
    """A workbook of one room, one part of it replaced."""
    old, out = zipfile.ZipFile(io.BytesIO(workbook_of(HEAD, ["Camerino", "Gym", "Pool", 1]))), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in old.namelist():
            archive.writestr(member, content if member == part else old.read(member))
    return out.getvalue()


def lying_bomb():
    """Says that it is small, by a checksum that fits what it says."""
    honest = bytearray(bomb(50_000_000))
    entry = honest.index(b"PK\x01\x02")
    assert honest[entry + 24 : entry + 28] == (50_000_000).to_bytes(4, "little")
    honest[entry + 16 : entry + 20] = zlib.crc32(b"0" * 9).to_bytes(4, "little")
    honest[entry + 24 : entry + 28] = (9).to_bytes(4, "little")
    return bytes(honest)


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
ENTITIES = f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><styleSheet xmlns="{MAIN}"><x>&l8;</x></styleSheet>'
LAST = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
FAR = f'<worksheet xmlns="{MAIN}"><sheetData>{LAST}</sheetData></worksheet>'
STYLES = f'<styleSheet xmlns="{MAIN}">{"<xf/>" * 80_000}</styleSheet>'
UNREADABLE = "This file cannot be read: save it as .xlsx or as CSV (UTF-8)."
MUCH = "The file holds too much: split it and import the parts, or save it as CSV."
LARGE = "The file is larger than 1000 kB: split it and import the parts one after the other."
HOSTILE = {
    "nothing": (b"", "The file is empty: a line of column names and at least one row are wanted."),
    "only a header": (b"Name\r\n\r\n", "The file is empty: a line of column names and at least one row are wanted."),
    "bytes": (bytes(range(256)), UNREADABLE),
    "no archive": (b"PK\x03\x04 nothing", UNREADABLE),
    "another archive": (bomb(10), UNREADABLE),
    "old excel": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "This is Excel’s old format, or protected by a password: save it as .xlsx or CSV.",
    ),
    "zip bomb": (bomb(4_000_001), MUCH),
    "lying zip bomb": (lying_bomb(), UNREADABLE),
    "packed by other means": (bomb(10_000_000, zipfile.ZIP_LZMA), UNREADABLE),
    "many styles": (
        workbook_with("xl/styles.xml", STYLES),
        MUCH,
    ),
    "too large": (b"Name\n" + b"x" * 3_000_000, LARGE),
    "entities": (workbook_with("xl/styles.xml", ENTITIES), UNREADABLE),
    "entities in UTF-16": (workbook_with("xl/styles.xml", ENTITIES.encode("utf-16")), UNREADABLE),
    "far cell": (
        workbook_with("xl/worksheets/sheet1.xml", FAR),
        "More than 500 rows: split the file and import the parts one after the other.",
    ),
    "broken part": (workbook_with("xl/worksheets/sheet1.xml", "<worksheet"), UNREADABLE),
    "open quotes": (
        b'Name\n"Pool\n',
        "The quotes of line 2 are not closed, or a cell is too long: save it again as .xlsx or CSV.",
    ),
    "wide": (b"Name" + b"," * 150 + b"x\nPool\n", "More than 100 columns: this is hardly the file that was meant."),
    "long": (
        b"Name\n" + b"Pool\n" * 501,
        "More than 500 rows: split the file and import the parts one after the other.",
    ),
    "unknown column": (
        b"Name,Pirce\nPool,3\n",
        "No column is called “Pirce”. There are: Active, Location, Kind, Name, Places.",
    ),
    "column without a name": (
        b"Name,,Places\nPool,3,1\n",
        "No column is called “”. There are: Active, Location, Kind, Name, Places.",
    ),
    "column twice": (b"Name,Nome\nPool,3\n", "The column “Name” is there twice."),
    "no header": (
        b"Camerino,Gym,Pool,3\nCamerino,Gym,Bath,3\n",
        "No column is called “Camerino”. There are: Active, Location, Kind, Name, Places.",
    ),
    "key missing": (b"Name,Places\nPool,3\n", "The column “Location” is missing: records are found by it."),
    "more cells than columns": (b"Name,Location\nPool,Camerino,3\n", "Row 2 has more cells than there are columns."),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_file_that_cannot_be_taken_is_refused_with_what_to_do(kind, manager, world):
    data, sentence = HOSTILE[kind]
    before = rooms(world)
    tracemalloc.start()
    response = rehearse(manager, "room", data)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refusal_of(response) == sentence
    # What is unpacked, copied and posted by the test itself.
    assert peak < 8 * spreadsheet.UNPACKED_BYTES
    assert ("carried" in response.context, rooms(world)) == (False, before)


def test_text_that_a_small_workbook_repeats_is_counted_before_it_is_carried(manager, monkeypatch):
    monkeypatch.setattr("clinic.services.exchange.spreadsheet.CHARACTERS", 100_000)
    data = workbook_of(["Name", "Description"], *([f"{n}", "x" * 30_000] for n in range(10)))
    assert refusal_of(rehearse(manager, "specialisation", data)) == MUCH


def test_names_of_related_records_are_counted_before_they_are_looked_up(manager, world, django_assert_num_queries):
    names = ",".join(f"k{number}" for number in range(6_000))
    with django_assert_num_queries(12):
        assert refusal_of(rehearse(manager, "service", csv_of(["Name (en)", "Rooms"], ["Massage", names]))) == MUCH


def test_what_a_page_cannot_carry_is_refused(manager, monkeypatch):
    monkeypatch.setattr("clinic.admin.base.importing.CARRIED_BYTES", 50)
    assert refusal_of(rehearse(manager, "specialisation", csv_of(["Name"], ["Sport"]))) == MUCH


def test_no_file_is_asked_for_again(manager):
    response = manager.post(page("room"), {})
    assert response.context["form"].errors == {"file": ["This field is required."]}


def test_upload_leaves_nothing_on_the_disk(manager, tmp_path, settings, monkeypatch):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    written = []
    monkeypatch.setattr("django.core.files.uploadedfile.TemporaryUploadedFile.__init__", written.append)
    response = rehearse(manager, "room", csv_of(HEAD, ["Camerino", "Gym", "Pool", "1"]))
    assert (response.context["counts"]["new"], written, list(tmp_path.iterdir())) == (1, [], [])


def test_hostile_text_is_shown_as_text(manager, world):
    sheet = csv_of(HEAD, ["<script>alert(1)</script>", "Gym", "<b>Pool</b>", "1"])
    body = rehearse(manager, "room", sheet, "<img src=x onerror=alert(1)>.csv").content.decode()
    assert "<script>alert(1)" not in body
    assert "<img src=x" not in body
