"""Reference data of fixtures/: kinds of rooms and equipment, specialisations. Names only; nothing in them is dated."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import serializers

_FOLDER = settings.BASE_DIR / "fixtures"
LANGUAGES = ("en", "it")


def load(language: str) -> int:
    """Add what is missing, by name, and return how many rows that were.

    Not by loaddata: that saves raw, past the history.
    """
    text = (_FOLDER / f"reference_{language}.json").read_text(encoding="utf-8")
    added = 0
    for entry in serializers.deserialize("json", text):
        row: Any = entry.object
        if not type(row)._default_manager.filter(name=row.name).exists():
            row.save()
            added += 1
    return added
