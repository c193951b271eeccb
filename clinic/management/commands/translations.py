"""`manage.py translations`: bring the catalogues up to date with the source, or say what is missing."""

import ast
import contextlib
import gettext
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation.template import templatize
from django.utils.translation.trans_real import DjangoTranslation

KEYWORDS = DEFAULT_KEYWORDS | {
    f"{name}{ending}": DEFAULT_KEYWORDS[name]
    for name in ("gettext", "ngettext", "pgettext", "npgettext")
    for ending in ("_lazy", "_noop")
}
SOURCE_LANGUAGE = "en"

# What staff see of them; guardian's and the queue's own pages are closed.
LIBRARIES = {
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "simple_history",
}
# Those of the theme's templates that belong to libraries we do not have.
FOREIGN = {
    "tests",
    "migrations",
    "constance",
    "guardian",
    "hijack",
    "location_field",
    "reversion",
    "reversion_compare",
    "waffle",
}

# A translator's comment on words that a library has, but not the clinic's: they stay though no source of ours has them.
BETTER = "Better than the library's."

# (context or None, text or (singular, plural))
Message = tuple[str | None, str | tuple[str, str]]


class Command(BaseCommand):
    help = "Add new texts to the catalogues and drop those that are gone; --check: fail if one lacks its translation."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true", help="change nothing; fail if a translation is missing")

    def handle(self, *args, check, **options):
        failed = False
        for language, name in settings.LANGUAGES:
            if language == SOURCE_LANGUAGE:
                continue
            wanted = _messages(language)
            source = Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"
            if not check:
                _update(source, language, wanted)
            call_command("compilemessages")
            gettext._translations = {}  # what it has read of the file before; Django's own reloader does the same
            missing = [message for message in wanted if not _is_translated(message, DjangoTranslation(language))]
            for context, text in missing:
                self.stderr.write(f"{language}: {text if isinstance(text, str) else text[0]!r} {context or ''}")
            if missing:
                failed = True
                self.stderr.write(f"{name}: {len(missing)} of {len(wanted)} texts are not translated ({source}).")
        if check and failed:
            raise CommandError("Translations are incomplete: run `manage.py translations` and fill in the gaps.")


def _messages(language: str) -> list[Message]:
    """Every text of ours, and of the libraries that people see and that speak English only."""
    roots = [settings.BASE_DIR / "clinic", settings.BASE_DIR / "config", settings.BASE_DIR / "templates"]
    for app in apps.get_app_configs():
        if app.name in LIBRARIES and not (Path(app.path) / "locale" / language).is_dir():
            roots.append(Path(app.path))
    found: dict[Message, None] = {}
    for root in roots:
        for path in sorted([*root.rglob("*.py"), *root.rglob("*.html"), *root.rglob("*.txt")]):
            if not FOREIGN & set(path.relative_to(root).parts):
                found.update(dict.fromkeys(_extract(path)))
    return list(found)


def _extract(path: Path) -> Iterator[Message]:
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        if "{%" not in source and "_(" not in source:
            return
        source = "\n".join(_calls(templatize(source)))
    try:
        for _, texts, _, context in extract("python", io.BytesIO(source.encode()), KEYWORDS):
            if texts and (texts if isinstance(texts, str) else texts[0]):
                yield context, texts
    except (tokenize.TokenError, SyntaxError) as error:
        raise CommandError(f"{path}: {error}") from error


def _calls(templatized: str) -> Iterator[str]:
    """The calls of gettext that Django makes of a template, without the rest, which is no Python."""
    for start in re.finditer(r"\b(?:n?p?gettext|_)\(", templatized):
        for end in re.finditer(r"\)", templatized[start.end() :]):
            call = templatized[start.start() : start.end() + end.end()]
            with contextlib.suppress(SyntaxError):
                ast.parse(call)
                yield call
                break


def _update(source: Path, language: str, wanted: list[Message]) -> None:
    before = Catalog(locale=language)
    if source.exists():
        with source.open("rb") as po:
            before = read_po(po, locale=language)
    library = DjangoTranslation(language)
    catalog = Catalog(
        locale=language,
        project="Camerino",
        header_comment=before.header_comment,
        creation_date=before.creation_date,
        charset="utf-8",
        fuzzy=False,
    )
    for context, text in wanted:
        known = before.get(text[0] if isinstance(text, tuple) else text, context)
        if known and known.string:
            catalog.add(text, known.string, context=context, flags=known.flags, user_comments=known.user_comments)
        elif not _is_translated((context, text), library):
            catalog.add(text, context=context)
    for known in before:
        if BETTER in known.user_comments:
            catalog[known.id] = known
    source.parent.mkdir(parents=True, exist_ok=True)
    with source.open("wb") as po:
        write_po(po, catalog, sort_output=True, width=110)


def _is_translated(message: Message, translation: DjangoTranslation) -> bool:
    context, text = message
    singular = text if isinstance(text, str) else text[0]
    key = f"{context}\x04{singular}" if context else singular
    return key in translation._catalog or (key, 1) in translation._catalog
