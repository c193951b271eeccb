"""`manage.py restore`: bring a backup back, whole or not at all."""

import os
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clinic.database import backup, embedded, encryption, roles


class Command(BaseCommand):
    help = "Restore a file that `backup` wrote, into an empty database unless --replace is given."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="take away what is there; cannot be undone")

    def handle(self, *args, file, replace, **options):
        server = settings.EMBEDDED_SERVER
        admin = server.dsn() if server else os.environ.get("DATABASE_ADMIN_URL")
        if not admin:
            raise CommandError("DATABASE_ADMIN_URL is missing: the URL of a role that may make roles and databases.")
        try:
            with embedded.held(server):
                if server:
                    roles.prepare(admin, createdb=not settings.PRODUCTION)
                backup.restore(
                    file,
                    admin=admin,
                    database=settings.DATABASE_OWNER["NAME"],
                    files=Path(settings.MEDIA_ROOT),
                    key=settings.BACKUP_KEY,
                    server=server,
                    replace=replace,
                )
        except (backup.BackupError, encryption.UnreadableError, embedded.ServerError, psycopg.Error, OSError) as error:
            raise CommandError(str(error).strip()) from error
        self.stdout.write("Restored. `manage.py migrate` brings an older backup up to this release.")
