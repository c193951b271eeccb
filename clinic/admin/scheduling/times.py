"""Offered times on forms: what is free for what the form says so far. Times are offered, not typed."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
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
from clinic.services.scheduling import slots
from clinic.services.scheduling.planning import FIRST_YEAR, LAST_YEAR

ASK = "_times"
PARTS = [("", gettext_lazy("any time")), *slots.PART_LABELS.items()]


def value_of(start_at: dt.datetime, practitioner_id: int) -> str:
    """What a radio button posts: a moment and who."""
    return f"{start_at.isoformat()}/{practitioner_id}"


def label_of(slot: slots.Slot, zone: ZoneInfo) -> str:
    return date_format(slot.start_at.astimezone(zone), "D j M, H:i")


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
        """Context of times.html: who is free when on that day, or when next."""
        context = {"question": self, "chosen": chosen, "ask": ASK}
        if self.service is None or self.location is None:
            return context
        who = [self.practitioner.pk] if self.practitioner else _bookable(user)
        wanted = {
            "practitioners": who,
            "locations": [self.location.pk],
            "part": self.part or None,
            "patient_id": self.patient.pk if self.patient else None,
            "exclude": self.moving.pk if self.moving else 0,
            "minutes": self.moving and int((self.moving.end_at - self.moving.start_at).total_seconds() // 60),
        }
        zone = self.location.zone
        found = slots.free(self.service.pk, first_on=self.day, **wanted)
        names = Practitioner.objects.in_bulk({slot.practitioner_id for slot in found})
        found.sort(key=lambda slot: (str(names[slot.practitioner_id]), slot.start_at))
        context["people"] = [
            (names[id_], [(value_of(slot.start_at, id_), slot.start_at.astimezone(zone)) for slot in group])
            for id_, group in itertools.groupby(found, key=lambda slot: slot.practitioner_id)
        ]
        if not found:
            context["next"] = self._next(wanted, zone)
        context.update(before=self.day - dt.timedelta(days=1), after=self.day + dt.timedelta(days=1))
        context["today"] = timezone.localdate()
        return context

    def _next(self, wanted, zone):
        from_on = max(self.day + dt.timedelta(days=1), timezone.localdate())
        slot = slots.next_available(self.service.pk, from_on=from_on, **wanted)
        return slot and {"day": slot.start_at.astimezone(zone).date(), "label": label_of(slot, zone)}


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
    """The radio buttons; `context` is set by the form, which knows the rest of what was chosen."""

    template_name = "admin/scheduling/times.html"
    context: dict = {}

    def get_context(self, name, value, attrs):
        return {**super().get_context(name, value, attrs), **self.context}

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
        """Compute what is offered; `fixed` are answers that this form does not ask for."""
        dress(self.fields["part"])

        def read(name):
            if name in fixed:
                return fixed[name]
            if self.is_bound:
                return self.data.get(self.add_prefix(name))
            return self.get_initial_for_field(self.fields[name], name) if name in self.fields else None

        self.question = Question.of(read, user, moving=moving)
        self.fields["slot"].widget.context = {
            **self.question.offers(user, chosen=read("slot") or ""),
            "exclude": moving.pk if moving else "",
            "fixed": fixed,
        }

    def full_clean(self):
        super().full_clean()
        if self.is_bound and ASK in self.data:
            # Only the times were asked for: no word yet about what is still empty.
            self._errors.clear()

    def is_valid(self):
        return ASK not in self.data and super().is_valid()

    def read_time(self, cleaned, location) -> tuple[dt.datetime | None, dt.datetime | None, int | None]:
        """(start, end, practitioner id) as chosen or typed; end and practitioner None where left open.

        What was typed wins. Puts errors beside the fields.
        """
        if cleaned.get("starts"):
            start = self._moment(cleaned, "starts", location)
            end = self._moment(cleaned, "ends", location) if cleaned.get("ends") else None
            if start and end and end <= start:
                self.add_error("ends", _("The end must come after the start."))
            return start, end, None
        if cleaned.get("ends"):
            self.add_error("starts", _("Say when it begins, too."))
            return None, None, None
        try:
            moment, who = cleaned.get("slot", "").split("/")
            start = dt.datetime.fromisoformat(moment)
            if start.tzinfo is None or not FIRST_YEAR < start.year < LAST_YEAR:
                raise ValueError
            return start, None, int(who)
        except ValueError:
            if "starts" not in self.errors and "ends" not in self.errors:
                self.add_error("slot", _("Choose one of the free times, or type another."))
            return None, None, None

    def _moment(self, cleaned, name, location):
        day = cleaned.get("on")
        if day is None or location is None:
            return None
        moment = dt.datetime.combine(day, cleaned[name], tzinfo=location.zone)
        if moment.astimezone(dt.UTC).astimezone(location.zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
            self.add_error(name, _("The clock skips this time on that day."))
            return None
        return moment
