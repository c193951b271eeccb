"""Django's `migrate`, as the owner: the application's role may not change tables."""

from django.core.management.commands import migrate

from clinic.database.roles import as_owner


class Command(migrate.Command):
    def handle(self, *args, **options):
        with as_owner(options["database"]):
            super().handle(*args, **options)
