"""What dragging does: one call of the service that every move goes through, and the way back for a few seconds."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.contrib import admin
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic import actor
from clinic.admin.base.refusals import REFUSALS, Acceptance, Refusal, posted, refusal_of
from clinic.admin.scheduling.actions import VisitActions
from clinic.admin.scheduling.times import check_day, own_practitioners
from clinic.models import Appointment, Location, Room
from clinic.services import scheduling
from clinic.services.scheduling.planning import FIRST_YEAR, LAST_YEAR

_MOVE = VisitActions.move


class ClockField(forms.CharField):
    """A naive wall clock as the browser writes it, "2026-11-23T09:30"; made a moment by `at_clock`."""

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        try:
            clock = dt.datetime.strptime(text[:16], "%Y-%m-%dT%H:%M")  # noqa: DTZ007  (the location's zone comes later)
        except ValueError:
            raise forms.ValidationError(_("This is no time."), code="invalid") from None
        check_day(clock.date())
        return clock


class DragForm(forms.Form):
    """Where a visit was dropped. Only what changed is said: what is not keeps its very moment, also in an hour that
    comes twice. `slot` is an alternative that was offered and chosen."""

    version = forms.IntegerField(min_value=0)
    start = ClockField(required=False)
    end = ClockField(required=False)
    practitioner = forms.ModelChoiceField(None, required=False)
    room = forms.ModelChoiceField(Room.objects.active(), required=False)
    slot = forms.CharField(required=False, max_length=80)

    def __init__(self, data, *, visit, user):
        super().__init__(data)
        self.visit = visit
        self.fields["practitioner"].queryset = own_practitioners(user)

    def clean_slot(self):
        if not (raw := self.cleaned_data["slot"]):
            return None
        try:
            moment, who, where = raw.split("/")
            start = dt.datetime.fromisoformat(moment)
            person = self.fields["practitioner"].queryset.filter(pk=int(who)).first()
            place = Location.objects.active().filter(pk=int(where)).first()
        except (ValueError, OverflowError):
            start = person = place = None
        if None in (start, person, place) or start.tzinfo is None or not FIRST_YEAR < start.year < LAST_YEAR:
            raise forms.ValidationError(_("Choose one of the free times, or type another."), code="invalid")
        return start, person, place

    def clean(self):
        cleaned = super().clean()
        zone, visit = self.visit.location.zone, self.visit
        if cleaned.get("slot"):
            cleaned["start_at"], cleaned["practitioner"], cleaned["location"] = cleaned["slot"]
            # What was offered was computed for the length that was wished for; the room is chosen anew.
            cleaned["end_at"] = cleaned["start_at"] + self._length(zone)
            cleaned["room"] = None
            return cleaned
        start = at_clock(cleaned["start"], zone) if cleaned.get("start") else visit.start_at
        cleaned["start_at"] = start
        cleaned["end_at"] = at_clock(cleaned["end"], zone, after=start) if cleaned.get("end") else None
        return cleaned

    def _length(self, zone):
        end = self.cleaned_data.get("end")
        if not end:
            return self.visit.end_at - self.visit.start_at
        start = self.cleaned_data.get("start")
        start = at_clock(start, zone) if start else self.visit.start_at
        return at_clock(end, zone, after=start) - start

    def arguments(self) -> dict:
        names = ("start_at", "end_at", "practitioner", "location", "room", "version")
        return {name: self.cleaned_data.get(name) for name in names}


def at_clock(naive: dt.datetime, zone, *, after: dt.datetime | None = None) -> dt.datetime:
    """The moment at which the clock shows this; of two the first, or the first that comes `after`.

    Refused where the clock skips it.
    """
    # In UTC from here on: Python compares and subtracts moments of one zone by their clocks.
    first, again = (naive.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != naive:
        raise forms.ValidationError(_("The clock skips this time on that day."), code="skipped")
    return again if after is not None and first <= after else first


def move_view(request, object_id):
    """A visit was dropped somewhere. 200 with JSON: moved; 200 with a page fragment: refused, and what may be done."""
    screen = admin.site.get_model_admin(Appointment)
    visit = screen.get_object_or_refuse(request, object_id, _MOVE.verb)
    if request.method != "POST":
        # Who comes by address gets the form that does the same.
        return redirect(screen.action_url(visit, _MOVE.name))
    accepted = Acceptance.of(request)
    accepted.check(request, visit, _MOVE.acceptance)
    form = DragForm(posted(request), visit=visit, user=request.user)
    if not form.is_valid():
        sentence = " ".join(error for errors in form.errors.values() for error in errors)
        return _refused(request, screen, visit, Refusal(sentence, code="invalid"))
    arguments = form.arguments()
    try:
        moved = _MOVE.run(visit, actor.current(), **{**arguments, **_MOVE.accepted(accepted, arguments)})
    except REFUSALS as error:
        return _refused(request, screen, screen.get_object(request, object_id), refusal_of(error))
    return _moved(request, screen, moved)


def move_back_view(request, object_id):
    """Take the last move back."""
    screen = admin.site.get_model_admin(Appointment)
    visit = screen.get_object_or_refuse(request, object_id, _MOVE.verb)
    if request.method != "POST":
        return redirect(reverse("admin:clinic_appointment_change", args=[visit.pk]))
    version = request.POST.get("version", "")
    try:
        number = int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else -1
        back = scheduling.move_back(visit, by=actor.current(), version=number)
    except REFUSALS as error:
        return _refused(request, screen, screen.get_object(request, object_id), refusal_of(error))
    return JsonResponse({"said": _("Taken back: %(visit)s") % {"visit": _told(back)}, "id": back.pk})


def _moved(request, screen, visit) -> HttpResponse:
    answer = {"said": _("Moved: %(visit)s") % {"visit": _told(visit)}, "id": visit.pk, "version": visit.version}
    # A practitioner who hands a visit over may no longer touch it.
    if screen.get_queryset(request).filter(pk=visit.pk).exists():
        answer["back"] = reverse("admin:clinic_appointment_calendar_back", args=[visit.pk])
    return JsonResponse(answer)


def _told(visit) -> str:
    when = f"{date_format(visit.local_start, 'D j M, H:i')}–{visit.local_end:%H:%M}"
    return " · ".join((str(visit.patient), when, str(visit.practitioner)))


def _refused(request, screen, visit, refusal) -> HttpResponse:
    """The sentence, three free times, and the way past it for those who may; what was asked for goes along."""
    screen.record_look(visit)
    wished = [
        (name, value)
        for name in ("version", "start", "end", "practitioner", "room")
        if (value := request.POST.get(name))
    ]
    context = {
        **screen.refusal_context(request, visit, refusal, _MOVE.acceptance),
        "visit": visit,
        "told": _told(visit),
        "wished": wished,
        "form_url": screen.action_url(visit, _MOVE.name),
    }
    return TemplateResponse(request, "admin/calendar/refused.html", context)
