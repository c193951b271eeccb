"""How the web server runs: `gunicorn -c config/gunicorn.py config.wsgi`, which is what `manage.py run` does."""

import os

from config import env

# The demo's passwords are public, so it never leaves this machine.
_interface = "127.0.0.1" if env.flag("DEMO") else env.text("BIND", default="127.0.0.1")

bind = f"{_interface}:{env.number('PORT', default=8000, minimum=1, maximum=65535)}"
worker_class = "gthread"
workers = env.number("WEB_WORKERS", default=2, minimum=1, maximum=64)
threads = env.number("WEB_THREADS", default=4, minimum=1, maximum=64)
timeout = 60
graceful_timeout = 20
keepalive = 5
# A worker that printed many documents has grown: it is replaced, not all at once.
max_requests = 2000
max_requests_jitter = 200
loglevel = "warning"
control_socket_disable = True
# One connection per thread, read by the settings when the workers load them.
os.environ.setdefault("DATABASE_POOL", str(threads))
