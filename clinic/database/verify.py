"""Proves the audit trail: every hash, every seal, and that each history row has its entry. As the owner, who alone may
read the key; in set-based SQL, under one snapshot. Reports, never repairs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from clinic.database.triggers import ENTRY, SEAL, history_models

# What the digests were taken under: see _SETTINGS in triggers.py.
_AS_WRITTEN = """SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres';
SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL work_mem = '128MB'"""

_OWN = "substr(e.digest, 1, 32)"
_ROW = "substr(e.digest, 33)"
_ENTRY_HOLDS = f"audit.mac(audit.secret(), convert_to(audit.text_{{entry}}(e), 'UTF8') || {_ROW}) = {_OWN}"
_ROW_HOLDS = f"audit.mac(audit.secret(), convert_to(audit.text_{{shape}}(h), 'UTF8')) = {_ROW}"

_CHANGES = f"""
SELECT count(*), count(h.history_id),
       min(e.id) FILTER (WHERE NOT {_ENTRY_HOLDS}),
       min(e.id) FILTER (WHERE h.history_id IS NOT NULL AND NOT {_ROW_HOLDS}),
       min(e.id) FILTER (WHERE h.history_id IS NULL)
FROM clinic_auditentry e LEFT JOIN {{table}} h ON h.history_id = e.history_id WHERE e.shape = %s"""

_NOTES = f"""
SELECT count(*), min(e.id) FILTER (WHERE NOT {_ENTRY_HOLDS} OR octet_length(e.digest) <> 32)
FROM clinic_auditentry e WHERE e.shape = %s"""

# min() and not LIMIT 1, here and below: the latter tempts the planner into a loop over a million rows.
_WITHOUT_ENTRY = """
SELECT min(h.history_id) FROM {table} h
WHERE NOT EXISTS (SELECT 1 FROM clinic_auditentry e WHERE e.history_id = h.history_id AND e.shape = ANY (%s))"""

# A column of seals that anybody with a hand on it may have filled with anything.
_IDS = """CASE WHEN encode(s.entries, 'escape') ~ '^\\{(\\[[0-9]{1,18},[0-9]{1,18}\\),?)+\\}$'
THEN convert_from(s.entries, 'UTF8')::int8multirange ELSE '{}'::int8multirange END"""

_SEALS = f"""
SELECT s.id, s.at, s.n, found.n, audit.root(audit.secret(), s, found.digests) = s.root,
       s.previous = coalesce(lag(s.root) OVER chain, ''), s.id = row_number() OVER chain, encode(s.root, 'hex')
FROM clinic_seal s CROSS JOIN LATERAL (
    SELECT count(*) AS n, coalesce(string_agg(e.digest, '' ORDER BY e.id), '') AS digests
    FROM unnest({_IDS}) AS r JOIN clinic_auditentry e ON e.id >= lower(r) AND e.id < upper(r)
) AS found
WINDOW chain AS (ORDER BY s.id) ORDER BY s.id"""

_GONE = f"""
SELECT gone.id FROM clinic_seal s, unnest({_IDS}) AS r, generate_series(lower(r), upper(r) - 1) AS gone(id)
WHERE s.id = %s AND NOT EXISTS (SELECT 1 FROM clinic_auditentry e WHERE e.id = gone.id) ORDER BY gone.id LIMIT 1"""

_OUTSIDE = f"""
WITH sealed AS (SELECT coalesce(range_agg(r), '{{}}') AS ids FROM clinic_seal s, unnest({_IDS}) AS r),
gaps AS (SELECT unnest('{{(,)}}'::int8multirange - ids) AS gap FROM sealed)
SELECT min(e.id) FROM gaps JOIN clinic_auditentry e
  ON e.id >= coalesce(lower(gap), 0) AND e.id < coalesce(upper(gap), 9223372036854775807)
WHERE NOT EXISTS (SELECT 1 FROM audit.unsealed u WHERE u.entry = e.id)"""

_VANISHED = """
SELECT min(u.entry) FROM audit.unsealed u
WHERE NOT EXISTS (SELECT 1 FROM clinic_auditentry e WHERE e.id = u.entry)"""


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is not as it was written: when that was, in which table and row, and what is wrong."""

    at: datetime
    table: str
    row: int
    problem: str

    def __str__(self):
        return f"{self.table} {self.row} ({self.at:%Y-%m-%d %H:%M:%S} UTC): {self.problem}"


@dataclass
class Proof:
    """What was looked at, and what was found; the first of each kind per table, in the order of writing."""

    entries: int = 0
    rows: int = 0
    seals: int = 0
    root: str = ""
    findings: list[Finding] = field(default_factory=list)


def verify(anchor: str = "") -> Proof:
    """Check everything. `anchor` is a root noted elsewhere earlier: the chain must still pass through it, or its end
    was cut off. Needs the owner's connection, outside a transaction."""
    proof = Proof()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(_AS_WRITTEN)
        shapes = _shapes(cursor)
        for model in history_models():
            _check_history(cursor, proof, model._meta.db_table, shapes)
        _check_notes(cursor, proof, shapes)
        _check_seals(cursor, proof, anchor)
        _check_membership(cursor, proof)
    proof.findings.sort()
    return proof


def _shapes(cursor) -> dict[str, dict[int, dict]]:
    cursor.execute('SELECT "table", id, columns FROM clinic_auditshape ORDER BY id')
    found: dict[str, dict[int, dict]] = {}
    for table, shape, columns in cursor.fetchall():
        found.setdefault(table, {})[shape] = json.loads(columns) if isinstance(columns, str) else columns
    return found


def _check_history(cursor, proof, table, shapes) -> None:
    ours = shapes.get(table, {})
    for shape, content in ours.items():
        if gone := _dropped(cursor, table, content["columns"]):
            # Nothing can be proved without them: a migration may neither drop nor rename a column of history.
            problem = f"column {gone} is gone, so the digests over it cannot be checked"
            proof.findings.append(Finding(_entry_at(cursor, None), "clinic_auditshape", shape, problem))
            continue
        cursor.execute(_CHANGES.format(table=table, shape=shape, entry=content["entry"]), [shape])
        entries, rows, changed_entry, changed_row, without_row = cursor.fetchone()
        proof.entries += entries
        proof.rows += rows
        if changed_entry:
            _found_entry(cursor, proof, changed_entry, "changed, moved or forged after it was written")
        if changed_row:
            at, row = _entry(cursor, changed_row)
            proof.findings.append(Finding(at, table, row, f"changed after it was written (audit entry {changed_row})"))
        if without_row:
            at, row = _entry(cursor, without_row)
            proof.findings.append(Finding(at, table, row, f"deleted (audit entry {without_row} is there)"))
    cursor.execute(_WITHOUT_ENTRY.format(table=table), [list(ours)])
    if row := cursor.fetchone()[0]:
        cursor.execute(f"SELECT history_date FROM {table} WHERE history_id = %s", [row])
        problem = "no audit entry: its entry was deleted, or the row is forged"
        proof.findings.append(Finding(cursor.fetchone()[0], table, row, problem))


def _check_notes(cursor, proof, shapes) -> None:
    for shape in shapes.get(ENTRY, {}):
        cursor.execute(_NOTES.format(entry=shape), [shape])
        entries, changed = cursor.fetchone()
        proof.entries += entries
        if changed:
            _found_entry(cursor, proof, changed, "changed, moved or forged after it was written")
    known = [shape for table in shapes.values() for shape in table]
    cursor.execute("SELECT min(id) FROM clinic_auditentry WHERE shape IS NULL OR NOT shape = ANY (%s)", [known])
    if unknown := cursor.fetchone()[0]:
        _found_entry(cursor, proof, unknown, "forged: the trail writes no such entries")


def _check_seals(cursor, proof, anchor) -> None:
    cursor.execute(_SEALS)
    seals = cursor.fetchall()
    proof.seals, proof.root = len(seals), seals[-1][-1] if seals else ""
    for seal, at, n, present, root_holds, linked, numbered, _root in seals:
        if present != n:
            cursor.execute(_GONE, [seal])
            if gone := cursor.fetchone():
                proof.findings.append(Finding(at, ENTRY, gone[0], f"deleted (seal {seal} names it)"))
                break
        if not numbered:
            proof.findings.append(Finding(at, SEAL, seal, "the seal before it was deleted"))
            break
        if not (root_holds and linked):
            problem = "its root does not match: the seal, or the entries under it, were changed or reordered"
            proof.findings.append(Finding(at, SEAL, seal, problem))
            break
    if anchor and anchor not in [root for *_rest, root in seals]:
        at = seals[-1][1] if seals else _entry_at(cursor, None)
        proof.findings.append(Finding(at, SEAL, len(seals), "the chain does not pass the given root: its end is gone"))


def _check_membership(cursor, proof) -> None:
    cursor.execute(_OUTSIDE)
    if row := cursor.fetchone()[0]:
        _found_entry(cursor, proof, row, "under no seal and not waiting for one: forged, or a seal is gone")
    cursor.execute(_VANISHED)
    if row := cursor.fetchone()[0]:
        proof.findings.append(Finding(_entry_at(cursor, row), ENTRY, row, "deleted before it was sealed"))


def _dropped(cursor, table, columns) -> str:
    cursor.execute(
        "SELECT name FROM unnest(%s::text[]) AS name WHERE NOT EXISTS (SELECT 1 FROM pg_attribute a"
        " WHERE a.attrelid = %s::regclass AND a.attname = name AND NOT a.attisdropped)",
        [columns, f"public.{table}"],
    )
    return ", ".join(name for (name,) in cursor.fetchall())


def _entry(cursor, entry) -> tuple[datetime, int]:
    cursor.execute("SELECT at, history_id FROM clinic_auditentry WHERE id = %s", [entry])
    return cursor.fetchone()


def _entry_at(cursor, entry) -> datetime:
    """When an entry that is gone was written, nearly: as its neighbour before it."""
    cursor.execute("SELECT coalesce(max(at), now()) FROM clinic_auditentry WHERE id < %s", [entry])
    return cursor.fetchone()[0]


def _found_entry(cursor, proof, entry, problem) -> None:
    at, _row = _entry(cursor, entry)
    proof.findings.append(Finding(at, ENTRY, entry, problem))
