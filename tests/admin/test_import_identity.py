"""What the export writes, the import reads back: unchanged where it is still there, the same where it is gone."""

import os
import random

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from clinic.models import Equipment, EquipmentKind, Room, RoomKind, Service, ServiceCategory, Specialisation
from tests import factories as make
from tests.admin.sheets import HEAD, csv_of, go, page, rehearse, workbook_of

pytestmark = pytest.mark.heavy

STRESS = os.environ.get("STRESS") == "1"
short = settings(
    max_examples=300 if STRESS else 12,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

STARTS = [
    "",
    "=",
    "+",
    "-",
    "@",
    "\t=",
    "\n",
    "'",
    "''",
    "'=",
    "''=1+1",
    "' =",
    "＝",
    '="x"&',
    ";",
    ",",
    '"',
    "\u202eabc",
]
BODIES = st.one_of(
    st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=30),
    st.sampled_from(
        ["Zoë 🏥👩‍⚕️", "نص عربي", "a\nb", "cmd|' /C calc'!A0", "#N/A", "TRUE", "1e5", "_x000D_", "007", "a;b,c"]
    ),
)
# What a form would store: forms take the blanks around a text away.
TEXTS = st.tuples(st.sampled_from(STARTS), BODIES).map(lambda parts: parts[0] + parts[1].strip())
NAMES = TEXTS.map(str.strip).filter(lambda text: text and "\n" not in text)
# What may stand in the database all the same.
ANYTHING = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=40)


def exported(client, model, kind):
    response = client.post(reverse(f"admin:clinic_{model}_export"), {"format": kind})
    assert response.status_code == 200
    return response.content


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_export_read_back_changes_nothing_whatever_the_texts(kind, desk, world):
    client = desk(world.manager)

    @seed(20261121)
    @short
    @given(st.dictionaries(NAMES, ANYTHING | TEXTS, min_size=1, max_size=6))
    def back(texts):
        with transaction.atomic():
            for name, description in texts.items():
                Specialisation.objects.create(name=name, description=description)
            response = rehearse(client, "specialisation", exported(client, "specialisation", kind))
            transaction.set_rollback(True)
        counts = response.context["counts"]
        assert counts == {"new": 0, "changed": 0, "same": len(texts), "wrong": 0}, response.context["works"]

    back()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_export_brings_back_what_was_deleted(kind, desk, world):
    client = desk(world.manager)

    @seed(20261121)
    @short
    @given(st.dictionaries(NAMES, TEXTS, min_size=1, max_size=6))
    def back(texts):
        with transaction.atomic():
            for name, description in texts.items():
                Specialisation.objects.create(name=name, description=description)
            data = exported(client, "specialisation", kind)
            Specialisation.objects.all().delete()
            response = go(client, "specialisation", rehearse(client, "specialisation", data))
            found = dict(Specialisation.objects.values_list("name", "description"))
            transaction.set_rollback(True)
        assert (response.status_code, found) == (302, texts)

    back()


CATALOGUE = (Service, ServiceCategory, Equipment, EquipmentKind, Room, RoomKind, Specialisation)


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_whole_catalogue_goes_out_and_comes_back(kind, language, desk, world):
    world.manager.language = language
    world.manager.save()
    client = desk(world.manager)
    make.make_specialisation(name="=Sport", description="ginocchio\r\nspalla")
    world.room_two.active = False
    world.room_two.save()
    files = {model: exported(client, model._meta.model_name, kind) for model in CATALOGUE}
    for model, data in files.items():
        counts = rehearse(client, model._meta.model_name, data).context["counts"]
        assert (counts["same"], sum(counts.values())) == (model.objects.count(), model.objects.count()), model

    told = {model: state(model) for model in CATALOGUE}
    world.ada.offerings.all().delete()
    world.ben.offerings.all().delete()
    for model in CATALOGUE:
        model.objects.all().delete()
    for model in reversed(CATALOGUE):
        response = rehearse(client, model._meta.model_name, files[model])
        assert go(client, model._meta.model_name, response).status_code == 302, model
    assert {model: state(model) for model in CATALOGUE} == told


def state(model):
    """Every column but the keys, relations by name; line ends carry no meaning."""
    columns = [field for field in model._meta.concrete_fields if not field.primary_key and not field.generated]
    rows = []
    for row in model.objects.all():
        values = {field.name: getattr(row, field.name) for field in columns}
        values |= {field.name: sorted(map(str, getattr(row, field.name).all())) for field in model._meta.many_to_many}
        rows.append({name: str(value).replace("\r\n", "\n") for name, value in values.items()})
    return sorted(rows, key=str)


@pytest.fixture
def sheets():
    rows = [HEAD, ["Camerino", "Gym", "Pool", 3], ["Camerino", "Treatment room", "Room 1", 2]]
    return [csv_of(*rows), csv_of(*rows, delimiter=";", encoding="utf-16"), workbook_of(*rows)]


def test_broken_files_never_break_the_page(desk, world, sheets):
    client = desk(world.manager)
    chance = random.Random(20261121)
    for turn in range(3000 if STRESS else 90):
        data = bytearray(sheets[turn % 3])
        for _change in range(chance.randrange(1, 12)):
            place = chance.randrange(len(data))
            cut = chance.choice([0, 0, 1, 40])
            data[place : place + cut] = chance.randbytes(chance.choice([0, 1, 1, 9]))
        response = rehearse(client, "room", bytes(data))
        assert response.status_code == 200, bytes(data)


def test_rubbish_in_every_cell_never_breaks_the_page(desk, world):
    from tests.admin.test_fuzz import rubbish

    client = desk(world.administrator)
    heads = {
        model: list(client.get(page(model)).context["columns"])
        for model in ("room", "service", "specialisation", "servicecategory")
    }

    @seed(20261121)
    @settings(short, max_examples=600 if STRESS else 25)
    @given(st.sampled_from([*heads]), st.lists(st.lists(rubbish, min_size=25, max_size=25), min_size=1, max_size=4))
    def feed(model, rows):
        head = heads[model]
        file = csv_of(head, *(cells[: len(head)] for cells in rows))
        with transaction.atomic():
            response = rehearse(client, model, file)
            done = go(client, model, response) if response.context.get("carried") else response
            transaction.set_rollback(True)
        assert (response.status_code, done.status_code) in ((200, 200), (200, 302))
        assert b"<script>alert(1)</script>" not in response.content

    feed()


def test_name_of_a_file_never_breaks_the_page(desk, world):
    client = desk(world.manager)
    for name in (
        "",
        ".",
        "..",
        "../../etc/passwd",
        "\u202ecsv",
        "x" * 300,
        "a\x00b",
        "'; DROP TABLE",
        "%s%d",
        "{{ 7 }}",
    ):
        file = SimpleUploadedFile("x", csv_of(["Name"], [f"Kind {name[:20]!r}"]))
        file._name = name
        response = client.post(page("roomkind"), {"file": file})
        assert response.status_code == 200
        if response.context.get("carried"):
            assert go(client, "roomkind", response).status_code == 302
