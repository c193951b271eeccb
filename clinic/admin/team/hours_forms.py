"""Rows of the page of hours. None of them knows a right: the page says which of them may be saved."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.admin.base import ClinicForm
from clinic.admin.base.forms import dress
from clinic.admin.team.absences import SpanForm, clock_field, several_zones, zone_of_practitioner
from clinic.admin.team.ranges import parse, written
from clinic.models import ExtraHours, Location, TimeOff, Weekday, WorkingHours
from clinic.services import hours

RHYTHMS = [
    (1, gettext_lazy("every week")),
    *((weeks, format_lazy(gettext_lazy("every {weeks} weeks"), weeks=weeks)) for weeks in range(2, 9)),
]


# What a week of hours has beside them.
RHYTHM = ("every_weeks", "anchor_on", "valid_from", "valid_until")


def cell_name(place_id: int, weekday: int) -> str:
    return f"at-{place_id}-{weekday}"


def _meant(row: WorkingHours, name: str):
    """A column as the form says it: weeks are counted from their Mondays, where there is something to count."""
    if name != "anchor_on" or row.anchor_on is None:
        return getattr(row, name)
    return hours.monday(row.anchor_on) if row.every_weeks > 1 else None


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


class WeekForm(RhythmForm):
    """A week of hours with one rhythm and one validity: a line of text per location and weekday.

    `rows` are the practitioner's rows that it stands for; `wanted` and `gone` afterwards what is to be saved and what
    goes. A row whose hours stay keeps its key, so that its history goes on.
    """

    valid_from = forms.DateField(label=gettext_lazy("Valid from"), required=False)
    valid_until = forms.DateField(label=gettext_lazy("Valid until"), required=False)

    def __init__(self, *args, rows=(), places, **kwargs):
        self.rows = list(rows)
        first = self.rows[0] if self.rows else None
        kept = {name: getattr(first, name) for name in RHYTHM if getattr(first, name, None)}
        super().__init__(*args, initial=kept, **kwargs)
        known = {place.pk: place for place in [*places, *(row.location for row in self.rows)]}
        self.places = list(known.values())
        for place in self.places:
            for weekday in Weekday:
                self.fields[cell_name(place.pk, weekday)] = self._cell(place, weekday)
        self.add_rhythm()
        for name in RHYTHM:
            dress(self.fields[name])
        self.wanted: list[WorkingHours] = []
        self.gone: list[WorkingHours] = []
        # Which input said a row.
        self.said: dict[int, str] = {}

    def _cell(self, place, weekday):
        ranges = [(row.starts, row.ends) for row in self._at(place.pk, weekday)]
        return forms.CharField(
            label=weekday.label,
            initial=written(ranges),
            required=False,
            max_length=200,
            widget=forms.Textarea(
                attrs={"rows": 2, "class": "week-input", "spellcheck": "false", "autocomplete": "off"}
            ),
        )

    def _at(self, place_id, weekday):
        return [row for row in self.rows if (row.location_id, row.weekday) == (place_id, weekday)]

    @property
    def grid(self):
        """(location, the seven inputs) for the page."""
        return [(place, [self[cell_name(place.pk, weekday)] for weekday in Weekday]) for place in self.places]

    @property
    def title(self) -> str:
        if not self.rows:
            return _("New hours")
        row = self.rows[0]
        words = [capfirst(str(dict(RHYTHMS).get(row.every_weeks, "")))]
        words += [_("from %(day)s") % {"day": date_format(row.valid_from)}] if row.valid_from else []
        words += [_("until %(day)s") % {"day": date_format(row.valid_until)}] if row.valid_until else []
        return ", ".join(words)

    @property
    def is_blank(self) -> bool:
        """Stands for nothing, and nothing was typed into it."""
        typed = any(field.value() for _place, fields in self.grid for field in fields)
        return not (self.rows or typed or (self.is_bound and self.errors))

    @property
    def is_plain(self) -> bool:
        """Every week, for ever: nothing to say beside the hours."""
        return (
            not any(self[name].value() for name in ("valid_from", "valid_until"))
            and str(self["every_weeks"].value() or 1) == "1"
        )

    def clean(self):
        cleaned = super().clean()
        since, until = cleaned.get("valid_from"), cleaned.get("valid_until")
        if since and until and until < since:
            self.add_error("valid_until", _("“Valid until” must not come before “valid from”."))
        more = {name: cleaned.get(name) for name in RHYTHM}
        more["every_weeks"] = more["every_weeks"] or 1
        for place in self.places:
            for weekday in Weekday:
                name = cell_name(place.pk, weekday)
                if name in cleaned:
                    self._match(name, place, weekday, more)
        return cleaned

    def _match(self, name, place, weekday, more):
        try:
            ranges = parse(self.cleaned_data[name])
        except ValidationError as error:
            self.add_error(name, error)
            return
        rows = {(row.starts, row.ends): row for row in self._at(place.pk, weekday)}
        kept = {span: rows.pop(span) for span in ranges if span in rows}
        spare = list(rows.values())
        for span in ranges:
            row = kept.pop(span, None) or (spare.pop() if spare else WorkingHours(location=place, weekday=weekday))
            values = {"starts": span[0], "ends": span[1], **more}
            row.differs = any(_meant(row, key) != value for key, value in values.items())
            for key, value in values.items():
                setattr(row, key, value)
            self.wanted.append(row)
            self.said[id(row)] = name
        self.gone += spare


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
