"""What a book earns: weights drift with prices, trades and shorts cost, a vanished asset keeps its last price.

Shape suffixes: N assets. Shared by the site and the backtest, so both give the same figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tournament.portfolio.limits import Costs
from tournament.portfolio.risk import Floats

DAYS_A_YEAR = 252.0
COLUMNS = (
    "gross_return", "cost", "net_return", "nav", "gross", "net", "turnover", "long", "short",
    "spread", "impact", "borrow", "dividend", "interest",
)  # fmt: skip
"""Of a day. Returns and costs are fractions of the value at the close before; exposures, of the day's own close."""


@dataclass(frozen=True, slots=True)
class Period:
    """One holding period of a book."""

    gross_return: float
    cost: float
    drifted_N: Floats

    @property
    def net_return(self) -> float:
        """What is left after costs."""
        return self.gross_return - self.cost


def hold(weights_N: Floats, traded: float, returns_N: Floats, costs: Costs, *, days: float) -> Period:
    """Hold `weights_N` (after trading `traded` of the book's value) through one period of simple returns.

    A missing return counts as 0. Drifted weights are fractions of the book's new value.
    """
    returns = np.nan_to_num(returns_N)
    gross = float(weights_N @ returns)
    short = float(np.maximum(-weights_N, 0.0).sum())
    cost = traded * costs.half_spread + short * costs.borrow_per_year * days / DAYS_A_YEAR
    value = 1.0 + gross - cost
    return Period(gross, cost, weights_N * (1.0 + returns) / value)
