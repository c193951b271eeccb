"""Who acts reaches PostgreSQL with every statement, and goes no further than its transaction."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from clinic import actor
from clinic.models import AuditEntry, RoomKind
from tests import factories as make
from tests.world import make_world

# Reads, but may write for all that the backend knows.
# Reads, but may write for all that the backend knows.
ASK = "WITH told AS (SELECT current_setting('camerino.actor', true) AS actor) SELECT actor FROM told /* UPDATE */"

ANN, BOB = (actor.Actor(kind="staff", user_id=id_, role="receptionist") for id_ in (1, 2))

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(db):
    """A connection of its own: outside the transaction that the test runs in."""
    wrapper = connection.copy()
    yield wrapper
    wrapper.in_atomic_block = False
    wrapper.close()


def told(wrapper):
    """The user that PostgreSQL was told, or None."""
    with wrapper.cursor() as cursor:
        cursor.execute(ASK)
        [text] = cursor.fetchone()
    return json.loads(text)["user"] if text else None


def told_raw(wrapper):
    """What stands in the session now, without a word from the backend."""
    return wrapper.connection.execute("SELECT current_setting('camerino.actor', true)").fetchone()[0] or None


def copied(wrapper):
    """The same by way of COPY."""
    with wrapper.cursor() as cursor, cursor.copy(f"COPY ({ASK}) TO STDOUT") as rows:
        return json.loads(b"".join(rows).decode())["user"]


def begin(wrapper):
    wrapper.set_autocommit(False)


def test_autocommit_write_is_told_and_forgotten(other):
    with actor.acting(ANN):
        assert told(other) == 1
        assert told_raw(other) is None
        with actor.acting(BOB):
            assert told(other) == 2
    assert told(other) is None


def test_autocommit_read_costs_nothing(other):
    with actor.acting(ANN), other.cursor() as cursor:
        cursor.execute("SELECT txid_current_if_assigned(), now() = statement_timestamp()")
        # In a transaction of its own, now() would be the begin's.
        assert cursor.fetchone() == (None, True)


def test_autocommit_refusal_leaves_the_connection_usable(other):
    with actor.acting(ANN):
        with pytest.raises(Exception, match="nothing_like_this"), other.cursor() as cursor:
            cursor.execute("INSERT INTO nothing_like_this VALUES (%s)", [1])
        assert other.get_autocommit()
        assert told(other) == 1
    assert told_raw(other) is None


def test_acting_entered_and_left_inside_a_transaction(other):
    begin(other)
    assert told(other) is None
    with actor.acting(ANN):
        assert told(other) == 1
        with actor.acting(BOB):
            assert told(other) == 2
        assert told(other) == 1
        with actor.acting(None):
            assert told(other) is None
    assert told(other) is None


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_transaction_forgets_at_its_end(other, end):
    begin(other)
    with actor.acting(ANN):
        assert told(other) == 1
        getattr(other, end)()
        assert told_raw(other) is None
        # The next transaction of the same actor's is told again.
        assert told(other) == 1
        getattr(other, end)()
    assert told(other) is None


def test_savepoint_rolled_back_undoes_what_it_was_told(other):
    begin(other)
    with actor.acting(ANN):
        assert told(other) == 1
        point = other.savepoint()
        with actor.acting(BOB):
            assert told(other) == 2
            other.savepoint_rollback(point)
            assert told(other) == 2
        assert told(other) == 1
        with actor.acting(None):
            assert told(other) is None
            other.savepoint_rollback(point)
            # Ann stands in the setting again, and must not have done this.
            assert told(other) is None


def test_savepoint_kept_keeps_what_it_was_told(other):
    begin(other)
    with actor.acting(ANN):
        point = other.savepoint()
        with actor.acting(BOB):
            assert told(other) == 2
        other.savepoint_commit(point)
        assert told(other) == 1


def test_broken_statement_inside_a_savepoint(db):
    with actor.acting(ANN), transaction.atomic():
        assert told(connection) == 1
        with pytest.raises(Exception, match="nothing_like_this"), transaction.atomic(), actor.acting(BOB):
            connection.cursor().execute("SELECT * FROM nothing_like_this")
        with actor.acting(BOB):
            assert told(connection) == 2
        assert told(connection) == 1


def test_broken_transaction_says_what_it_always_says(other):
    begin(other)
    with other.cursor() as cursor:
        with pytest.raises(Exception, match="nothing_like_this"):
            cursor.execute("SELECT * FROM nothing_like_this")
        with actor.acting(ANN), pytest.raises(Exception, match="current transaction is aborted"):
            cursor.execute("SELECT 1")
    other.rollback()
    with actor.acting(ANN):
        assert told(other) == 1


def test_connection_opened_again_is_told_again(other):
    with actor.acting(ANN):
        begin(other)
        assert told(other) == 1
        other.close()
        begin(other)
        assert told(other) == 1


def test_server_side_cursor_and_copy(other):
    with actor.acting(ANN):
        assert copied(other) == 1
        assert told_raw(other) is None
        begin(other)
        with other.chunked_cursor() as cursor:
            cursor.execute(ASK)
            assert json.loads(cursor.fetchone()[0])["user"] == 1
        with actor.acting(BOB):
            assert copied(other) == 2


def test_batch_of_statements(other):
    begin(other)
    with other.cursor() as cursor:
        with actor.acting(BOB):
            asked = "SELECT set_config('camerino.witness', current_setting('camerino.actor') || %s, true)"
            cursor.executemany(asked, [[" "], [""]])
        cursor.execute("SELECT current_setting('camerino.witness')")
        assert json.loads(cursor.fetchone()[0])["user"] == 2


def test_threads_keep_their_actors_apart(db):
    def work(id_):
        wrapper = connection.copy()
        wrapper.inc_thread_sharing()
        try:
            with actor.acting(actor.Actor(kind="staff", user_id=id_)):
                found = [told(wrapper) for _ in range(5)]
                wrapper.set_autocommit(False)
                return {*found, *(told(wrapper) for _ in range(5))}
        finally:
            wrapper.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(1, 9))) == [{id_} for id_ in range(1, 9)]


def test_being_told_is_no_query(db):
    with transaction.atomic(), CaptureQueriesContext(connection) as captured, actor.acting(ANN):
        RoomKind.objects.exists()
        with actor.acting(BOB):
            RoomKind.objects.exists()
    assert len(captured) == 2
    assert not any("camerino.actor" in query["sql"] for query in captured)


def test_plain_saves_outside_a_transaction_name_who_did_them(transactional_db):
    world = make_world()
    visit = world.visit()
    ann = actor.Actor(kind="staff", user_id=world.reception.pk, role="receptionist")
    assert connections["default"].get_autocommit()
    with actor.acting(ann):
        use = make.make_equipment_use(visit, world.tecar_unit)
        kind = make.make_room_kind()
        kind.delete()
    with transaction.atomic(), actor.acting(actor.SYSTEM):
        make.make_room_kind()
        with actor.acting(ann):
            use.delete()
        make.make_room_kind()
    found = AuditEntry.objects.filter(user_id=world.reception.pk).order_by("id")
    assert [(entry.verb, entry.model) for entry in found] == [
        ("update", "appointment"),
        ("create", "roomkind"),
        ("delete", "roomkind"),
        ("update", "appointment"),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_with_that_can_only_read_is_wrapped_into_no_transaction():
    """What decides about free times begins so: a transaction would be three more trips to the server."""
    with actor.acting(ANN), connection.cursor() as cursor:
        cursor.execute("WITH one AS (SELECT current_setting('camerino.actor', true) AS actor) SELECT actor FROM one")
        assert not cursor.fetchone()[0]
        cursor.execute(
            "with gone AS (DELETE FROM clinic_roomkind RETURNING id)\nSELECT current_setting('camerino.actor', true)"
        )
        assert json.loads(cursor.fetchone()[0])["user"] == 1
