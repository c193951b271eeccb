"""What the application's role may do with each table. Written anew after every migrate; the roles: roles.py."""

from __future__ import annotations

from clinic.database import roles, triggers

READ_ONLY = {triggers.ENTRY, triggers.SHAPE, triggers.SEAL, "django_migrations"}


def install(cursor) -> None:
    """Idempotent. Functions in public may be called, those in other schemas not; nothing is anybody else's."""
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [roles.APP])
    if cursor.fetchone() is None:
        return
    added_to = set(triggers.append_only_tables()) - READ_ONLY
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND relowner = current_user::regrole ORDER BY relname"
    )
    for (table,) in cursor.fetchall():
        cursor.execute(f'REVOKE ALL ON TABLE "{table}" FROM PUBLIC, {roles.APP}')
        cursor.execute(f'GRANT {_rights(table, added_to)} ON TABLE "{table}" TO {roles.APP}')
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'"
        " AND relowner = current_user::regrole ORDER BY relname"
    )
    for (sequence,) in cursor.fetchall():
        cursor.execute(f'REVOKE ALL ON SEQUENCE "{sequence}" FROM PUBLIC, {roles.APP}')
        if not sequence.startswith(tuple(f"{table}_" for table in READ_ONLY)):
            cursor.execute(f'GRANT USAGE ON SEQUENCE "{sequence}" TO {roles.APP}')
    _grant_functions(cursor)


def _rights(table, added_to) -> str:
    if table in READ_ONLY:
        return "SELECT"
    return "SELECT, INSERT" if table in added_to else "SELECT, INSERT, UPDATE, DELETE"


def _grant_functions(cursor) -> None:
    # An extension's functions are operators and index support: they stay everybody's.
    cursor.execute(
        "SELECT p.oid::regprocedure::text, p.pronamespace = 'public'::regnamespace FROM pg_proc p"
        " WHERE p.proowner = current_user::regrole"
        " AND p.pronamespace IN ('public'::regnamespace, 'audit'::regnamespace)"
        " AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
    )
    for function, public in cursor.fetchall():
        cursor.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC, {roles.APP}")
        if public:
            cursor.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {roles.APP}")
