"""Another book under other limits, beside the one that was chosen: what a limit costs, answered by solving again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tournament.portfolio.explanation import worth
from tournament.portfolio.limits import Limits
from tournament.portfolio.premises import Premises
from tournament.portfolio.rebalance import Allocation, rebalance
from tournament.portfolio.risk import Floats


@dataclass(frozen=True, slots=True)
class Book:
    """A book by its figures: fractions of its value; risk a year; alpha and cost over the alpha's horizon."""

    alpha: float
    cost: float
    net_alpha: float
    risk: float
    turnover: float
    gross: float
    net: float
    held: int
    largest: float


@dataclass(frozen=True, slots=True)
class Alternative:
    """The chosen book, the other one, and by how much they differ."""

    chosen: Book
    other: Book
    weights_N: Floats
    change_N: Floats
    binding: tuple[str, ...]

    @property
    def overlap(self) -> float:
        """Share of the chosen book's gross that the other book holds too, on the same side."""
        before_N = self.weights_N - self.change_N
        same_N = before_N * self.weights_N > 0
        common = float(np.minimum(np.abs(before_N), np.abs(self.weights_N))[same_N].sum())
        return common / self.chosen.gross if self.chosen.gross > 0 else 0.0


def what_if(premises: Premises, limits: Limits) -> Alternative:
    """The best book under other limits, from the same premises. Raises Infeasible, naming the limits in conflict."""
    chosen, other = _solved(premises), _solved(premises.within(limits))
    return Alternative(
        _figures(premises, chosen), _figures(premises.within(limits), other), other.weights_N,
        other.weights_N - chosen.weights_N, other.binding,
    )  # fmt: skip


def _solved(premises: Premises) -> Allocation:
    return rebalance(
        premises.alpha_N, premises.risk, premises.previous_N, premises.limits, premises.costs, beta_N=premises.beta_N
    )


def _figures(premises: Premises, book: Allocation) -> Book:
    gain, weights_N = worth(premises.problem(), book.weights_N), book.weights_N
    return Book(
        gain.alpha, gain.cost, gain.alpha - gain.cost, book.risk_per_year, book.turnover,
        float(np.abs(weights_N).sum()), float(weights_N.sum()), int((weights_N != 0).sum()),
        float(np.abs(weights_N).max()),
    )  # fmt: skip
