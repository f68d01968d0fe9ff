"""A multi-asset book through history: chosen at a close, filled at each market's next one, held with carry and costs.

Shape suffixes: T rows of the joint calendar, N instruments, U those that may be held, R orders. A book chosen at row t
reads closes, spreads, carry and signals up to t only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tournament.errors import Infeasible
from tournament.portfolio.accounting import COLUMNS, DAYS_A_YEAR
from tournament.portfolio.engine import Course, Holdings, Orders, Rates, advance
from tournament.portfolio.multi_asset.allocators import choose
from tournament.portfolio.multi_asset.alphas import Signals, alphas
from tournament.portfolio.multi_asset.budgeted import shares_of
from tournament.portfolio.multi_asset.config import BookConfig
from tournament.portfolio.multi_asset.estimates import holdable, known_index, risk_at
from tournament.portfolio.multi_asset.instruments import Panel
from tournament.portfolio.multi_asset.question import Question
from tournament.portfolio.risk import Floats


@dataclass(frozen=True, slots=True)
class Decision:
    """One book as chosen at the close of a row: weights, what is left alone, and what was forecast of it."""

    row: int
    fill: int
    target_N: Floats
    left_N: NDArray[np.bool_]
    volatility_per_year: float
    shares: dict[str, float]
    """Share of the forecast variance by group."""


class Order(NamedTuple):
    """A book, or what is still waiting of it, at one row."""

    row: int
    target_N: Floats
    left_N: NDArray[np.bool_]


@dataclass(slots=True)
class Walked:
    """The decisions, and what they did."""

    panel: Panel
    config: BookConfig
    decisions: list[Decision] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    courses: list[Course] = field(default_factory=list)

    @property
    def first(self) -> int:
        """Row of the first fill."""
        return self.decisions[0].fill

    def table(self, name: str) -> Floats:
        """Weights, trades, settlements or days of the course from the first fill on."""
        joined = np.concatenate([getattr(course, name) for course in self.courses])
        return np.asarray(joined[self.first - self.courses[0].first :])

    def column(self, name: str) -> Floats:
        """One column of the days from the first fill on (T)."""
        return self.table("days_TK")[:, COLUMNS.index(name)]

    @property
    def dates_T(self) -> NDArray[np.datetime64]:
        """Days from the first fill on."""
        return self.panel.dates_T[self.first :]


def decision_rows(panel: Panel, config: BookConfig) -> NDArray[np.intp]:
    """Rows at which a book is chosen: every few days of the whole book, once there is history to learn from."""
    steps = np.flatnonzero(panel.steps_T)
    return steps[config.risk.least_days : -config.book.delay_days : config.book.every_days]


def walk(
    panel: Panel, signals: Sequence[Signals], config: BookConfig, *, tell: Callable[[int], object] = lambda row: None
) -> Walked:  # fmt: skip
    """Choose and hold; a day that has no book is noted and keeps its holdings. Raises Infeasible if no day had one."""
    made, held, row = Walked(panel, config), Holdings(np.zeros(len(panel.ids))), -1
    steps = np.flatnonzero(panel.steps_T)
    for day in map(int, decision_rows(panel, config)):
        held = _held(made, held, first=row + 1, last=day)
        row, fill = day, int(steps[np.searchsorted(steps, day) + config.book.delay_days])
        try:
            _decided(made, decide(panel, signals, config, held, day, fill))
        except Infeasible as refusal:
            made.refused.append((str(panel.dates_T[day]), str(refusal)))
        tell(day)
    if not made.decisions:
        when, why = made.refused[0] if made.refused else ("no day", "there are too few days to learn from")
        raise Infeasible(f"no day had a book; {when}: {why}")
    _held(made, held, first=row + 1, last=len(panel.dates_T) - 1)
    return made


def decide(
    panel: Panel, signals: Sequence[Signals], config: BookConfig, held: Holdings, row: int, fill: int
) -> Decision:  # fmt: skip
    """The book chosen at the close of a row. Raises Infeasible when nothing may be held or limits conflict.

    What had no close on the row, or by its calendar has none on the day of the fill, is left as it is.
    """
    index_SN = known_index(panel, row, config.risk)
    here_N = holdable(panel, row, index_SN, config.book, config.risk) & _with_budget(panel, config)
    left_N = ~np.isfinite(panel.index_TN[row]) | ~panel.may_trade(fill)
    known_U = np.flatnonzero(here_N)
    if len(known_U) < 2:
        raise Infeasible(f"{len(known_U)} instruments have a budget, enough history and a close of late")
    known = risk_at(index_SN[:, known_U], config.risk)
    volatility_N = np.full(len(here_N), np.nan)
    volatility_N[known_U] = known.volatility_U
    made = alphas(signals, panel.dates_T, row, volatility_N, here_N=here_N, horizon_days=config.book.horizon_days)
    groups, score_U = tuple(np.array(panel.groups)[known_U].tolist()), np.nan_to_num(made.score_N[known_U])
    question = Question(
        config.book, known, np.nan_to_num(made.return_N[known_U]), score_U, held.weights_N[known_U], left_N[known_U],
        panel.spread_TN[row, known_U], groups, shares_among(groups, score_U, config.budgets),
        _neutral(config, groups, left_N[known_U]), panel.steps_a_year,
    )  # fmt: skip
    weights_U = np.where(question.fixed_U, question.previous_U, choose(question))
    target_N = np.zeros(len(here_N))
    target_N[known_U] = weights_U
    if config.book.contracts == "whole":
        target_N = in_whole_contracts(target_N, panel, row, held.value * config.book.capital)
    volatility = float(np.sqrt(known.risk.variance(weights_U) * panel.steps_a_year))
    return Decision(row, fill, target_N, left_N, volatility, shares_of(question, weights_U))


def shares_among(groups: Sequence[str], score_U: Floats, budgets: Mapping[str, float]) -> dict[str, float]:
    """Shares of risk of the groups that have a signal now, summing to 1; Infeasible where none has."""
    there = sorted({group for group, score in zip(groups, score_U, strict=True) if score != 0})
    asked = {name: budgets.get(name, 0.0) if budgets else 1.0 for name in there}
    total = sum(asked.values())
    if total <= 0:
        raise Infeasible("no group with a budget has a signal")
    return {name: share / total for name, share in asked.items()}


def contracts(weights_N: Floats, panel: Panel, row: int, money: float) -> Floats:
    """How many contracts (units, where the multiplier is 1) of each instrument weights of a book of `money` are."""
    worth_N = panel.price_TN[row] * np.array([one.multiplier for one in panel.instruments])
    held_N = weights_N != 0
    return np.divide(weights_N * money, worth_N, out=np.zeros(len(weights_N)), where=held_N)


def in_whole_contracts(weights_N: Floats, panel: Panel, row: int, money: float) -> Floats:
    """The weights of whole contracts, rounded towards zero so that no limit is broken, at the prices of a row."""
    worth_N = panel.price_TN[row] * np.array([one.multiplier for one in panel.instruments])
    whole_N = np.trunc(contracts(weights_N, panel, row, money) + 0.0)
    return np.where(whole_N != 0, whole_N * worth_N / money, 0.0)


def _decided(made: Walked, decision: Decision) -> None:
    """Note a book and its orders: at its fill, and on later rows for what had no close yet, until the next book's."""
    made.decisions.append(decision)
    made.orders = [order for order in made.orders if order.row < decision.fill]
    left_N, closed_TN = decision.left_N, np.isfinite(made.panel.index_TN)
    for row in range(decision.fill, min(decision.fill + made.config.book.wait_days + 1, len(closed_TN))):
        made.orders.append(Order(row, decision.target_N, left_N))
        left_N = left_N | closed_TN[row]
        if left_N.all():
            break


def _held(made: Walked, held: Holdings, *, first: int, last: int) -> Holdings:
    """Hold from row to row, at the spreads known before; borrow is spread evenly over the rows of a year."""
    panel, config = made.panel, made.config
    due = [order for order in made.orders if first <= order.row <= last]
    empty_RN = np.zeros((0, len(panel.ids)))
    orders = Orders(
        np.array([order.row for order in due], dtype=np.int64),
        np.array([order.target_N for order in due]) if due else empty_RN,
        left_RN=np.array([order.left_N for order in due]) if due else empty_RN.astype(bool),
    )
    borrow_N = np.array([one.borrow_per_year for one in panel.instruments]) * DAYS_A_YEAR / panel.rows_a_year
    rates = Rates(panel.spread_TN[max(first - 1, 0)], borrow_N, gone_days=config.book.gone_days)
    course = advance(held, panel.index_TN, orders, rates, first=first, last=last, dividend_TN=panel.carry_TN)
    if made.decisions:
        made.courses.append(course)
    return course.end


def _with_budget(panel: Panel, config: BookConfig) -> NDArray[np.bool_]:
    if not config.budgets:
        return np.ones(len(panel.ids), dtype=bool)
    return np.array([config.budgets.get(group, 0.0) > 0 for group in panel.groups])


def _neutral(config: BookConfig, groups: Sequence[str], left_U: NDArray[np.bool_]) -> tuple[str, ...]:
    """Groups to be neutral, but those of which nothing can be traded now."""
    free = {group for group, left in zip(groups, left_U, strict=True) if not left}
    return tuple(name for name in config.neutral if name in free)
