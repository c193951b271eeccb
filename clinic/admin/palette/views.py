"""What the palette answers: asked for nothing, what this person keeps and opened last; else what is called so."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clinic import actor, permissions
from clinic.admin.palette import entries
from clinic.admin.patients import as_birth_date
from clinic.exceptions import RuleBroken
from clinic.insights import opened
from clinic.models import Appointment, Patient
from clinic.services import audit, favourites

PATIENTS, VISITS, RECENT = 8, 5, 8
# Under a name that more patients have, the newest of them are looked at: another word finds the rest.
AMONG = 200


@require_safe
def search_view(request):
    """Groups of links as a fragment. Never kept by browser or cache: what somebody may see changes."""
    text = " ".join(request.GET.get("s", "").replace("\x00", "").split())[:100]
    groups = _found(request, text) if text else _before_typing(request)
    context = {
        "groups": [(title, found) for title, found in groups if found],
        "total": sum(len(found) for _title, found in groups),
        "text": text,
        "here": None if text else _here(request),
    }
    return TemplateResponse(request, "admin/palette/results.html", context, headers={"Cache-Control": "no-store"})


def _found(request, text):
    patients, visits = _patients(request, text) if len(text) > 1 else ([], [])
    doors = entries.actions(request.user) + entries.pages(request)
    return [
        (_("Patients"), [entries.of_record(patient) for patient in patients]),
        (_("Coming visits"), [entries.of_record(visit) for visit in visits]),
        (_("Go to"), entries.matching(doors, text)),
    ]


def _patients(request, text):
    """Patients of that name, phone, e-mail, number or birth date, and what is booked for them; within the scope."""
    user = request.user
    if not permissions.can(user, "view", Patient):
        return [], []
    audit.searched(Patient, text, by=actor.current())
    rows, day = permissions.visible(user, Patient.objects.active()), as_birth_date(text)
    if day:
        rows = rows.filter(birth_on=day)
    else:
        # By the index first, then sorted: in the order of names the planner would look for them one by one.
        keys = [row["pk"] for row in rows.matching(text).newest_keys()[:AMONG]]
        rows = rows.filter(pk__in=keys).closest_first(text)
    found = list(rows[:PATIENTS])
    if not found or not permissions.can(user, "view", Appointment):
        return found, []
    coming = permissions.visible(user, Appointment.objects.all()).filter(
        patient__in=found, end_at__gte=timezone.now(), status__in=Appointment.OPEN
    )
    return found, coming.select_related("patient", "service", "practitioner").order_by("start_at", "pk")[:VISITS]


def _before_typing(request):
    kept, recent = favourites.of(request.user), opened.lately(request.user, at_most=RECENT)
    pages = {entry.link: entry for entry in entries.pages(request)}
    records = {address: key for address in kept if (key := entries.record_at(address))}
    names = entries.named(request, [*records.values(), *recent])
    starred = [pages.get(address) or names.get(records.get(address)) for address in kept]
    return [
        (_("Favourites"), [entry for entry in starred if entry]),
        (_("Recently opened"), [names[key] for key in recent if key in names and key not in records.values()]),
        (_("Do"), entries.actions(request.user)),
        (_("Go to"), list(pages.values())),
    ]


def _here(request):
    """The page that the palette was opened on, if it can be kept: its entry, and whether it is."""
    entry = _entry_at(request, request.GET.get("here", "")[:200])
    return entry and {"entry": entry, "kept": entry.link in favourites.of(request.user)}


def _entry_at(request, address: str):
    pages = {entry.link: entry for entry in entries.pages(request)}
    path = address.partition("?")[0]
    if address in pages or path in pages:
        return pages.get(address) or pages[path]
    key = entries.record_at(path)
    return entries.named(request, [key]).get(key) if key else None


@require_POST
def favourite_view(request):
    """Keep the page at `address` among the favourites, or with `drop` no longer."""
    address = request.POST.get("address", "")[:200]
    if "drop" in request.POST:
        favourites.drop(request.user, address=address)
        return HttpResponse(status=204)
    entry = _entry_at(request, address)
    if entry is None:
        raise PermissionDenied
    try:
        favourites.keep(request.user, address=entry.link)
    except RuleBroken as refusal:
        return HttpResponse(str(refusal), status=409, content_type="text/plain")
    return HttpResponse(status=204)
