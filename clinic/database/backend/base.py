"""Tells PostgreSQL who acts, where the audit triggers read it: before a statement, as soon as that changes."""

import re
from contextlib import contextmanager

from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg.pq import TransactionStatus

from clinic import actor

_SET = "SELECT set_config('camerino.actor', %s, true)"
# What may fire a trigger. Outside a transaction nothing else is wrapped into one: some commands refuse that.
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|MERGE|WITH|COPY|CALL|DO)\b", re.IGNORECASE)
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


class DatabaseWrapper(base.DatabaseWrapper):
    """`camerino.actor` is always local to a transaction: it cannot leak through a pool to the next request."""

    # What the current transaction was told; outside one nobody is.
    _told: object = None

    def make_cursor(self, cursor):
        return _Cursor(cursor, self)

    def make_debug_cursor(self, cursor):
        return _DebugCursor(cursor, self)

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

    def set_autocommit(self, autocommit, force_begin_transaction_with_broken_autocommit=False):
        super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
        self._told = None

    def _commit(self):
        super()._commit()
        self._told = None

    def _rollback(self):
        # Also when the connection is lost: the next one knows nobody.
        self._told = None
        return super()._rollback()

    def _savepoint_rollback(self, sid):
        super()._savepoint_rollback(sid)
        # What was set inside the savepoint is undone with it.
        self._told = _UNKNOWN
