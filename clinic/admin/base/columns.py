"""The columns of a model's spreadsheets, the same out and in: what people read, under the words they know."""

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from import_export import fields, resources

from clinic.admin.base.cells import cell, meant
from clinic.admin.base.forms import DATE_FORMATS
from clinic.admin.base.history import NOISE, SECRET
from clinic.models.base import Text, TranslatedField
from clinic.services.exchange.spreadsheet import as_text

LANGUAGES = [code for code, _name in settings.LANGUAGES]
_YES, _NO = {"yes", "true", "sì", "si", "vero", "1", "x"}, {"no", "false", "falso", "0", ""}


class Column(fields.Field):
    """One column of a model. A translated text has one per language; several related records stand on a line each."""

    def __init__(self, model_field, language=""):
        self.model_field, self.language = model_field, language
        super().__init__(attribute=model_field.name, column_name=self.label())

    @property
    def key(self) -> str:
        return f"{self.attribute}_{self.language}" if self.language else self.attribute

    def label(self) -> str:
        label = capfirst(str(self.model_field.verbose_name))
        return f"{label} ({self.language})" if self.language else label

    def titles(self) -> set[str]:
        """What a file may call this column: its name or its label in any language, however written."""
        found = {self.key}
        clinics_own = self.language == settings.LANGUAGE_CODE
        for language in LANGUAGES:
            with translation.override(language):
                found |= {self.label(), capfirst(str(self.model_field.verbose_name)) if clinics_own else self.label()}
        return {title.casefold() for title in found | ({self.attribute} if clinics_own else set())}

    def export(self, instance, **kwargs):
        name = self.model_field.name
        if self.model_field.many_to_many:
            return cell("\n".join(str(row) for row in getattr(instance, name).all())) if instance.pk else None
        if self.model_field.choices:
            return cell(getattr(instance, f"get_{name}_display")())
        value = getattr(instance, name, None)
        if self.language:
            return cell((value or {}).get(self.language, ""))
        if isinstance(self.model_field, models.DecimalField):
            return value
        return cell(str(value) if isinstance(value, models.Model | dict) else value)

    def text(self, instance) -> str:
        """The cell as the export writes it now."""
        return as_text(self.export(instance))

    def value(self, text: str):
        """The value that a cell stands for; raises ValidationError. Relations are looked up by who knows the scope."""
        text, field = meant(text), self.model_field
        if isinstance(field, models.BooleanField):
            return _yes_or_no(text, field)
        if field.choices:
            return _choice(text, field)
        if self.language or isinstance(field, models.CharField | models.TextField):
            return None if field.null and not text else text
        return _input(field).clean(text)

    def put(self, instance, value) -> None:
        if self.language:
            value = Text({**(getattr(instance, self.attribute) or {}), self.language: value})
        setattr(instance, self.attribute, value)

    def holds(self, instance, value) -> bool:
        """Does the record say so already?"""
        held = getattr(instance, self.attribute)
        return ((held or {}).get(self.language, "") if self.language else held) == value


def _yes_or_no(text, field):
    if not text and field.null:
        return None
    if text.casefold() in _YES | _NO:
        return text.casefold() in _YES
    raise ValidationError(_("“%(text)s” is neither yes nor no.") % {"text": text[:40]})


def _choice(text, field):
    for language in LANGUAGES:
        with translation.override(language):
            for value, label in field.flatchoices:
                if text.casefold() in (str(value).casefold(), str(label).casefold()):
                    return value
    if not text:
        return None if field.null else ""
    known = ", ".join(str(label) for _value, label in field.flatchoices)
    raise ValidationError(_("“%(text)s” is none of: %(known)s.") % {"text": text[:40], "known": known})


def _input(field):
    """The form input that reads what people type into such a column."""
    if isinstance(field, models.DecimalField):
        return _DecimalInput(max_digits=field.max_digits, decimal_places=field.decimal_places, required=False)
    if isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField):
        return forms.DateField(input_formats=DATE_FORMATS, required=False)
    return field.formfield(required=False)


class _DecimalInput(forms.DecimalField):
    def to_python(self, value):
        # Italian Excel writes 40,00; the column's decimal places refuse 1,000 as a thousand.
        return super().to_python(value.replace(",", ".") if value.count(",") == 1 and "." not in value else value)


def columns_of(model, names=()) -> list[Column]:
    """The named columns of a model, or every one that people read."""
    chosen = [
        field
        for field in [*model._meta.concrete_fields, *model._meta.many_to_many]
        if (field.name in names if names else not field.generated and field.name not in NOISE | SECRET)
    ]
    return [
        Column(field, language)
        for field in chosen
        for language in (LANGUAGES if isinstance(field, TranslatedField) else [""])
    ]


class Sheets(resources.ModelResource):
    """What export and import of a model have in common."""

    columns: list[Column] = []

    @classmethod
    def with_related(cls, queryset):
        """The queryset with what the columns name beside each row."""
        relations = {column.attribute: column.model_field for column in cls.columns if column.model_field.is_relation}
        many = [name for name, field in relations.items() if field.many_to_many]
        return queryset.select_related(*(relations.keys() - set(many))).prefetch_related(*many)


def resource_for(model, names=(), base=Sheets, columns=None, **options):
    """The resource of a model over `columns`, or the named ones; `options` are the library's."""
    columns = columns_of(model, names) if columns is None else columns
    order = [column.key for column in columns]
    meta = type("Meta", (), {"model": model, "fields": order, "export_order": order, "import_order": order, **options})
    declared = {column.key: column for column in columns}
    return type(f"{model.__name__}Sheets", (base,), {"Meta": meta, "columns": columns, **declared})
