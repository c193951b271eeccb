"""`manage.py backup`: one file with everything that a clinic must not lose."""

from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clinic.database import backup, embedded, roles


class Command(BaseCommand):
    help = "Write database, roles and files into one file; encrypted when BACKUP_KEY is set."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("folder", nargs="?", type=Path, default=settings.VAR_DIR / "backups")

    def handle(self, *args, folder, **options):
        try:
            with embedded.held(settings.EMBEDDED_SERVER):
                path = backup.back_up(
                    folder,
                    owner=roles.conninfo(settings.DATABASE_OWNER),
                    files=Path(settings.MEDIA_ROOT),
                    key=settings.BACKUP_KEY,
                    server=settings.EMBEDDED_SERVER,
                )
        except (backup.BackupError, embedded.ServerError, psycopg.Error, OSError) as error:
            raise CommandError(str(error).strip()) from error
        if not settings.BACKUP_KEY:
            self.stderr.write("Not encrypted: everybody who reads this file reads every patient. Set BACKUP_KEY.")
        self.stdout.write(str(path))
