"""The best book, what its limits cost, and how it answers to other expected returns. Suffixes: N assets, M prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lstsq

from tournament.portfolio.kernel.dual import Dual, named
from tournament.portfolio.kernel.newton import Ascent
from tournament.portfolio.kernel.problem import Problem
from tournament.portfolio.risk import Floats


@dataclass(frozen=True, slots=True)
class Solution:
    """A solved problem; `prices_M`, in the dual's own scale, is where the next day's solve may start."""

    problem: Problem
    dual: Dual
    ascent: Ascent

    @property
    def weights_N(self) -> Floats:
        """The best book (N)."""
        return np.asarray(self.dual.flip_N * self.ascent.point.weights_N + 0.0)

    @property
    def prices_M(self) -> Floats:
        """Prices of factors and limits, scaled."""
        return self.ascent.point.prices_M

    @property
    def residual(self) -> float:
        """The largest break of an optimality condition, in weights."""
        return self.ascent.residual

    def shadow_prices(self) -> dict[str, float]:
        """What the objective gains per unit by which a limit's bound is raised; 0 where it does not bind."""
        prices = dict.fromkeys((name for name, _ in named(self.dual)), 0.0)
        first = len(self.dual.matrix_LN) - len(self.dual.sides)
        for name, place in named(self.dual):
            price = float(self.prices_M[place]) / self.dual.scale
            if place < len(self.dual.matrix_LN):
                side = self.dual.sides[place - first]
                price *= side.sign / side.size
            prices[name] += price
        return prices

    def position_prices(self) -> Floats:
        """What the objective gains per unit by which an asset's binding limit is raised (N); 0 where none binds."""
        assets, weights_N = self.dual.assets, self.ascent.point.weights_N
        tradable_N = assets.lower_N < assets.upper_N
        up_N = np.where(tradable_N & (weights_N >= assets.upper_N), np.maximum(self._marginal(above=True), 0.0), 0.0)
        down_N = np.where(tradable_N & (weights_N <= assets.lower_N), np.minimum(self._marginal(above=False), 0.0), 0.0)
        return np.asarray(self.dual.flip_N * (up_N + down_N) / self.dual.scale)

    def holdings_gradient(self, direction_N: Floats) -> Floats:
        """d(direction . weights) / d alpha (N), exact wherever no asset and no limit stands at a kink.

        For models whose signals S (N x models) blend into alpha = S m, `S.T @` this is the gradient by m.
        """
        dual, weights_N = self.dual, self.ascent.point.weights_N
        active_M = (self.prices_M > dual.floor_M) | (self.ascent.point.slope_M > 0)
        free_F = dual.assets.free(weights_N)
        jacobian_MF, ease_F = dual.jacobian(weights_N)
        jacobian_AF = jacobian_MF[active_M]
        pushed_F = ease_F * (dual.flip_N * direction_N)[free_F]
        curvature_AA = (jacobian_AF * ease_F) @ jacobian_AF.T + np.diag(dual.given_M[active_M])
        answer_A = lstsq(curvature_AA, jacobian_AF @ pushed_F, cond=1e-13, check_finite=False)[0]
        gradient_N = np.zeros(len(weights_N))
        gradient_N[free_F] = pushed_F - ease_F * (answer_A @ jacobian_AF)
        return np.asarray(dual.scale * dual.flip_N * gradient_N)

    def net_value_gradient(self, returns_N: Floats) -> Floats:
        """d(returns . weights - costs of getting there) / d alpha (N): what a better forecast would have earned."""
        traded_N = self.weights_N - self.problem.previous_N
        marginal_N = self.problem.cost_N + 1.5 * self.problem.impact_N * np.sqrt(np.abs(traded_N))
        return self.holdings_gradient(returns_N - np.sign(traded_N) * marginal_N)

    def _marginal(self, *, above: bool) -> Floats:
        """What each asset gains per unit above (or below) its holding, in the dual's mirrored scale (N)."""
        dual, assets, weights_N = self.dual, self.dual.assets, self.ascent.point.weights_N
        beyond = np.greater_equal if above else np.greater
        side_N = np.where(beyond(weights_N, 0.0), 1.0, -1.0)
        trade_N = np.where(beyond(weights_N, assets.previous_N), 1.0, -1.0)
        cost_N = assets.cost_N + self.prices_M[-1]
        if assets.impact_N is not None:
            cost_N = cost_N + 1.5 * assets.impact_N * np.sqrt(np.abs(weights_N - assets.previous_N))
        reward_N = dual.alpha_N - self.prices_M[:-2] @ dual.matrix_LN
        return np.asarray(reward_N - assets.curvature_N * weights_N - self.prices_M[-2] * side_N - cost_N * trade_N)
