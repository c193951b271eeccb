"""`manage.py demo`: the demo clinic, for looking around. Never in production: its passwords are public."""

import dataclasses
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clinic.actor import SYSTEM
from clinic.exceptions import RuleBroken
from clinic.services import demo


class Command(BaseCommand):
    help = "Load the demo clinic into an empty database."

    def add_arguments(self, parser):
        parser.add_argument("--size", choices=demo.SIZES, default="clinic")
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
        try:
            counts = demo.load(size, seed=seed, by=dataclasses.replace(SYSTEM, route="manage.py demo"))
        except RuleBroken as refusal:
            raise CommandError(str(refusal)) from refusal
        if not options["verbosity"]:
            return
        for name, count in counts.items():
            self.stdout.write(f"{count:>8,}  {name}")
        self.stdout.write(f"Loaded in {time.monotonic() - began:.1f} s. Password of all: {demo.PASSWORD}")
        for email in demo.SIGN_INS:
            self.stdout.write(f"  {email}")
