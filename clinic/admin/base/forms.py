"""Forms and inputs of the desk: native date and time inputs, the theme's look, refusals that keep what was typed."""

from django import forms
from django.db import models
from django.utils.translation import gettext as _
from unfold import widgets

from clinic.models.base import TranslatedField

# Reception writes dates the European way round; the browser's own input sends the first of these.
DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d %m %Y")


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, attrs=None):
        super().__init__({"class": f"{' '.join(widgets.INPUT_CLASSES)} desk-date", **(attrs or {})}, format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self, attrs=None):
        super().__init__({"class": f"{' '.join(widgets.INPUT_CLASSES)} desk-time", **(attrs or {})}, format="%H:%M")


class DateTimeInput(forms.SplitDateTimeWidget):
    template_name = "admin/widgets/date_time.html"

    def __init__(self, attrs=None):
        forms.MultiWidget.__init__(self, {"date": DateInput(attrs), "time": TimeInput(attrs)}, attrs)


class SplitDateTimeField(forms.SplitDateTimeField):
    def __init__(self, **kwargs):
        super().__init__(**{"input_date_formats": DATE_FORMATS, "widget": DateTimeInput, **kwargs})
        # One time, not "first" and "second": names for who does not see the layout.
        self.widget.widgets[0].attrs["aria-label"] = _("Date")
        self.widget.widgets[1].attrs["aria-label"] = _("Time")


OVERRIDES = {
    models.DateField: {"widget": DateInput, "input_formats": DATE_FORMATS},
    models.TimeField: {"widget": TimeInput},
    models.DateTimeField: {"form_class": SplitDateTimeField, "widget": DateTimeInput},
    # Its form field brings its own widget: see clinic.models.forms.
    TranslatedField: {"widget": None},
}


def native(model_overrides):
    """`formfield_overrides` of a screen: ours over the theme's."""
    return {**model_overrides, **OVERRIDES}


class ClinicForm(forms.ModelForm):
    """Refuses what was deactivated, and shows a refusal that came from below the form."""

    refusal = None

    def clean(self):
        cleaned = super().clean()
        for name in self.changed_data:
            chosen = self.cleaned_data.get(name)
            if isinstance(chosen, models.Model) and getattr(chosen, "active", True) is False:
                self.add_error(name, _("“%s” is inactive and cannot be chosen.") % chosen)
        return cleaned

    def _post_clean(self):
        super()._post_clean()
        if self.refusal is not None:
            self.refusal.blame(self)


class ActionForm(forms.Form):
    """The form of a record action. Gets the record and the request; looks like the rest of the desk.

    `arguments()` is what the service is called with: override it where form fields and arguments differ.
    """

    def __init__(self, *args, obj=None, request=None, **kwargs):
        self.obj, self.request = obj, request
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)

    def arguments(self) -> dict:
        return dict(self.cleaned_data)


_DRESS = (
    (forms.CheckboxInput, widgets.SWITCH_CLASSES),
    (forms.CheckboxSelectMultiple, []),
    (forms.RadioSelect, []),
    (forms.Select, widgets.SELECT_CLASSES),
    (forms.Textarea, widgets.TEXTAREA_CLASSES),
    (forms.widgets.Input, widgets.INPUT_CLASSES),
)


def dress(field) -> None:
    """Give a plain form field the theme's look, and dates and times the browser's own inputs."""
    plain = type(field.widget)
    if plain is forms.DateInput:
        field.widget, field.input_formats = DateInput(), DATE_FORMATS
    elif plain is forms.TimeInput:
        field.widget = TimeInput()
    elif "class" not in field.widget.attrs:
        for kind, classes in _DRESS:
            if isinstance(field.widget, kind):
                field.widget.attrs["class"] = " ".join(classes)
                break
