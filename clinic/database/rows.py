"""Rows of several tables in one statement, for the path that everybody waits on; elsewhere a query each reads well."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from django.db import connection
from django.db.models import Model


def read_together(wanted: Sequence[tuple[type[Model], int]]) -> list[Model | None]:
    """The rows with these keys, in their order; None where there is none."""
    models = tuple(model for model, _key in wanted)
    with connection.prepared_cursor() as cursor:
        cursor.execute(_statement(models), [key for _model, key in wanted])
        row = cursor.fetchone()
    found: list[Model | None] = []
    for model in models:
        names, converters = _columns(model)
        values, row = list(row[: len(names)]), row[len(names) :]
        for place, field, convert in converters:
            values[place] = convert(values[place], field, connection)
        # The key comes first; an outer join leaves it empty where nothing was found.
        found.append(None if values[0] is None else model.from_db(connection.alias, names, values))
    return found


@cache
def _statement(models: tuple[type[Model], ...]) -> str:
    columns, joins = [], []
    for number, model in enumerate(models):
        columns += [f't{number}."{field.column}"' for field in model._meta.concrete_fields]
        joins.append(f'LEFT JOIN "{model._meta.db_table}" t{number} ON t{number}.id = %s::bigint')
    return f"SELECT {', '.join(columns)} FROM (VALUES (1)) one {' '.join(joins)}"


@cache
def _columns(model: type[Model]) -> tuple[list[str], list]:
    """Attribute names, and what turns a stored value into a field's own."""
    fields = model._meta.concrete_fields
    converters = [
        (place, field.get_col(model._meta.db_table), convert)
        for place, field in enumerate(fields)
        for convert in [
            *connection.ops.get_db_converters(field.get_col(model._meta.db_table)),
            *field.get_db_converters(connection),
        ]
    ]
    return [field.attname for field in fields], converters
