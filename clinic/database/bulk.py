"""Writes in bulk: rows by COPY, each with its first version, as the application's role and through every constraint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models import Model


def reserve(model: type[Model], count: int) -> int:
    """The first of `count` consecutive keys, taken from the table's own sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(key), max(key) FROM (SELECT nextval(pg_get_serial_sequence(%s, 'id')) AS key"
            " FROM generate_series(1, %s)) AS drawn",
            [model._meta.db_table, count],
        )
        first, last = cursor.fetchone()
    if last - first + 1 != count:
        raise RuntimeError(f"Somebody else writes to {model._meta.db_table}.")
    return first


def copy(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Insert `rows`, whose values stand in the order of `columns`; the database fills in the other columns."""
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        # References are checked with each COPY: put off to the commit, a note of each would stay in memory.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as stream:
            for row in rows:
                stream.write_row(row)


def first_versions(model: type[Model], first: int, last: int) -> None:
    """The history rows "created" of the rows with these keys, by nobody of the staff."""
    history = model.history.model  # type: ignore[attr-defined]
    names = ", ".join(f'"{field.column}"' for field in history.tracked_fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{history._meta.db_table}" ({names}, history_date, history_type)'
            f" SELECT {names}, clock_timestamp(), '+' FROM \"{model._meta.db_table}\""
            " WHERE id BETWEEN %s AND %s ORDER BY id",
            [first, last],
        )
