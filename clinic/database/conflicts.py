"""Which database errors mean "try again", and which constraint a refusal came from."""

from __future__ import annotations

import functools
import random
import time

from django.db import InterfaceError, OperationalError, connection

SERIALISATION, DEADLOCK, LOCK_TIMEOUT = "40001", "40P01", "55P03"
EXCLUSION = "23P01"
_TRIES = 5


def sqlstate(error: BaseException) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""


def constraint(error: BaseException) -> str:
    """The name of the constraint that refused, or an empty text."""
    diag = getattr(error.__cause__, "diag", None)
    return getattr(diag, "constraint_name", None) or ""


def _worth_another_try(error: BaseException) -> bool:
    state = sqlstate(error)
    if state in (SERIALISATION, DEADLOCK, LOCK_TIMEOUT):
        return True
    # A lost connection carries no SQL state of the statement; inside a transaction all is lost with it.
    return isinstance(error, InterfaceError) or state.startswith("08") or state in ("57P01", "57P02", "57P03", "")


def retried(function):
    """Run again after a serialisation failure, a deadlock, a lock time-out or a lost connection; nothing else.

    Inside a caller's transaction there is no second try: its earlier statements would be gone or its locks kept.
    """

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        for turn in range(_TRIES):
            try:
                return function(*args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                if connection.in_atomic_block or turn == _TRIES - 1 or not _worth_another_try(error):
                    raise
                connection.close_if_unusable_or_obsolete()
                time.sleep(random.uniform(0.5, 1.5) * 0.05 * 2**turn)  # noqa: S311  (jitter, not a secret)
        raise AssertionError("unreachable")

    return wrapper
