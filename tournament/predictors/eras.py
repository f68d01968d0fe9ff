"""Cross-sections with their targets: what predictors learn from.

Shape suffixes: E eras (oldest first), N places of an era's rows, F features. Eras differ in size; a place without a row
has no target. Eras are numbered as the tournament numbers them, a cadence apart, so numbers tell what overlaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tournament.errors import BadInput, Fault

Floats = NDArray[np.float64]
MISSING_BIN = 2


@dataclass(frozen=True, slots=True)
class Eras:
    """Features in bins 0 to 4 (E x N x F) and targets (E x N); NaN: no row, or its target is not known."""

    number_E: NDArray[np.int64]
    features_ENF: NDArray[np.int8]
    target_EN: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse shapes that do not meet, numbers out of order, and bins that are none. Raises BadInput."""
        eras, rows = self.target_EN.shape
        if self.features_ENF.shape[:2] != (eras, rows) or self.number_E.shape != (eras,):
            shapes = f"{self.number_E.shape}, {self.features_ENF.shape} and {self.target_EN.shape}"
            raise BadInput(Fault("shape", f"eras of shapes {shapes} do not meet", "give E, E x N x F and E x N"))
        if (np.diff(self.number_E) <= 0).any():
            raise BadInput(Fault("era_order", "numbers of eras do not increase", "sort the eras, each once"))
        if self.features_ENF.size and (self.features_ENF.min() < 0 or self.features_ENF.max() > 2 * MISSING_BIN):
            low, high = int(self.features_ENF.min()), int(self.features_ENF.max())
            raise BadInput(Fault("bins", f"features are from {low} to {high}", "give bins 0 to 4, 2 where missing"))
        if np.isinf(self.target_EN).any():
            raise BadInput(Fault("infinite", "a target is infinite", "give NaN where it is not known"))

    def __len__(self) -> int:
        return len(self.number_E)

    @property
    def features(self) -> int:
        """F."""
        return int(self.features_ENF.shape[2])

    def take(self, rows: Any) -> Eras:
        """Some of the eras."""
        return Eras(self.number_E[rows], self.features_ENF[rows], self.target_EN[rows])

    def known_at(self, number: int, resolve_rounds: int) -> Eras:
        """Eras whose targets were known when era `number` opened: a target takes `resolve_rounds` eras to resolve."""
        return self.take(self.number_E + resolve_rounds <= number)

    def newest(self, count: int) -> Eras:
        """The last `count` eras."""
        return self.take(slice(max(0, len(self) - count), None))

    def rows(self) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Features and target of every row whose target is known, era by era (rows x F, rows)."""
        known_EN = np.isfinite(self.target_EN)
        return self.features_ENF[known_EN], self.target_EN[known_EN]


Section = tuple[int, NDArray[Any], NDArray[Any]]
"""Number, features (rows x F) and target (rows) of one era."""


def eras_of(sections: Sequence[Section]) -> Eras:
    """Eras side by side, rows without a target left out. Raises BadInput when there are none or they do not meet."""
    if not sections:
        raise BadInput(Fault("no_eras", "there is no era to learn from", "give at least one"))
    widths = {features.shape[1] for _, features, _ in sections}
    if len(widths) > 1:
        raise BadInput(Fault("features", f"eras have {sorted(widths)} features", "give each era the same ones"))
    for number, features, target in sections:
        if len(features) != len(target):
            found = f"era {number}: {len(features)} rows of features, {len(target)} targets"
            raise BadInput(Fault("shape", found, "give one target a row, NaN where it is not known"))
    known = [np.isfinite(np.asarray(target, dtype=np.float32)) for _, _, target in sections]
    places = max(int(rows.sum()) for rows in known)
    features_ENF = np.full((len(sections), places, widths.pop()), MISSING_BIN, dtype=np.int8)
    target_EN = np.full((len(sections), places), np.nan, dtype=np.float32)
    for era, (rows, (_, features, target)) in enumerate(zip(known, sections, strict=True)):
        features_ENF[era, : rows.sum()] = features[rows]
        target_EN[era, : rows.sum()] = target[rows]
    return Eras(np.array([number for number, _, _ in sections]), features_ENF, target_EN)


def sections_of(frame: pd.DataFrame, names: Sequence[str], target: str = "target") -> list[Section]:
    """Sections of a train or validation file. Raises BadInput naming the columns that it lacks."""
    missing = [name for name in ("era", target, *names) if name not in frame]
    if missing:
        raise BadInput(Fault("no_column", f"the file has no column {missing[0]}", "give era, target and features"))
    features, targets = frame[list(names)].to_numpy(np.int8), frame[target].to_numpy(np.float32)
    number = frame["era"].astype(int).to_numpy()
    starts = np.flatnonzero(np.diff(number, prepend=number[:1] - 1))
    ends = np.append(starts[1:], len(number))
    return [(int(number[a]), features[a:b], targets[a:b]) for a, b in zip(starts, ends, strict=True)]
