"""`manage.py simulate_world`: a simulated tournament with known regimes, as an archive."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from regatta.management.offline import OfflineCommand
from tournament.worlds.panel_space import WorldConfig, draw, write_world

MEANINGS = {
    "assets": "assets a round", "models": "contributed models", "rounds": "weekly rounds", "regimes": "regimes",
    "overlap": "weeks that a target spans", "groups": "groups of models that err alike",
    "skill": "mean expected corr of a model", "separation": "spread of expected corr between regimes",
    "mean_stay": "mean stay in a regime, rounds", "context_noise": "noise of the context (0: it tells the regime)",
    "joiners": "share of models that join late", "persistence": "correlation of a model's errors with the last round's",
}  # fmt: skip


class Command(OfflineCommand):
    """Draws a world and writes its archive and its truth."""

    about = "Simulate a tournament whose regimes and skills are known, and write it as an archive with truth/."
    example = "--seed 7 --assets 500 --models 40 --rounds 300 --regimes 4 --out world"

    def arguments(self, parser: CommandParser) -> None:
        """One option for each field of the world's config."""
        for field in fields(WorldConfig):
            if field.name != "seed":
                kind = type(field.default)
                parser.add_argument(
                    f"--{field.name.replace('_', '-')}", type=kind, default=field.default, metavar=kind.__name__,
                    help=f"{MEANINGS[field.name]} (default: {field.default})",
                )  # fmt: skip
        parser.add_argument("--out", type=Path, required=True, help="a new or empty folder for the archive")

    def run(self, **options: Any) -> None:
        """Draw, write, tell."""
        config = WorldConfig(**{field.name: options[field.name] for field in fields(WorldConfig)})
        write_world(draw(config), options["out"])
        self.stdout.write(f"{options['out']}: {config.rounds} rounds, {config.models} models, {config.assets} assets")
