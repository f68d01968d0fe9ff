"""The truth beside a simulated archive, and how well anyone who knows all of it but the regime could do.

Shape suffixes: R rounds, M models, K regimes, C context columns, D ages of a stay. `truth/` holds regimes,
expected_corr and error_covariance; where it holds the law as well (see `panel_space.write_world`), the filter knows it,
else it is told what the true regimes show of it: transitions, and mean and covariance of the context by regime.
Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tournament.errors import BadArchive, Fault
from tournament.selectors.allocator import best_blend
from tournament.selectors.protocol import Floats, History
from tournament.worlds.late_filter import Stays, late_beliefs, leaving, markov

TABLES = {
    "regimes": ("round", "regime"), "expected_corr": ("regime", "model", "expected_corr"),
    "error_covariance": ("regime", "model", "other", "covariance"),
}  # fmt: skip
LAW = {
    "law": ("context_smoothing", "context_noise", "score_overlap", "score_persistence"),
    "context_levels": ("regime", "column", "level", "exponentiated"), "stays": ("stay", "probability"),
    "jumps": ("regime", "next", "probability"),
}  # fmt: skip
RIDGE = 1e-3
JITTER = 1e-10
LEAST_DEVIATION = 1e-3
LAGS = 8


@dataclass(frozen=True, slots=True)
class Law:
    """How the world is drawn: stays, jumps, and how contexts and scores come about."""

    stays: Stays
    level_KC: Floats
    deviation: float
    smoothing: int
    exponentiated_C: NDArray[np.bool_]
    overlap: int
    persistence: float


@dataclass(frozen=True, slots=True)
class Truth:
    """What no selector may see, in the archive's order of rounds, regimes and models."""

    regime_R: NDArray[np.intp]
    expected_KM: Floats
    error_KMM: Floats
    law: Law | None

    @property
    def correlation_KMM(self) -> Floats:
        """How alike predictions are in each regime: the error covariance as a correlation.

        Exact up to the squares of expected scores, because cov(s_i, s_j) is cov(p_i, p_j) / N up to those.
        """
        scale_KM = np.sqrt(np.einsum("kmm->km", self.error_KMM))
        return np.asarray(self.error_KMM / np.maximum(scale_KM[:, :, None] * scale_KM[:, None, :], 1e-300))

    def expected_corr(self, weights_RM: Floats) -> Floats:
        """Expected corr of each round's blend (R), free of noise: w.mu / sqrt(w'Cw) of its regime; NaN without one."""
        correlation_KMM, out = self.correlation_KMM, np.full(len(weights_RM), np.nan)
        for row in np.flatnonzero(np.isfinite(weights_RM).all(axis=1)):
            regime, weights = self.regime_R[row], weights_RM[row]
            variance = float(weights @ correlation_KMM[regime] @ weights)
            out[row] = float(weights @ self.expected_KM[regime]) / np.sqrt(max(variance, 1e-12))
        return out


def read_truth(folder: Path, history: History) -> Truth | None:
    """The truth beside an archive; None where there is none. Raises BadArchive when it does not fit the archive."""
    if not (folder / "truth").is_dir():
        return None
    tables = {name: _table(folder / "truth" / f"{name}.parquet", columns) for name, columns in TABLES.items()}
    regime = tables["regimes"].set_index("round")["regime"].reindex(history.rounds_R)
    known = np.unique(tables["expected_corr"]["regime"])
    models = pd.Index(history.models)
    expected = tables["expected_corr"].pivot(index="regime", columns="model", values="expected_corr")
    errors = tables["error_covariance"].set_index(["regime", "model", "other"])["covariance"].sort_index()
    pairs = pd.MultiIndex.from_product([known, models, models])
    expected_KM = expected.reindex(columns=models).to_numpy(float)
    error_KMM = errors.reindex(pairs).to_numpy(float).reshape(len(known), len(models), len(models))
    if regime.isna().any() or not regime.isin(known).all() or not np.isfinite(expected_KM).all():
        raise BadArchive(Fault("truth", "truth/ lacks rounds, regimes or models of the archive", "write it again"))
    if not np.isfinite(error_KMM).all():
        raise BadArchive(Fault("truth", "truth/error_covariance.parquet lacks pairs of models", "write it again"))
    return Truth(np.searchsorted(known, regime.to_numpy()), expected_KM, error_KMM, _read_law(folder, history, known))


def _table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise BadArchive(Fault("truth", f"truth/{path.name} cannot be read: {str(error)[:100]}")) from None
    missing = [name for name in columns if name not in frame]
    if missing:
        raise BadArchive(Fault("truth", f"truth/{path.name} has no column {missing[0]}", f"expected {columns}"))
    return frame


def _read_law(folder: Path, history: History, known: NDArray[Any]) -> Law | None:
    """The law, where it is written and the archive begins where the world began."""
    if not (folder / "truth/law.parquet").exists() or history.rounds_R[0] != 1:
        return None
    law, levels, stays, jumps = (_table(folder / "truth" / f"{name}.parquet", columns) for name, columns in LAW.items())
    named = list(history.context_names)
    level = levels.pivot(index="regime", columns="column", values="level").reindex(index=known, columns=named)
    jump = jumps.pivot(index="regime", columns="next", values="probability").reindex(index=known, columns=known)
    one = law.iloc[0]
    return Law(
        Stays(leaving(stays.sort_values("stay")["probability"].to_numpy(float)), jump.to_numpy(float)),
        level.to_numpy(float), max(float(one["context_noise"]), LEAST_DEVIATION), int(one["context_smoothing"]),
        np.isin(named, levels.loc[levels["exponentiated"], "column"]),
        int(one["score_overlap"]), float(one["score_persistence"]),
    )  # fmt: skip


def informed_beliefs(truth: Truth, history: History) -> Floats:
    """P(regime | contexts up to each round's opening, scores resolved by it), all parameters known (R x K)."""
    newest_R = np.array(
        [np.flatnonzero(np.append(True, history.resolves_at_R <= opens))[-1] - 1 for opens in history.opens_at_R]
    )
    if truth.law is None:
        regimes = len(truth.expected_KM)
        stays, context_RK = _seen_stays(truth.regime_R, regimes), _seen_context(truth.regime_R, history, regimes)
        shared = float(max(1, int(np.median(np.arange(len(newest_R)) - newest_R)) - 1))
    else:
        stays, context_RK = truth.law.stays, _context_likelihood(truth.law, history)
        shared = _score_repetition(truth.law)
    return late_beliefs(context_RK, _score_likelihood(truth, history) / shared, newest_R, stays)


def informed_weights(truth: Truth, history: History, rows: range) -> Floats:
    """Weights (R x M, NaN outside `rows`) that the allocator gives under the informed filter's belief."""
    beliefs_RK = informed_beliefs(truth, history)
    return _allocated(truth, history, beliefs_RK, rows)


def oracle_weights(truth: Truth, history: History, rows: range) -> Floats:
    """The same when the regime is known."""
    return _allocated(truth, history, np.eye(len(truth.expected_KM))[truth.regime_R], rows)


def _allocated(truth: Truth, history: History, beliefs_RK: Floats, rows: range) -> Floats:
    weights_RM, correlation_KMM = np.full(history.scores_RM.shape, np.nan), truth.correlation_KMM
    for row in rows:
        if history.active_RM[row].any():
            means_M = beliefs_RK[row] @ truth.expected_KM
            correlation_MM = np.einsum("k,kmn->mn", beliefs_RK[row], correlation_KMM)
            weights_RM[row] = best_blend(means_M, correlation_MM, history.active_RM[row], ridge=RIDGE)
    return weights_RM


def unsmoothed(context_RC: Floats, law: Law) -> Floats:
    """The noisy levels (R x C) from which the context was made: exponentials undone, rolling means taken apart.

    A mean over the last n <= L rounds gives x_t = n_t c_t - n_(t-1) c_(t-1) + x_(t-L), so nothing is lost by smoothing.
    """
    smooth_RC = context_RC.copy()
    smooth_RC[:, law.exponentiated_C] = 2.0 * np.log(context_RC[:, law.exponentiated_C])
    raw_RC = np.empty_like(smooth_RC)
    for row in range(len(smooth_RC)):
        window = min(row + 1, law.smoothing)
        before = raw_RC[row - window + 1 : row].sum(axis=0)
        raw_RC[row] = window * smooth_RC[row] - before
    return raw_RC


def _context_likelihood(law: Law, history: History) -> Floats:
    """Log likelihood (R x K) of each round's own noisy levels: independent given the regime, so nothing is tempered."""
    raw_RC = unsmoothed(history.context_RK, law)
    known_C = np.isfinite(law.level_KC).all(axis=0)
    miss_RKC = (raw_RC[:, None] - law.level_KC[None])[:, :, known_C]
    return np.asarray(-0.5 * (miss_RKC**2).sum(axis=2) / law.deviation**2)


def _score_repetition(law: Law) -> float:
    """How often overlapping targets tell the same news: 1 + 2 sum of autocorrelations persistence^l (1 - l / H)."""
    lags = np.arange(1, law.overlap)
    return float(1.0 + 2.0 * (law.persistence**lags * (1.0 - lags / law.overlap)).sum())


def _score_likelihood(truth: Truth, history: History) -> Floats:
    """Log likelihood (R x K) of each round's scores; each set of scored models is factored once a regime."""
    scored_RM = np.isfinite(history.scores_RM)
    out_RK = np.zeros((len(history), len(truth.expected_KM)))
    masks, group_R = np.unique(scored_RM, axis=0, return_inverse=True)
    for group, mask in enumerate(masks):
        rows = np.flatnonzero(group_R.ravel() == group)
        for regime in range(len(truth.expected_KM)) if mask.any() else ():
            covariance = truth.error_KMM[regime][np.ix_(mask, mask)]
            factor = np.linalg.cholesky(covariance + JITTER * np.eye(len(covariance)))
            miss = history.scores_RM[np.ix_(rows, mask)] - truth.expected_KM[regime, mask]
            squares = (np.linalg.solve(factor, miss.T) ** 2).sum(axis=0)
            out_RK[rows, regime] = -0.5 * squares - np.log(np.diag(factor)).sum()
    return out_RK


def _seen_stays(regime_R: NDArray[np.intp], regimes: int) -> Stays:
    """The Markov chain that the true regimes show, with one jump more to each other regime than were seen."""
    moves_KK = np.ones((regimes, regimes)) - np.eye(regimes)
    np.add.at(moves_KK, (regime_R[:-1], regime_R[1:]), 1.0)
    return markov(moves_KK / np.maximum(moves_KK.sum(axis=1, keepdims=True), 1.0))


def _seen_context(regime_R: NDArray[np.intp], history: History, regimes: int) -> Floats:
    """Log likelihood (R x K) under the mean of each regime's contexts and their common covariance.

    Tempered by 1 + 2 sum of the residuals' autocorrelations, because contexts are smooth.
    """
    context_RC = history.context_RK
    means_KC = np.array(
        [context_RC[regime_R == one].mean(axis=0) if (regime_R == one).any() else context_RC.mean(axis=0)
         for one in range(regimes)]
    )  # fmt: skip
    residual_RC = context_RC - means_KC[regime_R]
    variance_C = np.maximum((residual_RC**2).mean(axis=0), 1e-12)
    lagged = [(residual_RC[lag:] * residual_RC[:-lag]).mean(axis=0) / variance_C for lag in range(1, LAGS + 1)]
    shared = 1.0 + 2.0 * float(np.maximum(np.mean(lagged, axis=1), 0.0).sum())
    covariance_CC = np.atleast_2d(residual_RC.T @ residual_RC / len(residual_RC)) + np.diag(1e-9 + 1e-6 * variance_C)
    factor = np.linalg.cholesky(covariance_CC)
    miss = (context_RC[:, None] - means_KC[None]).reshape(-1, context_RC.shape[1])
    squares = (np.linalg.solve(factor, miss.T) ** 2).sum(axis=0)
    return np.asarray(-0.5 * squares.reshape(len(context_RC), regimes) / shared)
