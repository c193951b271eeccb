"""No page grows with the clinic: few statements, none that reads on and on, no form of endless choices, lean lists.

Whatever is registered is walked: a new screen is held to this from its first day.
"""

import os
import time

import pytest
from django.contrib import admin
from django.contrib.messages.storage.fallback import FallbackStorage
from django.db import connection
from django.urls import reverse
from unfold.admin import ModelAdmin

from clinic.actor import SYSTEM
from clinic.insights import dashboard
from clinic.models import Appointment, AuditEntry, Patient, User
from clinic.services import demo
from tests.admin import weighing

STRESS = os.environ.get("STRESS") == "1"
SIZE = (
    "practitioners=40,locations=4,patients=60000,appointments=200000"
    if STRESS
    else "practitioners=8,locations=2,patients=12000,appointments=16000"
)
# What lists count to, made small with the clinic, so that reading too much shows early.
CAP = 10_000 if STRESS else 1000
PATIENTS = 500 if STRESS else 60
# A page of keys, a capped count, the rows of so many patients: nothing reads more than a few times the cap.
ROWS_AT_MOST = 2.5 * CAP
STATEMENTS, HISTORY_STATEMENTS = 12, 20
# Forms with several inlines, whose rows and choices are a statement each; rows add none.
FORMS = {"service": 14, "user": 14, "practitioner": 19}
CHOICES = 50
LEAN = 1.3

# One name, two, none, too short for trigrams, digits, a birth date. What fits every tenth patient of so few is rightly
# read through; in a large clinic the cap ends that.
WORDS = ["crucianelli", "zampetti viola", "zzzq", "giulia rossi", "ne", "zq", "3331", "3/4/1980"]
GROWING = {Appointment, AuditEntry, Patient}


@pytest.fixture
def chain(transactional_db, as_owner, monkeypatch):
    demo.load(SIZE, seed=1, by=SYSTEM)
    with as_owner(), connection.cursor() as cursor:
        _settle(cursor)
    for module in ("paging", "search"):
        monkeypatch.setattr(f"clinic.admin.base.{module}.CAP", CAP)
    monkeypatch.setattr("clinic.admin.patients.CAP", CAP)
    monkeypatch.setattr("clinic.admin.base.search.PATIENTS_AT_MOST", PATIENTS)


def _settle(cursor):
    """Leave the tables as autovacuum does in time: plans differ where no page is known to be visible to all.

    On a server that is not ours a worker that reads meanwhile keeps rows of this minute from being seen as such; and
    left to itself PostgreSQL does not clear away the few rows of what was rolled back.
    """
    for _ in range(120):
        cursor.execute("VACUUM (ANALYZE, INDEX_CLEANUP ON)")
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'clinic%' AND relallvisible < relpages"
        )
        unsettled = [name for (name,) in cursor.fetchall()]
        if not unsettled:
            return
        time.sleep(1)
    pytest.fail(f"still not visible to all: {unsettled}")


@pytest.mark.heavy
def test_no_page_grows_with_the_clinic(chain, client):
    """As somebody who sees all of it."""
    client.force_login(User.objects.get(email="admin@demo.test"))
    wrong = []
    for model in admin.site._registry:
        walked = [*weighing.lists(client, model, WORDS), *weighing.records(model)]
        assert len(walked) > 20 or model not in GROWING
        for url in walked:
            wrong += _faults(weighing.weigh(client, url))
    wrong += _faults_of_the_front_page(client)
    assert not wrong, f"{len(wrong)} pages\n" + "\n".join(wrong)


def _faults(page):
    if page.status not in (200, 302):
        yield f"{page.url}: {page.status}"
    most = HISTORY_STATEMENTS if page.url.endswith("/history/") else STATEMENTS
    if page.url.endswith("/change/"):
        most = FORMS.get(page.url.split("/")[3], most)
    if page.statements > most:
        yield f"{page.url}: {page.statements} statements"
    if page.rows > ROWS_AT_MOST:
        yield f"{page.url}: {page.rows} rows read by {page.heaviest[:200]}"
    if weighing.options(page.body) > CHOICES:
        yield f"{page.url}: a choice of {weighing.options(page.body)}"


def _faults_of_the_front_page(client):
    """No statement reads more visits than its days have, for all and for one's own."""
    for email in ("manager@demo.test", "ada@demo.test"):
        user = User.objects.get(email=email)
        client.force_login(user)
        for period in ("week", "month"):
            page = weighing.weigh(client, f"{reverse('admin:index')}?period={period}&location=all")
            visits = dashboard.visits_of(user, page.context["asked"].span.with_before(), None).count()
            if page.status != 200 or page.rows > max(ROWS_AT_MOST, 1.3 * visits):
                yield f"{email} {page.url}: {page.rows} rows for {visits} visits read by {page.heaviest[:200]}"


def test_weighing_sees_a_statement_that_reads_everything(world):
    for _ in range(5):
        AuditEntry.objects.count()
    total = AuditEntry.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexonlyscan = off")
    assert weighing._rows_read("SELECT count(*) FROM clinic_auditentry WHERE route = 'nowhere'") == total > 50


def test_weighing_counts_choices():
    assert weighing.options("<select><option>1<option>2</select><select><option>3</select>") == 2


def test_order_by_a_column_without_index_is_not_obeyed(desk, world):
    client, url = desk(world.administrator), reverse("admin:clinic_patient_changelist")
    shown = [row.pk for row in client.get(url).context["cl"].result_list]
    for column in range(9):
        changes = client.get(url, {"o": f"-{column}"}).context["cl"]
        if column not in changes.get_ordering_field_columns():
            assert [row.pk for row in changes.result_list] == shown


@pytest.mark.parametrize("visits", [1, 300])
def test_patient_page_costs_the_same_with_one_visit_and_with_300(visits, desk, world):
    for number in range(visits):
        world.visit(f"{8 + number % 10:02d}:00", days=number // 10)
    client = desk(world.reception)
    url = reverse("admin:clinic_patient_change", args=[world.anna.pk])
    client.get(url)
    page = weighing.weigh(client, url)
    assert (page.statements, page.status) == (PATIENT_STATEMENTS, 200)
    assert page.body.count("/admin/clinic/appointment/") < 40


PATIENT_STATEMENTS = 8


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda model: model._meta.model_name)
def test_list_is_as_lean_as_the_theme_s_own(model, desk, world, rf):
    """Against a plain admin of the theme's with the same columns, filters and search, and as many rows."""
    for number in range(30):
        world.visit(f"{8 + number % 10:02d}:00", days=number // 10)
    client = desk(world.administrator)
    cut = {"show": "all"} if model is Appointment else {}
    ours = client.get(reverse(f"admin:clinic_{model._meta.model_name}_changelist"), cut)
    if ours.status_code == 302:
        pytest.skip("a model of one row shows that row")
    screen = admin.site._registry[model]
    request = rf.get(ours.wsgi_request.path, cut)
    request.user, request.session = ours.wsgi_request.user, ours.wsgi_request.session
    request._messages = FallbackStorage(request)
    request.resolver_match = ours.wsgi_request.resolver_match
    columns = [
        getattr(screen, name) if isinstance(name, str) and name != "__str__" and hasattr(screen, name) else name
        for name in screen.get_list_display(ours.wsgi_request)
    ]
    declared = {name: getattr(screen, name) for name in ("list_per_page", "list_filter", "search_fields")}
    bare = type("Bare", (ModelAdmin,), {"list_display": columns, **declared})
    theirs = bare(model, admin.site).changelist_view(request).render()
    assert len(ours.content) / len(theirs.content) <= LEAN
