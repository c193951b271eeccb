"""The web servers of a run: gunicorn with the product's settings, once for the product and once for the floor."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.conf import settings

from bench import driver
from bench.databases import url
from bench.environment import PROJECT
from clinic.database import processes

START_SECONDS = 60


@dataclass(frozen=True)
class Web:
    """A running web server."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> tuple[float, float]:
        """What its processes, and those of the embedded database, have spent so far."""
        return _spent(self.process), _spent(_database())


def _database() -> psutil.Process | None:
    pid = settings.EMBEDDED_SERVER.pid() if settings.EMBEDDED_SERVER else None
    return psutil.Process(pid) if pid else None


def _spent(process: psutil.Process | None) -> float:
    total = 0.0
    for each in [process, *process.children(recursive=True)] if process else ():
        with contextlib.suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total += times.user + times.system
    return total


@contextlib.contextmanager
def serving(application: str, database: str, *, health: str, conf: str = "bench/gunicorn.py") -> Iterator[Web]:
    """`application` answers inside the block."""
    port = _free_port()
    where = {
        "PORT": str(port),
        "DATABASE_URL": url(settings.DATABASES["default"], database),
        "DATABASE_OWNER_URL": url(settings.DATABASE_OWNER, database),
    }
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    child = processes.spawn(
        [gunicorn, "-c", conf, application],
        ends_with_parent=signal.SIGTERM,
        env={**os.environ, **where},
        cwd=PROJECT,
    )
    try:
        _wait(child, port, health)
        yield Web(port, psutil.Process(child.pid))
    finally:
        child.terminate()
        try:
            child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(child: subprocess.Popen, port: int, health: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise RuntimeError("A web server of the bench ended at once; what it said stands above.")
        with contextlib.suppress(OSError):
            if driver.ask(port, driver.get(health)).status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError("A web server of the bench did not answer.")
