"""Offered times on forms: what is free for what the form says so far. Times are offered, not typed."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import permissions
from clinic.admin.base.forms import DATE_FORMATS, DateInput, TimeInput, dress
from clinic.models import Appointment, Location, Patient, Practitioner, Service
from clinic.services.scheduling import clock, slots
from clinic.services.scheduling.planning import FIRST_YEAR, LAST_YEAR
from clinic.services.scheduling.ranking import REASONS

ASK = "_times"
PARTS = [("", gettext_lazy("any time")), *slots.PART_LABELS.items()]


# Suggestions look this far beyond the day that is asked about.
DAYS_AHEAD = 7


def value_of(slot: slots.Slot) -> str:
    """What a radio button posts: a moment, who and where."""
    return f"{slot.start_at.isoformat()}/{slot.practitioner_id}/{slot.location_id}"


def label_of(slot: slots.Slot, zone: ZoneInfo) -> str:
    local = slot.start_at.astimezone(zone)
    return f"{date_format(local, 'D j M')}, {clock.wall(local)}"


class Chosen(NamedTuple):
    """What the form says about the time: None where it is left open, or wrong and marked so."""

    start_at: dt.datetime | None = None
    end_at: dt.datetime | None = None
    practitioner_id: int | None = None
    location_id: int | None = None


@dataclass(frozen=True)
class Question:
    """What the form says so far; None where it says nothing (yet, or nothing that exists)."""

    service: Service | None
    practitioner: Practitioner | None
    location: Location | None
    patient: Patient | None
    day: dt.date
    part: str
    moving: Appointment | None = None

    @classmethod
    def of(cls, read, user, *, moving: Appointment | None = None) -> Question:
        """`read(name)` gives raw values. Only what the person may see can be asked about.

        `moving` is a visit that does not stand in its own way and keeps its length.
        """
        return cls(
            service=_find(Service, read("service"), user),
            practitioner=_find(own_practitioners(user), read("practitioner"), user),
            location=_find(Location, read("location"), user),
            patient=_find(Patient, read("patient"), user),
            day=as_day(read("on")) or timezone.localdate(),
            part=read("part") if read("part") in slots.PARTS_OF_DAY else "",
            moving=moving,
        )

    def offers(self, user, chosen: str = "") -> dict:
        """Context of times.html: what suits best, who is free when and where on that day, or when next."""
        context = {"question": self, "ask": ASK}
        if self.service is None:
            return context
        wanted = {
            "practitioners": [self.practitioner.pk] if self.practitioner else _bookable(user),
            "locations": [self.location.pk] if self.location else None,
            "part": self.part or None,
            "patient_id": self.patient.pk if self.patient else None,
            "exclude": self.moving.pk if self.moving else 0,
            "minutes": self.moving and int((self.moving.end_at - self.moving.start_at).total_seconds() // 60),
        }
        week = self.day + dt.timedelta(days=DAYS_AHEAD - 1)
        found, suggestions = slots.suggested(self.service.pk, first_on=self.day, last_on=week, **wanted)
        if not found:
            from_on = max(week + dt.timedelta(days=1), timezone.localdate())
            following = slots.next_available(self.service.pk, from_on=from_on, **wanted)
            found = [following] if following else []
        shown = Shown(self, found, suggestions, chosen)
        return {
            **context,
            "suggestions": shown.suggestions(),
            "places": shown.places(),
            "next": None if shown.today else shown.next(),
            "clock_changes": shown.clock_changes(),
            "chosen": chosen,
            "before": self.day - dt.timedelta(days=1),
            "after": self.day + dt.timedelta(days=1),
            "today": timezone.localdate(),
        }


class Shown:
    """Slots with the names and clocks that people read."""

    def __init__(self, question: Question, found: list[slots.Slot], suggestions: list, chosen: str):
        self.question = question
        self.found = found
        self.suggested = [(one.slot, [REASONS[reason] for reason in one.reasons]) for one in suggestions]
        self.locations = {question.location.pk: question.location} if question.location else {}
        if not self.locations:
            self.locations = Location.objects.in_bulk({slot.location_id for slot in found})
        self.today = [slot for slot in found if self.local(slot).date() == question.day]
        offered = {value_of(slot) for slot in (*self.today, *(slot for slot, _reasons in self.suggested))}
        if chosen and chosen not in offered:
            # Picked among suggestions that are no longer made: still free, so still there.
            self.suggested[:0] = [(slot, []) for slot in found if value_of(slot) == chosen]
        people = {slot.practitioner_id for slot in (*self.today, *(slot for slot, _reasons in self.suggested))}
        self.people = Practitioner.objects.in_bulk(people)

    def local(self, slot: slots.Slot) -> dt.datetime:
        return slot.start_at.astimezone(self.locations[slot.location_id].zone)

    def suggestions(self) -> list[dict]:
        return [
            {
                "value": value_of(slot),
                "when": label_of(slot, self.locations[slot.location_id].zone),
                "who": self.people[slot.practitioner_id],
                "where": None if self.question.location else self.locations[slot.location_id],
                "reasons": reasons,
            }
            for slot, reasons in self.suggested
        ]

    def places(self) -> list[tuple]:
        """(location, [(practitioner, [(value, clock)])]) of the day."""

        def by_name(slot):
            return str(self.locations[slot.location_id]), slot.location_id

        out = []
        for (_name, id_), group in itertools.groupby(sorted(self.today, key=by_name), key=by_name):
            times: dict[int, list] = {}
            for slot in group:
                times.setdefault(slot.practitioner_id, []).append((value_of(slot), clock.wall(self.local(slot))))
            people = sorted(times.items(), key=lambda item: str(self.people[item[0]]))
            out.append((self.locations[id_], [(self.people[who], offered) for who, offered in people]))
        return out

    def next(self) -> dict | None:
        if not self.found:
            return None
        slot = self.found[0]
        return {
            "day": self.local(slot).date(),
            "label": label_of(slot, self.locations[slot.location_id].zone),
        }

    def clock_changes(self) -> list[clock.Change]:
        zones = {location.time_zone for location in self.locations.values()}
        changes = {clock.change(zone, self.question.day) for zone in sorted(zones)}
        return [change for change in changes if change]


def own_practitioners(user):
    """Whom this person may book for: everybody, or the person's own practice only."""
    queryset = Practitioner.objects.active()
    if permissions.scope(user, "book", Appointment) == permissions.OWN_ONLY:
        queryset = queryset.filter(user=user)
    return queryset


def _bookable(user) -> list[int] | None:
    if permissions.scope(user, "book", Appointment) == permissions.ANY:
        return None
    return list(own_practitioners(user).values_list("pk", flat=True))


def _find(source, raw, user):
    queryset = source._default_manager.all() if isinstance(source, type) else source
    try:
        return permissions.visible(user, queryset).filter(pk=int(raw)).first()
    except (TypeError, ValueError, OverflowError):
        return None


def check_day(day: dt.date) -> None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValidationError(_("This day is hardly meant."))


def as_day(raw) -> dt.date | None:
    try:
        return forms.DateField(input_formats=DATE_FORMATS, validators=[check_day]).clean(raw)
    except ValidationError:
        return None


class TimesWidget(forms.Widget):
    """The radio buttons; `offers` is set by the form, which knows the rest of what was chosen. It is asked when the
    buttons are shown, not when a form that is in order is taken in."""

    template_name = "admin/scheduling/times.html"

    def offers(self) -> dict:
        return {}

    def get_context(self, name, value, attrs):
        return {**super().get_context(name, value, attrs), **self.offers()}

    def id_for_label(self, id_, index=None):
        return ""


class TimesForm(forms.Form):
    """A form that ends in a time: offered (`slot`), or typed where the desk knows better (`starts`, `ends`)."""

    on = forms.DateField(
        label=gettext_lazy("Day"), input_formats=DATE_FORMATS, widget=DateInput, validators=[check_day]
    )
    part = forms.ChoiceField(label=gettext_lazy("Part of day"), choices=PARTS, required=False)
    slot = forms.CharField(label=gettext_lazy("Free times"), required=False, widget=TimesWidget, max_length=80)
    starts = forms.TimeField(label=capfirst(gettext_lazy("from")), required=False, widget=TimeInput)
    ends = forms.TimeField(
        label=capfirst(gettext_lazy("until")),
        required=False,
        widget=TimeInput,
        help_text=gettext_lazy("Empty: as long as the service takes."),
    )

    class Media:
        css = {"all": ["clinic/scheduling.css"]}
        js = ["clinic/times.js"]

    def prepare_times(self, user, *, moving: Appointment | None = None, **fixed):
        """Say how to compute what is offered; `fixed` are answers that this form does not ask for."""
        dress(self.fields["part"])
        self.fields["location"].required = False
        self.fields["location"].empty_label = _("all locations")

        def read(name):
            if name in fixed:
                return fixed[name]
            if self.is_bound:
                return self.data.get(self.add_prefix(name))
            return self.get_initial_for_field(self.fields[name], name) if name in self.fields else None

        def offers():
            question = Question.of(read, user, moving=moving)
            return {
                **question.offers(user, chosen=read("slot") or ""),
                "exclude": moving.pk if moving else "",
                "fixed": fixed,
            }

        self.fields["slot"].widget.offers = offers

    def full_clean(self):
        super().full_clean()
        if self.is_bound and ASK in self.data:
            # Only the times were asked for: no word yet about what is still empty.
            self._errors.clear()

    def is_valid(self):
        return ASK not in self.data and super().is_valid()

    def read_time(self, cleaned, location) -> Chosen:
        """The time as chosen or typed; what was typed wins. Puts errors beside the fields."""
        if cleaned.get("starts"):
            start = self._moment(cleaned, "starts", location)
            end = self._moment(cleaned, "ends", location) if cleaned.get("ends") else None
            if start and end and end <= start:
                self.add_error("ends", _("The end must come after the start."))
            if location is None and "location" not in self.errors:
                self.add_error("location", _("Choose where, or one of the free times."))
            return Chosen(start, end)
        if cleaned.get("ends"):
            self.add_error("starts", _("Say when it begins, too."))
            return Chosen()
        try:
            moment, who, *where = cleaned.get("slot", "").split("/")
            start = dt.datetime.fromisoformat(moment)
            place = int(where[0]) if where else location and location.pk
            if start.tzinfo is None or not FIRST_YEAR < start.year < LAST_YEAR or len(where) > 1:
                raise ValueError
            if place is None or (location and place != location.pk):
                raise ValueError
            return Chosen(start, None, int(who), place)
        except ValueError:
            if "starts" not in self.errors and "ends" not in self.errors:
                self.add_error("slot", _("Choose one of the free times, or type another."))
            return Chosen()

    def take_place(self, cleaned, chosen: Chosen) -> None:
        """The location of a chosen time, where the form left it open."""
        if chosen.location_id and cleaned.get("location") is None and "location" not in self.errors:
            cleaned["location"] = self.fields["location"].queryset.filter(pk=chosen.location_id).first()
            if cleaned["location"] is None:
                self.add_error("slot", _("Choose one of the free times, or type another."))

    def _moment(self, cleaned, name, location):
        day = cleaned.get("on")
        if day is None or location is None:
            return None
        # Of two moments at which the clock shows this, the first: times.html says so on such days.
        moment = dt.datetime.combine(day, cleaned[name], tzinfo=location.zone)
        if moment.astimezone(dt.UTC).astimezone(location.zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
            self.add_error(name, _("The clock skips this time on that day."))
            return None
        return moment
