"""What one rebalance of a multi-asset book is asked. Shape suffix: U instruments that may be held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tournament.portfolio.multi_asset.config import Rules
from tournament.portfolio.multi_asset.estimates import Known
from tournament.portfolio.risk import Floats


@dataclass(frozen=True, slots=True)
class Question:
    """One rebalance. `fixed_U` is not to be traded; `shares` are the groups' shares of risk, summing to 1."""

    rules: Rules
    known: Known
    alpha_U: Floats
    score_U: Floats
    previous_U: Floats
    fixed_U: NDArray[np.bool_]
    spread_U: Floats
    groups: tuple[str, ...]
    shares: Mapping[str, float]
    neutral: tuple[str, ...]
    days_a_year: float

    @property
    def target(self) -> float:
        """Volatility aimed at, of a day."""
        return self.rules.target_volatility / float(np.sqrt(self.days_a_year))

    @property
    def budget_U(self) -> Floats:
        """Signed risk budgets: a group's share divided in proportion to its scores."""
        named_U, budget_U = np.array(self.groups), np.zeros(len(self.score_U))
        for name, share in self.shares.items():
            inside_U = named_U == name
            size = float(np.abs(self.score_U[inside_U]).sum())
            if size > 0:
                budget_U[inside_U] = share * self.score_U[inside_U] / size
        return budget_U
