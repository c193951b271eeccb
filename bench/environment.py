"""Where the bench runs: production settings, a folder and a cluster of its own, the load driver as the proxy."""

import os
import secrets
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
HOST = "clinic.bench"


def enter() -> None:
    """Set the environment, for this process and the servers it starts, and load Django."""
    os.environ["VAR_DIR"] = str(Path(os.environ.get("VAR_DIR") or PROJECT / "var") / "bench")
    os.environ.update(
        DJANGO_SETTINGS_MODULE="config.settings",
        TESTING="0",
        DEMO="0",
        DEBUG="0",
        SECRET_KEY=secrets.token_urlsafe(60),
        ALLOWED_HOSTS=HOST,
        BIND="127.0.0.1",
        # The driver says https in the proxy's name, so cookies, redirects and CSRF are those of a clinic.
        TRUSTED_PROXY_COUNT="1",
    )
    import django

    django.setup()
