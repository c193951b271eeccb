"""Keeps the processes of one start together: all of them run, or none. What is started is the command's business."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence

from clinic.database import processes

# A child that lives shorter than this was not unlucky: starting it again would go on for ever.
SHORT_LIFE = 10.0
# The queue's tasks may take this long to finish what they have begun.
PATIENCE = 30.0


class Stopped(BaseException):
    """Somebody asked this process to end. Not an Exception: no handler of errors may swallow it."""


class Supervisor:
    """Starts commands, starts those again that end, and ends all of them, their descendants too."""

    def __init__(self) -> None:
        self._commands: dict[str, Sequence[str]] = {}
        self._children: dict[str, subprocess.Popen] = {}
        self._started_at: dict[str, float] = {}

    def start(self, name: str, command: Sequence[str]) -> None:
        self._commands[name] = command
        self._started_at[name] = time.monotonic()
        self._children[name] = processes.spawn(command, ends_with_parent=signal.SIGTERM)

    def ended(self) -> str | None:
        """Look after the children: the name of one that ends again and again, or None while all is well."""
        for name, child in list(self._children.items()):
            if child.poll() is None:
                continue
            _end_session(child, signal.SIGKILL)
            if time.monotonic() - self._started_at[name] < SHORT_LIFE:
                return name
            self.start(name, self._commands[name])
        return None

    def stop(self) -> None:
        """Ask all, wait, then insist. Comes back when nothing is left of any of them."""
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + PATIENCE
        for child in self._children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=max(0.0, deadline - time.monotonic()))
            _end_session(child, signal.SIGKILL)
            child.wait()


@contextlib.contextmanager
def stoppable():
    """Inside the block Ctrl-C, a closed terminal and SIGTERM raise Stopped, once: what cleans up is not disturbed."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(number, frame):
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_session(child: subprocess.Popen, number: signal.Signals) -> None:
    # Every child leads a session of its own; its orphans are still in that group.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)
