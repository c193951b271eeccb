"""Tells PostgreSQL who acts, where the audit triggers read it: before a statement, as soon as that changes.

And knows a connection that died, waits for a server that restarts, and says when a commit's fate is unknown.
"""

import re
import select
import time
from contextlib import contextmanager

import psycopg
from django.db import InterfaceError, OperationalError
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg.pq import PGconn, Ping, TransactionStatus

from clinic import actor
from clinic.database import conflicts, roles

_SET = "SELECT set_config('camerino.actor', %s, true)"
# What may fire a trigger. Outside a transaction nothing else is wrapped into one: some commands refuse that.
# A WITH may be either; the words are looked for, and a read that only mentions one costs a transaction.
_WRITES = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|MERGE|COPY|CALL|DO|WITH\b.*\b(INSERT|UPDATE|DELETE|MERGE))\b", re.IGNORECASE | re.DOTALL
)
# After a savepoint was rolled back the setting is what it was before it: somebody, told or not.
_UNKNOWN = object()


class _Telling:
    """A cursor whose statements run as the doing of whoever acts now."""

    def _execute(self, sql, params, *ignored):
        if self.db.knows_actor():
            return super()._execute(sql, params, *ignored)
        with self.db.telling_actor(sql):
            return super()._execute(sql, params, *ignored)

    def _executemany(self, sql, param_list, *ignored):
        with self.db.telling_actor(sql):
            return super()._executemany(sql, param_list, *ignored)

    def callproc(self, procname, params=None, kparams=None):
        with self.db.telling_actor("CALL"):
            return super().callproc(procname, params, kparams)

    @contextmanager
    def copy(self, statement, *params, **options):
        with self.db.telling_actor(statement), self.cursor.copy(statement, *params, **options) as copy:
            yield copy


class _Cursor(_Telling, CursorWrapper):
    pass


class _DebugCursor(_Telling, base.CursorDebugWrapper):
    pass


class _Prepared(base.ServerBindingCursor):
    def execute(self, query, params=None):
        return super().execute(query, params, prepare=True)

    def _convert_query(self, query, params=None):
        # Where Django's log of queries looks; psycopg itself notes only what it did not prepare.
        self._query = super()._convert_query(query, params)
        return self._query


class DatabaseWrapper(base.DatabaseWrapper):
    """`camerino.actor` is always local to a transaction: it cannot leak through a pool to the next request."""

    # What the current transaction was told; outside one nobody is.
    _told: object = None
    # Seconds that a restarting server is waited for; and whether somebody of this process did so in vain. Then nobody
    # else waits until one gets through: all threads asleep would be no web server.
    patience = 3.0
    given_up = False

    def make_cursor(self, cursor):
        return _Cursor(cursor, self)

    def make_debug_cursor(self, cursor):
        return _DebugCursor(cursor, self)

    def prepared_cursor(self):
        """A cursor for statements that are worth planning once per connection. Parameters of one type each, please:
        another type is another statement."""
        self.ensure_connection()
        return self._prepare_cursor(_Prepared(self.connection))

    def knows_actor(self) -> bool:
        return actor.current() is self._told

    @contextmanager
    def telling_actor(self, sql):
        """Run the block as the current actor's doing: told once per transaction, or in one of its own."""
        current = actor.current()
        if not self.autocommit:
            # A broken transaction takes no word more: the statement itself says so.
            if current != self._told and self.connection.info.transaction_status != TransactionStatus.INERROR:
                self._tell(current)
                self._told = current
            yield
        elif current is not None and _WRITES.match(sql if isinstance(sql, str) else sql.as_string(self.connection)):
            with self.wrap_database_errors, self.connection.transaction():
                self._tell(current)
                yield
        else:
            yield

    def _tell(self, current):
        # Not through Django's cursor: this is plumbing and belongs in no query count.
        with self.wrap_database_errors, self.connection.cursor() as cursor:
            cursor.execute(_SET, [current.as_json() if current else ""])

    def connect(self):
        self._told = None
        super().connect()

    def get_new_connection(self, conn_params):
        until = time.monotonic() + self.patience
        refused = False
        while True:
            try:
                connection = super().get_new_connection(conn_params)
            except psycopg.OperationalError as error:
                if PGconn.ping(roles.conninfo(self.settings_dict).encode()) == Ping.OK:
                    # It is there: a wrong password stays wrong. The first time it may have come back just now.
                    if refused:
                        raise
                    refused = True
                elif DatabaseWrapper.given_up or time.monotonic() > until:
                    DatabaseWrapper.given_up = True
                    raise conflicts.UnreachableError(str(error)) from error
                else:
                    time.sleep(0.1)
            else:
                DatabaseWrapper.given_up = False
                return connection

    def is_usable(self):
        """Without a question to the server where nothing speaks against it: asked before every request."""
        if self.connection is None or self.connection.closed:
            return False
        idle = self.connection.info.transaction_status == TransactionStatus.IDLE
        if idle and not self.errors_occurred and not _has_news(self.connection):
            return True
        return super().is_usable()

    def set_autocommit(self, autocommit, force_begin_transaction_with_broken_autocommit=False):
        super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
        self._told = None

    def _commit(self):
        try:
            super()._commit()
        except (OperationalError, InterfaceError) as error:
            if self.connection is not None and self.connection.closed:
                raise conflicts.CommitUnknownError(str(error)) from error.__cause__
            raise
        self._told = None

    def _rollback(self):
        # Also when the connection is lost: the next one knows nobody.
        self._told = None
        return super()._rollback()

    def _savepoint_rollback(self, sid):
        super()._savepoint_rollback(sid)
        # What was set inside the savepoint is undone with it.
        self._told = _UNKNOWN


def _has_news(connection) -> bool:
    """Nothing was asked, and there is something to read: mostly the end of a connection that the server closed."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
