"""What the palette can name: pages and actions a person may open, and records by what they are."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from django.contrib import admin
from django.db.models import Model
from django.urls import Resolver404, resolve, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from clinic.admin.scheduling.columns import who_and_when
from clinic.models import Appointment, Patient

RECORD_ICON, ICONS = "draft", {Patient: "person", Appointment: "event"}


@dataclass(frozen=True)
class Entry:
    """One line: what it is called, where it leads, and what is said beside the name."""

    title: str
    link: str
    icon: str
    hint: str = ""


def actions(user) -> list[Entry]:
    """What people come to do."""
    book, register = reverse("admin:clinic_appointment_add"), reverse("admin:clinic_patient_add")
    offered = [
        ("book_appointment", _("Book an appointment"), book, "event_available"),
        ("walk_in_appointment", _("Walk-in: somebody without an appointment"), f"{book}?walk_in=1", "directions_walk"),
        ("add_patient", _("New patient"), register, "person_add"),
        ("add_timeoff", _("Enter time off"), reverse("admin:clinic_timeoff_add"), "event_busy"),
    ]
    return [Entry(title, link, icon) for code, title, link, icon in offered if user.has_perm(f"clinic.{code}")]


def pages(request) -> list[Entry]:
    """The pages of the menu and of its tabs that this person may open."""
    site = admin.site
    menu = [item for group in site.get_sidebar_list(request) for item in group["items"]]
    tabs = [item for group in site.get_tabs_list(request) for item in group["items"]]
    found: dict[str, Entry] = {}
    for item in [{"title": site.index_title, "link": reverse("admin:index"), "icon": "home"}, *menu, *tabs]:
        if item.get("has_permission", True):
            link = str(item.get("link_callback") or item["link"])
            found.setdefault(link, Entry(str(item["title"]), link, item.get("icon") or "table_rows"))
    return [
        *found.values(),
        Entry(_("Sign-in and security"), reverse("mfa_index"), "shield_person"),
        # Opened by shortcuts.js.
        Entry(_("Keyboard shortcuts"), "#keys", "keyboard"),
    ]


def matching(entries: list[Entry], text: str) -> list[Entry]:
    """Those with every word of `text` at the beginning of a word; accents and case do not count."""
    asked = _plain(text).split()
    return [
        entry
        for entry in entries
        if all(any(word.startswith(start) for word in _plain(entry.title).split()) for start in asked)
    ]


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter if letter.isalnum() else " " for letter in letters if not unicodedata.combining(letter))


def named(request, keys: list[tuple[type[Model], int]]) -> dict[tuple[type[Model], int], Entry]:
    """Entries of those records that this person may see now; a query per kind of record."""
    found = {}
    for model in dict.fromkeys(model for model, _key in keys):
        screen = admin.site.get_model_admin(model)
        if not screen.has_view_permission(request):
            continue
        wanted = [key for of, key in keys if of is model]
        for record in screen.get_queryset(request).filter(pk__in=wanted):
            found[model, record.pk] = of_record(record)
    return found


def of_record(record: Model) -> Entry:
    model = type(record)
    link = reverse(f"admin:clinic_{model._meta.model_name}_change", args=[record.pk])
    if isinstance(record, Appointment):
        return Entry(who_and_when(record), link, ICONS[model], f"{record.service} · {record.practitioner}")
    if isinstance(record, Patient):
        name, _dot, rest = admin.site.get_model_admin(model).suggestion(record).partition(" · ")
        return Entry(name, link, ICONS[model], rest)
    return Entry(str(record), link, ICONS.get(model, RECORD_ICON), capfirst(str(model._meta.verbose_name)))


def record_at(address: str) -> tuple[type[Model], int] | None:
    """The record whose page stands at this address of the desk, if it is one's."""
    try:
        match = resolve(address)
    except Resolver404:
        return None
    kind, _mark, page = (match.url_name or "").removeprefix("clinic_").partition("_")
    key = match.kwargs.get("object_id", "")
    models = {model._meta.model_name: model for model in admin.site._registry}
    if match.app_name != "admin" or page != "change" or kind not in models:
        return None
    return (models[kind], int(key)) if key.isascii() and key.isdigit() and len(key) < 19 else None
