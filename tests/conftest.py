"""Where tests run: a server for tests, a database per worker, cloned from a migrated template (see clones.py)."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["TESTING"] = "1"
if "PYTEST_XDIST_WORKER" not in os.environ:
    # A folder beside the developer's, never the same: tests drop databases. Workers inherit it.
    os.environ["VAR_DIR"] = str(Path(os.environ.get("VAR_DIR") or PROJECT / "var") / "test")

import django  # noqa: E402

django.setup()

import pytest  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402

from clinic.database import roles  # noqa: E402
from tests import clones  # noqa: E402

# The strength of a hash is the library's business; its slowness would be ours at every sign-in.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


if "PYTEST_XDIST_WORKER" not in os.environ:
    # Before the workers start, who would all write the same file.
    call_command("compilemessages")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker):
    """In place of Django's own set-up, which would migrate and flush as the application: that may do neither."""
    with django_db_blocker.unblock(), clones.server() as keeper, pytest.MonkeyPatch.context() as patch:
        template = keeper.template()

        def renew(*_arguments):
            connections.close_all()
            keeper.renew(template)

        keeper.renew(template)
        # Both are read when a thread opens a connection, so every thread arrives at the clone.
        patch.setitem(settings.DATABASES["default"], "NAME", keeper.name)
        patch.setitem(settings.DATABASE_OWNER, "NAME", keeper.name)
        patch.setattr(TransactionTestCase, "_fixture_teardown", renew)
        yield
        connections.close_all()


@pytest.fixture
def owner_cursor(transactional_db):
    """A cursor of the owner's on this worker's database; it sees what is committed, so the test is transactional."""
    with clones.connect(settings.DATABASE_OWNER) as connection, connection.cursor() as cursor:
        yield cursor


@pytest.fixture
def as_owner(transactional_db):
    """`with as_owner():` makes this thread's Django connection the owner's."""
    return roles.as_owner


from tests.world import world  # noqa: E402, F401  (the fixed cast, as a fixture)
