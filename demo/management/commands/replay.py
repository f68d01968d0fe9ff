"""`manage.py replay`: one tournament of the demonstration through its history."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from contributors.hosted import HOSTED
from contributors.roster import ROSTER
from demo.replay import Becalmed, drift, sail
from regatta.rounds.models import Tournament


class Command(BaseCommand):
    """Resumes where it was cut off."""

    help = "Drive a replay tournament's clock through its history. Example: manage.py replay simulated --through 207"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which tournament."""
        parser.add_argument("tournament")
        parser.add_argument("--through", type=int, required=True, help="the round that is left open")
        parser.add_argument("--pace", type=float, help="then sail on, a round every so many seconds")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sail all rounds."""
        tournament = Tournament.objects.filter(slug=options["tournament"]).first()
        if tournament is None:
            raise CommandError(f"there is no tournament {options['tournament']!r}; run manage.py demo first")
        expected = {f"{entry.model}_{tournament.slug}": (entry.joins, entry.leaves) for entry in ROSTER}
        expected |= {f"{entry.model}_{tournament.slug}": (1, None) for entry in HOSTED}
        try:
            sail(tournament, expected, through=options["through"])
            if options["pace"]:
                drift(tournament, expected, seconds=options["pace"])
        except Becalmed as stuck:
            raise CommandError(str(stuck)) from None
