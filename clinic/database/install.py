"""What every migrate leaves behind: triggers and grants for the tables as they are now."""

from django.db import connections, transaction

from clinic.database import grants, triggers


def after_migrate(sender=None, using="default", **kwargs) -> None:
    """Idempotent; runs as the owner, whole or not at all."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        triggers.install(cursor)
        grants.install(cursor)
