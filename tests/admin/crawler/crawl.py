"""Walks the addresses and collects whatever is not as the verdicts say."""

import re

from django.contrib import admin
from django.db import transaction
from django.urls import reverse

from clinic import permissions
from tests.admin.crawler.cast import CANARY
from tests.admin.crawler.verdicts import OPEN, SITE, line_for

SIGN_IN = "the sign-in"
DOORS = ("/accounts/login/", "/admin/login/")
FINE = {200, 302}


def addresses(patterns=None):
    """(name, pattern) of every address of the desk, as the resolver knows them."""
    found = []
    for pattern in admin.site.get_urls() if patterns is None else patterns:
        if hasattr(pattern, "url_patterns"):
            found += addresses(pattern.url_patterns)
        else:
            found.append((pattern.name, str(pattern.pattern)))
    return found


def pages_of(model):
    """The pages of a model by their short names: changelist, change, do_cancel …"""
    prefix = f"clinic_{model._meta.model_name}_"
    return [name.removeprefix(prefix) for name, _ in addresses() if name and name.startswith(prefix)]


def without_a_line():
    """Addresses that no line of the table speaks about."""
    models = {model._meta.model_name: model for model in admin.site._registry}
    missing = []
    for name, pattern in addresses():
        if name is None:
            # The redirect of a bare key to its change page, and the catch-all: neither reads anything.
            if pattern not in ("<path:object_id>/", "(?P<url>.*)$"):
                missing.append(pattern)
            continue
        model, _, page = name.removeprefix("clinic_").partition("_")
        of_a_model = name.startswith("clinic_") and model in models
        if not (line_for(model, page) if of_a_model else name in SITE):
            missing.append(name)
    return missing


def verdict(user, model, verb, record, known_verbs):
    """The status codes that are right for this person, verb and record."""
    if user is None:
        return {SIGN_IN}
    if not user.is_staff:
        return {SIGN_IN}
    if verb not in known_verbs:
        return {403}
    granted = permissions.scope(user, verb, model)
    if granted is None:
        return {403}
    if record == "foreign" and permissions.scope(user, "view", model) == permissions.OWN_ONLY:
        return {404}
    return FINE


def ask(client, url, method, data=None):
    """Status, or the sign-in's address for a redirect to it; and the body. Whatever it wrote is undone."""
    with transaction.atomic():
        response = client.post(url, data or {}) if method == "POST" else client.get(url, data or {})
        body = b"".join(response.streaming_content) if response.streaming else response.content
        transaction.set_rollback(True)
    if response.status_code == 302 and response["Location"].startswith(DOORS):
        return SIGN_IN, ""
    return response.status_code, body.decode(errors="replace")


def crawl_model(client, cast, model, role):
    """Every page of a model for one person. Returns sentences about what is wrong."""
    user, screen, wrong = cast.users[role], admin.site._registry[model], []
    if user is not None:
        client.force_login(user)
    for page in pages_of(model):
        line = line_for(model._meta.model_name, page)
        name = f"admin:clinic_{model._meta.model_name}_{page}"
        for whose, record in cast.records[model].items() if line.record else [("none", None)]:
            url = reverse(name, args=[record.pk] if line.record else [])
            for method, verb in (("GET", line.get), ("POST", line.post)):
                # Of rows that hang on another's, all but the own are foreign.
                of_whom = "foreign" if line.of and whose != "own" else whose
                right = verdict(user, line.of or model, verb, of_whom if line.record else whose, screen.verbs)
                if method == "POST" and line.read_only and right == FINE:
                    right = {405}
                status, body = ask(client, url, method)
                if status not in right:
                    wrong.append(f"{role} {method} {page} of {whose} {model.__name__}: {status}, not {right}")
                wrong += _leaks(user, model, f"{role} {method} {page} of {whose} {model.__name__}", body)
    return wrong


def _leaks(user, model, where, body):
    """Canaries sing on records of Ben's: only who sees them all may hear one."""
    hears_all = user is not None and permissions.scope(user, "view", "appointment") == permissions.ANY
    if hears_all or CANARY not in body.lower():
        return []
    at = body.lower().index(CANARY)
    return [f"{where} shows what is out of scope: …{body[max(at - 80, 0) : at + 60]}…"]


def crawl_lists(client, cast, role):
    """Searches, filters, autocomplete and the command palette, asked for the canaries by name."""
    user, wrong = cast.users[role], []
    client.force_login(user)
    asked = [("admin:search", {"s": CANARY})]
    for model, screen in admin.site._registry.items():
        if screen.search_fields:
            asked.append((f"admin:clinic_{model._meta.model_name}_changelist", {"q": CANARY}))
        for column in [*model._meta.fields, *model._meta.many_to_many]:
            if column.is_relation:
                names = {"app_label": "clinic", "model_name": model._meta.model_name, "field_name": column.name}
                asked.append(("admin:autocomplete", {**names, "term": CANARY}))
                asked.append(("admin:autocomplete", {**names, "term": ""}))
    for name, data in asked:
        status, body = ask(client, reverse(name), "GET", data)
        # What was searched for stands in the box again.
        echo = re.sub(rf'(value="|q=|q%3d|search_term=){CANARY}', "", body.lower())
        if status not in {200, 302, 403, 404}:
            wrong.append(f"{role} {name} {data}: {status}")
        wrong += _leaks(user, None, f"{role} {name} {data}", echo)
    return wrong


def crawl_site(client, cast, role):
    """The site's own addresses."""
    user, wrong = cast.users[role], []
    if user is not None:
        client.force_login(user)
    for name, (get, post) in SITE.items():
        url = reverse(f"admin:{name}", args=["clinic"] if name == "app_list" else [])
        for method, right in (("GET", get), ("POST", post)):
            if user is None:
                # Leaving without having come is answered by the front page.
                right = {302} if name == "logout" else {SIGN_IN} | (right if name in OPEN else set())
            status, _body = ask(client, url, method)
            if status not in right:
                wrong.append(f"{role} {method} {name}: {status}, not {right}")
            if user is not None and name == "logout":
                client.force_login(user)
    return wrong
