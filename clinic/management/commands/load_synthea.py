"""`manage.py load_synthea FOLDER`: patients, practitioners and past visits of a Synthea export."""

import dataclasses
import time
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from clinic.actor import SYSTEM
from clinic.exceptions import RuleBroken
from clinic.models import Location
from clinic.services.exchange import intake, synthea


class Command(BaseCommand):
    help = "Bring in patients, providers and encounters that Synthea wrote as CSV. May be repeated."

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="where patients.csv, providers.csv and encounters.csv are")
        parser.add_argument("--zone", default="America/Los_Angeles", help="time zone of the location that is made")
        parser.add_argument("--location", help="name of an existing location that the visits belong to")

    def handle(self, *args, folder, zone, location, **options):
        began = time.monotonic()
        try:
            summary = intake.bring_in(
                synthea.read(folder),
                by=dataclasses.replace(SYSTEM, route="manage.py load_synthea"),
                zone=zone,
                location=self._location(location),
            )
        except RuleBroken as refusal:
            raise CommandError(str(refusal)) from refusal
        for name, count in summary.added.items():
            self.stdout.write(f"{count:>8,}  {name} added")
        self.stdout.write(f"{summary.known:>8,}  appointments known already")
        self.stdout.write(f"{summary.overlaps:>8,}  of the added ones overlap another and hold no time")
        self.stdout.write(f"{len(summary.left_out):>8,}  left out")
        for reference, why in summary.left_out:
            self.stdout.write(f"          {reference}: {why}")
        self.stdout.write(f"Done in {time.monotonic() - began:.1f} s.")

    def _location(self, name):
        if name is None:
            return None
        found = Location.objects.filter(name=name).first()
        if found is None:
            raise CommandError(f"There is no location named {name}.")
        return found
