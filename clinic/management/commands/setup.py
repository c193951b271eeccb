"""`manage.py setup`: legal entity, first location, first administrator. Asks for what its options do not say."""

import dataclasses
import datetime as dt
import getpass
import sys
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from clinic.actor import SYSTEM
from clinic.exceptions import RuleBroken
from clinic.models import ClinicSettings, Location, Organization, User
from clinic.services import setup


@dataclass(frozen=True)
class Question:
    """One thing to know: the option, what is asked, the column that judges the answer."""

    option: str
    asks: str
    model: type
    column: str
    default: str | None = None

    @property
    def key(self):
        return self.option.replace("-", "_")

    def judged(self, answer):
        """The answer as the column takes it; ValidationError where it does not."""
        return self.model._meta.get_field(self.column).clean(answer.strip(), None)


@dataclass(frozen=True)
class HoursQuestion(Question):
    def judged(self, answer):
        try:
            starts, ends = (dt.time.fromisoformat(part.strip()) for part in answer.split("-"))
        except ValueError as error:
            raise ValidationError("Opening hours read 09:00-18:00.") from error
        if ends <= starts:
            raise ValidationError("The end must come after the start.")
        return starts, ends


QUESTIONS = (
    Question("organization", "Name of the legal entity", Organization, "name"),
    Question("tax-number", "Its tax number (may be empty)", Organization, "tax_number", ""),
    Question("country", "Country, two letters", Organization, "country", "IT"),
    Question("currency", "Currency, three letters", Organization, "currency", "EUR"),
    Question("location", "Name of the first location", Location, "name"),
    Question("city", "Its city (may be empty)", Location, "city", ""),
    Question("zone", "Its time zone", Location, "time_zone", settings.TIME_ZONE),
    HoursQuestion("hours", "Open Monday to Friday", Location, "", "09:00-18:00"),
    Question("language", "Language of patients", ClinicSettings, "language", settings.LANGUAGE_CODE),
    Question("email", "Administrator's e-mail", User, "email"),
    Question("given-name", "Administrator's given name", User, "given_name"),
    Question("family-name", "Administrator's family name", User, "family_name", ""),
)


class Command(BaseCommand):
    help = "Set up a real clinic in an empty database: legal entity, first location, first administrator."

    def add_arguments(self, parser):
        for question in QUESTIONS:
            parser.add_argument(f"--{question.option}", help=question.asks)
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
        parser.add_argument("--no-input", action="store_true", help="ask nothing: options and defaults must say it all")

    def handle(self, *args, password_stdin, no_input, **options):
        try:
            setup.refuse_if_done()
            answers = {question.key: self._answer(question, options, no_input) for question in QUESTIONS}
            administrator = User(
                email=answers["email"], given_name=answers["given_name"], family_name=answers["family_name"]
            )
            password = self._password(administrator, password_stdin, no_input)
            self._open(answers, administrator, password)
        except RuleBroken as refusal:
            raise CommandError(str(refusal)) from refusal
        except (EOFError, KeyboardInterrupt) as stop:
            raise CommandError("Stopped: nothing was set up.") from stop
        self.stdout.write(f"Ready: {administrator.email} may sign in and set up the rest.")

    def _open(self, answers, administrator, password):
        country, name = answers["country"], answers["organization"]
        setup.open_clinic(
            Organization(name=name, tax_number=answers["tax_number"], country=country, currency=answers["currency"]),
            location=Location(
                name=answers["location"], city=answers["city"], country=country, time_zone=answers["zone"]
            ),
            hours=answers["hours"],
            administrator=administrator,
            password=password,
            language=answers["language"],
            by=dataclasses.replace(SYSTEM, route="manage.py setup"),
        )

    def _answer(self, question, options, no_input):
        """From the option, else from the person (again until it will do), else the default."""
        given = options[question.key]
        if given is None and no_input:
            given = question.default
            if given is None:
                raise CommandError(f"--{question.option} is missing: {question.asks}.")
        if given is not None:
            try:
                return question.judged(given)
            except ValidationError as error:
                raise CommandError(f"--{question.option}: {error.messages[0]}") from error
        default = f" [{question.default}]" if question.default else ""
        while True:
            try:
                return question.judged(input(f"{question.asks}{default}: ") or question.default or "")
            except ValidationError as error:
                self.stderr.write(error.messages[0])

    def _password(self, administrator, from_stdin, no_input):
        if from_stdin:
            return sys.stdin.readline().rstrip("\r\n")
        if no_input:
            raise CommandError("--password-stdin is missing: the administrator's password comes from there.")
        while True:
            password = getpass.getpass("Administrator's password: ")
            try:
                validate_password(password, administrator)
            except ValidationError as error:
                self.stderr.write("\n".join(error.messages))
                continue
            if password == getpass.getpass("The same again: "):
                return password
            self.stderr.write("The two differ.")
