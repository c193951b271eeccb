"""What the application's role may not do, however it tries."""

import psycopg
import pytest
from django.conf import settings
from django.db import ProgrammingError, connection, transaction

from clinic import actor
from clinic.database import roles, triggers
from clinic.database.install import after_migrate
from clinic.models import Patient
from tests import clones

pytestmark = pytest.mark.django_db

HISTORY, ENTRY = "clinic_historicalpatient", "clinic_auditentry"
APPEND_ONLY = triggers.append_only_tables()


@pytest.fixture
def kept(db):
    """A patient, and with it a history row and an audit entry to be tampered with."""
    return Patient.objects.create(family_name="Bianchi", given_name="Anna")


def refused(statement, *parameters) -> str:
    with pytest.raises(ProgrammingError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
    return caught.value.__cause__.sqlstate


def scalar(query, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchone()[0]


FORBIDDEN = [
    f"UPDATE {ENTRY} SET role = 'x'",
    f"DELETE FROM {ENTRY}",
    f"TRUNCATE {ENTRY}",
    f"ALTER TABLE {ENTRY} DISABLE TRIGGER ALL",
    f"ALTER TABLE {HISTORY} DISABLE TRIGGER audit",
    f"DROP TABLE {ENTRY}",
    f"DROP TABLE {HISTORY} CASCADE",
    f"DROP TRIGGER audit ON {HISTORY}",
    "DROP FUNCTION audit_seal(integer)",
    f"INSERT INTO {ENTRY} (at, tx, actor_kind, role, verb, model, route, agent, purpose, digest)"
    " VALUES (now(), 1, 'staff', '', 'create', 'patient', '', '', '', '')",
    "INSERT INTO clinic_seal (at, tx_from, tx_until, n, entries, root, previous) VALUES (now(), 1, 1, 0, '', '', '')",
    "INSERT INTO clinic_auditshape (\"table\", columns) VALUES ('x', '{}')",
    "SET session_replication_role = replica",
    "SELECT nextval('clinic_auditentry_id_seq')",
    "SELECT value FROM audit.key",
    "SELECT audit.secret()",
    "DELETE FROM audit.unsealed",
    "SELECT audit.record('create', 'patient', 1, 1, null, '', 1, 1, 'x')",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('clinic', '9999', now())",
    "CREATE TABLE mine (a int)",
    "CREATE TEMPORARY TABLE mine (a int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE clinic_patient ADD COLUMN mine int",
    "TRUNCATE clinic_patient CASCADE",
    f"SET ROLE {roles.OWNER}",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_application_role_is_refused(kept, statement):
    assert refused(statement) == "42501"


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
def test_append_only_tables_refuse_the_application(table, statement):
    if table == "clinic_historicaluser_groups":
        statement = statement.replace("id = id", "m2m_history_id = m2m_history_id")
    assert refused(statement.format(table)) == "42501"


FORGED = {
    "a version of nothing": {"id": 10**12},
    "the end of what lives on": {"history_type": "-"},
    "somebody else's doing": {"history_user_id": 10**12},
}


@pytest.mark.parametrize("claim", FORGED.values(), ids=FORGED)
def test_forged_history_row_is_refused(kept, claim):
    version = kept.history.get()
    version.pk, version.history_type = None, "~"
    for name, value in claim.items():
        setattr(version, name, value)
    who = actor.Actor(kind="staff", user_id=7)
    with pytest.raises(ProgrammingError, match="claims what did not happen"), actor.acting(who), transaction.atomic():
        version.save()


@pytest.mark.parametrize("verb", ["create", "update", "delete", "anything"])
def test_note_of_a_change_is_refused(verb):
    assert refused("SELECT audit_note(%s, '{}', 'patient', 1, 1, '')", verb) == "42501"


def test_application_may_read_the_trail(kept):
    assert scalar(f"SELECT count(*) FROM {ENTRY} WHERE row_id = %s", kept.pk) == 1


def test_application_is_nobody_special():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication"
            " FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (roles.APP, False, False, False, False, False)
    assert scalar("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole") == 0
    assert scalar("SELECT count(*) FROM pg_proc WHERE proowner = current_user::regrole") == 0
    assert scalar("SELECT count(*) FROM pg_auth_members WHERE member = current_user::regrole") == 0
    assert not scalar("SELECT has_schema_privilege('public', 'CREATE') OR has_schema_privilege('audit', 'USAGE')")
    assert not scalar("SELECT has_database_privilege(current_database(), 'CREATE, TEMPORARY')")


def test_public_is_granted_nothing_of_ours():
    tables = "SELECT count(*) FROM pg_class c, aclexplode(c.relacl) a WHERE a.grantee = 0 AND c.relowner = %s::regrole"
    functions = "SELECT count(*) FROM pg_proc p WHERE has_function_privilege('public', p.oid, 'EXECUTE') AND %s"
    assert scalar(tables, roles.OWNER) == 0
    ours = "p.proname LIKE 'audit_%%' OR p.pronamespace = 'audit'::regnamespace OR p.proname = 'f_norm'"
    assert scalar(functions % f"({ours})") == 0


def test_definer_functions_pin_their_search_path():
    query = "SELECT count(*) FROM pg_proc WHERE prosecdef AND proowner = %s::regrole"
    pinned = f"{query} AND 'search_path=pg_catalog, pg_temp' = ANY (proconfig)"
    assert scalar(query, roles.OWNER) == scalar(pinned, roles.OWNER) > 20


def test_every_history_table_has_its_triggers_and_they_fire_always():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgenabled = 'A' AND NOT tgisinternal"
        )
        present = set(cursor.fetchall())
    wanted = {(table, name) for table in APPEND_ONLY for name in ("append_only", "append_only_all")}
    wanted |= {(model._meta.db_table, "audit") for model in triggers.history_models()}
    wanted |= {(table, "audit") for table, _arguments in triggers.links()}
    assert wanted <= present


@pytest.mark.django_db(transaction=True)
def test_owner_too_is_refused_to_edit_history(kept, owner_cursor):
    for statement in (f"UPDATE {HISTORY} SET sex = 'x'", f"DELETE FROM {ENTRY}", f"TRUNCATE {HISTORY}"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner_cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_install_repeated_changes_nothing(as_owner):
    with clones.connect(settings.DATABASE_OWNER) as owner:
        state = (
            "SELECT (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM clinic_auditshape), value FROM audit.key"
        )
        before = owner.execute(state).fetchone()
        with as_owner():
            after_migrate()
        assert owner.execute(state).fetchone() == before
