"""`manage.py verify_audit`: is the trail of who changed and who looked still what was written?"""

import time

from django.core.management.base import BaseCommand, CommandError

from clinic.database.roles import as_owner
from clinic.database.verify import verify


class Command(BaseCommand):
    help = "Prove the audit trail: names the first row that was changed, deleted, reordered or forged."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument(
            "--anchor",
            default="",
            metavar="ROOT",
            help="a root that an earlier run printed and that was kept elsewhere: shows a chain cut off at its end",
        )

    def handle(self, *args, anchor, **options):
        began = time.monotonic()
        with as_owner():
            proof = verify(anchor.strip().lower())
        self.stdout.write(
            f"{proof.entries} entries, {proof.rows} history rows and {proof.seals} seals verified "
            f"in {time.monotonic() - began:.1f} s."
        )
        if proof.findings:
            raise CommandError("\n".join(str(finding) for finding in proof.findings))
        self.stdout.write(f"Nothing was changed. Root: {proof.root or 'none yet'}")
