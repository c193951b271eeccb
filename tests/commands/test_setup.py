"""The start of a real clinic: once, complete, with a strong password."""

import datetime as dt
import io
import sys

import pytest
from django.core.management import CommandError, call_command

from clinic.models import (
    ClinicSettings,
    EquipmentKind,
    Location,
    OpeningHours,
    Organization,
    Patient,
    RoomKind,
    Specialisation,
    User,
)
from clinic.services import reference
from tests import factories as make
from tests.factories import PASSWORD

SAID = {"organization": "Studio Rossi srl", "location": "Camerino", "email": "Anna@Rossi.it", "given_name": "Anna"}


def setup(**options):
    out, err = io.StringIO(), io.StringIO()
    call_command("setup", stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def typed(monkeypatch):
    """A person at the keyboard: give the answers, then the passwords."""

    def at_the_keyboard(answers, passwords=(PASSWORD, PASSWORD)):
        lines, secret = iter(answers), iter(passwords)

        def answer(_prompt, source):
            try:
                return next(source)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", lambda prompt: answer(prompt, lines))
        monkeypatch.setattr("getpass.getpass", lambda prompt: answer(prompt, secret))

    return at_the_keyboard


@pytest.fixture
def stdin(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD + "\n"))


def nothing_saved():
    return not any(
        model.objects.exists() for model in (Organization, Location, User, ClinicSettings, OpeningHours, RoomKind)
    )


def test_setup_without_questions_opens_the_clinic(db, stdin):
    said, _errors = setup(no_input=True, password_stdin=True, **SAID, language="it", hours="08:30-19:00")
    assert said == "Ready: anna@rossi.it may sign in and set up the rest.\n"
    location = Location.objects.get()
    assert (location.name, location.organization.name, location.time_zone) == (
        "Camerino",
        "Studio Rossi srl",
        "Europe/Rome",
    )
    assert list(OpeningHours.objects.values_list("weekday", "starts", "ends")) == [
        (day, dt.time(8, 30), dt.time(19)) for day in range(5)
    ]
    user = User.objects.get()
    assert (user.email, user.roles, user.language, user.is_superuser) == (
        "anna@rossi.it",
        ("administrator",),
        "it",
        False,
    )
    assert user.check_password(PASSWORD)
    assert ClinicSettings.objects.get().language == "it"
    assert RoomKind.objects.filter(name="Palestra").exists()
    assert not Patient.objects.exists()
    assert Location.history.count() == 1
    assert OpeningHours.history.count() == 5


def test_setup_asks_again_until_the_answer_will_do(db, typed):
    typed(
        ["", "Studio Rossi srl", "", "Italy", "IT", "", "Camerino", "", "Europe/Camerino", "", "9-18", "09:00-18:00",
         "de", "en", "nobody", "anna@rossi.it", "Anna", "Rossi"],
        ["short", PASSWORD, "another good one", PASSWORD, PASSWORD],
    )  # fmt: skip
    _said, errors = setup()
    assert User.objects.get().check_password(PASSWORD)
    assert Organization.objects.get().currency == "EUR"
    for sentence in ("two capital letters", "is no time zone", "Opening hours read", "valid email", "The two differ"):
        assert sentence in errors


def test_setup_a_second_time_is_refused(db, stdin):
    setup(no_input=True, password_stdin=True, **SAID)
    with pytest.raises(CommandError, match="set up already"):
        setup(no_input=True, password_stdin=True, **SAID)
    assert Organization.objects.count() == 1


def test_setup_where_somebody_works_is_refused(db):
    make.make_user("administrator")
    with pytest.raises(CommandError, match="set up already"):
        setup(no_input=True, password_stdin=True, **SAID)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"organization": None}, "--organization is missing"),
        ({"email": None}, "--email is missing"),
        ({"email": "nobody"}, "--email: "),
        ({"country": "Italia"}, "--country: "),
        ({"zone": "Europe/Camerino"}, "--zone: "),
        ({"hours": "18:00-09:00"}, "--hours: The end must come after the start"),
        ({"language": "de"}, "--language: "),
        ({"location": "L" * 10_000}, "--location: "),
        ({"password_stdin": False}, "--password-stdin is missing"),
    ],
)
def test_setup_with_a_wrong_option_names_it_and_saves_nothing(db, stdin, change, message):
    with pytest.raises(CommandError, match=message):
        setup(**{"no_input": True, "password_stdin": True, **SAID, **change})
    assert nothing_saved()


def test_setup_with_a_weak_password_saves_nothing(db, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("camerino\n"))
    with pytest.raises(CommandError, match="password"):
        setup(no_input=True, password_stdin=True, **SAID)
    assert nothing_saved()


def test_setup_that_is_stopped_saves_nothing(db, typed):
    typed(["Studio Rossi srl"])
    with pytest.raises(CommandError, match="nothing was set up"):
        setup()
    assert nothing_saved()


@pytest.mark.parametrize("language", reference.LANGUAGES)
def test_load_reference_adds_what_is_missing_once(db, language):
    added = reference.load(language)
    assert added == RoomKind.objects.count() + EquipmentKind.objects.count() + Specialisation.objects.count() == 24
    assert RoomKind.history.count() == RoomKind.objects.count()
    RoomKind.objects.first().delete()
    assert reference.load(language) == 1
