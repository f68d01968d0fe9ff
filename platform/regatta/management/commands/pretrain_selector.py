"""`manage.py pretrain_selector`: train the in-context gate on simulated tournaments, and store its state."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from regatta.management.offline import OfflineCommand
from tournament.errors import BadInput, Fault
from tournament.selectors.protocol import Budget


class Command(OfflineCommand):
    """Draws worlds, trains, writes one safetensors file."""

    about = "Train the selector `pretrained` on simulated tournaments, with the informed Bayes filter as its teacher."
    example = "--seed 0 --worlds 1200 --steps 3000 --out pretrained.safetensors"

    def arguments(self, parser: CommandParser) -> None:
        """How much to train."""
        parser.add_argument("--worlds", type=int, default=1_200, help="simulated tournaments (default: 1200)")
        parser.add_argument("--steps", type=int, default=3_000, help="training steps (default: 3000)")
        parser.add_argument("--minutes", type=float, default=float("inf"), help="stop training after so many minutes")
        parser.add_argument("--out", type=Path, required=True, help="the file to write; an older one is replaced")

    def run(self, **options: Any) -> None:
        """Train, write, tell."""
        wrong = [name for name in ("worlds", "steps", "minutes") if not options[name] > 0]  # no number is none above
        if wrong:
            raise BadInput(
                [Fault("out_of_range", f"--{name} is {options[name]}", "give more than 0") for name in wrong]
            )
        _refuse_unwritable(options["out"])
        start = time.monotonic()
        pretraining = import_module("tournament.selectors.meta.pretraining")  # by name: the site itself loads no torch
        config = pretraining.sized(worlds=options["worlds"], steps=options["steps"])
        state, gains = pretraining.make_state(config, Budget(options["seed"], 60.0 * options["minutes"]))
        options["out"].write_bytes(state.to_bytes())
        told = ", ".join(f"{gain:.3f}" for gain in gains)
        self.stdout.write(f"corr of checked blends, by what the informed filter gains over equal weight: {told}")
        self.stdout.write(f"{options['out']}: {time.monotonic() - start:.0f} s")


def _refuse_unwritable(path: Path) -> None:
    """Before hours are spent. Raises BadInput."""
    if path.is_dir() or not path.parent.is_dir():
        found = f"--out is {path}, " + ("a folder" if path.is_dir() else f"and there is no folder {path.parent}")
        raise BadInput(Fault("not_a_file", found, "name a file in a folder that exists"))
