"""A book led from decision to decision, and which decision earned what.

Shape suffixes: T days, N assets, D decisions. The book of a decision is filled some closes later and held until the
next one is filled. Its payment is the utility of the days in between, less what its own trades cost:
sum(g - aversion/2 g^2) - cost, with g a day's return net of all but those costs. It is known at the close at which the
next book is filled, so it can be paid at the first decision from there on: two decisions after its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tournament.portfolio.engine import Holdings, Orders, Rates, advance
from tournament.portfolio.frictions import rates_of
from tournament.portfolio.reinforcement.season import Season
from tournament.portfolio.risk import Floats

AVERSION = 20.0
"""Of the utility that is paid: a book of Sharpe ratio 1 would want 5 % a year of volatility."""


@dataclass(slots=True)
class Account:
    """What is held at a decision's close, and the payment that still runs: the days so far of the newest book."""

    season: Season
    rates: Rates
    place: int
    held: Holdings
    running: float | None = None

    @classmethod
    def at(cls, season: Season, place: int, weights_N: Floats) -> Account:
        """Holding these weights at the close of a decision."""
        rates = rates_of(season.close_TN.shape[1], season.config.costs, season.config.execution)
        return cls(season, rates, place, Holdings(weights_N.copy()))

    def sail(self, target_N: Floats | None) -> tuple[Floats, dict[int, float]]:
        """On to the next decision, this book filled on the way: net returns (T), and payments that became known."""
        here, there = (self.season.decisions[place].row for place in (self.place, self.place + 1))
        delay = self.season.config.execution.delay_days
        orders = _orders(here + delay, target_N, len(self.held.money_N))
        course = advance(self.held, self.season.close_TN, orders, self.rates, first=here + 1, last=there)
        net_T, cost_T = course.column("net_return"), course.column("spread") + course.column("impact")
        cost = float(cost_T[delay - 1])
        gain_T = net_T.copy()
        gain_T[delay - 1] += cost
        paid = {} if self.running is None else {self.place - 1: self.running + utility(gain_T[:delay])}
        self.running = utility(gain_T[delay:]) - cost
        self.held, self.place = course.end, self.place + 1
        return net_T, paid

    def finish(self) -> tuple[Floats, dict[int, float]]:
        """The days until a next book would be filled: what the newest one earned is known then."""
        row, delay = self.season.decisions[self.place].row, self.season.config.execution.delay_days
        orders = _orders(row, None, len(self.held.money_N))
        course = advance(self.held, self.season.close_TN, orders, self.rates, first=row + 1, last=row + delay)
        net_T = course.column("net_return")
        paid = {} if self.running is None else {self.place - 1: self.running + utility(net_T)}
        self.running, self.held = None, course.end
        return net_T, paid


def utility(gain_T: Floats) -> float:
    """What days of these returns are worth: their sum less half the aversion times that of their squares."""
    return float(gain_T.sum() - 0.5 * AVERSION * (gain_T @ gain_T))


def _orders(row: int, target_N: Floats | None, assets: int) -> Orders:
    """One book to be filled, or none: what is held is left as it is."""
    if target_N is None:
        return Orders(np.zeros(0, dtype=np.int64), np.zeros((0, assets)))
    return Orders(np.array([row], dtype=np.int64), target_N[None])
