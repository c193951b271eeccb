"""What time does to sign-ins."""

from importlib import import_module

from django.conf import settings


def clear_sessions() -> None:
    """Drop sessions that nobody can use any more; their rows would pile up."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
