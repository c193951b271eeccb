"""`manage.py db`: the database server and its roles, for the person who runs the clinic's machine."""

import os

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clinic.database import backup, embedded, roles


class Command(BaseCommand):
    help = "Start, stop and ask after the embedded PostgreSQL; make the two roles on any PostgreSQL."
    requires_system_checks = []

    def add_arguments(self, parser):
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="start|stop|status|shell|roles")
        verbs.add_parser("start", help="start the embedded server; it stays until `db stop`")
        verbs.add_parser("stop", help="stop the embedded server")
        verbs.add_parser("status", help="say whether the embedded server runs")
        shell = verbs.add_parser("shell", help="open psql as the application")
        shell.add_argument("--owner", action="store_true", help="as the owner, who may change tables")
        make = verbs.add_parser("roles", help="make roles, database and extensions; may be repeated")
        make.add_argument("--createdb", action="store_true", help="let the owner make databases, which tests need")

    def handle(self, *args, verb, **options):
        try:
            getattr(self, verb)(**options)
        except (embedded.ServerError, roles.RolesError, backup.BackupError, psycopg.Error) as error:
            raise CommandError(str(error).strip()) from error

    def start(self, **options):
        server = _server()
        started = server.start()
        roles.prepare(server.dsn(), createdb=True)
        self.stdout.write(f"{'Started' if started else 'Runs already'}: {server.socket_dir}")

    def stop(self, **options):
        self.stdout.write("Stopped." if _server().stop() else "It was not running.")

    def status(self, **options):
        server = _server()
        pid = server.pid()
        self.stdout.write(f"{server.status()}{f', process {pid}' if pid else ''}, {server.folder}")

    def shell(self, *, owner, **options):
        entry = settings.DATABASE_OWNER if owner else settings.DATABASES["default"]
        conninfo = roles.conninfo(entry)
        psql = backup.program("psql", conninfo, settings.EMBEDDED_SERVER)
        os.execve(psql, [psql], backup.libpq(conninfo))  # noqa: S606  # becomes psql: the terminal is its own now

    def roles(self, *, createdb, **options):
        application, owner = settings.DATABASES["default"], settings.DATABASE_OWNER
        server = settings.EMBEDDED_SERVER
        admin = server.dsn() if server else os.environ.get("DATABASE_ADMIN_URL")
        if not admin:
            raise CommandError("DATABASE_ADMIN_URL is missing: the URL of a role that may make roles and databases.")
        named = {application["USER"], owner["USER"]}
        if named != {roles.APP, roles.OWNER}:
            raise CommandError(
                f"DATABASE_URL must sign in as {roles.APP} and DATABASE_OWNER_URL as {roles.OWNER}, "
                f"so that the application cannot change its own tables."
            )
        roles.prepare(
            admin,
            database=application["NAME"],
            owner_password=owner["PASSWORD"],
            app_password=application["PASSWORD"],
            createdb=createdb or server is not None,
        )
        self.stdout.write(f"Ready: roles {roles.OWNER} and {roles.APP}, database {application['NAME']}.")


def _server() -> embedded.Server:
    if settings.EMBEDDED_SERVER is None:
        raise CommandError("DATABASE_URL is set: that server is not ours to start or stop.")
    return settings.EMBEDDED_SERVER
