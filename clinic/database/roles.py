"""The two database roles: the owner migrates, the application reads and writes. Tables and their rights: migrations."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

DATABASE = "camerino"
OWNER = "camerino_owner"
APP = "camerino_app"
EXTENSIONS = ("btree_gist", "pg_trgm", "unaccent")
OLDEST_SERVER = 15

# A request that waits longer has lost its reader; a lock held by an idle session stops the clinic.
# Planning is what prepared statements are to save, so one plan serves whatever they are asked.
APP_SETTINGS = {
    "lock_timeout": "3s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "30s",
    "plan_cache_mode": "force_generic_plan",
}

_MAY_NOTHING: LiteralString = "NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION"


class RolesError(Exception):
    """One sentence on why roles or databases cannot be made."""


def prepare(
    admin: str,
    *,
    database: str = DATABASE,
    owner_password: str = "",
    app_password: str = "",
    createdb: bool = False,
) -> None:
    """Make both roles and `database` with its extensions, or bring them up to date. Idempotent.

    `admin` is the connection string of somebody who may make roles and databases, to any database of the server.
    `createdb` lets the owner make databases: tests clone theirs; a clinic's server has no use for it.
    """
    with psycopg.connect(admin, autocommit=True) as connection:
        # Roles belong to the whole cluster: two that start together would collide in its catalogue.
        connection.execute("SELECT pg_advisory_lock(hashtext('camerino roles'))")
        create_roles(connection, owner_password=owner_password, app_password=app_password, createdb=createdb)
        create_database(connection, database)
        # Still under the lock: CREATE EXTENSION IF NOT EXISTS collides with itself.
        with psycopg.connect(admin, dbname=database, autocommit=True) as inside:
            open_database(inside)


def create_roles(
    connection: psycopg.Connection, *, owner_password: str = "", app_password: str = "", createdb: bool = False
) -> None:
    if connection.info.server_version < OLDEST_SERVER * 10_000:
        raise RolesError(f"PostgreSQL {OLDEST_SERVER} or newer is needed.")
    superuser = connection.info.parameter_status("is_superuser") == "on"
    for name, password, databases in ((OWNER, owner_password, createdb), (APP, app_password, False)):
        role = sql.Identifier(name)
        if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", name):
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        # Only a superuser may so much as mention these; anybody else's new roles have none of them.
        limits = sql.SQL(_MAY_NOTHING if superuser else "LOGIN")
        may_create = sql.SQL("CREATEDB" if databases else "NOCREATEDB")
        connection.execute(sql.SQL("ALTER ROLE {} {} {}").format(role, limits, may_create))
        if password:
            scram = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(scram.decode())))
        if not superuser:
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
    for setting, value in APP_SETTINGS.items():
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(
                sql.Identifier(APP), sql.Identifier(setting), sql.Literal(value)
            )
        )


def create_database(connection: psycopg.Connection, name: str, *, template: str | None = None) -> bool:
    """Make the owner's database `name`, a copy of `template` if that is given; false if it is there already.

    A copy has the template's tables and rights, but not its door: `open_database` or `close_door` follows.
    """
    if _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", name):
        return False
    statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template or "template0")
    )
    if template is None:
        statement += sql.SQL(" ENCODING 'UTF8'")
        if _knows_ascii_only(connection):
            statement += sql.SQL(" LOCALE 'C.UTF-8'")
    connection.execute(statement)
    return True


def open_database(connection: psycopg.Connection) -> None:
    """Give the database of this connection its extensions and default rights: what the owner makes, the app may use."""
    for extension in EXTENSIONS:
        connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
    app, owner = sql.Identifier(APP), sql.Identifier(OWNER)
    statements: tuple[LiteralString, ...] = (
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "GRANT ALL ON SCHEMA public TO {owner}",
        "GRANT USAGE ON SCHEMA public TO {app}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {app}",
    )
    for statement in statements:
        connection.execute(sql.SQL(statement).format(app=app, owner=owner))
    close_door(connection, connection.info.dbname)


def close_door(connection: psycopg.Connection, name: str) -> None:
    """Only our two roles connect to database `name`, and the application makes no temporary tables there."""
    database = sql.Identifier(name)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(APP)))


def conninfo(entry: Mapping[str, Any]) -> str:
    """The connection string of a Django DATABASES entry; options that are not libpq's own stay out."""
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    options = {name: value for name, value in entry["OPTIONS"].items() if name in known}
    named: dict[str, str] = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    return make_conninfo("", **{name: entry[key] or None for name, key in named.items()}, **options)


@contextlib.contextmanager
def as_owner(alias: str = "default") -> Iterator[BaseDatabaseWrapper]:
    """Inside the block this thread's connection is the owner's; it is closed before and after.

    The database stays the one that the connection points at, so that it works on a test's copy too.
    """
    from django.conf import settings
    from django.db import connections

    connection = connections[alias]
    if connection.in_atomic_block:
        raise RolesError("The owner cannot take over inside a transaction.")
    before = connection.settings_dict
    owner = {key: settings.DATABASE_OWNER[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")}
    connection.close()
    connection.settings_dict = {**before, **owner}
    try:
        yield connection
    finally:
        connection.close()
        connection.settings_dict = before


def _exists(connection: psycopg.Connection, query: LiteralString, name: str) -> bool:
    return connection.execute(query, [name]).fetchone() is not None


def _knows_ascii_only(connection: psycopg.Connection) -> bool:
    return _exists(
        connection,
        "SELECT 1 FROM pg_database WHERE datname = %s AND datlocprovider = 'c' AND datctype IN ('C', 'POSIX')",
        "template0",
    )
