"""Every staff form, fed with rubbish: a sentence, a 404 or a saved record, never a 500."""

import string

import pytest
from django import forms
from django.contrib import admin
from django.db import models, transaction
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from clinic.models import Appointment, User
from tests.admin.crawler.cast import make_cast

pytestmark = pytest.mark.heavy

NASTY = [
    "",
    " ",
    "x" * 10_000,
    "Zoë 🏥👩‍⚕️",
    "<script>alert(1)</script>",
    "\u202eatnoC adA\u202c",
    "نص عربي",
    "a\x00b",
    "'; DROP TABLE clinic_patient; --",
    "{{ 7*7 }}{% debug %}",
    "-1",
    "0",
    "99999999999999999999999999",
    "1e400",
    "NaN",
    "١٢٣",
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    "24:61",
    "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
]
OF_ALL_KINDS = ["a\x00b", "99999999999999999999999999", "0001-01-01", "9999-12-31"]
rubbish = st.one_of(
    st.sampled_from(NASTY),
    st.integers(-(2**70), 2**70).map(str),
    st.text(max_size=60).filter(lambda text: text.isprintable() or "\x00" in text),
    st.text(string.printable, max_size=20),
)

SCREENS = [model for model, screen in admin.site._registry.items() if {"add", "change"} & screen.verbs]


@pytest.fixture
def cast(world):
    return make_cast(world)


def inputs_of(client, url):
    """The inputs of a page with what stands in them, two-part ones included; inlines stay empty."""
    response = client.get(url)
    if response.context is None or "adminform" not in response.context:
        return {}, {}
    form = response.context["adminform"].form
    found = {}
    for name, field in form.fields.items():
        value = form[name].value()
        if isinstance(field.widget, forms.MultiWidget):
            parts = field.widget.get_context(name, value, {})["widget"]["subwidgets"]
            found |= {part["name"]: part["value"] for part in parts}
        else:
            found[name] = field.widget.format_value(value) if hasattr(field.widget, "format_value") else value
    return {name: _plain(value) for name, value in found.items()}, inline_inputs(response)


def _plain(value):
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return "" if value in (None, False) else str(value)


def inline_inputs(response):
    """Rows that nobody filled in, their counters first."""
    found = {}
    for formset in response.context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        found |= {f"{prefix}-{part}_FORMS": "0" for part in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}
        for name, field in formset.formset.empty_form.fields.items():
            parts = range(len(field.widget.widgets)) if isinstance(field.widget, forms.MultiWidget) else []
            found |= dict.fromkeys([f"{prefix}-0-{name}", *(f"{prefix}-0-{name}_{part}" for part in parts)], "")
    return found


def valid_form(client, page, record, world):
    """(address, inputs that would be saved, further inputs): only what is put into them is wrong."""
    name = record._meta.model_name
    change = reverse(f"admin:clinic_{name}_change", args=[record.pk])
    if page == "change":
        return change, *inputs_of(client, change)
    url = reverse(f"admin:clinic_{name}_add")
    inputs, inlines = inputs_of(client, url)
    known = {
        "email": "new@clinic.test",
        "given_name": "New",
        "family_name": "Nuovi",
        "name": "New",
        "name_0": "New",
        "name_1": "Nuovo",
    }
    if isinstance(record, Appointment):
        known = {"starts": "16:00", "on": world.monday.isoformat(), "patient": str(world.bruno.pk)}
    taken = {field.name for field in record._meta.concrete_fields if field.unique}
    if not isinstance(record, User):
        columns = [field for field in record._meta.concrete_fields if not field.unique]
        pairs = [(field.name, getattr(record, field.attname)) for field in columns]
        known = {name: str(value) for name, value in pairs if value and name in inputs} | known
    old, _inlines = inputs_of(client, change)
    old = {name: value for name, value in old.items() if name not in taken}
    return url, {name: known.get(name) or value or old.get(name, "") for name, value in inputs.items()}, inlines


@pytest.mark.parametrize("model", SCREENS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("page", ["add", "change"])
def test_form_fed_with_rubbish_never_breaks(page, model, client, cast, world):
    client.force_login(cast.users["superuser"])
    url, valid, inlines = valid_form(client, page, cast.records[model]["own"], world)
    if not valid:
        return

    @seed(20261120)
    @settings(
        max_examples=10,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.dictionaries(st.sampled_from([*valid, *inlines]), rubbish, min_size=1, max_size=2))
    def feed(wrong):
        with transaction.atomic():
            response = client.post(url, {**inlines, **valid, **wrong})
            transaction.set_rollback(True)
        assert response.status_code in (200, 302), (response.status_code, wrong)
        assert b"<script>alert(1)</script>" not in response.content

    feed()


@pytest.mark.parametrize("page", ["add", "change"])
def test_forms_are_valid_before_rubbish_comes(page, client, cast, world):
    """Otherwise the rubbish would never get past the forms."""
    client.force_login(cast.users["superuser"])
    refused = []
    for model in SCREENS:
        url, valid, inlines = valid_form(client, page, cast.records[model]["own"], world)
        if not valid:
            continue
        with transaction.atomic():
            response = client.post(url, {**inlines, **valid})
            transaction.set_rollback(True)
        if response.status_code != 302:
            form = response.context and response.context.get("adminform")
            refused.append((model.__name__, form and dict(form.form.errors)))
    assert not refused


@pytest.mark.parametrize("model", SCREENS, ids=lambda model: model.__name__)
def test_form_prefilled_with_rubbish_never_breaks(model, client, cast):
    client.force_login(cast.users["superuser"])
    url = reverse(f"admin:clinic_{model._meta.model_name}_add")
    columns = [field.name for field in [*model._meta.fields, *model._meta.many_to_many]]
    for text in NASTY:
        response = client.get(url, dict.fromkeys([*columns, "next", "unknown"], text))
        assert response.status_code in (200, 403), (text[:40], response.status_code)
        assert b"<script>alert(1)</script>" not in response.content


@pytest.mark.parametrize("model", SCREENS, ids=lambda model: model.__name__)
def test_list_asked_with_rubbish_never_breaks(model, client, cast):
    client.force_login(cast.users["superuser"])
    url = reverse(f"admin:clinic_{model._meta.model_name}_changelist")
    screen = admin.site._registry[model]
    filters = [item[0] if isinstance(item, tuple) else item for item in screen.list_filter]
    named = [name for name in filters if isinstance(name, str)]
    ends = ("__exact", "__id__exact", "__isnull", "_from", "_to")
    keys = ["o", "p", "e", *(f"{name}{end}" for name in named for end in ends)]
    for key, texts in [("q", NASTY), *((key, OF_ALL_KINDS) for key in keys)]:
        for text in texts:
            response = client.get(url, {key: text})
            assert response.status_code in (200, 302, 400), (key, text[:40], response.status_code)
            assert b"<script>alert(1)</script>" not in response.content


ACTIONS = [
    (model, name)
    for model, screen in admin.site._registry.items()
    for name, action in screen.record_actions.items()
    if action.form is not None
]


@pytest.mark.parametrize(("model", "name"), ACTIONS, ids=lambda value: getattr(value, "__name__", value))
def test_action_fed_with_rubbish_never_breaks(model, name, client, cast):
    client.force_login(cast.users["superuser"])
    record = cast.records[model]["own"]
    url = reverse(f"admin:clinic_{model._meta.model_name}_do_{name}", args=[record.pk])
    fields = list(admin.site._registry[model].record_actions[name].form.base_fields) or ["reason"]
    for text in NASTY:
        with transaction.atomic():
            data = {key: text for field in fields for key in (field, f"{field}_0", f"{field}_1")}
            response = client.post(url, {**data, "next": text, "_reason": text, "_instead": text})
            transaction.set_rollback(True)
        assert response.status_code in (200, 302, 403), (text[:40], response.status_code)


def test_foreign_keys_of_rows_that_do_not_exist_are_refused(client, cast):
    client.force_login(cast.users["superuser"])
    for model in SCREENS:
        required = [field.name for field in model._meta.fields if isinstance(field, models.ForeignKey)]
        if not required:
            continue
        data = dict.fromkeys(required, "987654321")
        response = client.post(reverse(f"admin:clinic_{model._meta.model_name}_add"), data)
        assert response.status_code in (200, 403), model
