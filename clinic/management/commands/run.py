"""`manage.py run`: database, migrations, web server and queue in one go, for `make run` and for small clinics."""

import contextlib
import errno
import hashlib
import http.client
import io
import socket
import sys
import time
from pathlib import Path

import psycopg
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from clinic.database import embedded, processes, roles
from clinic.management.supervisor import Stopped, Supervisor, stoppable
from config import env

DEMO_PASSWORD = "camerino"  # noqa: S105  # printed on purpose; production refuses these accounts
DEMO_PEOPLE = {
    "admin@demo.test": "administrator",
    "manager@demo.test": "manager",
    "reception@demo.test": "reception",
    "ada@demo.test": "practitioner",
    "ben@demo.test": "practitioner",
}


class Command(BaseCommand):
    help = "Start everything and stop everything: Ctrl-C ends it."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--with-parent", action="store_true", help="stop when the calling process is killed")

    def handle(self, *args, with_parent, **options):
        if with_parent:
            processes.end_with_parent()
        port = env.number("PORT", default=8000, minimum=1, maximum=65535)
        interface = env.text("BIND", default="127.0.0.1") if settings.PRODUCTION else "127.0.0.1"
        _refuse_taken(interface, port)
        supervisor = Supervisor()
        try:
            with contextlib.ExitStack() as stack:
                stack.enter_context(stoppable())
                stack.enter_context(embedded.held(settings.EMBEDDED_SERVER))
                if settings.EMBEDDED_SERVER:
                    roles.prepare(settings.EMBEDDED_SERVER.dsn(), createdb=not settings.PRODUCTION)
                stack.callback(supervisor.stop)
                self._prepare()
                supervisor.start("web server", _program("gunicorn", "-c", "config/gunicorn.py", "config.wsgi"))
                supervisor.start("queue", [sys.executable, "manage.py", "qcluster"])
                self._watch(supervisor, interface, port)
        except Stopped:
            self.stdout.write("Stopped.")
        except (embedded.ServerError, roles.RolesError) as error:
            raise CommandError(str(error)) from error
        except (psycopg.OperationalError, OperationalError) as error:
            raise CommandError(f"The database cannot be reached: {str(error).strip()}") from error

    def _prepare(self):
        """Bring tables, translations and collected files up to date, and fill an empty demo."""
        call_command("compilemessages", verbosity=0)
        call_command("migrate", interactive=False, verbosity=0)
        collect_static()
        people = get_user_model().objects
        if settings.DEMO and not people.exists():
            self.stdout.write("Making a demo clinic…")
            call_command("demo", size="clinic", stdout=io.StringIO())
        if settings.PRODUCTION and people.filter(email__iendswith="@demo.test", is_active=True).exists():
            raise CommandError("This database has demo accounts, whose password is public: deactivate them first.")

    def _watch(self, supervisor, interface, port):
        told = False
        while True:
            if name := supervisor.ended():
                raise CommandError(f"The {name} ended by itself; what it said stands above.")
            if settings.EMBEDDED_SERVER and settings.EMBEDDED_SERVER.pid() is None:
                raise CommandError(f"The database server ended by itself; what it said: {settings.EMBEDDED_SERVER.log}")
            if not told and _answers(interface, port):
                told = True
                self._tell(port)
            time.sleep(0.1 if not told else 1)

    def _tell(self, port):
        self.stdout.write(f"\nCamerino is ready:  http://localhost:{port}/\n")
        if settings.DEMO:
            for email, role in DEMO_PEOPLE.items():
                self.stdout.write(f"  {email:<22}{DEMO_PASSWORD:<12}{role}")
        self.stdout.write("Ctrl-C stops it.")
        self.stdout.flush()


def _program(name: str, *arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name(name)), *arguments]


def _refuse_taken(interface: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in interface else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((interface, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(f"Port {port} is in use: choose another, for instance PORT={port + 1}.") from error
            raise CommandError(f"Cannot listen on {interface}, port {port}: {error.strerror}.") from error


def _answers(interface: str, port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1" if interface == "0.0.0.0" else interface, port, timeout=5)  # noqa: S104  # only asked, not bound
    try:
        connection.request("GET", "/accounts/login/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return True
    finally:
        connection.close()


def collect_static() -> None:
    """Collect the files that browsers load, if they are collected here and not those of the last time."""
    if not settings.COLLECTED:
        return
    print_of = hashlib.sha256()
    locks = [settings.BASE_DIR / name for name in ("requirements.txt", "package-lock.json")]
    for path in [*locks, *sorted((settings.BASE_DIR / "clinic/static").rglob("*"))]:
        if path.is_file():
            print_of.update(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}\n".encode())
    stamp = settings.VAR_DIR / "static.stamp"
    if stamp.exists() and stamp.read_text() == print_of.hexdigest() and settings.STATIC_ROOT.exists():
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(print_of.hexdigest())
