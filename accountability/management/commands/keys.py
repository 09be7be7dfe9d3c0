"""`manage.py keys`: whether the keys belong to the database; give up one that is lost."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from accountability import key_fingerprints
from accountability.models import KeyFingerprint


class Command(BaseCommand):
    """Say which versions of which keys this database knows, as a process does that serves."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the version to give up, if any."""
        parser.add_argument("--give-up", nargs=2, metavar=("SETTING", "VERSION"))

    def handle(self, *args: object, **options: object) -> None:
        """Compare and record, or give up a version for good."""
        given_up = options.get("give_up")
        if isinstance(given_up, list):
            self._give_up(*given_up)
            return
        try:
            warnings = key_fingerprints.settle()
        except key_fingerprints.WrongKeys as fault:
            raise CommandError(str(fault)) from None
        for row in KeyFingerprint.objects.order_by("setting", "version"):
            self.stdout.write(f"{row}, first seen {row.first_seen_at:%Y-%m-%d %H:%M} UTC")
        for warning in warnings:
            self.stderr.write(warning)

    def _give_up(self, setting: str, version: str) -> None:
        if not (version.isascii() and version.isdigit()):
            raise CommandError("a version is a number, as in: --give-up HEED_LINK_KEYS 1")
        try:
            emptied = key_fingerprints.give_up(setting, int(version))
        except ValueError as fault:
            raise CommandError(str(fault)) from None
        self.stdout.write(f"{setting} version {version} is given up; emptied: {emptied}.")
