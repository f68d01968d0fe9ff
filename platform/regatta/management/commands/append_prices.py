"""`manage.py append_prices`: the newest days of a tournament that is under way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from regatta.management.offline import OfflineCommand
from regatta.rounds.extension import append_prices
from regatta.rounds.models import Tournament
from tournament.errors import BadInput, Fault
from tournament.markets.panel import read_prices


class Command(OfflineCommand):
    """Meant for a daily job; a file that brings nothing new is refused, and nothing is changed."""

    about = "Append the days of a price file that follow the last known one, and lay out rounds on them."
    example = "real prices.parquet"

    def arguments(self, parser: CommandParser) -> None:
        """Which tournament, which prices."""
        parser.add_argument("tournament", help="its part of the address")
        parser.add_argument("prices", type=Path, help="Parquet or CSV; it must also hold the last known day")

    def run(self, **options: Any) -> None:
        """Append and say what came."""
        tournament = Tournament.objects.filter(slug=options["tournament"]).first()
        if tournament is None:
            known = ", ".join(Tournament.objects.values_list("slug", flat=True)) or "none"
            raise BadInput(
                Fault("no_tournament", f"there is no tournament {options['tournament']!r}", f"known: {known}")
            )
        days, rounds = append_prices(tournament, read_prices(options["prices"]))
        self.stdout.write(f"{tournament.slug}: {days} days and {rounds} rounds more")
