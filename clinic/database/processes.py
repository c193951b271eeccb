"""Children that end with their parent, whatever ends it. Who is started, and why, is the caller's business."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

PR_SET_PDEATHSIG = 1
# "1000 0 1": inside the namespace the process is user 1000, outside its files stay root's.
UID_MAP = "1000 0 1"


def spawn(
    argv: Sequence[str | os.PathLike],
    *,
    ends_with_parent: signal.Signals | None = signal.SIGTERM,
    unprivileged: bool = False,
    **popen,
) -> subprocess.Popen:
    """Start `argv` in a session of its own, so that Ctrl-C reaches the parent only.

    `ends_with_parent` is the signal it gets when this process dies, even by kill -9 (None: it outlives us).
    On Linux the kernel sends it when the *thread* that called this ends: call it from the main thread.
    `unprivileged` runs it in a user namespace where root is an ordinary user.
    """
    command = [os.fspath(part) for part in argv]
    popen.setdefault("stdin", subprocess.DEVNULL)
    if ends_with_parent is None or _prctl() is not None:
        prepare = _preparation(ends_with_parent, unprivileged)
        return subprocess.Popen(command, start_new_session=True, preexec_fn=prepare, **popen)
    return _spawn_watched(command, ends_with_parent, **popen)


def end_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to send this process `number` when its parent dies. Does nothing where there is no such call."""
    prctl = _prctl()
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, number)


def namespaces_allowed() -> bool:
    """Whether this process may make a user namespace (containers often may not)."""
    if not hasattr(os, "unshare"):
        return False
    try:
        done = subprocess.run(["/bin/sh", "-c", "test $(id -u) = 1000"], preexec_fn=_enter_namespace, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _preparation(number: signal.Signals | None, unprivileged: bool) -> Callable[[], None]:
    parent = os.getpid()
    prctl = _prctl()

    def prepare() -> None:
        if unprivileged:
            _enter_namespace()
        if number is not None and prctl is not None:
            # After the change of user, which would clear it; and the parent may be gone already.
            prctl(PR_SET_PDEATHSIG, number)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _enter_namespace() -> None:
    os.unshare(os.CLONE_NEWUSER)
    with open("/proc/self/uid_map", "w", encoding="ascii") as uid_map:
        uid_map.write(UID_MAP)


def _prctl() -> Callable | None:
    if not sys.platform.startswith("linux"):
        return None
    return ctypes.CDLL(None, use_errno=True).prctl


def _spawn_watched(command: list[str], number: signal.Signals, **popen) -> subprocess.Popen:
    """Where the kernel does not tell: a watcher holds a pipe whose other end dies with us."""
    reading, writing = os.pipe()
    watcher = [sys.executable, "-I", os.path.abspath(__file__), str(int(number)), str(reading), *command]
    child = subprocess.Popen(watcher, start_new_session=True, pass_fds=[reading], **popen)
    os.close(reading)
    child.lifeline = writing  # type: ignore[attr-defined]  # closed by the kernel, never by us
    return child


def _watch(number: int, lifeline: int, command: list[str]) -> int:
    child = subprocess.Popen(command)
    for passed_on in (signal.SIGTERM, signal.SIGINT):
        signal.signal(passed_on, lambda received, frame: child.send_signal(received))
    while child.poll() is None:
        readable, _, _ = select.select([lifeline], [], [], 0.5)
        if readable:
            child.send_signal(number)
            return child.wait()
    return child.returncode


if __name__ == "__main__":
    sys.exit(_watch(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
