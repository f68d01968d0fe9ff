"""Predictions of past eras, scored as live ones are: by era, over all of them, and by the regime of each.

Shape suffixes: N rows of all eras, F features, E eras. Eras that lack a score are left out of its figures; NaN: no
score. Churn is not among them: ids change with every era, so there is nothing to hold two eras' predictions against.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tournament.errors import BadInput, Fault
from tournament.scoring.example import example_score
from tournament.scoring.panel import score_panel
from tournament.scoring.ranks import Floats, gaussian_ranks
from tournament.scoring.reputation import standard_errors

SCORES = ("corr", "mmc", "bmc", "fnc")


@dataclass(frozen=True, slots=True)
class KnownEras:
    """Rows of eras whose targets are known, one era after another; era e has those up to `ends_E[e]`."""

    features_NF: NDArray[Any]
    target_N: Floats
    example_N: Floats
    """The platform's example on the same rows; NaN: it has none."""
    eras_E: tuple[int, ...]
    ends_E: tuple[int, ...]
    regimes_E: tuple[str, ...] = ()
    """The likeliest regime at each era's close, as it was told then; empty: not told."""
    meta_N: Floats | None = None
    """The meta-model on the same rows; None where there was none yet."""

    def slices(self) -> list[slice]:
        """Rows of each era."""
        return [slice(start, end) for start, end in zip((0, *self.ends_E[:-1]), self.ends_E, strict=True)]

    def rows_of(self, chosen_E: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which rows lie in the chosen eras (N)."""
        return np.repeat(chosen_E, [rows.stop - rows.start for rows in self.slices()])

    def of(self, chosen_E: NDArray[np.bool_]) -> KnownEras:
        """Only these eras."""
        rows, lengths = self.rows_of(chosen_E), np.array([part.stop - part.start for part in self.slices()], dtype=int)
        return KnownEras(
            self.features_NF[rows], self.target_N[rows], self.example_N[rows], _kept(self.eras_E, chosen_E),
            tuple(map(int, lengths[chosen_E].cumsum())), _kept(self.regimes_E, chosen_E),
            None if self.meta_N is None else self.meta_N[rows],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class EraFigures:
    """Scores of one era. `bmc` is the contribution beside the example, `mmc` beside the meta-model."""

    era: int
    regime: str
    corr: float
    mmc: float
    bmc: float
    fnc: float
    max_feature_exposure: float
    example_corr: float
    corr_with_example: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Figures by era, oldest first; over all eras; and of the eras of each regime, by its name."""

    eras: tuple[EraFigures, ...]
    summary: dict[str, float]
    regimes: dict[str, dict[str, float]]

    def plain(self) -> dict[str, Any]:
        """The same as JSON takes it: None for what cannot be scored."""
        return {
            "eras": [_plain(asdict(era)) for era in self.eras],
            "summary": _plain(self.summary),
            "regimes": [{"regime": name} | _plain(figures) for name, figures in self.regimes.items()],
        }


def feature_columns(frame: pd.DataFrame) -> tuple[str, ...]:
    """The features of a published file, in their order: every column but ids, eras and targets."""
    return tuple(name for name in frame.columns if name not in ("id", "era") and not name.startswith("target"))


def known_eras(frame: pd.DataFrame, regime_of: Mapping[int, str] | None = None) -> KnownEras:
    """A published file of past eras, whose rows stand era by era. Raises BadInput when they do not."""
    labels = frame["era"].astype(int).to_numpy()
    eras, starts = np.unique(labels, return_index=True)
    if (np.diff(labels) < 0).any() or not len(frame):
        raise BadInput(Fault("era_order", "the eras do not stand one after the other", "use the file as published"))
    return KnownEras(
        frame[list(feature_columns(frame))].to_numpy(np.int8), frame["target"].to_numpy(np.float64),
        example_score(frame), tuple(map(int, eras)), (*map(int, starts[1:]), len(frame)),
        tuple(regime_of.get(int(era), "") for era in eras) if regime_of else (),
    )  # fmt: skip


def diagnose(values_N: NDArray[np.floating[Any]], known: KnownEras, *, overlap: int = 1) -> Diagnosis:
    """Score predictions (N) of the rows. Raises BadInput when there are none.

    `overlap`: eras that one target spans, of which standard errors take account.
    """
    if not len(values_N):
        raise BadInput(Fault("no_rows", "there is no era to score", "predict the ids of the validation file"))
    eras = tuple(_era(values_N, known, place) for place in range(len(known.eras_E)))
    regimes = dict.fromkeys(sorted({era.regime for era in eras if era.regime}))
    return Diagnosis(eras, summarize(eras, overlap), {name: _in_regime(eras, name, overlap) for name in regimes})


def summarize(eras: tuple[EraFigures, ...], overlap: int = 1) -> dict[str, float]:
    """Mean with its standard error, deviation, Sharpe per era and largest drawdown of each score, and what else."""
    figures: dict[str, float] = {}
    for name in SCORES:
        values_E = _values(eras, name)
        figures[f"{name}_standard_error"] = float(standard_errors(values_E[:, None], overlap=overlap)[0])
        figures |= {f"{name}_{figure}": value for figure, value in moments(values_E[np.isfinite(values_E)]).items()}
    corr_E = _values(eras, "corr")
    corr_E = corr_E[np.isfinite(corr_E)]
    figures["corr_adjusted_sharpe"] = adjusted_sharpe(corr_E)
    figures["corr_autocorrelation"] = autocorrelation(corr_E)
    figures["max_feature_exposure"] = _known(_values(eras, "max_feature_exposure"), np.max)
    figures["max_feature_exposure_mean"] = _known(_values(eras, "max_feature_exposure"), np.mean)
    figures["corr_with_example"] = _known(_values(eras, "corr_with_example"), np.mean)
    figures["example_corr_mean"] = _known(_values(eras, "example_corr"), np.mean)
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


def _in_regime(eras: tuple[EraFigures, ...], regime: str, overlap: int) -> dict[str, float]:
    """Eras of a regime: how many, and each score's mean, standard error and Sharpe per era.

    The other eras count as missing, so that targets overlap only where two eras of the regime are neighbours.
    """
    inside_E = np.array([era.regime == regime for era in eras])
    figures: dict[str, float] = {"eras": int(inside_E.sum())}
    for name in (*SCORES, "max_feature_exposure"):
        values_E = np.where(inside_E, _values(eras, name), np.nan)
        found = moments(values_E[np.isfinite(values_E)])
        figures |= {f"{name}_mean": found["mean"], f"{name}_sharpe": found["sharpe"]}
        figures[f"{name}_standard_error"] = float(standard_errors(values_E[:, None], overlap=overlap)[0])
    return figures


def _era(values_N: NDArray[np.floating[Any]], known: KnownEras, place: int) -> EraFigures:
    rows = known.slices()[place]
    example_N, target_N = known.example_N[rows], known.target_N[rows]
    panel_N2 = np.stack([values_N[rows].astype(float), example_N], axis=1)
    with_example = not np.isnan(example_N).any()
    scores = score_panel(
        panel_N2, target_N, meta_N=None if known.meta_N is None else known.meta_N[rows],
        benchmark_N=example_N if with_example else None, features_NF=known.features_NF[rows],
    )  # fmt: skip
    ours, theirs = gaussian_ranks(panel_N2).T
    varies = with_example and ours.std() > 0 and theirs.std() > 0
    return EraFigures(
        known.eras_E[place], known.regimes_E[place] if known.regimes_E else "", float(scores.corr[0]),
        float(scores.mmc[0]), float(scores.bmc[0]), float(scores.fnc[0]), float(scores.max_feature_exposure[0]),
        float(scores.corr[1]), float(np.corrcoef(ours, theirs)[0, 1]) if varies else float("nan"),
    )  # fmt: skip


def _values(eras: Sequence[EraFigures], name: str) -> Floats:
    return np.array([getattr(era, name) for era in eras], dtype=float)


def _known(values_E: Floats, of: Any) -> float:
    known = values_E[np.isfinite(values_E)]
    return float(of(known)) if len(known) else float("nan")


def _kept(values_E: tuple[Any, ...], chosen_E: NDArray[np.bool_]) -> tuple[Any, ...]:
    return tuple(value for value, is_in in zip(values_E, chosen_E, strict=False) if is_in)


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }
