"""The figures that a portfolio's owner reads first. Returns are fractions per period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from tournament.portfolio.risk import Floats


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its standard error where it has one; `unit` is % (fraction shown as percent) or empty."""

    name: str
    value: float
    error: float | None = None
    unit: str = ""

    @property
    def percent(self) -> str:
        """The value in percent, with a true minus sign."""
        return f"{100 * self.value:.1f}".replace("-", "−")

    @property
    def percent_error(self) -> str:
        """The standard error in percent."""
        return "" if self.error is None else f"{100 * self.error:.1f}"


def summarize(net_T: Floats, gross_T: Floats, turnover_T: Floats, *, periods_a_year: float) -> tuple[Figure, ...]:
    """Return, risk, Sharpe with its standard error, drawdown, tails and costs of a series of period returns."""
    if len(net_T) < 3:
        return ()
    wealth = np.cumprod(1.0 + net_T)
    years = len(net_T) / periods_a_year
    annual = float(wealth[-1] ** (1.0 / years) - 1.0) if wealth[-1] > 0 else -1.0
    mean, deviation = float(net_T.mean()), float(net_T.std(ddof=1))
    volatility = deviation * np.sqrt(periods_a_year)
    depth_T = drawdown(net_T)
    below = float(np.sqrt((np.minimum(net_T, 0.0) ** 2).mean() * periods_a_year))
    cost_T = gross_T - net_T
    tail = np.sort(net_T)[: max(1, len(net_T) // 20)]
    return (
        Figure("Return a year", annual, deviation / np.sqrt(len(net_T)) * periods_a_year, "%"),
        Figure("Volatility a year", volatility, volatility / np.sqrt(2 * len(net_T)), "%"),
        Figure("Sharpe ratio", _ratio(mean * periods_a_year, volatility), sharpe_error(net_T, periods_a_year)),
        Figure("Sortino ratio", _ratio(mean * periods_a_year, below)),
        Figure("Largest drawdown", float(depth_T.min()), None, "%"),
        Figure("Return over drawdown", _ratio(annual, -float(depth_T.min()))),
        Figure("Longest time under water", float(_longest_under(depth_T)), None, "days"),
        Figure("Days with a gain", float((net_T > 0).mean()), float(np.sqrt(0.25 / len(net_T))), "%"),
        Figure("Best day", float(net_T.max()), None, "%"),
        Figure("Worst day", float(net_T.min()), None, "%"),
        Figure("Mean of worst 5 %", float(tail.mean()), None, "%"),
        Figure("Skewness", float(stats.skew(net_T)) if deviation > 0 else 0.0),
        Figure("Excess kurtosis", float(stats.kurtosis(net_T)) if deviation > 0 else 0.0),
        Figure("Turnover a year", float(turnover_T.mean() * periods_a_year)),
        Figure("Cost a year", float(cost_T.mean() * periods_a_year), None, "%"),
        Figure("Years", years),
    )


def sharpe_error(net_T: Floats, periods_a_year: float) -> float:
    """Standard error of the annual Sharpe ratio with skewness and kurtosis. Source: Mertens 2002; Lo 2002."""
    deviation = float(net_T.std(ddof=1))
    if deviation <= 0:
        return float("nan")
    sharpe = float(net_T.mean()) / deviation
    skew, kurtosis = float(stats.skew(net_T)), float(stats.kurtosis(net_T, fisher=False))
    variance = 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2
    return float(np.sqrt(max(variance, 0.0) / len(net_T) * periods_a_year))


def drawdown(net_T: Floats) -> Floats:
    """Loss since the highest value so far, 0 or negative (T)."""
    wealth = np.cumprod(1.0 + net_T)
    return np.asarray(wealth / np.maximum.accumulate(np.maximum(wealth, 1.0)) - 1.0)


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else float("nan")


def _longest_under(depth_T: Floats) -> int:
    longest = current = 0
    for depth in depth_T:
        current = current + 1 if depth < 0 else 0
        longest = max(longest, current)
    return longest
