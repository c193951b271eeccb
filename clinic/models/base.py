"""What every model shares: history, permissions, translated text. No domain lives here."""

import functools
import re

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Func, Value
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from simple_history.manager import HistoryManager
from simple_history.models import HistoricalRecords

# Every model knows the same six verbs; a role is granted them in permissions.ROLES and nowhere else.
VERBS = ("view", "add", "change", "delete", "export", "import")


class _VersionManager(HistoryManager):
    @classmethod
    @functools.cache
    def from_queryset(cls, queryset_class, class_name=None):
        # The library makes a class anew whenever `history` is named, so for every row that is saved.
        return super().from_queryset(queryset_class, class_name)


class Versions(HistoricalRecords):
    """History of a model, without its generated columns: they follow from the others, and Django 5.2 leaves them stale
    after an update. Versions are found by their record alone: no other index makes every write dearer."""

    def __init__(self, **kwargs):
        super().__init__(**{"history_id_field": models.BigAutoField(), "history_manager": _VersionManager, **kwargs})

    def fields_included(self, model):
        return [field for field in super().fields_included(model) if not field.generated]

    def copy_fields(self, model):
        fields = super().copy_fields(model)
        for field in fields.values():
            field.db_index = field.name == model._meta.pk.attname
        return fields

    def _get_history_user_fields(self):
        # The library's own key sets itself null when a user is deleted; nobody may update history, not even for that.
        silent = {"on_delete": models.DO_NOTHING, "db_constraint": False, "db_index": False}
        return {"history_user": models.ForeignKey(settings.AUTH_USER_MODEL, null=True, related_name="+", **silent)}


class Recorded(models.Model):
    """A model whose every version is kept: an append-only history row per save, indexed by the audit trail."""

    history = Versions(inherit=True)
    # Set before save(): why, for the history row.
    _change_reason: str | None

    class Meta:
        abstract = True
        default_permissions = VERBS


class ActiveQuerySet(models.QuerySet):
    def active(self):
        return self.filter(active=True)


class SearchedQuerySet(ActiveQuerySet):
    """Rows with a column `search`: expressions.Searchable of what people look for."""

    def matching(self, text: str):
        """Every word of `text` occurs somewhere in what is searched; accents and case do not count.
        Words that are all of one or two letters are too short for that: the first begins the first name in it."""
        found = self
        words = [as_searched(word) for word in text.replace("\x00", "").split()[:8]]
        short = all(len(word) < 3 for word in words)
        for place, word in enumerate(words):
            lookup = "search__startswith" if short and place == 0 else "search__contains"
            found = found.filter(**{lookup: Func(Value(word), function="f_norm")})
        return found


def as_searched(word: str) -> str:
    if not any(letter.isalpha() for letter in word):
        # Phones are searched as bare digits.
        word = re.sub(r"\D", "", word) or word
    return word[:100]


class Retirable(Recorded):
    """A recorded model that is deactivated instead of deleted; its past stays."""

    active = models.BooleanField(
        _("active"), default=True, help_text=_("Inactive: cannot be chosen any more. The past stays.")
    )

    class Meta(Recorded.Meta):
        abstract = True


class Text(dict):
    """`{language: text}` that prints itself in the active language, else the clinic's, else any."""

    def __str__(self):
        for language in (get_language() or "", settings.LANGUAGE_CODE):
            for key in (language, language.split("-")[0]):
                if self.get(key):
                    return self[key]
        return next((text for text in self.values() if text), "")


class TranslatedField(models.JSONField):
    """Text that the clinic types in several languages (gettext does not reach it). Stored as `{language: text}`."""

    def __init__(self, *args, multiline=False, **kwargs):
        self.multiline = multiline
        kwargs.setdefault("default", Text)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value, expression, connection):
        value = super().from_db_value(value, expression, connection)
        return Text(value) if isinstance(value, dict) else value

    def to_python(self, value):
        value = super().to_python(value)
        return Text(value) if isinstance(value, dict) else value

    def pre_save(self, instance, add):
        value = getattr(instance, self.attname)
        if isinstance(value, str):
            value = {settings.LANGUAGE_CODE: value}
        value = Text({key: text.strip() for key, text in (value or {}).items() if text and text.strip()})
        setattr(instance, self.attname, value)
        return value

    def validate(self, value, model_instance):
        if not self.blank and not any((value or {}).values()):
            raise ValidationError(self.error_messages["blank"], code="blank")
        if any(key not in dict(settings.LANGUAGES) or not isinstance(text, str) for key, text in value.items()):
            raise ValidationError(_("A text per language is wanted."), code="languages")

    def formfield(self, **kwargs):
        from clinic.models.forms import TranslatedFormField

        # JSONField would force its own form class and encoder upon us.
        kwargs.pop("encoder", None)
        kwargs.pop("decoder", None)
        return models.Field.formfield(
            # A callable default would bring a hidden copy of what is there, as one text.
            self,
            **{
                "form_class": TranslatedFormField,
                "multiline": self.multiline,
                "show_hidden_initial": False,
                **kwargs,
            },
        )


class LanguageField(models.CharField):
    """One of the clinic's languages."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("max_length", 8)
        kwargs.setdefault("choices", settings.LANGUAGES)
        kwargs.setdefault("default", settings.LANGUAGE_CODE)
        super().__init__(_("language"), *args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        # Languages are settings, not schema: a new one must not want a migration.
        kwargs.pop("choices", None)
        kwargs.pop("default", None)
        kwargs.pop("verbose_name", None)
        return name, path, args[1:], kwargs


class Words(ArrayField):
    """A short list of words, empty by default."""

    def __init__(self, base_field=None, **kwargs):
        kwargs.setdefault("default", list)
        kwargs.setdefault("blank", True)
        super().__init__(base_field or models.TextField(), **kwargs)
