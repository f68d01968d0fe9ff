"""`manage.py export_archive`: a tournament of this site as an archive folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from regatta.management.offline import OfflineCommand
from regatta.rounds.archives import export_archive, sealed_rounds
from regatta.rounds.models import Tournament
from tournament.errors import BadInput, Fault


class Command(OfflineCommand):
    """Unlike its neighbours it reads the site's database."""

    about = "Write a tournament's sealed rounds as an archive folder."
    example = "simulated --out archives/simulated"

    def arguments(self, parser: CommandParser) -> None:
        """Which tournament, and where to."""
        parser.add_argument("tournament", help="the tournament's slug")
        parser.add_argument("--out", type=Path, required=True, help="a new or empty folder")

    def run(self, **options: Any) -> None:
        """Export and say what was written."""
        slug = options["tournament"]
        tournament = Tournament.objects.filter(slug=slug).first()
        if tournament is None:
            known = ", ".join(Tournament.objects.values_list("slug", flat=True)) or "none yet"
            raise BadInput(Fault("no_tournament", f"there is no tournament {slug!r}", f"known: {known}"))
        with self.progress("rounds", len(sealed_rounds(tournament))) as step:
            archive = export_archive(tournament, options["out"], tell=step)
        self.stdout.write(f"{options['out']}: {len(archive)} rounds, {len(archive.models)} models")
