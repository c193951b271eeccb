"""Every staff form, fed with rubbish: a sentence, a 404 or a saved record, never a 500."""

import string

import pytest
from django import forms
from django.contrib import admin
from django.db import models, transaction
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

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


def names_of(form, formsets):
    """The inputs of a page, two-part ones included."""
    found = []
    for name, field in form.fields.items():
        parts = len(getattr(field.widget, "widgets", []) or [0])
        found += [f"{name}_{part}" for part in range(parts)] if isinstance(field.widget, forms.MultiWidget) else [name]
    for formset in formsets:
        prefix = formset.formset.prefix
        found += [f"{prefix}-{part}_FORMS" for part in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")]
        for name, field in formset.formset.empty_form.fields.items():
            found.append(f"{prefix}-0-{name}")
            if isinstance(field.widget, forms.MultiWidget):
                found += [f"{prefix}-0-{name}_{part}" for part in range(len(field.widget.widgets))]
    return found


def inputs_of(client, url):
    response = client.get(url)
    if response.context is None or "adminform" not in response.context:
        return []
    return names_of(response.context["adminform"].form, response.context["inline_admin_formsets"])


def sane(formsets):
    return {f"{prefix}-{part}_FORMS": "0" for prefix in formsets for part in ("TOTAL", "INITIAL")}


@pytest.mark.parametrize("model", SCREENS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("page", ["add", "change"])
def test_form_fed_with_rubbish_never_breaks(page, model, client, cast):
    client.force_login(cast.users["superuser"])
    record = cast.records[model]["own"]
    url = reverse(f"admin:clinic_{model._meta.model_name}_{page}", args=[record.pk] if page == "change" else [])
    names = inputs_of(client, url)
    if not names:
        return
    prefixes = {name.rsplit("-", 1)[0] for name in names if name.endswith("TOTAL_FORMS")}

    @seed(20261120)
    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.dictionaries(st.sampled_from(names), rubbish, min_size=1, max_size=len(names)))
    def feed(data):
        with transaction.atomic():
            response = client.post(url, {**sane(prefixes), **data})
            transaction.set_rollback(True)
        assert response.status_code in (200, 302), (response.status_code, data)
        assert b"<script>alert(1)</script>" not in response.content

    feed()


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
    keys = ["q", "o", "p", "e", *(f"{name}__id__exact" for name in filters if isinstance(name, str))]
    for key in keys:
        for text in NASTY:
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
