"""Which styles a book's return and risk came from, predicted and realised. Suffixes: N assets, S styles, D days.

Returns of the holding period are regressed across assets on the market's level and the styles known when the book was
chosen, weighted by one over specific variance; a style's part is the book's exposure times that slope, and what the
styles leave is specific. The same projection of the alpha and of the risk model gives what was predicted. All parts
sum to the whole. Source: Grinold & Kahn 2000, chapter 17; Menchero & Hu 2006 for risk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tournament.markets.features import FEATURES, Prices
from tournament.markets.panel import PricePanel
from tournament.portfolio.risk import Floats, RiskModel

STYLES = {
    "Beta": "beta_12", "Momentum": "momentum_12_1", "Last month": "reversal_1m", "Volatility": "volatility_12",
    "Liquidity": "size_volume_12",
}  # fmt: skip
"""Names of styles, and the feature that each is; those that the prices do not allow are left out."""
MARKET, SPECIFIC = "Market", "Specific"
WIDEST = 3.0
"""Standardised exposures are cut here."""
LOOK_BACK = 600
"""Days of prices that the styles read, with room."""


@dataclass(frozen=True, slots=True)
class Styles:
    """Exposures of the assets (N x S), the market's level first."""

    names: tuple[str, ...]
    exposures_NS: Floats


@dataclass(frozen=True, slots=True)
class Attribution:
    """A book by style; the last entry of all but `exposure_S` is specific. Fractions of the book's value.

    `predicted` sums to the book's alpha, `realised` to its return before costs, `risk` to 1.
    """

    names: tuple[str, ...]
    exposure_S: Floats
    predicted: Floats
    realised: Floats
    risk: Floats


def styles_of(panel: PricePanel, columns_N: np.ndarray) -> Styles:
    """The styles of some assets at the last row of the panel; an unknown exposure is neutral."""
    near = panel.rows(slice(max(0, len(panel.dates_D) - LOOK_BACK), len(panel.dates_D)))
    prices = Prices(near, np.array([len(near.dates_D) - 1]))
    names, columns = [MARKET], [np.ones(len(columns_N))]
    with np.errstate(invalid="ignore", divide="ignore"):
        for name, feature in STYLES.items():
            values = FEATURES[feature][1](prices)
            if values is not None:
                names.append(name)
                columns.append(_standard(values[0][columns_N]))
    return Styles(tuple(names), np.column_stack(columns))


def attribute(weights_N: Floats, styles: Styles, risk: RiskModel, *, alpha_N: Floats, returns_N: Floats) -> Attribution:
    """A book's predicted and realised return and its risk by style; a missing return counts as 0."""
    returns_N, slopes_SN = np.nan_to_num(returns_N), _slopes(styles, risk)
    exposure_S = styles.exposures_NS.T @ weights_N
    common_N = risk.loadings_NK @ (risk.loadings_NK.T @ weights_N) + risk.specific_N * weights_N
    variance = float(weights_N @ common_N)
    share = _split(exposure_S, slopes_SN, weights_N, common_N) / variance if variance > 0 else None
    return Attribution(
        (*styles.names, SPECIFIC), exposure_S, _split(exposure_S, slopes_SN, weights_N, alpha_N),
        _split(exposure_S, slopes_SN, weights_N, returns_N),
        np.zeros(len(styles.names) + 1) if share is None else share,
    )  # fmt: skip


def _split(exposure_S: Floats, slopes_SN: Floats, weights_N: Floats, values_N: Floats) -> Floats:
    """The book's sum over values (alpha, returns, covariances with the book), by style and the rest."""
    parts_S = exposure_S * (slopes_SN @ values_N)
    return np.append(parts_S, float(weights_N @ values_N) - float(parts_S.sum()))


def _slopes(styles: Styles, risk: RiskModel) -> Floats:
    """What turns values of assets into slopes on the styles (S x N); the pseudo-inverse where styles coincide."""
    root_N = 1.0 / np.sqrt(np.maximum(risk.specific_N, 1e-12))
    return np.asarray(np.linalg.pinv(styles.exposures_NS * root_N[:, None], rcond=1e-10) * root_N)


def _standard(values_N: Floats) -> Floats:
    known_N = np.isfinite(values_N)
    spread = float(values_N[known_N].std()) if known_N.any() else 0.0
    if spread <= 0:
        return np.zeros(len(values_N))
    return np.where(known_N, np.clip((values_N - values_N[known_N].mean()) / spread, -WIDEST, WIDEST), 0.0)
