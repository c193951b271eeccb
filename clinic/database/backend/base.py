"""Mirrors the acting person into the transaction, where the audit triggers read it."""

from django.db.backends.postgresql import base

from clinic import actor

_SET = "SELECT set_config('camerino.actor', %s, true)"


class DatabaseWrapper(base.DatabaseWrapper):
    """`camerino.actor` is local to the transaction: it cannot leak through the pool to the next request."""

    _mirrored: actor.Actor | None = None

    def _mirror(self):
        current = actor.current()
        if current == self._mirrored:
            return
        # Not through Django's cursor: this is plumbing and belongs in no query count.
        with self.wrap_database_errors, self.connection.cursor() as cursor:
            cursor.execute(_SET, [current.as_json() if current else ""])
        self._mirrored = current

    def set_autocommit(self, autocommit, force_begin_transaction_with_broken_autocommit=False):
        super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
        self._mirrored = None
        if not autocommit:
            self._mirror()

    def _savepoint(self, sid):
        super()._savepoint(sid)
        self._mirror()

    def _savepoint_rollback(self, sid):
        super()._savepoint_rollback(sid)
        # What was set inside the savepoint is undone with it.
        self._mirrored = None

    def _rollback(self):
        self._mirrored = None
        return super()._rollback()

    def connect(self):
        self._mirrored = None
        super().connect()
