"""What every migrate leaves behind: grants and triggers on the tables as they are now."""


def after_migrate(sender=None, using="default", **kwargs) -> None:
    """Idempotent; runs as the owner."""
