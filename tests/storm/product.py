"""What the storm falls upon: a PostgreSQL of its own, and the web server as a clinic runs it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg

from clinic.database import processes, roles
from clinic.database.embedded import Server

PROJECT = Path(__file__).resolve().parents[2]
HOST = "clinic.example"
WORKERS = THREADS = 4
CONSTRAINTS = {
    "clinic_appointment": ("practitioner_free", "room_free", "patient_free"),
    "clinic_equipmentuse": ("equipment_free",),
}


class Cluster(Server):
    """Gone with this process, however it ends.

    Start it from the main thread: the kernel tells PostgreSQL when the thread that started it ends.
    """

    def begin(self) -> None:
        with self._locked("start"):
            self._init()
            self._child = self._postgres(ends_with_parent=signal.SIGINT)
            self._wait_until_ready(self._child)

    def pull_the_plug(self) -> None:
        """`pg_ctl restart -m immediate`: no checkpoint, every session cut off, the journal replayed."""
        self._child.send_signal(signal.SIGQUIT)
        self._child.wait()
        self.begin()

    def end(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGINT)
            self._child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.socket_dir, ignore_errors=True)

    def make_clinic(self, clients: int, web: Path) -> dict:
        """Roles, tables and the cast in the database `camerino`; what the clients need to know."""
        roles.prepare(self.dsn())
        self._manage("migrate", "--verbosity=0", web=web)
        told = self._python("-m", "tests.storm.cast", str(clients), web=web)
        return json.loads(told)

    def make_unguarded(self, name: str) -> None:
        """A copy of the clinic without its exclusion constraints."""
        with psycopg.connect(self.dsn(), autocommit=True) as admin:
            roles.create_database(admin, name, template=roles.DATABASE)
            roles.close_door(admin, name)
        with psycopg.connect(self.dsn(roles.OWNER, name), autocommit=True) as owner:
            for table, names in CONSTRAINTS.items():
                for constraint in names:
                    owner.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")

    def environment(self, web: Path, database: str = roles.DATABASE) -> dict[str, str]:
        """A production's: nothing of the tests' environment."""
        return {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": "storm" * 12,
            "ALLOWED_HOSTS": HOST,
            "TRUSTED_PROXY_COUNT": "1",
            "DATABASE_URL": self.dsn(roles.APP, database),
            "DATABASE_OWNER_URL": self.dsn(roles.OWNER, database),
            "VAR_DIR": str(web),
            "TESTING": "0",
        }

    def said(self, words: str) -> int:
        """How often the server's log has these words."""
        logs = [path for path in (self.log, self.log.with_name("log.1")) if path.exists()]
        return sum(path.read_text(errors="replace").count(words) for path in logs)

    def sessions(self) -> int | None:
        """Sessions of the application's role, None while nobody answers."""
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.dsn(), connect_timeout=2) as admin:
            return admin.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [roles.APP]).fetchone()[0]
        return None

    def _manage(self, *arguments: str, web: Path) -> str:
        return self._python("manage.py", *arguments, web=web)

    def _python(self, *arguments: str, web: Path) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env=self.environment(web),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


class WebServer:
    """gunicorn with config/gunicorn.py, in a block; `workers` are its living children, the eldest first."""

    def __init__(self, cluster: Cluster, web: Path, log: Path, *, database: str = roles.DATABASE, wsgi="config.wsgi"):
        self.log = log
        self.wsgi = wsgi
        self.port = _free_port()
        self.environment = cluster.environment(web, database) | {
            "PORT": str(self.port),
            "WEB_WORKERS": str(WORKERS),
            "WEB_THREADS": str(THREADS),
        }

    def __enter__(self) -> WebServer:
        with open(self.log, "ab") as log:
            self._child = processes.spawn(
                [Path(sys.executable).with_name("gunicorn"), "-c", "config/gunicorn.py", self.wsgi],
                cwd=PROJECT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self._arbiter = psutil.Process(self._child.pid)
        while not self._listens():
            assert self._child.poll() is None, self.log.read_text()
            time.sleep(0.05)
        return self

    def __exit__(self, *_error) -> None:
        self._child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    @property
    def workers(self) -> list[psutil.Process]:
        found = []
        for child in self._arbiter.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append((child.create_time(), child.pid, child))
        return [child for *_age, child in sorted(found, key=lambda each: each[:2])]

    def said(self, words: str) -> int:
        return self.log.read_text(errors="replace").count(words)

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def collected(folder: Path) -> Path:
    """A VAR_DIR whose collected files stay for the next run: compressing them takes longer than a short storm."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = Cluster(folder / "nowhere").environment(folder) | {"SECRET_KEY": secrets.token_urlsafe(60)}
    program = "import django; django.setup(); from clinic.management.commands import run; run.collect_static()"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder
