"""The PostgreSQL that comes with the packages, with a lifecycle of our own. No Django in here.

It listens on a Unix socket in a folder of its own (0700), never on the network. Its programs: bundle.py. Roles and
databases: roles.py.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import psutil

from clinic.database import bundle, processes
from clinic.database.bundle import ServerError

SUPERUSER = "postgres"
PORT = 5432
DEDICATED_USER = "camerino"
DEDICATED_HOME = Path("/var/lib/camerino")
# macOS allows 104 bytes with the closing zero, Linux 108.
LONGEST_SOCKET_PATH = 103
PROJECT = Path(__file__).resolve().parents[2]

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failing statement and its DETAIL carry personal data; neither belongs into a log file.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class Server:
    """One embedded cluster, living in `folder` (cluster, socket, log and locks side by side).

    `settings` are added to postgresql's command line, for every process that starts it: tests switch fsync off.
    """

    def __init__(self, folder: str | os.PathLike, settings: Mapping[str, str] | None = None) -> None:
        self.named = Path(folder).absolute()
        self.settings = dict(settings or {})
        self._child: subprocess.Popen | None = None

    # Where things are. `folder` may be a link: see _move_to_dedicated_user.

    @property
    def folder(self) -> Path:
        return self.named.resolve()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def socket_dir(self) -> Path:
        """The folder of the Unix socket; what libpq calls `host`."""
        longest = self.folder / f".s.PGSQL.{PORT}"
        if len(os.fsencode(longest)) <= LONGEST_SOCKET_PATH:
            return self.folder
        # Not the configured temporary folder: every process must arrive at the same path.
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path("/tmp") / f"camerino-{name}"  # noqa: S108  # made 0700 and checked in _make_socket_dir

    def dsn(self, role: str = SUPERUSER, dbname: str = "postgres") -> str:
        """The URL under which `role` reaches `dbname`, once the server runs."""
        return f"postgresql://{role}@/{dbname}?host={quote(str(self.socket_dir), safe='')}&port={PORT}"

    def binary(self, name: str) -> str:
        """The path of a bundled program: psql, pg_dump, pg_restore…"""
        return str(self._binaries() / name)

    # What people and commands do.

    def init(self) -> bool:
        """Make the cluster; false if it is there already. An interrupted attempt leaves nothing behind."""
        with self._locked("start"):
            return self._init()

    def _init(self) -> bool:
        if (self.data / "PG_VERSION").exists():
            self._refuse_other_major()
            return False
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        done = self._run(
            "initdb",
            f"--pgdata={fresh}",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=PG_UNICODE_FAST",
            f"--locale={bundle.utf8_locale()}",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
        )
        if done.returncode:
            raise ServerError(f"initdb could not make the database cluster: {_last_line(done.stderr)}")
        fresh.rename(self.data)
        return True

    def start(self) -> bool:
        """Start it so that it stays until `stop`; false if it runs already."""
        with self._locked("start"):
            self._init()
            if self.pid() is not None:
                return False
            self._child = self._postgres(ends_with_parent=None)
            self._wait_until_ready(self._child)
            return True

    def stop(self, timeout: float = 120) -> bool:
        """Disconnect everybody and stop; false if it was not running. Comes back when the data is on disk."""
        pid = self.pid()
        if pid is None:
            return False
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + timeout
        while self.pid() is not None:
            if time.monotonic() > deadline:
                raise ServerError(f"PostgreSQL (process {pid}) did not stop within {timeout:.0f} seconds.")
            time.sleep(0.02)
        return True

    @contextlib.contextmanager
    def hold(self) -> Iterator[Server]:
        """The server runs inside the block, for as many holders as there are, and stops after the last of them.

        A holder that is killed lets go as well: a lock of the kernel's is what counts, and a keeper watches it.
        A server that `start` made is used and left alone.
        """
        self._make_folder()
        with open(self.folder / "users", "a") as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            with self._locked("start"):
                self._init()
                if self.pid() is None:
                    self._child = self._spawn_keeper()
                    self._wait_until_ready(self._child)
            try:
                yield self
            finally:
                if self._is_kept() and _flock_at_once(users):
                    self.stop()
                    if self._child is not None:
                        self._child.wait()

    def pid(self) -> int | None:
        """The process id of the running server, or None. A dead or foreign process of that number does not count."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return pid if str(self.data) in process.cmdline() else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None

    def status(self) -> str:
        """One of `absent`, `stopped`, `starting`, `running`."""
        if not (self.data / "PG_VERSION").exists():
            return "absent"
        if self.pid() is None:
            return "stopped"
        return "running" if self._is_ready() else "starting"

    # How it is run.

    def _postgres(self, *, ends_with_parent: signal.Signals | None) -> subprocess.Popen:
        self._remove_stale_pid_file()
        self._make_socket_dir()
        if self.log.exists() and self.log.stat().st_size > 10_000_000:
            self.log.replace(self.log.with_name("log.1"))
        settings = SETTINGS | {"unix_socket_directories": str(self.socket_dir)} | self.settings
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open(self.log, "ab") as log:
            return processes.spawn(
                [self.binary("postgres"), "-D", self.data, *options],
                ends_with_parent=ends_with_parent,
                stdout=log,
                stderr=log,
                cwd="/",
                **self._identity(),
            )

    def _spawn_keeper(self) -> subprocess.Popen:
        self.log.touch(mode=0o600)
        with open(self.log, "ab") as log:
            return processes.spawn(
                [sys.executable, "-m", "clinic.database.embedded", self.named, json.dumps(self.settings)],
                ends_with_parent=None,
                stdout=log,
                stderr=log,
                cwd=PROJECT,
            )

    def keep(self) -> None:
        """Run the server until nobody holds it: the keeper's whole work."""
        # Nobody but the server itself is told when this process is killed.
        with self._locked("keeper"), open(self.folder / "users", "a") as users:
            server = self._postgres(ends_with_parent=signal.SIGINT)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, lambda received, frame: server.send_signal(signal.SIGINT))
            while server.poll() is None:
                if _flock_at_once(users):
                    # First let those who are about to leave do so: their holder was killed, not they.
                    server.send_signal(signal.SIGTERM)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        server.wait(timeout=5)
                    server.send_signal(signal.SIGINT)
                    server.wait()
                time.sleep(0.3)

    def _is_kept(self) -> bool:
        with open(self.folder / "keeper", "a") as lock:
            return not _flock_at_once(lock)

    def _wait_until_ready(self, child: subprocess.Popen) -> None:
        # No time limit: replaying the journal after a power cut may take minutes, and the child's end is seen.
        while not self._is_ready():
            if child.poll() is not None:
                raise ServerError(f"PostgreSQL did not start: {_last_line(self.log.read_bytes())} (see {self.log})")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        if self.pid() is None:
            return False
        with contextlib.suppress(FileNotFoundError):
            lines = (self.data / "postmaster.pid").read_text().split("\n")
            return len(lines) > 7 and lines[7].strip() == "ready"
        return False

    def _remove_stale_pid_file(self) -> None:
        # PostgreSQL trusts any living process of that number; after a restart of a container it may be anybody.
        if self.pid() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _make_folder(self) -> None:
        if self.named.exists():
            return
        if os.geteuid() == 0 and not processes.namespaces_allowed():
            self._move_to_dedicated_user()
        else:
            self.named.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _make_socket_dir(self) -> None:
        target = self.socket_dir
        if target == self.folder:
            return
        with contextlib.suppress(FileExistsError):
            target.mkdir(mode=0o700)
            shutil.chown(target, self.folder.stat().st_uid, self.folder.stat().st_gid)
        made = target.lstat()
        if target.is_symlink() or made.st_uid != self.folder.stat().st_uid or made.st_mode & 0o077:
            raise ServerError(f"{target} is not a folder of our own: remove it, it would let others into the database.")

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        self._make_folder()
        with open(self.folder / name, "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # Who it runs as: PostgreSQL refuses to be root.

    def _identity(self) -> dict:
        if os.geteuid() != 0:
            return {}
        owner = self.folder.stat()
        if owner.st_uid:
            return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        if not processes.namespaces_allowed():
            raise ServerError(
                f"{self.folder} belongs to root, and this machine forbids user namespaces: give the folder to an "
                "ordinary user and start as that user."
            )
        return {"unprivileged": True}

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess:
        child = processes.spawn(
            [self.binary(program), *arguments],
            ends_with_parent=signal.SIGTERM,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            **self._identity(),
        )
        output, errors = child.communicate()
        return subprocess.CompletedProcess(child.args, child.returncode, output, errors)

    def _binaries(self) -> Path:
        copied = self.folder / f"bundle-{bundle.version()}"
        return bundle.programs(copied if copied.exists() else bundle.packages())

    def _move_to_dedicated_user(self) -> None:
        """Root without namespaces: binaries and data go where a user of their own can reach them; a link stays."""
        try:
            user = pwd.getpwnam(DEDICATED_USER)
        except KeyError:
            useradd = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", DEDICATED_USER]
            if shutil.which("useradd") is None or subprocess.run(useradd, check=False).returncode:
                raise ServerError(
                    f"PostgreSQL does not run as root: make a user {DEDICATED_USER}, or start as an ordinary user."
                ) from None
            user = pwd.getpwnam(DEDICATED_USER)
        home = DEDICATED_HOME / hashlib.sha256(os.fsencode(self.named)).hexdigest()[:16]
        DEDICATED_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
        copied = home / f"bundle-{bundle.version()}"
        if not copied.exists():
            bundle.copy(home / "bundle.new").rename(copied)
        os.chown(home, user.pw_uid, user.pw_gid)
        self.named.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            self.named.symlink_to(home)

    def _refuse_other_major(self) -> None:
        made = (self.data / "PG_VERSION").read_text().strip()
        ours = bundle.version().split(".")[0]
        if made != ours:
            raise ServerError(
                f"The data in {self.data} is PostgreSQL {made}'s, the installed programs are {ours}'s: "
                f"back up with the former release, restore with this one."
            )


def held(server: Server | None) -> contextlib.AbstractContextManager:
    """`server.hold()`, or nothing where the database is somebody else's."""
    return server.hold() if server else contextlib.nullcontext()


def _flock_at_once(lock) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _last_line(output: bytes) -> str:
    lines = [line for line in output.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"


if __name__ == "__main__":
    Server(sys.argv[1], json.loads(sys.argv[2])).keep()
