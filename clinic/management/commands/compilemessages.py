"""Django's `compilemessages` without gettext's programs, which bare machines lack."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Compile the translations that are newer than their compiled form."
    requires_system_checks = []

    def handle(self, *args, **options):
        for root in settings.LOCALE_PATHS:
            for source in sorted(Path(root).glob("*/LC_MESSAGES/*.po")):
                compiled = source.with_suffix(".mo")
                if compiled.exists() and compiled.stat().st_mtime > source.stat().st_mtime:
                    continue
                with source.open("rb") as po:
                    catalog = read_po(po, locale=source.parts[-3])
                for message in list(catalog):
                    if message.pluralizable and not all(message.string):
                        # Babel would fill it with the English, which nobody could tell from a translation.
                        catalog.delete(message.id, message.context)
                draft = compiled.with_suffix(".new")
                with draft.open("wb") as mo:
                    write_mo(mo, catalog)
                draft.replace(compiled)
