"""What somebody with the owner's rights tampers with is named by verify_audit."""

import io

import pytest
from django.core.management import CommandError, call_command

from clinic.models import AuditEntry, Patient, Seal
from clinic.services import audit

pytestmark = pytest.mark.django_db(transaction=True)

HISTORY = "clinic_historicalpatient"


@pytest.fixture
def patients(transactional_db):
    """Three patients and a look, under two seals."""
    kept = [Patient.objects.create(family_name=name, given_name="A") for name in ("Bianchi", "Neri")]
    audit.seal()
    kept.append(Patient.objects.create(family_name="Verdi", given_name="A"))
    audit.noted("search", by=None, model="patient", purpose="verdi")
    audit.seal()
    return kept


@pytest.fixture
def tamper(owner_cursor):
    """Run statements as the owner, who can switch triggers off."""

    def tamper(*statements):
        for table in (HISTORY, "clinic_auditentry", "clinic_seal"):
            owner_cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            owner_cursor.execute(statement)

    return tamper


def verify(**options) -> str:
    output = io.StringIO()
    call_command("verify_audit", stdout=output, **options)
    return output.getvalue()


def first_finding(**options) -> str:
    with pytest.raises(CommandError) as caught:
        verify(**options)
    return str(caught.value).splitlines()[0]


def entry_of(patient) -> int:
    return AuditEntry.objects.get(model="patient", row_id=patient.pk).pk


def test_verify_untouched_says_how_many(patients):
    entries, seals = AuditEntry.objects.count(), Seal.objects.count()
    said = verify()
    assert f"{entries} entries, {entries - 1} history rows and {seals} seals verified" in said
    assert "Nothing was changed." in said


def test_verify_before_the_first_seal_passes(transactional_db):
    Patient.objects.create(family_name="Bianchi", given_name="Anna")
    assert "Root: none yet" in verify()


@pytest.mark.parametrize("change", ["family_name = 'Rossi'", "history_date = now()", "birth_on = '1990-01-01'"])
def test_verify_changed_history_row_is_named(patients, tamper, change):
    row = patients[1].history.get().pk
    tamper(f"UPDATE {HISTORY} SET {change} WHERE history_id = {row}")
    assert first_finding().startswith(f"{HISTORY} {row} ")


@pytest.mark.parametrize(
    "change", ["user_id = 7", "at = at - interval '1 day'", "purpose = 'x'", "digest = decode(repeat('00', 64), 'hex')"]
)
def test_verify_changed_entry_is_named(patients, tamper, change):
    entry = entry_of(patients[1])
    tamper(f"UPDATE clinic_auditentry SET {change} WHERE id = {entry}")
    found = first_finding()
    assert found.startswith((f"clinic_auditentry {entry} ", f"{HISTORY} "))
    assert "changed" in found


def test_verify_changed_look_is_named(patients, tamper):
    entry = AuditEntry.objects.get(verb="search").pk
    tamper(f"UPDATE clinic_auditentry SET verb = 'view' WHERE id = {entry}")
    assert first_finding().startswith(f"clinic_auditentry {entry} ")


def test_verify_deleted_look_is_named(patients, tamper):
    entry = AuditEntry.objects.get(verb="search").pk
    tamper(f"DELETE FROM clinic_auditentry WHERE id = {entry}")
    assert "deleted" in first_finding()
    assert first_finding().startswith(f"clinic_auditentry {entry} ")


def test_verify_deleted_history_row_is_named(patients, tamper):
    row = patients[0].history.get().pk
    tamper(f"DELETE FROM {HISTORY} WHERE history_id = {row}")
    found = first_finding()
    assert found.startswith(f"{HISTORY} {row} ")
    assert "deleted" in found


def test_verify_row_deleted_with_its_entry_is_named(patients, tamper):
    entry, row = entry_of(patients[0]), patients[0].history.get().pk
    tamper(f"DELETE FROM {HISTORY} WHERE history_id = {row}", f"DELETE FROM clinic_auditentry WHERE id = {entry}")
    assert first_finding().startswith(f"clinic_auditentry {entry} ")


def test_verify_entry_deleted_before_its_seal_is_named(transactional_db, tamper):
    Patient.objects.create(family_name="Bianchi", given_name="Anna")
    audit.noted("view", by=None, model="patient")
    entry = AuditEntry.objects.get(verb="view").pk
    tamper(f"DELETE FROM clinic_auditentry WHERE id = {entry}")
    assert first_finding().startswith(f"clinic_auditentry {entry} ")
    audit.seal()
    assert first_finding().startswith(f"clinic_auditentry {entry} ")


def test_verify_reordered_entries_are_named(patients, tamper):
    first, second = entry_of(patients[0]), entry_of(patients[1])
    tamper(
        f"UPDATE clinic_auditentry SET id = -1 WHERE id = {first}",
        f"UPDATE clinic_auditentry SET id = {first} WHERE id = {second}",
        f"UPDATE clinic_auditentry SET id = {second} WHERE id = -1",
    )
    assert first_finding().startswith(f"clinic_auditentry {first} ")


def test_verify_reordered_history_rows_are_named(patients, tamper):
    first, second = (patient.history.get().pk for patient in patients[:2])
    tamper(
        f"UPDATE {HISTORY} SET history_id = -1 WHERE history_id = {first}",
        f"UPDATE {HISTORY} SET history_id = {first} WHERE history_id = {second}",
        f"UPDATE {HISTORY} SET history_id = {second} WHERE history_id = -1",
    )
    assert first_finding().startswith(f"{HISTORY} {first} ")


def test_verify_forged_history_row_is_named(patients, tamper):
    columns = ", ".join(field.column for field in Patient.history.model._meta.fields if field.column != "history_id")
    tamper(f"INSERT INTO {HISTORY} (history_id, {columns}) SELECT 9000, {columns} FROM {HISTORY} LIMIT 1")
    assert first_finding().startswith(f"{HISTORY} 9000 ")


@pytest.mark.parametrize("shape", ["shape", "null", "999"])
def test_verify_forged_entry_is_named(patients, tamper, shape):
    columns = ", ".join(field.column for field in AuditEntry._meta.fields if field.column not in ("id", "shape"))
    tamper(
        f"INSERT INTO clinic_auditentry (id, shape, {columns}) SELECT 9000, {shape}, {columns}"
        f" FROM clinic_auditentry WHERE id = {entry_of(patients[0])}"
    )
    found = first_finding()
    assert found.startswith("clinic_auditentry 9000 ")
    assert "forged" in found


@pytest.mark.parametrize(
    "change",
    ["n = n + 1", "root = previous", "previous = root", "entries = 'x'", "entries = '{[1,2)}'", "at = now()"],
)
def test_verify_changed_seal_is_named(patients, tamper, change):
    tamper(f"UPDATE clinic_seal SET {change} WHERE id = 2")
    with pytest.raises(CommandError) as caught:
        verify()
    assert any(line.startswith("clinic_seal 2 ") for line in str(caught.value).splitlines())


def test_verify_deleted_seal_is_named(patients, tamper):
    tamper("DELETE FROM clinic_seal WHERE id = 1")
    with pytest.raises(CommandError, match="the seal before it was deleted"):
        verify()


def test_verify_end_cut_off_is_seen_by_the_anchor(patients, tamper, owner_cursor):
    """Whoever deletes rows, entries, seals and all of the last minute leaves a shorter chain that is whole."""
    anchor = verify().split("Root: ")[1].strip()
    assert "Nothing was changed" in verify(anchor=anchor)
    row, entry = patients[2].history.get().pk, entry_of(patients[2])
    tamper(
        "DELETE FROM clinic_seal WHERE id = 2",
        f"DELETE FROM clinic_auditentry WHERE id >= {entry}",
        f"DELETE FROM {HISTORY} WHERE history_id = {row}",
    )
    assert "Nothing was changed" in verify()
    assert "does not pass the given root" in first_finding(anchor=anchor)


def test_verify_new_history_column_leaves_former_digests_valid(patients, owner_cursor, as_owner):
    from clinic.database.install import after_migrate

    owner_cursor.execute(f"ALTER TABLE {HISTORY} ADD COLUMN nickname text")
    with as_owner():
        after_migrate()
    patients[0].save()
    assert "Nothing was changed." in verify()
    owner_cursor.execute(f"ALTER TABLE {HISTORY} DISABLE TRIGGER USER")
    row = patients[0].history.latest().pk
    owner_cursor.execute(f"UPDATE {HISTORY} SET nickname = 'x' WHERE history_id = {row}")
    assert first_finding().startswith(f"{HISTORY} {row} ")


def test_verify_dropped_history_column_is_said(patients, owner_cursor):
    owner_cursor.execute(f"ALTER TABLE {HISTORY} DROP COLUMN gender CASCADE")
    with pytest.raises(CommandError, match="column gender is gone"):
        verify()


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_digest_does_not_depend_on_the_session(owner_cursor, patients, zone):
    owner_cursor.execute(f"SET timezone = '{zone}'")
    owner_cursor.execute("SET datestyle = 'German'")
    owner_cursor.execute("SET bytea_output = 'escape'")
    owner_cursor.execute("INSERT INTO clinic_roomkind (id, name) OVERRIDING SYSTEM VALUE VALUES (1, 'Gym')")
    owner_cursor.execute(
        "INSERT INTO clinic_historicalroomkind (id, name, history_date, history_type) VALUES (1, 'Gym', now(), '+')"
    )
    assert "Nothing was changed." in verify()
