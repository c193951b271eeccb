"""List filters that the theme lacks."""

import datetime as dt

from django import forms
from django.contrib.admin import FieldListFilter
from django.db.models import DateTimeField
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from clinic.admin.base.forms import DateInput


class DayRangeFilter(FieldListFilter):
    """From a day to a day, both included, by the clinic's clock. Wants `list_filter_submit` on the screen."""

    template = "unfold/filters/filters_field.html"

    def __init__(self, field, request, params, model, model_admin, field_path):
        super().__init__(field, request, params, model, model_admin, field_path)
        asked = {name: self.used_parameters.pop(name, None) for name in self.expected_parameters()}
        self.days = {name: _day(values[-1] if values else "") for name, values in asked.items()}

    def has_output(self):
        return True

    def expected_parameters(self):
        return [f"{self.field_path}_from", f"{self.field_path}_to"]

    def queryset(self, request, queryset):
        first, last = (self.days[name] for name in self.expected_parameters())
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": self._start(first)})
        if last:
            queryset = queryset.filter(**{f"{self.field_path}__lt": self._start(last + dt.timedelta(days=1))})
        return queryset

    def _start(self, day):
        if not isinstance(self.field, DateTimeField):
            return day
        return timezone.make_aware(dt.datetime.combine(day, dt.time.min))

    def choices(self, changelist):
        first, last = self.expected_parameters()
        form = forms.Form(self.days)
        form.fields[first] = forms.DateField(label=_("From"), required=False, widget=DateInput)
        form.fields[last] = forms.DateField(label=_("Until"), required=False, widget=DateInput)
        yield {"form": form}


def _day(text):
    try:
        day = parse_date(text or "")
    except ValueError:
        return None
    # A day later belongs to the range, and the calendar ends.
    return day if day and dt.date(1900, 1, 1) <= day < dt.date(9000, 1, 1) else None
