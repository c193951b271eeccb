"""The rules of the house that a machine can keep; CONTRIBUTING.md says them in words."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command
from django.db.migrations import DeleteModel, RemoveField, RenameField, RenameModel
from django.db.migrations.loader import MigrationLoader
from django.utils.module_loading import import_string

from clinic import receivers, signals
from clinic.database import triggers
from clinic.tasks.schedules import SCHEDULES

PROJECT = Path(__file__).resolve().parents[1]
CODE = sorted(path for path in (PROJECT / "clinic").rglob("*.py") if "migrations" not in path.parts)

WITHOUT_HISTORY = {
    "AuditEntry": "is the trail",
    "AuditShape": "is the trail's",
    "Seal": "is the trail's",
    "StatusChange": "is append-only itself; the appointment's history has before and after",
    "EquipmentUse": "follows its appointment; the trail notes what came and went",
    "RequestKey": "a machine's memory of a request; nobody edits it",
    "Hold": "ten minutes of somebody's attention, then gone",
    "CacheEntry": "the cache's table, written by Django",
    "Favourite": "one person's bookmarks: nothing that happened to the clinic",
}

# Writes that pass history by, in a file and on a receiver, each with its reason.
BULK_ALLOWED = {
    ("clinic/services/exchange/intake.py", "links.objects"): "many-to-many rows: the trail notes them by trigger",
}


def tracked() -> set[str]:
    return {model.instance_type.__name__ for model in triggers.history_models()}


def test_every_model_has_history_or_a_reason():
    versions = triggers.history_models()
    ours = {model.__name__ for model in apps.get_app_config("clinic").get_models() if model not in versions}
    assert {name for name in ours - tracked() if name != "HistoricalUser_groups"} == set(WITHOUT_HISTORY)


def bulk_writes(path):
    """(line, receiver, model or None) of every write in bulk, as far as the source tells."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        receiver = ast.unparse(node.func.value)
        queryset = re.search(r"objects|filter\(|exclude\(|all\(\)|_manager|queryset|^qs\b|^rows\b|locked", receiver)
        if node.func.attr in {"bulk_create", "bulk_update"} or (node.func.attr == "update" and queryset):
            named = re.match(r"(?:\w+\.)?([A-Z]\w+)\.(?:objects|_default_manager|history)\b", receiver)
            yield node.lineno, receiver, named and named[1]


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(PROJECT)))
def test_nothing_is_written_past_history(path):
    name = str(path.relative_to(PROJECT))
    kept = tracked()
    found = [
        f"{name}:{line}: {receiver}"
        for line, receiver, model in bulk_writes(path)
        if (model is None or model in kept) and (name, receiver) not in BULK_ALLOWED
    ]
    assert found == [], "write rows one by one, or with bulk_create_with_history"


def test_write_past_history_is_found(tmp_path):
    sample = tmp_path / "sample.py"
    sample.write_text(
        "Patient.objects.filter(pk=1).update(city='x')\n"
        "m.Room.objects.bulk_create(rooms)\n"
        "queryset.update(active=False)\n"
        "{}.update(a=1)\n"
    )
    assert [(line, model) for line, _receiver, model in bulk_writes(sample)] == [
        (1, "Patient"),
        (2, "Room"),
        (3, None),
    ]


def test_every_exception_to_history_is_still_needed():
    present = {(str(path.relative_to(PROJECT)), receiver) for path in CODE for _, receiver, _ in bulk_writes(path)}
    assert set(BULK_ALLOWED) <= present


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_migrations_keep_every_column_of_history():
    """Digests name their columns: one that goes or is renamed takes the proof of all older rows along."""
    taken_away = [
        f"{name}: {operation.describe()}"
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        for operation in migration.operations
        if app == "clinic" and isinstance(operation, (RemoveField, RenameField, DeleteModel, RenameModel))
        if "historical" in operation.describe().lower()
    ]
    assert taken_away == []


def test_every_admin_is_a_clinic_admin():
    from clinic.admin.base import ClinicAdmin

    assert [screen for screen in admin.site._registry.values() if not isinstance(screen, ClinicAdmin)] == []
    assert len(admin.site._registry) > 0


def test_every_event_is_listed_and_documented():
    source = Path(signals.__file__).read_text(encoding="utf-8")
    defined = re.findall(r"^(\w+) = Signal\(\)$", source, re.MULTILINE)
    documented = re.findall(r"^# subject: .+(?:\n# .+)*\n(\w+) = Signal\(\)$", source, re.MULTILINE)
    assert defined == documented == list(signals.EVENTS)
    assert all(signals.EVENTS[name] is getattr(signals, name) for name in defined)


@pytest.mark.parametrize("table", [receivers.RECORD, receivers.FOLLOW], ids=["RECORD", "FOLLOW"])
def test_receivers_name_events_and_functions_that_exist(table):
    assert set(table) <= set(signals.EVENTS)
    assert all(callable(import_string(path)) for paths in table.values() for path in paths)


def test_schedules_name_tasks_that_exist():
    assert all(callable(import_string(every.task)) for every in SCHEDULES.values())
    assert all(name.startswith("clinic.") for name in SCHEDULES)


def test_nothing_is_called_misc():
    vague = {"utils", "helpers", "common", "misc", "util", "helper"}
    assert [str(path) for path in CODE if path.stem in vague or path.parent.name in vague] == []
