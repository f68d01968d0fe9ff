"""Does a neural selector gain by learning from several tournaments of other markets, not from its own alone?

PYTHONPATH=platform:. python benchmarks/bench_several_tournaments.py equity futures currencies crypto

Each archive is sailed walk-forward twice with each selector: trained on its own past, and on the pasts of all archives,
each cut off at the same moment of the calendar. Differences are paired by round, errors block-bootstrap.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tournament.archive import Archive, history_from_archive, read_archive
from tournament.evaluation.gains import Gain, gain
from tournament.evaluation.study import exact_corr, overlap
from tournament.evaluation.walk_forward import walk_forward
from tournament.selectors.protocol import Floats, History, Selector
from tournament.selectors.registry import make

ROUNDS_TO_TUNE = 60
"""So that `pretrained` is tuned in both ways of training, not only where others lend it rounds."""


def selectors(names: Sequence[str]) -> list[Selector]:
    made = [make(name) for name in names]
    return [replace(one, least_to_tune=ROUNDS_TO_TUNE) if one.name == "pretrained" else one for one in made]  # type: ignore[type-var]


def sailed(
    archive: Archive, own: History, others: Sequence[History], names: Sequence[str], options: argparse.Namespace
) -> Floats:
    """Exact corr of equal weight and, for each selector, of its own-past and its all-pasts form (R x (1 + 2S))."""
    warmup = min(options.warmup, len(own) // 2)
    ways = [(make("equal"), ())] + [(one, known) for one in selectors(names) for known in ((), tuple(others))]
    weights = [
        walk_forward(own, one, warmup=warmup, retrain_every=options.retrain_every, others=known).weights_RM
        for one, known in ways
    ]
    return exact_corr(archive, weights)


def told(gained: Gain) -> str:
    return f"{gained.mean:+.4f} ± {gained.standard_error:.4f}"


def table(label: str, corr_RS: Floats, names: Sequence[str], block: int) -> None:
    scored = int(np.isfinite(corr_RS).all(axis=1).sum())
    print(f"{label}: {scored} rounds, equal weight {np.nanmean(corr_RS[:, 0]):+.4f}")
    for place, name in enumerate(names):
        own, several = corr_RS[:, 1 + 2 * place], corr_RS[:, 2 + 2 * place]
        print(f"  {name:14s} own over equal {told(gain(own, corr_RS[:, 0], block=block, seed=0))}"
              f"   several over equal {told(gain(several, corr_RS[:, 0], block=block, seed=0))}"
              f"   several over own {told(gain(several, own, block=block, seed=0))}")  # fmt: skip
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archives", nargs="*", type=Path)
    parser.add_argument("--selectors", default="set_attention,pretrained")
    parser.add_argument("--warmup", type=int, default=150)
    parser.add_argument("--retrain-every", type=int, default=52)
    options = parser.parse_args()
    if len(options.archives) < 2:
        print("nothing to do: name two or more archives (manage.py make_archive makes them)")
        return
    names = options.selectors.split(",")
    archives = [read_archive(folder) for folder in options.archives]
    histories = [history_from_archive(archive) for archive in archives]
    for archive, own in zip(archives, histories, strict=True):
        start = time.monotonic()
        others = [history for history in histories if history is not own]
        table(archive.about.name, sailed(archive, own, others, names, options), names, 2 * overlap(own))
        print(f"  ({time.monotonic() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
