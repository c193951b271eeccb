"""A clinic is lost and comes back: database, rights and files, on the real server."""

import io
import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest

from clinic.database import backup, encryption, roles
from clinic.database.embedded import Server

KEY = "a key of some thirty characters"
SCHEMA = """
CREATE TABLE patient (id int PRIMARY KEY, name text, born daterange, EXCLUDE USING gist (id WITH =, born WITH &&));
CREATE TABLE trail (id int PRIMARY KEY);
REVOKE UPDATE, DELETE ON trail FROM camerino_app;
INSERT INTO patient SELECT n, 'Nicolò ' || n FROM generate_series(1, 2000) n;
"""


class Clinic:
    """A server with one filled database, patients' files beside it, and the verbs of the two commands."""

    def __init__(self, folder, server):
        self.folder, self.server = folder, server
        self.files = folder / "files"
        self.backups = folder / "backups"

    def fill(self):
        roles.prepare(self.server.dsn())
        with psycopg.connect(self.server.dsn(roles.OWNER, roles.DATABASE)) as owner:
            owner.execute(SCHEMA)
        (self.files / "2026").mkdir(parents=True)
        (self.files / "2026" / "referral.pdf").write_bytes(b"%PDF")

    def lose(self):
        with psycopg.connect(self.server.dsn(), autocommit=True) as admin:
            admin.execute("DROP DATABASE IF EXISTS camerino")
            for role in (roles.APP, roles.OWNER):
                admin.execute(f"DROP ROLE IF EXISTS {role}")
        shutil.rmtree(self.files, ignore_errors=True)

    def back_up(self, key=KEY):
        return backup.back_up(
            self.backups,
            owner=self.server.dsn(roles.OWNER, roles.DATABASE),
            files=self.files,
            key=key,
            server=self.server,
        )

    def restore(self, path, key=KEY, **options):
        backup.restore(
            path,
            admin=self.server.dsn(),
            database=roles.DATABASE,
            files=self.files,
            key=key,
            server=self.server,
            **options,
        )

    def ask(self, query, role=roles.APP):
        with psycopg.connect(self.server.dsn(role, roles.DATABASE)) as connection:
            return connection.execute(query).fetchone()

    def databases(self):
        with psycopg.connect(self.server.dsn()) as admin:
            found = admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'camerino%'").fetchall()
        return {name for (name,) in found}


@pytest.fixture(scope="module")
def server():
    folder = Path(tempfile.mkdtemp(prefix="camerino-test-"))
    server = Server(folder / "pg", {"fsync": "off"})
    with server.hold():
        yield server
    shutil.rmtree(folder)


@pytest.fixture
def clinic(server, tmp_path):
    clinic = Clinic(tmp_path, server)
    clinic.lose()
    clinic.fill()
    return clinic


@pytest.mark.parametrize("key", [KEY, ""])
def test_restore_after_everything_was_lost_brings_all_back(clinic, key):
    path = clinic.back_up(key)
    clinic.lose()
    clinic.restore(path, key)
    assert clinic.ask("SELECT count(*), max(name) FROM patient WHERE name = 'Nicolò 42'") == (1, "Nicolò 42")
    assert clinic.ask("SELECT count(*) FROM patient") == (2000,)
    assert clinic.ask("SELECT has_table_privilege('camerino_app', 'trail', 'UPDATE')") == (False,)
    assert clinic.ask("SELECT tableowner FROM pg_tables WHERE tablename = 'patient'") == (roles.OWNER,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        clinic.ask("DELETE FROM trail RETURNING id")
    with psycopg.connect(clinic.server.dsn(roles.OWNER, roles.DATABASE)) as owner:
        owner.execute("CREATE TABLE later (id int)")
    assert clinic.ask("SELECT count(*) FROM later") == (0,), "default rights came back too"
    assert (clinic.files / "2026" / "referral.pdf").read_bytes() == b"%PDF"
    assert clinic.databases() == {"camerino"}


def test_backup_is_private_and_encrypted(clinic):
    path = clinic.back_up()
    content = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert b"%PDF" not in content
    assert b"about.json" not in content
    assert b"%PDF" in clinic.back_up(key="").read_bytes()


def test_backup_that_fails_leaves_no_file(clinic, monkeypatch):
    monkeypatch.setattr(backup, "program", lambda *_: "/bin/false")
    with pytest.raises(backup.BackupError, match="pg_dump failed"):
        clinic.back_up()
    assert list(clinic.backups.iterdir()) == []


@pytest.mark.parametrize("key", ["another key of thirty characters", ""])
def test_restore_with_the_wrong_key_is_refused_and_changes_nothing(clinic, key):
    path = clinic.back_up()
    with pytest.raises((encryption.UnreadableError, backup.BackupError), match="BACKUP_KEY"):
        clinic.restore(path, key, replace=True)
    assert clinic.ask("SELECT count(*) FROM patient") == (2000,)
    assert clinic.databases() == {"camerino"}


@pytest.mark.parametrize("key", [KEY, ""])
def test_restore_of_a_file_cut_off_is_refused_and_changes_nothing(clinic, key):
    path = clinic.back_up(key)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises((encryption.UnreadableError, backup.BackupError)):
        clinic.restore(path, key, replace=True)
    assert clinic.ask("SELECT count(*) FROM patient") == (2000,)
    assert (clinic.files / "2026" / "referral.pdf").exists()


def test_restore_of_another_file_is_refused(clinic, tmp_path):
    path = tmp_path / "holiday.jpg"
    path.write_bytes(b"\xff\xd8" * 2000)
    with pytest.raises(backup.BackupError, match=r"^holiday.jpg is not a whole backup of ours.$"):
        clinic.restore(path, replace=True)


def test_restore_over_a_filled_database_wants_replace(clinic):
    path = clinic.back_up()
    with psycopg.connect(clinic.server.dsn(roles.APP, roles.DATABASE)) as app:
        app.execute("DELETE FROM patient")
    (clinic.files / "later.pdf").write_bytes(b"%PDF")
    with pytest.raises(backup.BackupError, match="is not empty: --replace"):
        clinic.restore(path)
    clinic.restore(path, replace=True)
    assert clinic.ask("SELECT count(*) FROM patient") == (2000,)
    assert sorted(file.name for file in clinic.files.iterdir()) == ["2026"]


def test_restore_while_somebody_is_connected_is_refused(clinic):
    path = clinic.back_up()
    with (
        psycopg.connect(clinic.server.dsn(roles.APP, roles.DATABASE)),
        pytest.raises(backup.BackupError, match=r"^Stop Camerino first: 1 connections"),
    ):
        clinic.restore(path, replace=True)


@pytest.mark.parametrize("size", [0, 1, encryption.PIECE, encryption.PIECE + 1, 3 * encryption.PIECE])
def test_encryption_gives_back_what_was_written(size):
    clear = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert decrypted(encrypted(clear)) == clear


@pytest.mark.parametrize("change", ["swapped", "cut", "flipped"])
def test_encryption_notices_every_change(change):
    whole = encrypted(b"x" * (3 * encryption.PIECE))
    head = len(encryption.MAGIC) + encryption.SALT + encryption.PREFIX
    piece = encryption.PIECE + encryption.TAG
    first, second = whole[head : head + piece], whole[head + piece : head + 2 * piece]
    changed = {
        "swapped": whole[:head] + second + first + whole[head + 2 * piece :],
        "cut": whole[: head + 2 * piece],
        "flipped": whole[:-1] + bytes([whole[-1] ^ 1]),
    }[change]
    with pytest.raises(encryption.UnreadableError):
        decrypted(changed)


def encrypted(clear):
    file = io.BytesIO()
    writer = encryption.Writer(file, KEY)
    writer.write(clear)
    writer.close()
    return file.getvalue()


def decrypted(content):
    return io.BufferedReader(encryption.Reader(io.BytesIO(content), KEY)).read()
