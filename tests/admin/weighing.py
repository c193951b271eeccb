"""What a page costs: its statements, and for each the plan that PostgreSQL really ran. Walks whatever is registered."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import admin
from django.contrib.admin.templatetags.admin_list import result_headers
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.http import urlencode


@dataclass
class Weight:
    """One answer: how many statements, and the most rows that one of them read, from tables and indexes alike."""

    url: str
    status: int
    statements: int
    body: str
    context: object = None
    rows: int = 0
    heaviest: str = ""


def weigh(client, url: str) -> Weight:
    """Ask for the page, then explain each of its statements as it ran."""
    with transaction.atomic():
        with CaptureQueriesContext(connection) as captured:
            response = client.get(url)
        asked = [one["sql"] for one in captured if "SAVEPOINT" not in one["sql"]]
        found = Weight(url, response.status_code, len(asked), response.content.decode(), response.context)
        for statement in asked:
            # A prepared one does not tell what it was asked; those behind free times have measurements of their own.
            if "$1" in statement:
                continue
            if re.match(r"\s*\(?\s*(SELECT|WITH)\b", statement, re.IGNORECASE) and "audit_note" not in statement:
                rows = _rows_read(statement)
                if rows > found.rows:
                    found.rows, found.heaviest = rows, statement
        transaction.set_rollback(True)
    return found


def _rows_read(statement) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.replace('%', '%%')}", [])
        plan = cursor.fetchone()[0]
    root = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return max((_touched(node) for node in _nodes(root) if "Scan" in node["Node Type"]), default=0)


def _touched(node) -> int:
    """What a scan looked at, also in vain."""
    names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return round(sum(node.get(name, 0) for name in names) * node["Actual Loops"])


def _nodes(node) -> Iterator[dict]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def lists(client, model, words) -> Iterator[str]:
    """The list of a model, and every way in which its page lets somebody turn, sort, search, filter and narrow it."""
    base = reverse(f"admin:clinic_{model._meta.model_name}_changelist")
    response = client.get(base)
    if response.status_code == 302:
        # A model of one row shows that row.
        return
    changes = response.context["cl"]
    yield base
    yield from (f"{base}?{urlencode({'p': page})}" for page in (2, "last"))
    for number, header in enumerate(result_headers(changes)):
        if header["sortable"]:
            yield from (f"{base}?{urlencode({'o': f'{direction}{number}'})}" for direction in ("", "-"))
    if changes.search_fields:
        yield from (f"{base}?{urlencode({'q': word})}" for word in words)
    for spec in changes.filter_specs:
        for asked in _choices(spec):
            yield f"{base}?{urlencode(asked)}"
            yield f"{base}?{urlencode({**asked, 'p': 'last'})}"
    yield from _narrowed(base, changes)


def _choices(spec) -> Iterator[dict]:
    names = spec.expected_parameters()
    if any(name.endswith("_from") for name in names):
        first, last = names
        for since, until in (("2025-03-03", "2025-03-03"), ("2020-01-01", ""), ("", "2025-01-01"), ("2090-01-01", "")):
            yield {first: since, last: until}
        return
    model = getattr(getattr(spec, "field", None), "related_model", None)
    if model is not None:
        rows = model._default_manager.order_by("pk")
        yield from ({names[0]: row.pk} for row in (rows.first(), rows.last()) if row is not None)
        return
    offered = getattr(spec, "lookup_choices", None) or []
    values = [choice[0] for choice in offered if choice[0] not in (None, "")]
    column = getattr(spec, "field", None)
    if not values and column is not None:
        values = [choice[0] for choice in column.flatchoices] or ["1", "0"]
    yield from ({names[0]: value} for value in values)


def _narrowed(base, changes) -> Iterator[str]:
    if changes.date_hierarchy:
        name = changes.date_hierarchy
        for parts in ({}, {"month": 3}, {"month": 3, "day": 4}):
            yield f"{base}?{urlencode({f'{name}__{part}': n for part, n in ({'year': 2025} | parts).items()})}"


def records(model) -> Iterator[str]:
    """Pages of the first and the last record, and the empty form."""
    name = f"admin:clinic_{model._meta.model_name}"
    rows = model._default_manager.order_by("pk").values_list("pk", flat=True)
    for key in dict.fromkeys((rows.first(), rows.last())):
        if key is not None:
            yield reverse(f"{name}_change", args=[key])
            if hasattr(model, "history"):
                yield reverse(f"{name}_history", args=[key])
    screen = admin.site._registry[model]
    if "add" in screen.verbs or model._meta.model_name == "appointment":
        yield reverse(f"{name}_add")


def options(body: str) -> int:
    """The most choices that any select of the page spells out."""
    found = re.findall(r"<select\b.*?</select>", body, re.DOTALL)
    return max((select.count("<option") for select in found), default=0)
