"""Every score of every model of a round, at once.

Shape suffixes: N rows (assets), M models, F features. Definitions follow numerai-tools 0.7 (`numerai_corr`,
`correlation_contribution`, `feature_neutral_corr`, `max_feature_correlation`) applied to each model alone, so a model
with missing or constant values never moves another's score. NaN means "no score": a constant model, a model that
shares less than 80 % of its rows with the target (or the other way), or an input that was not given.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadInput, Fault
from tournament.scoring.ranks import Floats, Panel, columns_by_mask, gaussian_ranks, power_15, sort_panel

MIN_OVERLAP = 0.8
"""Share of rows that two inputs must have in common (numerai-tools `filter_sort_index`)."""
NEUTRALIZE_RCOND = 1e-6
EXPLAINED = 1e-9
"""Residuals no larger than this share of what they are residuals of are rounding errors: nothing is left to score."""
BLOCK_MODELS = 32
"""Models per block: a block's order and gathers stay in the cache."""


@dataclass(frozen=True, slots=True)
class PanelScores:
    """One value per model (length M); NaN: no score."""

    corr: Floats
    mmc: Floats
    bmc: Floats
    fnc: Floats
    max_feature_exposure: Floats

    @classmethod
    def empty(cls, models: int) -> PanelScores:
        """No scores yet."""
        return cls(*(np.full(models, np.nan) for _ in fields(cls)))


def score_panel(
    predictions_NM: Panel,
    target_N: Floats,
    *,
    meta_N: Floats | None = None,
    benchmark_N: Floats | None = None,
    features_NF: NDArray[np.generic] | None = None,
) -> PanelScores:
    """Score all models of a round; rows are aligned across inputs, NaN marks a missing value.

    Raises BadInput when the shapes differ.
    """
    _same_rows(predictions_NM, target_N, meta_N, benchmark_N, features_NF)
    scores = PanelScores.empty(predictions_NM.shape[1])
    known_NM = ~np.isnan(predictions_NM)
    known_target_N = ~np.isnan(target_N)
    mean_target = float(target_N[known_target_N].mean()) if known_target_N.any() else 0.0
    for rows, columns in columns_by_mask(known_NM & known_target_N[:, None]):
        enough = rows.sum() >= MIN_OVERLAP * np.maximum(known_NM[:, columns].sum(axis=0), known_target_N.sum())
        columns = columns[enough]
        if columns.size and rows.sum() > 1:
            _score_group(scores, predictions_NM, target_N, rows, columns, (meta_N, benchmark_N), mean_target)
    if features_NF is not None:
        _score_against_features(scores, predictions_NM, target_N, np.asarray(features_NF, dtype=float))
    return scores


def _score_group(
    scores: PanelScores,
    predictions_NM: Panel,
    target_N: Floats,
    rows: NDArray[np.bool_],
    columns: NDArray[np.intp],
    others: tuple[Floats | None, Floats | None],
    mean_target: float,
) -> None:
    """Fill corr, mmc and bmc of the columns that have values in exactly these rows."""
    target = target_N[rows]
    bases = [None if other is None else gaussian_ranks(other[rows][:, None])[:, 0] for other in others]
    contribution_target = _contribution_target(target)
    corr_target = _unit(power_15(target - mean_target))
    for start in range(0, len(columns), BLOCK_MODELS):
        block = columns[start : start + BLOCK_MODELS]
        ordered = sort_panel(_rows(predictions_NM, rows, block))
        gaussian_MN = ordered.gaussian_MN()
        with np.errstate(invalid="ignore", divide="ignore"):
            scores.corr[block] = ordered.dot(power_15(gaussian_MN), corr_target) / _length(power_15(gaussian_MN))
        target_dots_M = ordered.dot(gaussian_MN, contribution_target)
        for values, base in zip((scores.mmc, scores.bmc), bases, strict=True):
            if base is not None and base.any() and not np.isnan(base).any():  # a constant base ranks to zeros
                shared_M = ordered.dot(gaussian_MN, base) * (contribution_target @ base) / (base @ base)
                values[block] = np.where(ordered.constant_M, np.nan, (target_dots_M - shared_M) / ordered.rows)


def _score_against_features(scores: PanelScores, predictions_NM: Panel, target_N: Floats, features_NF: Floats) -> None:
    """Fill fnc and max_feature_exposure; needs features in every row."""
    for rows, columns in columns_by_mask(~np.isnan(predictions_NM)):
        if rows.sum() < 2:
            continue
        values = np.asarray(_rows(predictions_NM, rows, columns), dtype=float)
        features = features_NF[rows]
        # in all rows of the round: the target is centred, and overlap counted, over rows not predicted as well
        neutral_NM = np.full((len(rows), len(columns)), np.nan)
        ranks = gaussian_ranks(values)
        neutral_NM[rows] = neutralize(ranks, features)
        explained = np.abs(neutral_NM[rows]).max(axis=0) <= EXPLAINED * np.abs(ranks).max(axis=0)
        scores.fnc[columns] = score_panel(neutral_NM, target_N).corr
        exposure = np.nanmax(np.abs(_correlations(values, features)), axis=1, initial=0.0)
        varies = values.max(axis=0) > values.min(axis=0)
        scores.fnc[columns[~varies | explained]] = np.nan
        scores.max_feature_exposure[columns] = np.where(varies, exposure, np.nan)


def neutralize(values_NM: Floats, features_NF: Floats) -> Floats:
    """What is left of each column after least squares on the features and a constant (N x M).

    Rows alike in features and value stay alike, so ties stay ties: the fit is the design times coefficients.
    """
    design = np.hstack([features_NF, np.ones((len(features_NF), 1))])
    coefficients = np.linalg.lstsq(design, values_NM, rcond=NEUTRALIZE_RCOND)[0]
    return np.asarray(values_NM - design @ coefficients)


def _correlations(values_NM: Floats, features_NF: Floats) -> Floats:
    """Pearson correlation of every column with every feature (M x F); NaN for a constant feature."""
    values, features = values_NM - values_NM.mean(axis=0), features_NF - features_NF.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt((values**2).sum(axis=0))[:, None] * np.sqrt((features**2).sum(axis=0))[None, :]
        return np.asarray(values.T @ features / scale)


def _contribution_target(target: Floats) -> Floats:
    """The target of a contribution: quintile targets in [0, 1] are stretched to [0, 4], then centred."""
    if target.min() >= 0.0 and target.max() <= 1.0:
        target = target * 4.0
    return target - target.mean()


def _length(values_MN: Floats) -> Floats:
    """Root of the summed squares around the mean, of each row."""
    return np.sqrt((values_MN**2).sum(axis=1) - values_MN.sum(axis=1) ** 2 / values_MN.shape[1])


def _unit(values: Floats) -> Floats:
    """Centred and of length one, so that a dot with it is a correlation."""
    centred = values - values.mean()
    length = np.sqrt(centred @ centred)
    return centred / length if length > 0 else np.full_like(centred, np.nan)


def _rows(panel_NM: Panel, rows: NDArray[np.bool_], columns: NDArray[np.intp]) -> Panel:
    return panel_NM[:, columns] if rows.all() else panel_NM[np.ix_(rows, columns)]


def _same_rows(predictions_NM: Panel, target_N: Floats, *others: NDArray[np.generic] | None) -> None:
    if predictions_NM.ndim != 2:
        raise BadInput(Fault("shape", f"predictions have {predictions_NM.ndim} axes; expected rows x models"))
    for other in (target_N, *others):
        if other is not None and len(other) != len(predictions_NM):
            raise BadInput(
                Fault("shape", f"found {len(other)} rows beside {len(predictions_NM)} predictions", "align rows by id")
            )
