"""The rebooking worklist: visits that lie in time off, closures or outside hours, each with times to move it to."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import permissions
from clinic.admin.base import record_action
from clinic.admin.base.scope import may
from clinic.admin.scheduling.forms import ReasonForm
from clinic.admin.scheduling.times import own_practitioners, value_of
from clinic.models import Appointment, Location, Practitioner, TimeOff
from clinic.services.scheduling import rebooking

PER_PAGE = 10
# Counting further tells nobody more.
COUNTED = 99


@dataclass(frozen=True)
class Row:
    visit: Appointment
    why: str
    # (label, who and where if that changes, inputs of the form that moves it)
    proposals: list
    may_move: bool
    may_cancel: bool
    may_keep: bool


class RebookingPage:
    """For AppointmentAdmin."""

    keep = record_action(
        gettext_lazy("Keep anyway"),
        verb="outside_hours",
        done=gettext_lazy("Kept where it is"),
        service=rebooking.keep,
        form=ReasonForm,
        icon="keep",
        available=lambda visit: visit.status in Appointment.MOVABLE and "outside_hours" not in visit.accepted,
    )

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("rebooking/", view(self.rebooking_view), name="clinic_appointment_rebooking"),
            path(
                "rebooking/count/",
                view(self.rebooking_count_view, cacheable=True),
                name="clinic_appointment_rebooking_count",
            ),
            *super().get_urls(),
        ]

    def open_actions(self, request, obj):
        # Whether a visit is to be kept is asked on the worklist, which says why it should not.
        return [item for item in super().open_actions(request, obj) if item["action"].name != "keep"]

    def rebooking_view(self, request):
        self._refuse_strangers(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        people, place, person = _mine(request.user), _chosen(request, Location), _chosen(request, Practitioner)
        wanted = people if person is None else [pk for pk in (people or [person.pk]) if pk == person.pk]
        number = _number(request)
        asked = {"practitioners": wanted, "locations": None if place is None else [place.pk]}
        page = rebooking.worklist(**asked, first=(number - 1) * PER_PAGE, size=PER_PAGE)
        if not page.ids and number > 1:
            # What stood there has been dealt with.
            number, page = 1, rebooking.worklist(**asked, size=PER_PAGE)
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": _("To rebook"),
            "opts": self.opts,
            "rows": self._rows(request, page),
            "total": page.total,
            "pages": Paginator(range(page.total), PER_PAGE).get_page(number),
            "places": Location.objects.active(),
            "people": [] if people is not None else Practitioner.objects.active(),
            "place": place,
            "person": person,
            "query": urlencode([(name, value) for name, value in request.GET.items() if name != "p"]),
            "here": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/scheduling/rebooking.html", context)

    def rebooking_count_view(self, request):
        """The number alone, for the menu."""
        self._refuse_strangers(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        count = rebooking.count(practitioners=_mine(request.user))
        text = f"{COUNTED}+" if count > COUNTED else count or ""
        # The browser asks once a minute, and anew for who signs in after somebody else.
        headers = {"Cache-Control": "private, max-age=60", "Vary": "Cookie"}
        return HttpResponse(text, content_type="text/plain", headers=headers)

    def _refuse_strangers(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _rows(self, request, page) -> list[Row]:
        # Through the person's scope again: what the worklist found is keys.
        visits = sorted(
            self.get_queryset(request).filter(pk__in=page.ids).prefetch_related("equipment_uses"),
            key=lambda visit: (visit.start_at, visit.pk),
        )
        why = rebooking.reasons(page, visits, permissions.visible(request.user, TimeOff.objects.all()))
        mine = permissions.scope(request.user, "move", Appointment) == permissions.OWN_ONLY
        # All of them are the own ones of who moves own ones only.
        movable = visits if may(request, "move", Appointment) else []
        who = list(own_practitioners(request.user).values_list("pk", flat=True)) if mine else None
        found = rebooking.proposals(movable, practitioners=who)
        names = Practitioner.objects.in_bulk({slot.practitioner_id for slots in found.values() for slot in slots})
        places = Location.objects.in_bulk({slot.location_id for slots in found.values() for slot in slots})
        return [
            Row(
                visit,
                why[visit.pk],
                [_proposal(visit, slot, names, places) for slot in found.get(visit.pk, ())],
                bool(movable),
                may(request, "cancel", Appointment),
                may(request, "outside_hours", Appointment),
            )
            for visit in visits
        ]


def _proposal(visit, slot, names, places):
    place = places[slot.location_id]
    start = slot.start_at.astimezone(place.zone)
    other = [str(names[slot.practitioner_id])] if slot.practitioner_id != visit.practitioner_id else []
    other += [str(place)] if slot.location_id != visit.location_id else []
    inputs = {
        "practitioner": slot.practitioner_id,
        "location": slot.location_id,
        "on": start.date().isoformat(),
        "slot": value_of(slot),
    }
    return date_format(start, "D j M, H:i"), " · ".join(other), inputs


def _mine(user) -> list[int] | None:
    """Whose visits somebody may see: everybody's, or those of the own practice."""
    if permissions.scope(user, "view", Appointment) == permissions.ANY:
        return None
    return list(Practitioner.objects.filter(user=user).values_list("pk", flat=True))


def _chosen(request, model):
    raw = request.GET.get(model._meta.model_name, "")
    if not (raw.isascii() and raw.isdigit() and len(raw) < 19):
        return None
    return permissions.visible(request.user, model.objects.all()).filter(pk=int(raw)).first()


def _number(request) -> int:
    raw = request.GET.get("p", "")
    return max(int(raw), 1) if raw.isascii() and raw.isdigit() and len(raw) < 7 else 1
