"""Risk of instruments of several markets at one close: slow correlations, quick volatilities, hours that differ.

Shape suffixes: T rows of the joint calendar, S steps (days of the whole book), U instruments that may be held.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tournament.portfolio.multi_asset.config import RiskRules, Rules
from tournament.portfolio.multi_asset.instruments import Panel
from tournament.portfolio.risk import Floats, RiskModel, decay, fit_risk_model


@dataclass(frozen=True, slots=True)
class Known:
    """Risk at a close: a day's covariance as a model, and the daily returns that it was learned from."""

    risk: RiskModel
    returns_SU: Floats

    @property
    def covariance_UU(self) -> Floats:
        """Of a day's returns."""
        return self.risk.covariance()

    @property
    def volatility_U(self) -> Floats:
        """Of a day's returns."""
        return np.sqrt((self.risk.loadings_NK**2).sum(axis=1) + self.risk.specific_N)


def known_index(panel: Panel, row: int, rules: RiskRules) -> Floats:
    """Newest values of the index on the last steps of the book up to a row (at most window + overlap + 1, x N).

    Weekends of what trades on them are part of Monday's step, so that all returns span the same time.
    """
    steps = np.flatnonzero(panel.steps_T[: row + 1])[-(rules.window_days + rules.overlap_days + 1) :]
    return panel.known_TN[steps]


def risk_at(index_SU: Floats, rules: RiskRules) -> Known:
    """The risk model: correlations of overlapping returns, scaled to exponentially weighted daily volatilities.

    A market that closes hours before another answers it a day later; returns over `overlap_days` hold most of both.
    """
    over = min(rules.overlap_days, max(1, len(index_SU) // 4))
    returns_SU = index_SU[1:] / index_SU[:-1] - 1.0
    longer_SU = (index_SU[over:] / index_SU[:-over] - 1.0)[-rules.window_days :] / np.sqrt(over)
    slow = fit_risk_model(
        longer_SU, factors=rules.factors, half_life=rules.half_life_days, shape_half_life=rules.half_life_days
    )
    quick_U = ewma_volatility(returns_SU, rules.volatility_half_life_days)
    common_U = (slow.loadings_NK**2).sum(axis=1)
    total_U = common_U + slow.specific_N
    own_U = np.maximum(slow.specific_N / total_U, rules.least_own)
    left_U = np.sqrt((1.0 - own_U) * total_U / np.maximum(common_U, 1e-18))  # of the loadings; the total stays
    scale_U = quick_U / np.sqrt(total_U)
    risk = RiskModel(slow.loadings_NK * (left_U * scale_U)[:, None], own_U * quick_U**2)
    return Known(risk, returns_SU)


def ewma_volatility(returns_SU: Floats, half_life: float) -> Floats:
    """Exponentially weighted root mean square of daily returns (U); NaN where there is none."""
    weights_S, known_SU = decay(len(returns_SU), half_life), np.isfinite(returns_SU)
    seen_U = weights_S @ known_SU
    squares_U = weights_S @ np.where(known_SU, returns_SU, 0.0) ** 2
    return np.sqrt(np.divide(squares_U, seen_U, out=np.full(len(seen_U), np.nan), where=seen_U > 0))


def holdable(panel: Panel, row: int, index_SN: Floats, book: Rules, rules: RiskRules) -> NDArray[np.bool_]:
    """Instruments with enough history, a close of late and a volatility worth holding, as known at a row (N)."""
    days_N = np.isfinite(index_SN).sum(axis=0)
    late_N = np.isfinite(panel.index_TN[max(0, row - book.gone_days + 1) : row + 1]).any(axis=0)
    with np.errstate(invalid="ignore"):
        volatility_N = ewma_volatility(index_SN[1:] / index_SN[:-1] - 1.0, rules.volatility_half_life_days)
        moves_N = volatility_N * np.sqrt(252.0) >= rules.least_volatility
    enough = min(rules.least_days, max(3, len(index_SN) - 1))
    return (days_N >= enough) & late_N & moves_N
