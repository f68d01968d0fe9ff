"""Predictions of past eras, scored as live ones are: by era, and over all of them.

Shape suffixes: N rows of all eras, F features, E eras. Eras that lack a score are left out of its figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadInput, Fault
from tournament.scoring.panel import score_panel
from tournament.scoring.ranks import Floats, gaussian_ranks

SCORES = ("corr", "bmc", "fnc")


@dataclass(frozen=True, slots=True)
class Validation:
    """Rows of past eras: era number, target (NaN: not known), features, and an example model's values."""

    era_N: NDArray[np.integer[Any]]
    target_N: Floats
    features_NF: Floats
    example_N: Floats

    def of(self, rows: NDArray[np.bool_]) -> Validation:
        """Only these rows."""
        return Validation(self.era_N[rows], self.target_N[rows], self.features_NF[rows], self.example_N[rows])


@dataclass(frozen=True, slots=True)
class EraFigures:
    """Scores of one era; NaN: no score. `bmc` is the contribution beside the example."""

    era: int
    corr: float
    bmc: float
    fnc: float
    max_feature_exposure: float
    example_corr: float
    corr_with_example: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Figures by era, oldest first, and over all eras."""

    eras: tuple[EraFigures, ...]
    summary: dict[str, float]


def diagnose(values_N: NDArray[np.floating[Any]], rows: Validation) -> Diagnosis:
    """Score predictions (N) of the rows. Raises BadInput when there are none."""
    if not len(values_N):
        raise BadInput(Fault("no_rows", "there is no era to score", "predict the ids of the validation file"))
    eras = tuple(_era(values_N, rows, int(era)) for era in np.unique(rows.era_N))
    return Diagnosis(eras, summarize(eras))


def summarize(eras: tuple[EraFigures, ...]) -> dict[str, float]:
    """Mean, standard deviation, Sharpe per era and largest drawdown of each score, and what else the corr tells."""
    figures: dict[str, float] = {}
    for name in SCORES:
        values_E = np.array([getattr(era, name) for era in eras])
        figures |= {f"{name}_{figure}": value for figure, value in moments(values_E[np.isfinite(values_E)]).items()}
    corr_E = np.array([era.corr for era in eras])
    corr_E = corr_E[np.isfinite(corr_E)]
    figures["corr_adjusted_sharpe"] = adjusted_sharpe(corr_E)
    figures["corr_autocorrelation"] = autocorrelation(corr_E)
    figures["max_feature_exposure"] = _known([era.max_feature_exposure for era in eras], np.max)
    figures["corr_with_example"] = _known([era.corr_with_example for era in eras], np.mean)
    figures["example_corr_mean"] = _known([era.example_corr for era in eras], np.mean)
    return figures


def moments(values_E: Floats) -> dict[str, float]:
    """Mean, standard deviation, their ratio (per era), and the largest fall of the running sum; NaN: too few."""
    if not len(values_E):
        return dict.fromkeys(("mean", "std", "sharpe", "max_drawdown"), np.nan)
    spread = float(values_E.std(ddof=1)) if len(values_E) > 1 else np.nan
    path = np.concatenate([[0.0], np.cumsum(values_E)])
    fall = float((np.maximum.accumulate(path) - path).max())
    mean = float(values_E.mean())
    return {"mean": mean, "std": spread, "sharpe": mean / spread if spread > 0 else np.nan, "max_drawdown": fall}


def adjusted_sharpe(values_E: Floats) -> float:
    """S (1 + skewness S / 6 - excess kurtosis S^2 / 24). Source: Pézier and White, 2006, equation 1."""
    spread = values_E.std(ddof=1) if len(values_E) > 1 else 0.0
    if not spread > 0:
        return float("nan")
    ratio, units = values_E.mean() / spread, (values_E - values_E.mean()) / values_E.std()
    return float(ratio * (1 + (units**3).mean() * ratio / 6 - ((units**4).mean() - 3) * ratio**2 / 24))


def autocorrelation(values_E: Floats) -> float:
    """Correlation of each era's value with the next one's; NaN with fewer than three."""
    if len(values_E) < 3 or values_E[:-1].std() == 0 or values_E[1:].std() == 0:
        return float("nan")
    return float(np.corrcoef(values_E[:-1], values_E[1:])[0, 1])


def _era(values_N: NDArray[np.floating[Any]], rows: Validation, era: int) -> EraFigures:
    inside = rows.era_N == era
    here, example = rows.of(inside), rows.example_N[inside]
    panel_N2 = np.stack([values_N[inside].astype(float), example], axis=1)
    with_example = not np.isnan(example).any()
    scores = score_panel(
        panel_N2, here.target_N, benchmark_N=example if with_example else None, features_NF=here.features_NF
    )
    ours, theirs = gaussian_ranks(panel_N2).T
    varies = with_example and ours.std() > 0 and theirs.std() > 0
    return EraFigures(
        era, float(scores.corr[0]), float(scores.bmc[0]), float(scores.fnc[0]), float(scores.max_feature_exposure[0]),
        float(scores.corr[1]), float(np.corrcoef(ours, theirs)[0, 1]) if varies else float("nan"),
    )  # fmt: skip


def _known(values: list[float], of: Any) -> float:
    known = np.array(values)[np.isfinite(values)]
    return float(of(known)) if len(known) else float("nan")
