"""`manage.py check_migrations`: no migration is missing, and none stops a running clinic."""

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from clinic.database import embedded, roles


class Command(BaseCommand):
    help = "Fail if a model changed without a migration, or if a migration locks tables or breaks the former release."
    requires_system_checks = []

    def handle(self, *args, **options):
        server = settings.EMBEDDED_SERVER
        with embedded.held(server):
            if server:
                roles.prepare(server.dsn(), createdb=True)
            call_command("makemigrations", check_changes=True, dry_run=True)
            # Our engine has a name of its own, from which the linter cannot tell; first migrations find empty tables.
            call_command(
                "lintmigrations",
                "clinic",
                sql_analyser="postgresql",
                warnings_as_errors=[],
                ignore_initial_migrations=True,
            )
