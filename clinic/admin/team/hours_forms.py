"""Rows of the page of hours. None of them knows a right: the page says which of them may be saved."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

from django import forms
from django.utils import timezone
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from clinic.admin.base import ClinicForm
from clinic.admin.base.forms import dress
from clinic.admin.team.absences import SpanForm, clock_field, several_zones, zone_of_practitioner
from clinic.models import ExtraHours, Location, TimeOff, Weekday, WorkingHours
from clinic.services import hours

RHYTHMS = [
    (1, gettext_lazy("every week")),
    *((weeks, format_lazy(gettext_lazy("every {weeks} weeks"), weeks=weeks)) for weeks in range(2, 9)),
]


class PlaceField(forms.TypedChoiceField):
    """One of the practitioner's locations; rows share what was read once."""

    def __init__(self, places, **options):
        self.places = {str(place.pk): place for place in places}
        super().__init__(
            choices=[(key, str(place)) for key, place in self.places.items()],
            coerce=lambda key: self.places[str(key)],
            empty_value=None,
            label=gettext_lazy("Where"),
            **options,
        )

    def prepare_value(self, value):
        return str(value.pk) if isinstance(value, Location) else value

    def has_changed(self, initial, data):
        return str(getattr(initial, "pk", initial) or "") != str(data or "")


class RhythmForm(forms.Form):
    """Every week, or every second one, counted from the Monday of a week."""

    def add_rhythm(self):
        self.fields["every_weeks"] = forms.TypedChoiceField(
            label=gettext_lazy("How often"), choices=RHYTHMS, coerce=int, empty_value=1, required=False, initial=1
        )
        self.fields["anchor_on"] = forms.DateField(
            label=gettext_lazy("Counted from the week of"),
            required=False,
            initial=hours.monday(timezone.localdate()),
            help_text=gettext_lazy("Any day of a week in which it applies."),
        )

    def clean(self):
        cleaned = super().clean()
        rhythm = cleaned.get("every_weeks") or 1
        anchor = cleaned.get("anchor_on")
        if rhythm == 1:
            cleaned["anchor_on"] = None
        elif anchor is not None:
            cleaned["anchor_on"] = hours.monday(anchor)
        elif "anchor_on" not in self.errors:
            self.add_error("anchor_on", _("Alternating weeks want a week to count from."))
        return cleaned


class WeeklyForm(RhythmForm, ClinicForm):
    """One stretch of a weekday."""

    class Meta:
        model = WorkingHours
        fields = ["weekday", "starts", "ends", "location", "every_weeks", "anchor_on", "valid_from", "valid_until"]

    def __init__(self, *args, practitioner, places, **kwargs):
        super().__init__(*args, **kwargs)
        current = self.instance.location if self.instance.pk else None
        self.fields["location"] = PlaceField(places if current is None or current in places else [current, *places])
        self.add_rhythm()
        if self.instance.pk and self.instance.anchor_on is None:
            self.initial["anchor_on"] = hours.monday(timezone.localdate())
        self.fields["ends"].help_text = ""
        for field in self.fields.values():
            dress(field)

    def has_changed(self):
        # A week to count from means nothing while there is nothing to count.
        changed = set(self.changed_data)
        return bool(changed - {"anchor_on"}) or ("anchor_on" in changed and self["every_weeks"].value() not in (1, "1"))


class SeveralForm(RhythmForm):
    """New hours on one or several weekdays at once, with a break or without."""

    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("On"),
        choices=Weekday,
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    starts = forms.TimeField(label=capfirst(gettext_lazy("from")), required=False)
    ends = forms.TimeField(label=capfirst(gettext_lazy("until")), required=False)
    pause_starts = forms.TimeField(label=gettext_lazy("Break from"), required=False)
    pause_ends = forms.TimeField(label=gettext_lazy("Break until"), required=False)
    valid_from = forms.DateField(label=gettext_lazy("Valid from"), required=False)
    valid_until = forms.DateField(label=gettext_lazy("Valid until"), required=False)

    def __init__(self, *args, places, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["location"] = PlaceField(places, required=False)
        self.add_rhythm()
        for field in self.fields.values():
            dress(field)
        self.rows: list[WorkingHours] = []

    def clean(self):
        cleaned = super().clean()
        asked = [cleaned.get(name) for name in ("weekdays", "starts", "ends", "pause_starts", "pause_ends")]
        if self.errors or not any(asked):
            return cleaned
        if not cleaned["weekdays"]:
            self.add_error("weekdays", _("Say on which days."))
        for name in ("starts", "ends"):
            if cleaned[name] is None:
                self.add_error(name, _("Say from when until when."))
        pause = [cleaned["pause_starts"], cleaned["pause_ends"]]
        if pause.count(None) == 1:
            self.add_error("pause_starts", _("Say from when until when."))
        if cleaned["valid_from"] and cleaned["valid_until"] and cleaned["valid_until"] < cleaned["valid_from"]:
            self.add_error("valid_until", _("“Valid until” must not come before “valid from”."))
        if not self.errors:
            self._make_rows(cleaned, None if None in pause else (pause[0], pause[1]))
        return cleaned

    def _make_rows(self, cleaned, pause):
        # 00:00 is midnight, the end of the day.
        ends = cleaned["ends"] if cleaned["ends"] != dt.time() else dt.time.max
        within = [cleaned["starts"], *(pause or ()), ends]
        if any(first >= second for first, second in pairwise(within)):
            if pause:
                self.add_error("pause_starts", _("The break must lie between start and end."))
            else:
                self.add_error("ends", _("The end must come after the start."))
            return
        place = cleaned["location"] or next(iter(self.fields["location"].places.values()), None)
        if place is None:
            self.add_error("location", _("There is no location yet."))
            return
        more = {name: cleaned[name] for name in ("every_weeks", "anchor_on", "valid_from", "valid_until")}
        self.rows = hours.split(cleaned["weekdays"], cleaned["starts"], cleaned["ends"], pause, location=place, **more)


class ExtraForm(ClinicForm):
    """Hours on a single day."""

    class Meta:
        model = ExtraHours
        fields = ["on", "starts", "ends", "location"]

    def __init__(self, *args, practitioner, places, **kwargs):
        super().__init__(*args, **kwargs)
        current = self.instance.location if self.instance.pk else None
        self.fields["location"] = PlaceField(places if current is None or current in places else [current, *places])
        if not self.instance.pk and places:
            # A blank row has something chosen; it must not look filled in for that.
            self.initial["location"] = str(places[0].pk)
        self.fields["ends"].help_text = ""
        for field in self.fields.values():
            dress(field)


class BlockForm(SpanForm):
    """Time off of the practitioner whose page it is."""

    class Meta:
        model = TimeOff
        fields = ["reason"]

    field_order = ["first_on", "starts", "last_on", "ends", "reason", "clock_of"]

    def __init__(self, *args, practitioner, zones, **kwargs):
        super().__init__(*args, **kwargs)
        self.practitioner = practitioner
        for name in ("starts", "last_on"):
            self.fields[name].help_text = ""
        if len(zones or several_zones()) > 1:
            self.fields["clock_of"] = clock_field()
            self.fields["clock_of"].queryset = Location.objects.active()
            dress(self.fields["clock_of"])
        dress(self.fields["reason"])

    def zone_of(self, cleaned):
        return zone_of_practitioner(self, self.practitioner, cleaned.get("clock_of"))
