"""What one asset holds when everything that binds assets together has a price. All arrays N, holdings before >= 0.

Each asset minimises  q/2 w^2 - r w + c|w - w0| + p|w - w0|^(3/2) + g|w|  on [lower, upper], with r what it earns after
the prices of factors and linear limits, c its cost plus the price of turnover, g the price of gross. The slope is
monotone, with kinks at 0 and w0: above w0, between them and below 0 it is a quadratic in sqrt|w - w0|.
Source: ours; without impact it is the soft threshold of Moreau 1965 taken twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tournament.portfolio.risk import Floats


@dataclass(frozen=True, slots=True)
class Assets:
    """The data of all one-dimensional problems; impact_N is None when trading moves no price."""

    curvature_N: Floats
    ease_N: Floats
    previous_N: Floats
    anchor_N: Floats
    """curvature x previous."""
    lower_N: Floats
    upper_N: Floats
    cost_N: Floats
    impact_N: Floats | None

    def respond(self, reward_N: Floats, gross_price: float, turnover_price: float) -> Floats:
        """The holdings of all assets (N)."""
        if self.impact_N is None:
            return self._respond_plainly(reward_N, gross_price, turnover_price)
        excess_N = reward_N - self.anchor_N
        cost_N = self.cost_N + turnover_price
        bought_N = self._moved(excess_N - cost_N - gross_price, self.impact_N)
        excess_N += cost_N
        sold_N = self.previous_N - self._moved(gross_price - excess_N, self.impact_N)
        if gross_price > 0:
            short_N = self.previous_N - self._moved(-gross_price - excess_N, self.impact_N)
            np.maximum(sold_N, np.minimum(short_N, 0.0), out=sold_N)
        sold_N += bought_N
        return np.minimum(np.maximum(sold_N, self.lower_N, out=sold_N), self.upper_N, out=sold_N)

    def _respond_plainly(self, reward_N: Floats, gross_price: float, turnover_price: float) -> Floats:
        """Without impact: the greatest of what is bought up to, kept or sold down to, and held short."""
        aim_N, pull_N = reward_N * self.ease_N, gross_price * self.ease_N
        charge_N = (self.cost_N + turnover_price) * self.ease_N
        held_N = aim_N - pull_N
        bought_N = held_N - charge_N
        held_N += charge_N
        np.maximum(np.minimum(held_N, self.previous_N, out=held_N), bought_N, out=held_N)
        if gross_price > 0:
            aim_N += charge_N
            aim_N += pull_N
            np.maximum(held_N, np.minimum(aim_N, 0.0, out=aim_N), out=held_N)
        return np.minimum(np.maximum(held_N, self.lower_N, out=held_N), self.upper_N, out=held_N)

    def _moved(self, push_N: Floats, impact_N: Floats) -> Floats:
        """How far a push beyond the costs moves a holding."""
        push_N = np.maximum(push_N, 0.0)
        linear_N = 1.5 * impact_N
        root_N = np.sqrt(linear_N * linear_N + 4.0 * self.curvature_N * push_N)
        # 2h / (b + root) is the positive root without the cancellation of (root - b) / 2q
        step_N = np.divide(2.0 * push_N, linear_N + root_N, out=np.zeros_like(push_N), where=push_N > 0)
        return np.asarray(step_N * step_N)

    def free(self, weights_N: Floats) -> NDArray[np.intp]:
        """The assets whose holding moves with its reward: at no limit and no kink."""
        inside_N = (weights_N != self.previous_N) & (weights_N != 0.0)
        inside_N &= weights_N > self.lower_N
        inside_N &= weights_N < self.upper_N
        return inside_N.nonzero()[0]

    def ease_of(self, free_F: NDArray[np.intp], weights_N: Floats) -> Floats:
        """How much the holdings of free assets move per unit of reward (F)."""
        if self.impact_N is None:
            return self.ease_N[free_F]
        root_F = np.sqrt(np.abs(weights_N[free_F] - self.previous_N[free_F]))
        return np.asarray(root_F / (self.curvature_N[free_F] * root_F + 0.75 * self.impact_N[free_F]))

    def charge(self, weights_N: Floats, traded_N: Floats) -> float:
        """Curvature and costs at a book, without reward and prices."""
        charge = 0.5 * float((self.curvature_N * weights_N) @ weights_N) + float(self.cost_N @ traded_N)
        if self.impact_N is not None:
            charge += float(self.impact_N @ (traded_N * np.sqrt(traded_N)))
        return charge
