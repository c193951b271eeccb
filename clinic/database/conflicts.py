"""Which database errors mean "try again", which that it is away, and which constraint a refusal came from."""

from __future__ import annotations

import functools
import random
import time

from django.db import InterfaceError, OperationalError, connection
from django.utils.translation import gettext as _

from clinic.exceptions import RuleBroken

SERIALISATION, DEADLOCK, LOCK_TIMEOUT = "40001", "40P01", "55P03"
CONTENTION = (SERIALISATION, DEADLOCK, LOCK_TIMEOUT)
EXCLUSION = "23P01"
# Shut down, crashed beside us, starting up.
AWAY = ("57P01", "57P02", "57P03")
BUSY = "busy"
_TRIES = 5


class UnreachableError(OperationalError):
    """No connection could be opened, though the server was waited for: trying again at once would wait again."""


class CommitUnknownError(OperationalError):
    """The connection broke while a transaction committed: it may be kept or lost, and only who asked can find out."""


def sqlstate(error: BaseException) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""


def constraint(error: BaseException) -> str:
    """The name of the constraint that refused, or an empty text."""
    diag = getattr(error.__cause__, "diag", None)
    return getattr(diag, "constraint_name", None) or ""


def lost(error: BaseException) -> bool:
    """Is this the end of a connection, or none to be had? Inside a transaction all is lost with it."""
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    state = sqlstate(error)
    # libpq knows no SQL state where no server speaks any more.
    return state.startswith("08") or state in (*AWAY, "")


def _worth_another_try(error: BaseException) -> bool:
    if isinstance(error, (UnreachableError, CommitUnknownError)):
        return False
    return sqlstate(error) in CONTENTION or lost(error)


def retried(function):
    """Run again after a serialisation failure, a deadlock, a lock time-out or a lost connection; nothing else.

    Never when the connection broke while committing: done twice is worse than not answered (CommitUnknownError).
    Inside a caller's transaction there is no second try: its earlier statements would be gone or its locks kept; the
    caller tries again. What contention refuses for good is a refusal to people, not an error.
    """

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        for turn in range(_TRIES):
            try:
                return function(*args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                if connection.in_atomic_block or not _worth_another_try(error):
                    raise
                if turn == _TRIES - 1:
                    if sqlstate(error) in CONTENTION:
                        raise RuleBroken(BUSY, _("Too many people are booking right now. Please try again.")) from error
                    raise
                connection.close_if_unusable_or_obsolete()
                time.sleep(random.uniform(0.5, 1.5) * 0.05 * 2**turn)  # noqa: S311  (jitter, not a secret)
        raise AssertionError("unreachable")

    return wrapper
