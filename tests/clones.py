"""Databases for tests. The template is migrated once per state of the schema, and every worker works on a clone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection as django_connection
from psycopg import sql

from clinic.database import roles
from clinic.database.embedded import Server

PROJECT = Path(__file__).resolve().parents[1]
# What decides on the schema and on the rows that every migrate writes.
SOURCES = (
    "clinic/models/**/*.py",
    "clinic/migrations/*.py",
    "clinic/database/**/*.py",
    "clinic/database/**/*.sql",
    "clinic/permissions.py",
    "clinic/tasks/schedules.py",
    "config/settings.py",
    "requirements.txt",
)
TEMPLATES_KEPT = 6
# A power cut may cost the tests their data, nobody else. Without autovacuum, plans and times hang on no worker's turn:
# a test that needs statistics asks for them.
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "4GB",
    "autovacuum": "off",
}


@contextlib.contextmanager
def server() -> Iterator[Clones]:
    """The server that settings name: our own, held while anybody tests, or an external one.

    There DATABASE_ADMIN_URL or, with the right to make databases, DATABASE_OWNER_URL signs in.
    """
    if settings.EMBEDDED_SERVER is None:
        admin = os.environ.get("DATABASE_ADMIN_URL")
        with psycopg.connect(admin, autocommit=True) if admin else connect(settings.DATABASE_OWNER) as connection:
            yield from _clones(connection)
        return
    embedded = Server(settings.EMBEDDED_SERVER.named, FAST)
    with embedded.hold():
        roles.prepare(embedded.dsn(), createdb=True)
        with psycopg.connect(embedded.dsn(), autocommit=True) as connection:
            yield from _clones(connection)


def _clones(connection: psycopg.Connection) -> Iterator[Clones]:
    clones = Clones(connection)
    try:
        yield clones
    finally:
        clones.drop(clones.name)


def connect(entry: dict) -> psycopg.Connection:
    """A plain connection, outside Django, for an entry such as settings.DATABASE_OWNER."""
    return psycopg.connect(
        host=entry["HOST"],
        port=entry["PORT"],
        user=entry["USER"],
        password=entry["PASSWORD"],
        dbname=entry["NAME"],
        autocommit=True,
        **entry["OPTIONS"],
    )


class Clones:
    """The database of this worker, `name`, and the templates that it is made from."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.name = f"camerino_test_{uuid.uuid4().hex[:12]}"
        # Held until this process ends, however it ends: who finds it free may drop the database.
        self._lock(self.name)
        self._drop_abandoned()

    def template(self) -> str:
        """The name of the template for the schema as the files say it now; made by whoever comes first."""
        name = f"camerino_template_{_state()}"
        self._lock("camerino templates")
        try:
            if not self._exists(name):
                self._make_template(name)
        finally:
            self.connection.execute("SELECT pg_advisory_unlock(hashtext(%s))", ["camerino templates"])
        return name

    def renew(self, template: str) -> None:
        """Our database as the template is; what a test committed is gone. TRUNCATE would be refused by the trail."""
        self.drop(self.name)
        roles.create_database(self.connection, self.name, template=template)
        roles.close_door(self.connection, self.name)

    def drop(self, name: str) -> None:
        statement = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
        try:
            self.connection.execute(statement + sql.SQL(" WITH (FORCE)"))
        except psycopg.errors.InsufficientPrivilege:
            # Only a superuser ends the application's sessions; anybody else waits until they have closed.
            self.connection.execute(statement)

    def _make_template(self, name: str) -> None:
        draft = f"{name}_draft"
        self.drop(draft)
        roles.create_database(self.connection, draft)
        with connect(settings.DATABASE_OWNER | {"NAME": draft}) as owner:
            roles.open_database(owner)
        django_connection.close()
        before = django_connection.settings_dict["NAME"]
        django_connection.settings_dict["NAME"] = draft
        try:
            call_command("migrate", verbosity=0)
        finally:
            django_connection.close()
            django_connection.settings_dict["NAME"] = before
        self.connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name))
        )
        for old in self._named("camerino_template_%")[:-TEMPLATES_KEPT]:
            self.drop(old)

    def _drop_abandoned(self) -> None:
        for name in self._named("camerino_test_%"):
            if self._lock(name, wait=False):
                self.drop(name)
                self.connection.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])

    def _lock(self, name: str, *, wait: bool = True) -> bool:
        if wait:
            self.connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
            return True
        return self.connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name]).fetchone()[0]

    def _exists(self, name: str) -> bool:
        return self.connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None

    def _named(self, pattern: str) -> list[str]:
        """Oldest first."""
        found = self.connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid", [pattern])
        return [name for (name,) in found.fetchall()]


def _state() -> str:
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(PROJECT.glob(pattern)):
            digest.update(str(path.relative_to(PROJECT)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]
