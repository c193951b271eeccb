"""The permission crawler: see tests/admin/crawler."""

import pytest
from django.contrib import admin
from django.test import Client

from clinic.admin.base.scope import ScopedRows
from clinic.admin.patients import PatientAdmin
from clinic.models import Patient
from tests.admin.crawler import crawl
from tests.admin.crawler.cast import make_cast

ROLES = ["administrator", "manager", "receptionist", "practitioner", "superuser", "outsider", "anonymous"]

pytestmark = pytest.mark.heavy


@pytest.fixture
def cast(world):
    return make_cast(world)


def test_every_address_has_a_line():
    assert crawl.without_a_line() == []


def test_every_screen_has_records_in_the_cast(cast):
    assert set(admin.site._registry) == set(cast.records)


@pytest.mark.parametrize("role", ROLES)
def test_crawl_models(role, client, cast):
    wrong = [finding for model in cast.records for finding in crawl.crawl_model(client, cast, model, role)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ["practitioner", "outsider", "receptionist"])
def test_crawl_lists_and_searches(role, client, cast):
    wrong = crawl.crawl_lists(client, cast, role)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ROLES)
def test_crawl_site(role, client, cast):
    wrong = crawl.crawl_site(client, cast, role)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", ["change", "history", "do_deactivate"])
def test_crawl_without_csrf_token_posts_nothing(page, cast):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(cast.users["superuser"])
    url = crawl.reverse(f"admin:clinic_patient_{page}", args=[cast.records[Patient]["own"].pk])
    assert careful.post(url).status_code == 403


def test_crawl_finds_a_screen_that_lost_its_scope(client, cast, monkeypatch):
    """The proof that the crawler sees: one screen without its scope, and it says so."""
    unscoped = super(ScopedRows, PatientAdmin).get_queryset
    monkeypatch.setattr(PatientAdmin, "get_queryset", lambda self, request: unscoped(self, request))
    wrong = crawl.crawl_model(client, cast, Patient, "practitioner")
    assert any("GET change of foreign Patient: 403" in finding for finding in wrong)
    assert any("changelist of none Patient shows what is out of scope" in finding for finding in wrong)
