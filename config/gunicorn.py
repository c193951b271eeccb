"""How the web server runs: `gunicorn -c config/gunicorn.py config.wsgi`, which is what `manage.py run` does."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config import env

if not env.flag("TESTING"):
    env.load(Path(__file__).resolve().parent.parent / ".env")
if env.flag("TESTING"):
    # It would switch off what protects a clinic, whatever address this listens on.
    raise ImproperlyConfigured("TESTING is for tests: the web server does not start with it.")

worker_class = "gthread"
workers = env.number("WEB_WORKERS", default=2, minimum=1, maximum=64)
threads = env.number("WEB_THREADS", default=4, minimum=1, maximum=64)
# Read by the settings below: a thread keeps its connection, so there are at most workers x threads of them.
os.environ["DATABASE_KEPT"] = "1"

from config.settings import PRODUCTION  # noqa: E402  (the settings decide what production is)

# The demo's passwords are public and DEBUG shows everything, so neither ever leaves this machine.
_interface = env.text("BIND", default="127.0.0.1") if PRODUCTION else "127.0.0.1"
bind = f"{_interface}:{env.number('PORT', default=8000, minimum=1, maximum=65535)}"
timeout = 60
graceful_timeout = 20
keepalive = 5
# A worker that printed many documents has grown: it is replaced, not all at once.
max_requests = 2000
max_requests_jitter = 200
# Read once: a worker that was killed is replaced in a moment, and what all have in common is in memory once.
preload_app = True
loglevel = "warning"
control_socket_disable = True


def when_ready(server):
    """Before the first fork, so that no worker does it at its first request: every address, and with them the screens.

    Nothing here may ask the database: its connection would be every worker's.
    """
    from django.urls import reverse

    reverse("admin:index")
