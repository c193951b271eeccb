"""Databases of the bench: a template per workload and day, loaded once, and a copy of each for one run."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from psycopg import sql

from bench import workload
from bench.environment import PROJECT
from bench.workload import Workload
from clinic.database import embedded, roles

PREFIX = "camerino_bench"
# A change of these makes the loaded templates obsolete.
SOURCES = ("clinic/migrations/*.py", "clinic/database/*.py", "clinic/database/audit.sql", "bench/workload.py")


@contextlib.contextmanager
def server() -> Iterator[psycopg.Connection]:
    """A connection that makes databases: on the embedded server of the bench, or on the one that DATABASE_URL names
    (there as DATABASE_ADMIN_URL, or as an owner who may make databases)."""
    if settings.EMBEDDED_SERVER:
        with settings.EMBEDDED_SERVER.hold() as own:
            roles.prepare(own.dsn(), createdb=True)
            with psycopg.connect(own.dsn(), autocommit=True) as connection:
                yield connection
        return
    admin = os.environ.get("DATABASE_ADMIN_URL") or roles.conninfo(settings.DATABASE_OWNER)
    with embedded.held(None), psycopg.connect(admin, autocommit=True) as connection:
        yield connection


class Databases:
    """Makes templates and copies; drops the copies, and templates that are of no use any more."""

    def __init__(self, connection: psycopg.Connection, *, clients: int, say=lambda text: None) -> None:
        self.connection, self.clients, self.say = connection, clients, say
        self._copies: list[str] = []
        # Two runs on one server would measure each other, and drop each other's copies.
        if not connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [PREFIX]).fetchone()[0]:
            raise RuntimeError("A bench runs on this database server already.")
        for name in self._named(f"{PREFIX}_run_%"):
            self._drop(name)
        stamp = _stamp()
        for name in self._named(f"{PREFIX}_load_%"):
            if not name.endswith(stamp):
                self._drop(name)

    def copy(self, work: Workload) -> str:
        """The name of a database that holds `work` and may be written to."""
        template = self._template(work)
        name = f"{PREFIX}_run_{work.name}_{work.size}"
        roles.create_database(self.connection, name, template=template)
        roles.close_door(self.connection, name)
        self._copies.append(name)
        return name

    def drop_copies(self) -> None:
        connections.close_all()
        for name in self._copies:
            self._drop(name)

    def _template(self, work: Workload) -> str:
        name = f"{PREFIX}_load_{work.name}_{work.size}_{_stamp()}"
        if self._named(name):
            return name
        began = time.monotonic()
        draft = f"{PREFIX}_run_draft"
        self._drop(draft)
        roles.create_database(self.connection, draft)
        with named(draft):
            with psycopg.connect(roles.conninfo(settings.DATABASE_OWNER), autocommit=True) as owner:
                if settings.EMBEDDED_SERVER:
                    with psycopg.connect(settings.EMBEDDED_SERVER.dsn(dbname=draft), autocommit=True) as inside:
                        roles.open_database(inside)
                else:
                    roles.open_database(owner)
            call_command("migrate", verbosity=0)
            with roles.as_owner():
                workload.load(work, clients=self.clients)
        self.connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name))
        )
        self.say(f"Loaded {work.name}, {work.size:,} appointments, in {time.monotonic() - began:.0f} s.")
        return name

    def _drop(self, name: str) -> None:
        statement = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
        try:
            self.connection.execute(statement + sql.SQL(" WITH (FORCE)"))
        except psycopg.errors.InsufficientPrivilege:
            self.connection.execute(statement)

    def _named(self, pattern: str) -> list[str]:
        found = self.connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY 1", [pattern])
        return [name for (name,) in found]


def _stamp() -> str:
    """Today (the workload's future begins tomorrow) and the state of schema and loader."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(PROJECT.glob(pattern)):
            digest.update(path.read_bytes())
    return f"{timezone.localdate():%Y%m%d}_{digest.hexdigest()[:8]}"


@contextlib.contextmanager
def named(name: str) -> Iterator[None]:
    """Inside the block Django's connection, and the owner's, lead to database `name`."""
    entries = (settings.DATABASES["default"], settings.DATABASE_OWNER)
    before = [entry["NAME"] for entry in entries]
    connections.close_all()
    for entry in entries:
        entry["NAME"] = name
    try:
        yield
    finally:
        connections.close_all()
        for entry, former in zip(entries, before, strict=True):
            entry["NAME"] = former


def url(entry: dict, name: str) -> str:
    """A DATABASE_URL for this entry's server and user, and database `name`."""
    password = f":{quote(entry['PASSWORD'], safe='')}" if entry["PASSWORD"] else ""
    options = {key: value for key, value in entry["OPTIONS"].items() if isinstance(value, str)}
    if entry["HOST"].startswith("/"):
        options |= {"host": entry["HOST"], "port": entry["PORT"]}
        where = ""
    else:
        where = entry["HOST"] + (f":{entry['PORT']}" if entry["PORT"] else "")
    query = f"?{urlencode(options)}" if options else ""
    return f"postgresql://{quote(entry['USER'], safe='')}{password}@{where}/{name}{query}"
