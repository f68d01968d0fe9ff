"""Small archives of known content, and ways to spoil one file of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tournament.archive import About, ArchivedRound, write_archive

ABOUT = About("Small seas", 20, "weekly", "target", "2024-01-05T00:00:00+00:00")
CONTEXT = ("volatility", "breadth")
FEATURES = ("momentum", "size")
MODELS = ("anchor", "buoy", "compass")
START = np.datetime64("2020-01-03T18:00:00")
DAY = np.timedelta64(1, "D")


def rounds(count: int = 6, *, resolved: int = 4, assets: int = 40, seed: int = 0) -> list[ArchivedRound]:
    """Weekly rounds of a market; `compass` joins in round 3, the last targets are not known, a few never will be."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(1, count + 1):
        models = MODELS if number >= 3 else MODELS[:2]
        target = rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], assets)
        target[:2] = np.nan
        opens = START + 7 * number * DAY
        made.append(
            ArchivedRound(
                number, opens, opens + 2 * DAY, opens + 30 * DAY, tuple(f"n{number}_{row}" for row in range(assets)),
                models, rng.random((assets, len(models))).astype(np.float32), target if number <= resolved else None,
                np.array([rng.random(), np.nan if number == 2 else rng.random()]), opens,
                {"anchor": 10.5, "buoy": float(number)}, rng.integers(0, 5, (assets, 2)).astype(np.float32),
            )
        )  # fmt: skip
    return made


def write(folder: Path, **sizes: int) -> Path:
    """An archive of these rounds."""
    write_archive(folder, ABOUT, rounds(**sizes), context_names=CONTEXT, feature_names=FEATURES)
    return folder


def change(file: Path, how: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Rewrite one Parquet file."""
    how(pd.read_parquet(file)).to_parquet(file, index=False)


def panels(folder: Path) -> dict[str, pd.DataFrame]:
    """Every table of an archive by its place in the folder."""
    return {str(path.relative_to(folder)): pd.read_parquet(path) for path in sorted(folder.rglob("*.parquet"))}
