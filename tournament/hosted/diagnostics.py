"""How a model would have done on eras whose targets are known: the tournament's own scores, era by era."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournament.scoring.panel import score_panel
from tournament.scoring.reputation import standard_errors

SCORES = ("corr", "bmc", "fnc", "max_feature_exposure")


@dataclass(frozen=True, slots=True)
class KnownEras:
    """Rows of eras whose targets are known, one era after another: N rows, E eras, F features."""

    features_NF: NDArray[np.int8]
    target_N: NDArray[np.float64]
    benchmark_N: NDArray[np.float64] | None
    labels_E: tuple[str, ...]
    ends_E: tuple[int, ...]

    def slices(self) -> list[slice]:
        """Rows of each era."""
        return [slice(start, end) for start, end in zip((0, *self.ends_E[:-1]), self.ends_E, strict=True)]


def diagnose(values_N: NDArray[np.float32], known: KnownEras, *, overlap: int) -> dict[str, Any]:
    """`eras`: each one's scores; `summary`: mean, standard error, std, Sharpe per era and drawdown of each score.

    Plain data with None for what cannot be scored. `overlap`: eras that one target spans (Newey-West's lag).
    """
    rows = [_score(values_N, known, place) for place in range(len(known.ends_E))]
    table_ES = np.array(rows, dtype=float).reshape(len(rows), len(SCORES))
    eras = [
        {"era": label} | {name: _plain(value) for name, value in zip(SCORES, row, strict=True)}
        for label, row in zip(known.labels_E, table_ES, strict=True)
    ]
    errors = standard_errors(table_ES, overlap=overlap)
    summary = {name: _summary(table_ES[:, place], errors[place]) for place, name in enumerate(SCORES)}
    return {"eras": eras, "summary": summary}


def _score(values_N: NDArray[np.float32], known: KnownEras, place: int) -> Sequence[float]:
    rows = known.slices()[place]
    benchmark = None if known.benchmark_N is None else known.benchmark_N[rows]
    scores = score_panel(
        values_N[rows, None], known.target_N[rows], benchmark_N=benchmark, features_NF=known.features_NF[rows]
    )
    return [float(getattr(scores, name)[0]) for name in SCORES]


def _summary(values_E: NDArray[np.float64], error: float) -> dict[str, float | None]:
    seen = values_E[np.isfinite(values_E)]
    if len(seen) < 2:
        return dict.fromkeys(("mean", "standard_error", "std", "sharpe", "max_drawdown"))
    mean, spread = float(seen.mean()), float(seen.std(ddof=1))
    path = np.concatenate([[0.0], seen.cumsum()])
    drawdown = float((np.maximum.accumulate(path) - path).max())
    found = {"mean": mean, "standard_error": float(error), "std": spread, "max_drawdown": drawdown}
    return {name: _plain(value) for name, value in (found | {"sharpe": mean / spread if spread else math.nan}).items()}


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
