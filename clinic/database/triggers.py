"""The triggers of the audit trail, on whatever history tables there are. What they call: audit.sql."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from django.apps import apps
from django.db.models import Model
from simple_history.models import HistoricalChanges

AUDIT_SQL = Path(__file__).with_name("audit.sql")
ENTRY, SHAPE, SEAL = "clinic_auditentry", "clinic_auditshape", "clinic_seal"
# Facts that are countered, never edited, without being history of a model.
LEDGERS = ("clinic_statuschange",)
KEY = "audit.key"

_SETTINGS = """SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD'
SET intervalstyle = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1"""

_TEXT = """CREATE FUNCTION audit.text_{shape}(h public.{table}) RETURNS text LANGUAGE sql STABLE
PARALLEL SAFE AS $$ SELECT ROW({columns})::text $$"""

_ENTRY_SHAPE = """CREATE OR REPLACE FUNCTION audit.entry_shape() RETURNS integer LANGUAGE sql IMMUTABLE
AS $$ SELECT {shape} $$"""

_ENTRY_TEXT = """CREATE OR REPLACE FUNCTION audit.entry_text(e public.clinic_auditentry) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT audit.text_{shape}(e) $$"""

# A forged row claims what did not happen: a version of nothing, the end of what lives on, somebody else's doing.
_ON_HISTORY = """CREATE OR REPLACE FUNCTION audit.on_{table}() RETURNS trigger LANGUAGE plpgsql {settings} AS $$
DECLARE
    actor jsonb := audit.actor();
    entry bigint;
BEGIN
    IF (NEW.history_type = '-') = EXISTS (SELECT FROM public.{kept} WHERE {pk} = NEW.{pk})
        OR NEW.history_user_id <> (actor ->> 'user')::bigint THEN
        RAISE EXCEPTION '{table} % claims what did not happen', NEW.history_id USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF actor IS NULL AND NEW.history_user_id IS NOT NULL THEN
        actor := jsonb_build_object('kind', 'staff', 'user', NEW.history_user_id);
    END IF;
    entry := audit.record(
        CASE NEW.history_type WHEN '+' THEN 'create' WHEN '-' THEN 'delete' ELSE 'update' END,
        '{model}', NEW.{pk}, {patient}, actor, NEW.history_change_reason, NEW.history_id, {shape},
        audit.text_{shape}(NEW));
    RETURN null;
END $$"""


def history_models() -> list[type[Model]]:
    """The historical model of every model whose versions are kept, in the order of their tables' names."""
    found = [model for model in _historical() if hasattr(model, "history_type")]
    return sorted(found, key=lambda model: model._meta.db_table)


def append_only_tables() -> list[str]:
    """Every table that rows are only ever added to."""
    return sorted({*(model._meta.db_table for model in _historical()), *LEDGERS, ENTRY, SHAPE, SEAL})


def _historical() -> list[type[Model]]:
    return [model for model in apps.get_models() if issubclass(model, HistoricalChanges)]


def install(cursor) -> None:
    """Functions, shapes and triggers as the models are now; what is there already is left alone."""
    columns = _columns(cursor)
    if ENTRY not in columns:
        # An older state of the schema, on the way there.
        return
    cursor.execute(AUDIT_SQL.read_text(encoding="utf-8"))
    entry = _shape(cursor, ENTRY, {"columns": [name for name in columns[ENTRY] if name not in ("digest",)]})
    cursor.execute(_ENTRY_SHAPE.format(shape=entry))
    cursor.execute(_ENTRY_TEXT.format(shape=entry))
    present = _triggers(cursor)
    for table in (*append_only_tables(), KEY):
        if table in columns or table == KEY:
            for name, event in (("append_only", "UPDATE OR DELETE"), ("append_only_all", "TRUNCATE")):
                each = "STATEMENT" if event == "TRUNCATE" else "ROW"
                _trigger(cursor, present, table, name, f"BEFORE {event}", f"FOR EACH {each}", "audit.refuse()")
    for model in history_models():
        table = model._meta.db_table
        if table in columns:
            _follow_history(cursor, model, entry, columns[table])
            _trigger(cursor, present, table, "audit", "AFTER INSERT", "FOR EACH ROW", f"audit.on_{table}()")
    for table, arguments in links():
        if table in columns:
            quoted = ", ".join(f"'{argument}'" for argument in arguments)
            _trigger(
                cursor, present, table, "audit", "AFTER INSERT OR DELETE", "FOR EACH ROW", f"audit.on_link({quoted})"
            )


def links() -> list[tuple[str, tuple[str, ...]]]:
    """Tables whose rows belong to a kept model without being versions of it, with the arguments of audit.on_link()."""
    found = [("clinic_equipmentuse", ("appointment", "appointment_id", "equipment_id", "equipment", "", ""))]
    for model in history_models():
        kept = model.instance_type
        for field in kept._meta.local_many_to_many:
            through = field.remote_field.through
            if not through._meta.auto_created:
                continue
            # A role is known by its name; everything else by its number, as in the other history.
            named = ("auth_group", "name") if field.related_model._meta.label == "auth.Group" else ("", "")
            columns = (
                through._meta.get_field(name).column
                for name in (field.m2m_field_name(), field.m2m_reverse_field_name())
            )
            found.append((through._meta.db_table, (kept._meta.model_name, *columns, field.name, *named)))
    return found


def _follow_history(cursor, model, entry, columns) -> None:
    table, kept = model._meta.db_table, model.instance_type
    shape = _shape(cursor, table, {"entry": entry, "columns": columns})
    cursor.execute(
        _ON_HISTORY.format(
            table=table,
            settings=_SETTINGS,
            model=kept._meta.model_name,
            kept=kept._meta.db_table,
            pk=kept._meta.pk.column,
            patient=_patient(kept, columns),
            shape=shape,
        )
    )


def _patient(kept, columns) -> str:
    if kept._meta.label == "clinic.Patient":
        return f"NEW.{kept._meta.pk.column}"
    if "patient_id" in columns:
        return "NEW.patient_id"
    if "appointment_id" in columns:
        return "(SELECT a.patient_id FROM public.clinic_appointment a WHERE a.id = NEW.appointment_id)"
    return "null"


def _shape(cursor, table, content) -> int:
    """The number under which digests over these columns are kept. Former numbers stay: their digests do."""
    cursor.execute(f'SELECT id, columns FROM {SHAPE} WHERE "table" = %s ORDER BY id DESC LIMIT 1', [table])
    newest = cursor.fetchone()
    if newest and (json.loads(newest[1]) if isinstance(newest[1], str) else newest[1]) == content:
        return newest[0]
    cursor.execute(f'INSERT INTO {SHAPE} ("table", columns) VALUES (%s, %s) RETURNING id', [table, json.dumps(content)])
    shape = cursor.fetchone()[0]
    named = ", ".join(f'h."{column}"' for column in content["columns"])
    cursor.execute(_TEXT.format(shape=shape, table=table, columns=named))
    return shape


def _columns(cursor) -> dict[str, list[str]]:
    """Every ordinary table of ours with its columns, in their order."""
    cursor.execute(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY c.relname, a.attnum"
    )
    found = defaultdict(list)
    for table, column in cursor.fetchall():
        found[table].append(column)
    return found


def _triggers(cursor) -> set[tuple[str, str]]:
    """Those that fire always: (table, name)."""
    cursor.execute(
        "SELECT CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END, t.tgname"
        " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE NOT t.tgisinternal AND t.tgenabled = 'A'"
    )
    return set(cursor.fetchall())


def _trigger(cursor, present, table, name, when, each, function) -> None:
    # Left alone where it is there: making it again would lock the table under a running clinic.
    if (table, name) in present:
        return
    cursor.execute(f"CREATE OR REPLACE TRIGGER {name} {when} ON {table} {each} EXECUTE FUNCTION {function}")
    # Always: also when the server replays rows as a replica, which is how a superuser would slip past.
    cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
