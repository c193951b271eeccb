"""Forms and inputs of the desk: native date and time inputs, the theme's look, refusals that keep what was typed."""

from contextlib import suppress

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple, RelatedFieldWidgetWrapper
from django.core.exceptions import NON_FIELD_ERRORS, FieldDoesNotExist, ValidationError
from django.db import models
from django.utils.translation import gettext as _
from unfold import widgets
from unfold.forms import PaginationInlineFormSet

from clinic.database.rows import read_together
from clinic.models.base import TranslatedField
from clinic.models.forms import TranslatedWidget
from clinic.models.sites import hex_colour

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
        forms.MultiWidget.__init__(self, [DateInput(attrs), TimeInput(attrs)], attrs)


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
    TranslatedField: {"widget": TranslatedWidget},
}


class PlainFields:
    """How columns become inputs, on screens and inlines alike."""

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is None:
            return None
        if isinstance(field.widget, RelatedFieldWidgetWrapper):
            # Adding or changing a third record in a pop-up is no work for a busy desk.
            field.widget = field.widget.widget
        if isinstance(field.widget, TranslatedWidget):
            for widget in field.widget.widgets:
                style(widget)
        if isinstance(field.widget, forms.Textarea):
            field.widget.attrs["rows"] = 3
        if hex_colour in db_field.validators:
            field.widget = widgets.UnfoldAdminColorInputWidget()
        return field

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", OneOfMany(db_field, self.admin_site))
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if isinstance(getattr(field, "widget", None), OneOfMany):
            field.label_from_instance = self.admin_site.get_model_admin(field.queryset.model).suggestion
        return field

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", SomeOfMany(db_field, self.admin_site))
        else:
            kwargs.setdefault("widget", widgets.UnfoldAdminCheckboxSelectMultipleWidget)
        return super().formfield_for_manytomany(db_field, request, **kwargs)


def native(model_overrides):
    """`formfield_overrides` of a screen: ours over the theme's."""
    return {**model_overrides, **OVERRIDES}


class _KeysOnly:
    """Shows again what was posted; the library's own widget breaks on a key that is none."""

    def optgroups(self, name, value, attr=None):
        return super().optgroups(name, [key for key in value if str(key).isascii() and str(key).isdigit()], attr)


class OneOfMany(_KeysOnly, AutocompleteSelect):
    """Choose one record by typing."""

    def optgroups(self, name, value, attr=None):
        labels = getattr(self.choices.field, "labels", {})
        if len(value) != 1 or str(value[0]) not in labels:
            return super().optgroups(name, value, attr)
        empty = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        chosen = self.create_option(name, value[0], labels[str(value[0])], {str(value[0])}, len(empty))
        return [(None, [*empty, chosen], 0)]

    def build_attrs(self, base_attrs, extra_attrs=None):
        # What emptiness means here ("anyone") is more than the library's own empty placeholder.
        kept = {name: value for name, value in base_attrs.items() if name == "data-placeholder"}
        return {**super().build_attrs(base_attrs, extra_attrs), **kept}


class SomeOfMany(_KeysOnly, AutocompleteSelectMultiple):
    """Choose records by typing."""


class Chosen(forms.ModelChoiceField):
    """One record. The form may have read it already, together with the others that were chosen."""

    known = None

    def to_python(self, value):
        if self.known is not None and str(self.known.pk) == str(value):
            return self.known
        return super().to_python(value)

    @property
    def is_open(self) -> bool:
        """Is every row of the table a choice?"""
        return not self.queryset.query.where


def read_chosen(form) -> None:
    """Read what was chosen in fields of all rows with one statement; the others ask for themselves, within limits."""
    asked = {
        field: int(value)
        for name, field in form.fields.items()
        if isinstance(field, Chosen)
        and field.is_open
        # What is no key is the field's to refuse.
        and (value := str(form.data.get(form.add_prefix(name), ""))).isascii()
        and value.isdigit()
        and len(value) < 19
    }
    rows = read_together([(field.queryset.model, key) for field, key in asked.items()]) if asked else []
    for field, row in zip(asked, rows, strict=True):
        field.known = row


class RowsTogether(PaginationInlineFormSet):
    """The rows of an inline read what they point to together, not each by itself."""

    def get_queryset(self):
        fresh = not hasattr(self, "_queryset")
        rows = super().get_queryset()
        if fresh:
            for name, field in self.form.base_fields.items():
                if isinstance(field.widget, OneOfMany):
                    keys = {getattr(row, self.model._meta.get_field(name).attname) for row in rows} - {None}
                    chosen = field.queryset.filter(pk__in=keys) if keys else ()
                    field.labels = {str(one.pk): field.label_from_instance(one) for one in chosen}
                elif isinstance(field, forms.ModelChoiceField):
                    field.choices = [*field.choices]
        return rows


class Refusable:
    """A form that shows refusals of what it asked for."""

    # Column or argument -> the input that said it, where their names differ.
    said_by: dict[str, str] = {}


class ClinicForm(Refusable, forms.ModelForm):
    """Refuses what was deactivated, and shows a refusal that came from below the form."""

    refusal = None

    def clean(self):
        cleaned = super().clean()
        for name in self.changed_data:
            chosen = self.cleaned_data.get(name)
            if isinstance(chosen, models.Model) and getattr(chosen, "active", True) is False:
                self.add_error(name, _("“%s” is inactive and cannot be chosen.") % chosen)
        return cleaned

    def fill(self):
        """Put what was cleaned onto the instance, and validate the row that it makes."""
        super()._post_clean()

    def _post_clean(self):
        self.fill()
        if self.refusal is not None:
            self.refusal.blame(self)

    def non_field_errors(self):
        """Without the refusal: its panel stands on top of the page."""
        found = super().non_field_errors()
        said = {self.refusal.message, *self.refusal.errors.get(NON_FIELD_ERRORS, ())} if self.refusal else ()
        rest = [sentence for sentence in found if sentence not in said]
        return self.error_class(rest, error_class="nonfield", renderer=self.renderer)


def readable(model, initial: dict) -> dict:
    """Those of `initial` that their columns can read; others would break the inputs that show them."""
    kept = {}
    for name, value in initial.items():
        with suppress(FieldDoesNotExist, ValidationError, ValueError, TypeError):
            column = model._meta.get_field(name)
            if column.many_to_many:
                kept[name] = [key for key in value if str(key).isascii() and str(key).isdigit()]
            elif column.editable and not isinstance(column, models.JSONField):
                kept[name] = column.to_python(value)
    return kept


class ActionForm(Refusable, forms.Form):
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
    else:
        style(field.widget)


def style(widget) -> None:
    """The theme's classes on a plain widget; one that has classes keeps them."""
    if isinstance(widget, forms.Textarea):
        widget.attrs["rows"] = 3
    classes = next((classes for kind, classes in _DRESS if isinstance(widget, kind)), [])
    if classes and "class" not in widget.attrs:
        widget.attrs["class"] = " ".join(classes)
        if type(widget) is forms.Select:
            # The arrow that the classes take away.
            widget.template_name = widgets.UnfoldAdminSelectWidget.template_name
