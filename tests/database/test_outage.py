"""The database goes away and comes back: what a thread, a service and a person notice of it."""

import threading
import time
from types import SimpleNamespace

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.backends.postgresql import base as postgresql
from django.test import Client
from psycopg.pq import Ping

from clinic.admin.base import ClinicAdmin
from clinic.database import conflicts
from clinic.database.backend import base
from clinic.models import RoomKind
from tests import clones
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nobody_gave_up(monkeypatch):
    monkeypatch.setattr(base.DatabaseWrapper, "given_up", False)


@pytest.fixture
def kept(transactional_db, monkeypatch):
    """This thread's connection as a web worker has it: kept, and looked at before it is used."""
    monkeypatch.setitem(connection.settings_dict, "CONN_HEALTH_CHECKS", True)
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 3600)
    connection.close()
    connection.ensure_connection()
    yield connection
    connection.close()


@pytest.fixture
def vanish(transactional_db, monkeypatch):
    """Nobody answers any more where the database was; undone by calling what this returns."""
    reach = postgresql.DatabaseWrapper.get_new_connection
    there = threading.Event()

    def reached(wrapper, conn_params):
        if there.is_set():
            return reach(wrapper, conn_params)
        raise psycopg.OperationalError("connection refused")

    def vanish():
        connection.close()
        monkeypatch.setattr(postgresql.DatabaseWrapper, "get_new_connection", reached)
        monkeypatch.setattr(
            base, "PGconn", SimpleNamespace(ping=lambda where: Ping.OK if there.is_set() else Ping.NO_RESPONSE)
        )
        return there.set

    yield vanish
    there.set()


def end_session():
    """The server ends the session behind this thread's connection, as a restart does."""
    process = connection.connection.info.backend_pid
    with clones.connect(settings.DATABASES["default"]) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [process])
        while other.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [process]).fetchone()[0]:
            time.sleep(0.01)
    return process


def test_dead_connection_is_noticed_before_a_request_uses_it(kept):
    ended = end_session()
    connection.close_if_unusable_or_obsolete()
    assert RoomKind.objects.count() == 0
    assert connection.connection.info.backend_pid != ended


def test_living_connection_is_not_asked(kept, django_assert_num_queries):
    process = connection.connection.info.backend_pid
    connection.close_if_unusable_or_obsolete()
    with django_assert_num_queries(0):
        connection.ensure_connection()
    assert connection.connection.info.backend_pid == process


def test_service_starts_again_when_its_connection_breaks(kept):
    tries = []

    @conflicts.retried
    def save():
        with transaction.atomic():
            kind = make.make_room_kind(name="Pool")
            tries.append(kind)
            if len(tries) == 1:
                end_session()
            return RoomKind.objects.get(pk=kind.pk)

    assert save() == RoomKind.objects.get(name="Pool")
    assert len(tries) == 2


def test_service_does_not_start_again_when_the_commit_broke(kept):
    """It may have been kept: whoever asked looks, or asks again with the key."""
    tries = []

    @conflicts.retried
    def save():
        with transaction.atomic():
            tries.append(make.make_room_kind(name="Pool"))
            end_session()

    with pytest.raises(conflicts.CommitUnknownError):
        save()
    assert len(tries) == 1
    assert not connection.in_atomic_block
    assert RoomKind.objects.count() == 0


def test_restarting_server_is_waited_for(vanish):
    back = vanish()
    threading.Timer(0.5, back).start()
    assert RoomKind.objects.count() == 0


def test_absent_server_is_waited_for_once(vanish, monkeypatch):
    monkeypatch.setattr(base.DatabaseWrapper, "patience", 0.35)
    naps = []
    monkeypatch.setattr("clinic.database.backend.base.time.sleep", naps.append)
    monkeypatch.setattr("clinic.database.backend.base.time.monotonic", lambda: 0.1 * len(naps))
    back = vanish()
    for _ in range(3):
        with pytest.raises(conflicts.UnreachableError):
            RoomKind.objects.count()
    assert len(naps) == 4
    back()
    assert RoomKind.objects.count() == 0
    assert not base.DatabaseWrapper.given_up


def test_wrong_name_is_not_waited_for(transactional_db, monkeypatch):
    naps = []
    monkeypatch.setattr("clinic.database.backend.base.time.sleep", naps.append)
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "NAME", "no_such_clinic")
        with pytest.raises(OperationalError, match="no_such_clinic") as refused:
            connection.ensure_connection()
    assert not isinstance(refused.value, conflicts.UnreachableError)
    assert naps == []


# What people see


@pytest.fixture
def desk(transactional_db):
    client = Client(raise_request_exception=False)
    client.force_login(make.make_user("manager"))
    return client


def test_page_without_database_asks_to_wait(desk, vanish, monkeypatch):
    monkeypatch.setattr(base.DatabaseWrapper, "patience", 0)
    back = vanish()
    answer = desk.get("/admin/", headers={"accept-language": "it"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "3"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Non è stato salvato nulla" in answer.text
    back()
    assert desk.get("/admin/").status_code == 200


def test_form_whose_connection_broke_is_saved_all_the_same(desk, kept, monkeypatch):
    tries = []

    def store(screen, request, obj, form, change, by, **accepted):
        tries.append(obj.name)
        if len(tries) == 1:
            end_session()
        obj.save()

    monkeypatch.setattr(ClinicAdmin, "store", store)
    answer = desk.post("/admin/clinic/roomkind/add/", {"name": "Pool"})
    assert answer.status_code == 302
    assert tries == ["Pool", "Pool"]
    assert [kind.name for kind in RoomKind.objects.all()] == ["Pool"]


def test_form_whose_commit_broke_asks_to_look(desk, kept, monkeypatch):
    def store(screen, request, obj, form, change, by, **accepted):
        obj.save()
        end_session()

    monkeypatch.setattr(ClinicAdmin, "store", store)
    answer = desk.post("/admin/clinic/roomkind/add/", {"name": "Pool"})
    assert answer.status_code == 503
    assert "Look whether it is there" in answer.text


def test_any_other_fault_is_a_fault(desk, monkeypatch):
    monkeypatch.setattr("clinic.admin.site.Desk.get_sidebar_list", lambda *args, **kwargs: 1 / 0)
    answer = desk.get("/admin/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
