"""The embedded server's life: whoever holds it, kills it or leaves rubbish behind."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from clinic.database import embedded, processes
from clinic.database.embedded import Server, ServerError

PROJECT = Path(__file__).resolve().parents[2]
FAST = {"fsync": "off"}

HOLDER = """
import sys, time
from clinic.database.embedded import Server
with Server(sys.argv[1], {"fsync": "off"}).hold():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def server():
    # pytest's own folders have long names; a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="camerino-test-"))
    server = Server(folder / "pg", FAST)
    yield server
    server.stop()
    if server.socket_dir != server.folder:
        shutil.rmtree(server.socket_dir, ignore_errors=True)
    shutil.rmtree(folder)


def ask(server, query="SELECT 1", **options):
    with psycopg.connect(server.dsn(), autocommit=True, **options) as connection:
        cursor = connection.execute(query)
        return cursor.fetchone()[0] if cursor.description else None


def gone(check, seconds=15.0):
    deadline = time.monotonic() + seconds
    while check() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not check()


def holder(server):
    child = subprocess.Popen([sys.executable, "-c", HOLDER, server.named], cwd=PROJECT, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"held\n"
    return child


def test_hold_two_holders_server_stops_after_the_last(server):
    assert server.status() == "absent"
    with server.hold():
        with server.hold():
            assert ask(server) == 1
        assert server.status() == "running"
        assert ask(server) == 1
    assert server.status() == "stopped"


@pytest.mark.parametrize("round_", [1, 2, 3])
def test_hold_holder_killed_server_stops_and_data_stays(server, round_):
    child = holder(server)
    ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert gone(server.pid)
    with server.hold():
        assert ask(server, "SELECT answer FROM kept") == 42
    assert b"not properly shut down" not in server.log.read_bytes()


def test_hold_one_of_two_holders_killed_server_stays(server):
    first, second = holder(server), holder(server)
    pid = server.pid()
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    time.sleep(1)
    assert server.pid() == pid
    os.kill(second.pid, signal.SIGKILL)
    second.communicate()
    assert gone(server.pid)


def test_hold_keeper_killed_server_ends_with_it(server):
    with server.hold():
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(server._child.pid, signal.SIGKILL)
        server._child.wait()
        assert gone(server.pid)
    with server.hold():
        assert ask(server, "SELECT answer FROM kept") == 42


def test_start_stays_until_stop_and_holders_leave_it_alone(server):
    assert server.start() is True
    assert server.start() is False
    with server.hold():
        pass
    assert server.status() == "running"
    assert server.stop() is True
    assert server.stop() is False
    assert server.status() == "stopped"


def test_start_after_the_server_was_killed_recovers_its_data(server):
    server.start()
    ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(server.pid(), signal.SIGKILL)
    assert gone(server.pid)
    assert (server.data / "postmaster.pid").exists()
    server.start()
    assert ask(server, "SELECT answer FROM kept") == 42


def test_start_pid_file_names_a_stranger_starts(server):
    server.start()
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n0\n5432\n\n\n0 0\nready\n")
    assert server.pid() is None
    server.start()
    assert ask(server) == 1


def test_start_after_interrupted_init_begins_again(server):
    (server.folder / "data.new").mkdir(parents=True)
    (server.folder / "data.new" / "PG_VERSION").write_text("18")
    server.start()
    assert ask(server) == 1


def test_start_that_fails_says_why(server):
    broken = Server(server.named, {"shared_buffers": "nonsense"})
    with pytest.raises(ServerError, match=r"^PostgreSQL did not start: .*nonsense"):
        broken.start()


def test_data_of_another_major_version_is_refused(server):
    server.init()
    (server.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(ServerError, match="PostgreSQL 17's, the installed programs are 18's"):
        server.start()


def test_server_is_reachable_by_nobody_else(server):
    server.start()
    assert ask(server, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.socket_dir / ".s.PGSQL.5432").stat().st_mode) == 0o700
    if os.geteuid() == 0:
        assert server.data.stat().st_uid == 0


def test_letters_beyond_ascii_are_letters(server):
    server.start()
    assert ask(server, "SELECT upper('éß')") == "ÉSS"
    ask(server, "CREATE EXTENSION pg_trgm")
    assert ask(server, "SELECT array_length(show_trgm('ж'), 1)") == 2


def test_long_path_has_a_short_private_socket(server):
    deep = Server(server.named / ("x" * 60) / ("y" * 60), FAST)
    try:
        with deep.hold():
            assert deep.socket_dir != deep.folder
            assert stat.S_IMODE(deep.socket_dir.stat().st_mode) == 0o700
            assert ask(deep) == 1
    finally:
        shutil.rmtree(deep.socket_dir, ignore_errors=True)


def test_long_path_refuses_a_socket_folder_open_to_others(server):
    deep = Server(server.named / ("x" * 60) / ("y" * 60), FAST)
    deep.socket_dir.mkdir()
    deep.socket_dir.chmod(0o777)
    try:
        with pytest.raises(ServerError, match="is not a folder of our own"):
            deep.start()
    finally:
        deep.socket_dir.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")
def test_root_without_namespaces_runs_as_a_dedicated_user(monkeypatch, tmp_path):
    home = Path(tempfile.mkdtemp(prefix="camerino-test-"))
    home.chmod(0o755)
    monkeypatch.setattr(processes, "namespaces_allowed", lambda: False)
    monkeypatch.setattr(embedded, "DEDICATED_HOME", home)
    monkeypatch.setattr(embedded, "DEDICATED_USER", "nobody")
    server = Server(tmp_path / "var" / "pg", FAST)
    try:
        server.start()
        assert ask(server) == 1
        assert server.data.stat().st_uid == pwd.getpwnam("nobody").pw_uid
        assert server.folder.parent == home
        assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    finally:
        server.stop()
        shutil.rmtree(home)


def test_child_without_the_kernels_help_still_ends_with_its_parent():
    parent = """
import subprocess, time
from clinic.database import processes
processes._prctl = lambda: None
child = processes.spawn(["sleep", "60"])
print(child.pid, flush=True)
time.sleep(60)
"""
    starter = subprocess.Popen([sys.executable, "-c", parent], cwd=PROJECT, stdout=subprocess.PIPE)
    watcher = int(starter.stdout.readline())
    os.kill(starter.pid, signal.SIGKILL)
    starter.communicate()
    assert gone(lambda: _lives(watcher))


def _lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
