"""What `manage.py run` brings up to date before it serves."""

import pytest
from django.conf import settings

from clinic.management.commands import run


@pytest.fixture
def collected(monkeypatch, tmp_path):
    """The commands that were called, in a folder of their own."""
    called = []
    monkeypatch.setattr(run, "call_command", lambda name, **options: called.append(name))
    monkeypatch.setattr(settings, "VAR_DIR", tmp_path)
    return called


def test_development_serves_files_from_where_they_are_written(collected, monkeypatch):
    monkeypatch.setattr(settings, "COLLECTED", False)
    monkeypatch.setattr(settings, "STATIC_ROOT", None)
    run.collect_static()
    assert collected == []


def test_files_are_collected_once_as_long_as_none_changes(collected, monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "COLLECTED", True)
    monkeypatch.setattr(settings, "STATIC_ROOT", tmp_path / "static")
    run.collect_static()
    (tmp_path / "static").mkdir()
    run.collect_static()
    assert collected == ["collectstatic"]
