"""The rows of a spreadsheet, row by row into records: found, compared, checked and stored, inside one person's rights.

Nothing here decides whether it stays: see importing, which rehearses and then does it.
"""

import hashlib
import itertools
import json
from dataclasses import dataclass, field

from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from clinic import permissions
from clinic.admin.base.cells import meant
from clinic.admin.base.columns import LANGUAGES, Sheets, columns_of, resource_for
from clinic.admin.base.history import Change
from clinic.admin.base.refusals import REFUSALS, refusal_of
from clinic.exceptions import RuleBroken
from clinic.models.base import TranslatedField
from clinic.services import retirement
from clinic.services.exchange.spreadsheet import CELL, ROWS, too_much

# Of related records in one column: a cell of commas alone would ask the database for a hundred thousand.
NAMES = 10 * ROWS
NEW, CHANGED, SAME, WRONG = "new", "changed", "same", "wrong"


@dataclass
class Outcome:
    """What became of one row: new, changed, same or wrong; `errors` are (column, sentence)."""

    number: int
    kind: str = SAME
    record: str = ""
    changes: list[Change] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)


def importable_columns(admin, request):
    """What the form offers, the import takes; and whether a record is active, which has its own service."""
    offered = {*flatten_fieldsets(admin.get_fieldsets(request))} - {*admin.get_readonly_fields(request)}
    if admin.retirable:
        offered.add("active")
    return [column for column in columns_of(admin.model) if column.attribute in offered]


def matched(admin, request, sheet):
    """(resource columns by place in the file, titles that the export writes and nothing reads).

    Refused: `unknown_column`, `column_twice`, `column_missing`, `too_many_cells`.
    """
    columns = importable_columns(admin, request)
    known = {title: column for column in columns for title in column.titles()}
    written = {title for column in columns_of(admin.model, admin.export_fields) for title in column.titles()}
    found, aside = {}, []
    for place, title in enumerate(sheet.headers):
        column = known.get(meant(title).casefold())
        if column is None and title.casefold() in written:
            aside.append(title)
        elif column is None and (title or any(cells[place:] and cells[place] for _number, cells in sheet.rows)):
            names = ", ".join(column.label() for column in columns)
            sentence = _("No column is called “%(title)s”. There are: %(names)s.")
            raise RuleBroken("unknown_column", sentence % {"title": title[:40], "names": names})
        elif column is not None and any(column.key == other.key for other in found.values()):
            raise RuleBroken("column_twice", _("The column “%s” is there twice.") % column.label())
        elif column is not None:
            found[place] = column
    for number, cells in sheet.rows:
        if any(map(str.strip, cells[len(sheet.headers) :])):
            raise RuleBroken("too_many_cells", _("Row %d has more cells than there are columns.") % number)
    there = {column.attribute for column in found.values()}
    for name in admin.natural_key:
        if name not in there:
            label = next(column.label() for column in columns if column.attribute == name)
            raise RuleBroken("column_missing", _("The column “%s” is missing: records are found by it.") % label)
    return found, aside


class Related:
    """The records that one relation column may name, as far as this person sees them. One statement."""

    def __init__(self, admin, column, request, texts):
        model = column.model_field.related_model
        key = admin.admin_site.get_model_admin(model).natural_key[0]
        self.many = column.model_field.many_to_many
        named = {part for text in texts for part in {text, *self._lines(text)}} - {""}
        if len(named) > NAMES:
            raise RuleBroken("file_large", too_much())
        translated = isinstance(model._meta.get_field(key), TranslatedField)
        paths = [f"{key}__{language}" for language in LANGUAGES] if translated else [key]
        wanted = Q(*((f"{path}__in", named) for path in paths), _connector=Q.OR)
        self.rows = {}
        for row in permissions.visible(request.user, model._default_manager.filter(wanted)):
            for name in _names(row, key):
                self.rows.setdefault(name, set()).add(row)

    def _lines(self, text):
        # On a line each as the export writes them; by semicolon or comma as people do.
        lines = [line.strip() for line in text.split("\n")]
        return {*lines, *(part.strip() for line in lines for mark in ";," for part in line.split(mark))}

    def named(self, text):
        """The rows that a cell names: a list for several, else one or None. Raises ValidationError."""
        text = meant(text)
        if not self.many:
            return self._one(text) if text else None
        chosen = []
        for line in filter(None, map(str.strip, text.split("\n"))):
            known = line in self.rows
            parts = [line] if known else line.split(";" if ";" in line else ",")
            chosen += [self._one(part.strip()) for part in parts if part.strip()]
        return chosen

    def _one(self, text):
        found = self.rows.get(text, ())
        if not found:
            raise ValidationError(_("There is no “%s”.") % text[:80])
        if len(found) > 1:
            raise ValidationError(_("“%s” may be several: rename one of them first.") % text[:80])
        return next(iter(found))


class Intake(Sheets):
    """The import resource of a model, for one person and one file."""

    def __init__(self, admin, request, sheet, by, **kwargs):
        super().__init__(**kwargs)
        self.admin, self.request, self.sheet, self.by = admin, request, sheet, by
        self.outcomes: list[Outcome] = []
        self.related, self.index, self.seen = {}, {}, {}

    # Finding

    def before_import(self, dataset, **kwargs):
        there = [column for column in self.get_import_fields() if column.column_name in dataset.headers]
        for column in there:
            if column.model_field.is_relation:
                texts = {meant(text) for text in dataset[column.column_name]}
                self.related[column.key] = Related(self.admin, column, self.request, texts)
        self.keys = [column for column in there if column.attribute in self.admin.natural_key]
        self.index = {}
        for record in self._candidates(dataset):
            for key in itertools.product(*(_names(record, name) for name in self.admin.natural_key)):
                self.index.setdefault(key, set()).add(record)

    def _candidates(self, dataset):
        """Every record that a row might mean and this person may change, locked until it is decided."""
        found = permissions.visible(self.request.user, self._meta.model._default_manager.all(), "change")
        for name in self.admin.natural_key:
            columns = [column for column in self.keys if column.attribute == name]
            wanted = Q()
            for column in columns:
                if column.model_field.is_relation:
                    rows = set().union(*self.related[column.key].rows.values())
                    wanted |= Q((f"{name}__in", rows))
                else:
                    path = f"{name}__{column.language}" if column.language else name
                    wanted |= Q((f"{path}__in", {meant(text) for text in dataset[column.column_name]} - {""}))
            found = found.filter(wanted)
        return self.with_related(found).select_for_update(of=("self",))

    def get_instance(self, instance_loader, row):
        try:
            keys = list(itertools.product(*(self._alternatives(row, name) for name in self.admin.natural_key)))
        except ValidationError:
            # The column itself will say what is wrong with it.
            return None
        found = set().union(*(self.index.get(key, ()) for key in keys))
        if len(found) > 1:
            raise ValidationError(_("Several records bear this name: rename one of them first."))
        record = next(iter(found), None)
        for key in [record.pk] if record else keys:
            first = self.seen.setdefault(key, self.number)
            if first != self.number:
                raise ValidationError(_("Row %d means the same record.") % first)
        return record

    def _alternatives(self, row, name):
        columns = [column for column in self.keys if column.attribute == name]
        if columns[0].model_field.is_relation:
            return {self.related[columns[0].key].named(row[columns[0].column_name])}
        return {meant(row[column.column_name]) for column in columns} - {""} or {""}

    def handle_import_error(self, result, error, raise_errors=False):
        # The library would note it and go on with the rows.
        raise error

    def after_import(self, dataset, result, **kwargs):
        # The library would set the sequence of the keys, which no file brings and only the owner may.
        return

    # One row

    def import_row(self, row, instance_loader, **kwargs):
        self.number = self.sheet.rows[kwargs["row_number"] - 1][0]
        self.outcome = Outcome(self.number)
        self.chosen, self.activity = {}, None
        result = super().import_row(row, instance_loader, **kwargs)
        if result.errors:
            # The library turns every exception into a line of its report; ours was no refusal.
            raise result.errors[0].error
        if result.validation_error:
            self.outcome.kind, self.outcome.changes = WRONG, []
            self.outcome.errors = self._blame(result.validation_error)
        self.outcomes.append(self.outcome)
        return result

    def _blame(self, error):
        if not hasattr(error, "error_dict"):
            return [("", message) for message in error.messages]
        labels = {column.attribute: column.label() for column in reversed(self.get_import_fields())}
        places = {name: place for place, name in enumerate(reversed(labels))}
        return [
            (labels.get(name, ""), message)
            for name, messages in sorted(error.message_dict.items(), key=lambda item: places.get(item[0], -1))
            for message in dict.fromkeys(messages)
        ]

    def after_init_instance(self, instance, new, row, **kwargs):
        if new and not permissions.can(self.request.user, "add", self._meta.model):
            raise ValidationError(_("There is no such record, and you may not add one."))

    def import_field(self, field, instance, row, is_m2m=False, **kwargs):
        if field.column_name not in row:
            return
        text, new = row[field.column_name], instance._state.adding
        before = "" if new else field.text(instance)
        # A cell that reads as the record's own cell is left alone, whatever the export had to do to it.
        if text == before or (not meant(text) and new):
            return
        if len(text) >= CELL:
            raise ValueError(_("Longer than a cell of Excel holds, so its end may be missing: shorten it."))
        try:
            changed = self._set(field, instance, text)
        except ValidationError as error:
            # The library gathers these, column by column.
            raise ValueError(" ".join(error.messages)) from error
        if changed:
            self.outcome.changes.append(Change(field.label(), meant(before), meant(text)))

    def _set(self, field, instance, text) -> bool:
        """Give the record what the cell says. Is that anything new?"""
        if field.model_field.is_relation:
            return self._relate(field, instance, self.related[field.key].named(text))
        value = field.value(text)
        if field.holds(instance, value):
            return False
        if field.attribute == "active" and not instance._state.adding:
            self.activity = value
        else:
            field.put(instance, value)
        return True

    def _relate(self, field, instance, chosen) -> bool:
        many = field.model_field.many_to_many
        rows = chosen if many else [chosen] if chosen else []
        held = getattr(instance, field.attribute).all() if many and instance.pk else []
        if not many:
            held = [row for row in [getattr(instance, field.attribute, None)] if row]
        if {*rows} == {*held}:
            return False
        for row in {*rows} - {*held}:
            if getattr(row, "active", True) is False:
                raise ValidationError(_("“%s” is inactive and cannot be chosen.") % row)
        if many:
            self.chosen[field.attribute] = rows
        else:
            setattr(instance, field.attribute, chosen)
        return True

    def skip_row(self, instance, original, row, import_validation_errors=None):
        if instance._state.adding or self.outcome.changes or import_validation_errors:
            self.outcome.kind = NEW if instance._state.adding else CHANGED
            return False
        self.outcome.record = str(instance)
        return True

    def validate_instance(self, instance, import_validation_errors=None, validate_unique=True):
        super().validate_instance(instance, import_validation_errors, validate_unique)
        self.outcome.record = str(instance)

    def do_instance_save(self, instance, is_create):
        try:
            # A statement that the database refuses must not take the other rows' answers with it.
            with transaction.atomic():
                self._store(instance, is_create)
        except REFUSALS as error:
            refusal = refusal_of(error)
            raise ValidationError(refusal.errors or {refusal.field or NON_FIELD_ERRORS: [refusal.message]}) from error

    def _store(self, instance, is_create):
        if is_create or len(self.outcome.changes) > (self.activity is not None):
            instance._change_reason = self.by.purpose[:100]
            self.admin.store(self.request, instance, None, not is_create, self.by)
        for name, rows in self.chosen.items():
            getattr(instance, name).set(rows)
        if self.activity is not None:
            change = retirement.reactivate if self.activity else retirement.deactivate
            change(instance, by=self.by)

    # Afterwards

    def count(self, kind) -> int:
        return sum(outcome.kind == kind for outcome in self.outcomes)

    def fingerprint(self) -> str:
        """What was rehearsed, so that the same is done or nothing."""
        told = [
            (row.number, row.kind, [(change.before, change.after) for change in row.changes]) for row in self.outcomes
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def intake_of(admin, request, sheet, columns, by) -> Intake:
    """The import of `sheet` into the records of one screen; `columns` as `matched` found them."""
    kind = resource_for(
        admin.model,
        base=Intake,
        columns=list(columns.values()),
        import_id_fields=[],
        skip_diff=True,
        skip_unchanged=True,
        clean_model_instances=True,
        use_transactions=True,
        use_bulk=False,
    )
    return kind(admin, request, sheet, by)


def _names(record, name) -> set:
    """What a key column of a record may read: a translated one has a name per language."""
    value = getattr(record, name)
    return {text for text in value.values() if text} if isinstance(value, dict) else {value}
