"""One file that brings a clinic back: database, roles, patients' files. Written and read as a stream, never to disk
in clear when there is a key. Commands: backup, restore."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import conninfo_to_dict

from clinic.database import encryption, roles
from clinic.database.embedded import Server

PIECE = 16 << 20
FORMAT = 1


class BackupError(Exception):
    """One sentence on why a backup was not made or not restored."""


def back_up(folder: Path, *, owner: str, files: Path, key: str, server: Server | None) -> Path:
    """Write a backup into `folder` and return its path. `owner` is the owner's connection string.

    The files are read after the database: a file too many is harmless, a missing one is not.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now(UTC)
    path = folder / f"camerino-{now:%Y%m%d-%H%M%S}.{'backup' if key else 'tar'}"
    draft = path.with_name(f"{path.name}.part")
    try:
        with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            with _writing(file, key) as stream, tarfile.open(fileobj=stream, mode="w|") as archive:
                _write(archive, now, owner, files, server)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def restore(
    path: Path, *, admin: str, database: str, files: Path, key: str, server: Server | None, replace: bool = False
) -> None:
    """Bring a backup back, whole or not at all: beside what is there first, then in its place.

    `admin` is the connection string of somebody who may make databases. Refused unless database and files are
    empty or `replace` is true, and while anybody is connected, whose writes would be lost.
    """
    beside = f"{database}_restoring"
    arriving = files.with_name(f"{files.name}.restoring")
    with psycopg.connect(admin, autocommit=True) as connection:
        _refuse_if_needed(connection, admin, database, files, replace=replace)
        shutil.rmtree(arriving, ignore_errors=True)
        arriving.mkdir(mode=0o700, parents=True)
        _drop(connection, beside)
        try:
            roles.create_roles(connection)
            roles.create_database(connection, beside)
            roles.close_door(connection, beside)
            with open(path, "rb") as file, tarfile.open(fileobj=_reading(file, key), mode="r|") as archive:
                _read(archive, psycopg.conninfo.make_conninfo(admin, dbname=beside), arriving, server)
            _swap(connection, database, beside)
        except (tarfile.TarError, KeyError, ValueError) as error:
            raise BackupError(f"{path.name} is not a whole backup of ours.") from error
        finally:
            _drop(connection, beside)
    shutil.rmtree(files, ignore_errors=True)
    arriving.rename(files)


def libpq(conninfo: str) -> dict[str, str]:
    """The environment in which PostgreSQL's programs sign in; a command line would show the password to everybody."""
    options = pq.Conninfo.parse(conninfo.encode())
    return os.environ | {
        option.envvar.decode(): option.val.decode() for option in options if option.val and option.envvar
    }


def program(name: str, conninfo: str, server: Server | None) -> str:
    """The path of pg_dump, pg_restore or psql: ours for our server, else that of the server's own major version."""
    if server is not None:
        return server.binary(name)
    with psycopg.connect(conninfo) as connection:
        major = connection.info.server_version // 10_000
    for found in (f"/usr/lib/postgresql/{major}/bin/{name}", shutil.which(name)):
        if found and os.access(found, os.X_OK):
            return found
    raise BackupError(f"{name} is not installed: install PostgreSQL {major}'s client programs.")


def _write(archive: tarfile.TarFile, now: datetime, owner: str, files: Path, server: Server | None) -> None:
    about = {"format": FORMAT, "made_at": now.isoformat(), "roles": _roles(owner)}
    _add(archive, "about.json", json.dumps(about, indent=1).encode())
    digest = _add_dump(archive, owner, server)
    if files.is_dir():
        archive.add(files, "files")
    _add(archive, "end.json", json.dumps({"database_sha256": digest}).encode())


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = 0o600
    archive.addfile(member, io.BytesIO(content))


def _add_dump(archive: tarfile.TarFile, owner: str, server: Server | None) -> str:
    """Add the dump in numbered pieces, since a member's size stands before its content; returns the sha256."""
    digest = hashlib.sha256()
    # Comments on extensions are the administrator's, and we make no others.
    command = [program("pg_dump", owner, server), "--format=custom", "--no-comments", "--no-password"]
    with subprocess.Popen(command, env=libpq(owner), stdout=subprocess.PIPE) as dump:
        number = 0
        while piece := dump.stdout.read(PIECE):  # type: ignore[union-attr]  # a pipe was asked for
            digest.update(piece)
            _add(archive, f"database.{number:06}", piece)
            number += 1
    if dump.returncode:
        raise BackupError("pg_dump failed; what it said stands above.")
    return digest.hexdigest()


def _roles(owner: str) -> dict:
    """What the two roles are, for whoever reads a backup; `roles.create_roles` makes them."""
    with psycopg.connect(owner) as connection:
        rows = connection.execute(
            "SELECT rolname, rolsuper, rolcreatedb, rolbypassrls, rolconfig FROM pg_roles WHERE rolname = ANY(%s)",
            [[roles.OWNER, roles.APP]],
        ).fetchall()
    names = ("superuser", "createdb", "bypassrls", "settings")
    return {name: dict(zip(names, attributes, strict=True)) for name, *attributes in rows}


@contextlib.contextmanager
def _writing(file: IO[bytes], key: str) -> Iterator[IO[bytes]]:
    if not key:
        yield file
        return
    writer = encryption.Writer(file, key)
    yield writer  # type: ignore[misc]
    writer.close()


def _reading(file: IO[bytes], key: str) -> IO[bytes]:
    encrypted = file.read(len(encryption.MAGIC)) == encryption.MAGIC
    file.seek(0)
    if not encrypted:
        return file
    if not key:
        raise BackupError("This backup is encrypted: set BACKUP_KEY.")
    return io.BufferedReader(encryption.Reader(file, key))  # type: ignore[return-value]


def _read(archive: tarfile.TarFile, admin: str, files: Path, server: Server | None) -> None:
    about = json.loads(_content(archive, archive.next()))
    if about["format"] != FORMAT:
        raise BackupError(f"This backup has format {about['format']}; this release reads {FORMAT}.")
    digest = hashlib.sha256()
    command = [program("pg_restore", admin, server), "--exit-on-error", "--single-transaction", "--no-password"]
    name = conninfo_to_dict(admin)["dbname"]
    with subprocess.Popen([*command, f"--dbname={name}"], env=libpq(admin), stdin=subprocess.PIPE) as reader:
        member = archive.next()
        # It ends early when it fails; its exit code says so below.
        with contextlib.suppress(BrokenPipeError), reader.stdin as pipe:  # type: ignore[union-attr]
            while member is not None and member.name.startswith("database."):
                piece = _content(archive, member)
                digest.update(piece)
                pipe.write(piece)
                member = archive.next()
    if reader.returncode:
        raise BackupError("pg_restore failed; what it said stands above.")
    while member is not None and member.name.partition("/")[0] == "files":
        inside = member.replace(name=member.name.removeprefix("files").lstrip("/") or ".", deep=False)
        archive.extract(inside, files, filter="data")
        member = archive.next()
    end = json.loads(_content(archive, member))
    if end["database_sha256"] != digest.hexdigest():
        raise BackupError("The database in this backup is not the one that was written into it.")


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo | None) -> bytes:
    content = archive.extractfile(member) if member else None
    if content is None:
        raise tarfile.ReadError("a part is missing")
    return content.read()


def _others(connection: psycopg.Connection, database: str) -> int:
    """How many clients are connected. One that has just left is still seen for a moment: that is waited for."""
    count = 0
    for _look in range(20):
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'", [database]
        ).fetchone()
        count = row[0] if row else 0
        if not count:
            break
        time.sleep(0.1)
    return count


def _refuse_if_needed(connection: psycopg.Connection, admin: str, database: str, files: Path, *, replace: bool) -> None:
    others = _others(connection, database)
    if others:
        raise BackupError(f"Stop Camerino first: {others} connections to {database} are open.")
    if replace:
        return
    if files.is_dir() and any(files.iterdir()):
        raise BackupError(f"{files} is not empty: --replace takes what is there away.")
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        with psycopg.connect(admin, dbname=database) as there:
            tables = there.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public' LIMIT 1").fetchone()
        if tables:
            raise BackupError(f"The database {database} is not empty: --replace takes what is there away.")


def _swap(connection: psycopg.Connection, database: str, beside: str) -> None:
    former = f"{database}_former"
    _drop(connection, former)
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with connection.transaction():
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            connection.execute(rename.format(sql.Identifier(database), sql.Identifier(former)))
        connection.execute(rename.format(sql.Identifier(beside), sql.Identifier(database)))
    _drop(connection, former)


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
