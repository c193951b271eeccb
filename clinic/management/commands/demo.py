"""`manage.py demo`: the demo clinic, for looking around. Never in production: its passwords are public."""

import dataclasses
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clinic.actor import SYSTEM
from clinic.exceptions import RuleBroken
from clinic.models import User
from clinic.services import demo

BAR = 40


class Command(BaseCommand):
    help = "Load the demo clinic into an empty database."

    def add_arguments(self, parser):
        parser.add_argument(
            "--size",
            default="clinic",
            help="small, clinic, chain; a number of appointments; or practitioners=40,locations=4,patients=200000,"
            "appointments=1000000, where what is left out is in proportion",
        )
        parser.add_argument("--seed", type=int, default=1, help="another seed, other people")
        parser.add_argument("--if-empty", action="store_true", help="do nothing where there is a clinic already")

    def handle(self, *args, size, seed, if_empty, **options):
        if settings.PRODUCTION:
            raise CommandError("This is production: the demo clinic has public passwords and is refused here.")
        if demo.is_demo():
            self.stdout.write("The demo clinic is there already.")
            return
        if if_empty and not demo.is_empty():
            self.stdout.write("There is a clinic already: no demo is loaded.")
            return
        began = time.monotonic()
        progress = _Progress(self.stdout if options["verbosity"] else None)
        try:
            counts = demo.load(
                size, seed=seed, by=dataclasses.replace(SYSTEM, route="manage.py demo"), progress=progress.report
            )
        except RuleBroken as refusal:
            raise CommandError(str(refusal)) from refusal
        if not options["verbosity"]:
            return
        for name, count in counts.items():
            self.stdout.write(f"{count:>12,}  {name}")
        self.stdout.write(f"Loaded in {time.monotonic() - began:.1f} s. Password of all: {demo.PASSWORD}")
        for email in User.objects.filter(email__in=demo.SIGN_INS).order_by("pk").values_list("email", flat=True):
            self.stdout.write(f"  {email}")


class _Progress:
    """A bar that fills on a terminal, a line per tenth elsewhere."""

    def __init__(self, out):
        self.out = out
        self.began = time.monotonic()
        self.tenths = 0

    def report(self, done: int, expected: int) -> None:
        if self.out is None or not expected:
            return
        said = f"{done:,} of {expected:,} appointments, {time.monotonic() - self.began:.0f} s"
        if self.out.isatty():
            filled = BAR * done // expected
            self.out.write(f"\r[{'#' * filled}{' ' * (BAR - filled)}] {said}", ending="\n" if done >= expected else "")
            self.out.flush()
        elif 10 * done // expected > self.tenths:
            self.tenths = 10 * done // expected
            self.out.write(said)
