"""Advisory locks on what becomes scarce. Held until the transaction ends, so they outlast every inner block."""

import hashlib

from django.db import connection

# Kinds in lock order. A key is kind * 2^48 + id: ids never reach another kind's numbers.
REQUEST, PRACTITIONER, ROOM, EQUIPMENT, PATIENT, SERVICE, LOCATION = range(1, 8)


def key(kind: int, number: int) -> int:
    return (kind << 48) + number


def key_of_text(kind: int, text: str) -> int:
    digest = hashlib.sha256(text.encode()).digest()
    return key(kind, int.from_bytes(digest[:6], "big"))


def take(keys, *, shared=()) -> None:
    """Lock all keys in ascending order, waiting at most the role's lock_timeout. Wants a transaction.

    Holders of `shared` keys do not wait for each other, only for who takes the same key alone; nobody who holds such
    a key alone may wait for another.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(pg_advisory_xact_lock(k)) FROM unnest(%s::bigint[]) AS k),"
            " (SELECT count(pg_advisory_xact_lock_shared(k)) FROM unnest(%s::bigint[]) AS k)",
            [sorted(set(keys)), sorted(set(shared))],
        )
