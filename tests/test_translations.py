"""The Italian catalogue: complete, sound, and what people see of it."""

import re
from html import unescape
from html.parser import HTMLParser
from string import Formatter

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import call_command
from django.test.html import VOID_ELEMENTS
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext, ngettext

CATALOGUE = settings.BASE_DIR / "locale" / "it" / "LC_MESSAGES" / "django.po"
PERCENT = re.compile(r"%(?:\(\w+\))?[#0 +-]*\d*(?:\.\d+)?[a-zA-Z]|%%")
TAG = re.compile(r"</?\w[^>]*>")

# What the theme leaves in English when a catalogue forgets it, and the commonest words of ours.
ENGLISH = {
    "Add row",
    "Apply Filters",
    "Appointments",
    "Back",
    "Book",
    "Cancel",
    "Check in",
    "Date from",
    "Date to",
    "Delete",
    "Filters",
    "From",
    "Go back",
    "History",
    "Home",
    "Light",
    "Log out",
    "Next",
    "No results found",
    "Nothing matches this search.",
    "Patients",
    "Previous",
    "Reset filters",
    "Run",
    "Save",
    "Save and add another",
    "Save and continue editing",
    "Search",
    "Select action",
    "Select action to run",
    "Select all rows",
    "Select value",
    "Sign out",
    "System",
    "Toggle sidebar",
    "Unknown",
    "Until",
    "View",
}


@pytest.fixture(autouse=True)
def language():
    """A request leaves its language to the thread, and so to the tests that follow."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


def messages():
    with CATALOGUE.open("rb") as file:
        return [message for message in read_po(file, locale="it") if message.id]


def pairs():
    """(English, Italian), each plural form with the English one that it stands for."""
    for message in messages():
        yield from (
            zip(message.id, message.string, strict=True) if message.pluralizable else [(message.id, message.string)]
        )


def placeholders(text):
    named = sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None) if "%" not in text else []
    return sorted(PERCENT.findall(text)), named


class Seen(HTMLParser):
    """Every text that a person reads or hears on a page: what stands in elements, and what attributes say."""

    SILENT = {"script", "style", "template"}
    SPEAKING = {"placeholder", "aria-label", "title", "data-placeholder", "alt"}

    def __init__(self, page):
        super().__init__()
        self.open, self.texts = [], set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)
        self.texts |= {value.strip() for name, value in attrs if name in self.SPEAKING and value}
        if tag == "input" and dict(attrs).get("type") == "submit":
            self.texts.add(dict(attrs).get("value", "").strip())

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        symbol = re.fullmatch(r"[a-z0-9_]+", data.strip())  # the theme's icons are words of a font
        if not self.SILENT & set(self.open) and not (symbol and self.open[-1:] == ["span"]):
            self.texts.add(unescape(data).strip())


def test_translations_of_every_text_in_the_source_are_there():
    call_command("translations", "--check")


def test_catalogue_has_every_message_translated():
    assert [english for english, italian in pairs() if not italian.strip()] == []


def test_catalogue_has_no_fuzzy_entry():
    assert [message.id for message in messages() if message.fuzzy] == []


def test_placeholders_are_the_same_on_both_sides():
    assert [english for english, italian in pairs() if placeholders(english) != placeholders(italian)] == []


def test_markup_is_the_same_on_both_sides():
    assert [english for english, italian in pairs() if TAG.findall(english) != TAG.findall(italian)] == []


def test_edges_are_the_same_on_both_sides():
    """Spaces, and the full stop that makes a sentence of it."""

    def edges(text):
        return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :], text.rstrip().endswith(".")

    assert [english for english, italian in pairs() if edges(english) != edges(italian)] == []


def test_quotes_are_the_house_s():
    """“…” and ’, as the glossary says; straight ones only where the English has them."""
    assert [italian for english, italian in pairs() if re.search(r"['«»]", italian) and "'" not in english] == []


def test_compiled_catalogue_speaks_italian():
    with translation.override("it"):
        assert gettext("Check in") == "Registra arrivo"
        assert ngettext("%d done.", "%d done.", 1) != ngettext("%d done.", "%d done.", 2)


def test_better_words_win_over_the_library_s():
    with translation.override("it"):
        assert gettext("Export") == "Esporta"
        assert gettext("The {name} “{obj}” was changed successfully.") == "Modifiche salvate: {name} “{obj}”."


@pytest.fixture
def segreteria(world, client):
    world.reception.language = "it"
    world.reception.save()
    client.force_login(world.reception)
    return client


def pages(world):
    visit = world.visit()
    return [
        reverse("admin:index"),
        reverse("admin:clinic_appointment_changelist"),
        reverse("admin:clinic_appointment_changelist") + "?show=all",
        reverse("admin:clinic_appointment_add"),
        reverse("admin:clinic_appointment_add") + "?walk_in=1",
        reverse("admin:clinic_appointment_change", args=[visit.pk]),
        reverse("admin:clinic_appointment_history", args=[visit.pk]),
        reverse("admin:clinic_appointment_do_cancel", args=[visit.pk]),
        reverse("admin:clinic_patient_changelist"),
        reverse("admin:clinic_patient_add"),
        reverse("admin:clinic_patient_change", args=[world.anna.pk]),
        reverse("mfa_index"),
    ]


def test_pages_in_italian_leave_nothing_in_english(world, segreteria):
    for url in pages(world):
        response = segreteria.get(url, follow=True)
        assert response.status_code == 200, url
        page = response.content.decode()
        assert '<html lang="it"' in page, url
        assert Seen(page).texts & ENGLISH == set(), url


def test_pages_in_english_show_the_words_that_are_looked_for(world, client):
    """Else the test above would find nothing whatever happened."""
    client.force_login(world.reception)
    seen = set().union(*(Seen(client.get(url, follow=True).content.decode()).texts for url in pages(world)))
    assert {"Appointments", "Patients", "Filters", "Search", "Save", "Back", "Book", "Select action"} <= seen


def test_language_of_a_member_of_staff_wins_over_the_browser_s(world, segreteria):
    page = segreteria.get(reverse("admin:clinic_patient_changelist"), headers={"accept-language": "en"})
    assert "Pazienti" in Seen(page.content.decode()).texts


def test_language_of_the_browser_holds_for_who_chose_none(world, client):
    client.force_login(world.manager)
    page = client.get(reverse("admin:clinic_patient_changelist"), headers={"accept-language": "it"})
    assert "Pazienti" in Seen(page.content.decode()).texts


def test_sign_in_speaks_the_browser_s_language(client, db):
    page = client.get(reverse("account_login"), headers={"accept-language": "it-IT,it;q=0.9"})
    assert "Accedi" in Seen(page.content.decode()).texts
