"""Figures of a series of returns, each with a bootstrap standard error. Suffixes: T periods, B bootstrap draws.

Returns are fractions of a period, compounded; `a_year` is how many periods a year has; the riskless rate is 0. Every
measure works along the last axis, so that one code serves the series and its resamples. Where quantstats defines the
same figure ours equals it; docs/portfolio.md lists where and why not (tests and benchmarks/bench_backtest.py compare).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from tournament.portfolio.risk import Floats

DRAWS, BLOCK = 200, 21
"""Of the stationary bootstrap: enough for an error of 5 % in a standard error; a month's dependence is kept."""
TAIL = 0.05


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: its name, how it is written (percent, number, count), and what computes it from (returns, a_year)."""

    name: str
    unit: str
    of: Callable[[Floats, float], Floats]


def growth(net: Floats, a_year: float) -> Floats:
    """Compound return a year (CAGR); -1 for a ruined series."""
    wealth = np.prod(1.0 + net, axis=-1)
    return np.maximum(wealth, 0.0) ** (a_year / net.shape[-1]) - 1.0


def volatility(net: Floats, a_year: float) -> Floats:
    """Standard deviation a year, of a sample."""
    return net.std(axis=-1, ddof=1) * np.sqrt(a_year)


def sharpe(net: Floats, a_year: float) -> Floats:
    """Mean over standard deviation, a year."""
    return over(net.mean(axis=-1), net.std(axis=-1, ddof=1)) * np.sqrt(a_year)


def smart_sharpe(net: Floats, a_year: float) -> Floats:
    """Sharpe ratio divided by what autocorrelation of one period adds to a year's volatility."""
    left, right = net[..., :-1], net[..., 1:]
    left, right = left - left.mean(axis=-1, keepdims=True), right - right.mean(axis=-1, keepdims=True)
    own = np.abs(over((left * right).sum(axis=-1), np.sqrt((left**2).sum(axis=-1) * (right**2).sum(axis=-1))))
    steps = np.arange(1, net.shape[-1])
    share = (net.shape[-1] - steps) / net.shape[-1]
    penalty = np.sqrt(1.0 + 2.0 * (share * np.nan_to_num(own)[..., None] ** steps).sum(axis=-1))
    return sharpe(net, a_year) / penalty


def sortino(net: Floats, a_year: float) -> Floats:
    """Mean over the root mean square of losses, all periods counted, a year."""
    return over(net.mean(axis=-1), np.sqrt((np.minimum(net, 0.0) ** 2).mean(axis=-1))) * np.sqrt(a_year)


def depths(net: Floats) -> Floats:
    """Loss since the highest value so far, the start counted; 0 or negative (same shape)."""
    wealth = np.cumprod(1.0 + net, axis=-1)
    return wealth / np.maximum.accumulate(np.maximum(wealth, 1.0), axis=-1) - 1.0


def largest_drawdown(net: Floats, a_year: float) -> Floats:
    """The deepest loss since a high."""
    return depths(net).min(axis=-1)


def calmar(net: Floats, a_year: float) -> Floats:
    """Compound return a year over the largest drawdown."""
    return over(growth(net, a_year), -largest_drawdown(net, a_year))


def ulcer(net: Floats, a_year: float) -> Floats:
    """Root mean square of the drawdown. Source: Martin and McCann 1989."""
    return np.sqrt((depths(net) ** 2).mean(axis=-1))


def ulcer_performance(net: Floats, a_year: float) -> Floats:
    """Compound return a year over the ulcer index (UPI)."""
    return over(growth(net, a_year), ulcer(net, a_year))


def omega(net: Floats, a_year: float) -> Floats:
    """Sum of gains over sum of losses."""
    return over(np.maximum(net, 0.0).sum(axis=-1), -np.minimum(net, 0.0).sum(axis=-1))


def gain_to_pain(net: Floats, a_year: float) -> Floats:
    """Sum of returns over sum of losses. Source: Schwager 2012."""
    return over(net.sum(axis=-1), -np.minimum(net, 0.0).sum(axis=-1))


def tail_ratio(net: Floats, a_year: float) -> Floats:
    """The 95 % quantile over the 5 % quantile, as sizes."""
    high, low = np.quantile(net, [1.0 - TAIL, TAIL], axis=-1)
    return np.abs(over(high, np.abs(low)))


def value_at_risk(net: Floats, a_year: float) -> Floats:
    """The 5 % quantile of what happened."""
    return np.quantile(net, TAIL, axis=-1)


def expected_shortfall(net: Floats, a_year: float) -> Floats:
    """Mean of the periods at or below the 5 % quantile (CVaR)."""
    low = net <= np.quantile(net, TAIL, axis=-1, keepdims=True)
    return over((net * low).sum(axis=-1), low.sum(axis=-1).astype(float))


def skewness(net: Floats, a_year: float) -> Floats:
    """Third standardised moment, corrected for the sample's size."""
    count, second, third = net.shape[-1], _moment(net, 2), _moment(net, 3)
    return over(third, second**1.5) * np.sqrt(count * (count - 1)) / (count - 2)


def excess_kurtosis(net: Floats, a_year: float) -> Floats:
    """Fourth standardised moment above a normal law's, corrected for the sample's size."""
    count, raw = net.shape[-1], over(_moment(net, 4), _moment(net, 2) ** 2)
    return (count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * raw - 3.0 * (count - 1))


def probable_sharpe(net: Floats, a_year: float) -> Floats:
    """Probability that the true Sharpe ratio is above 0 (PSR). Source: Bailey and Lopez de Prado 2012."""
    ratio, count = sharpe(net, 1.0), net.shape[-1]
    tails = excess_kurtosis(net, 1.0) + 3.0
    variance = 1.0 - skewness(net, 1.0) * ratio + (tails - 1.0) / 4.0 * ratio**2
    return np.asarray(norm.cdf(ratio * np.sqrt(count - 1.0) / np.sqrt(np.maximum(variance, 1e-12))))


def win_rate(net: Floats, a_year: float) -> Floats:
    """Share of gains among periods with any return."""
    return over((net > 0).sum(axis=-1).astype(float), (net != 0).sum(axis=-1).astype(float))


def payoff(net: Floats, a_year: float) -> Floats:
    """Mean gain over mean loss."""
    gain = over(np.maximum(net, 0.0).sum(axis=-1), (net > 0).sum(axis=-1).astype(float))
    loss = over(-np.minimum(net, 0.0).sum(axis=-1), (net < 0).sum(axis=-1).astype(float))
    return over(gain, loss)


def kelly(net: Floats, a_year: float) -> Floats:
    """Kelly's share of a bet with this win rate and payoff."""
    won, paid = win_rate(net, a_year), payoff(net, a_year)
    return won - over(1.0 - won, paid)


def recovery(net: Floats, a_year: float) -> Floats:
    """Sum of returns over the largest drawdown."""
    return over(net.sum(axis=-1), -largest_drawdown(net, a_year))


def total(net: Floats, a_year: float) -> Floats:
    """Compound return of the whole time."""
    return np.prod(1.0 + net, axis=-1) - 1.0


MEASURES = (
    Measure("Return a year", "%", growth), Measure("Total return", "%", total),
    Measure("Volatility a year", "%", volatility), Measure("Sharpe ratio", "", sharpe),
    Measure("Sharpe ratio less autocorrelation", "", smart_sharpe),
    Measure("Probability of a Sharpe above 0", "%", probable_sharpe),
    Measure("Sortino ratio", "", sortino), Measure("Largest drawdown", "%", largest_drawdown),
    Measure("Calmar ratio", "", calmar), Measure("Ulcer index", "%", ulcer),
    Measure("Return over ulcer index", "", ulcer_performance), Measure("Recovery factor", "", recovery),
    Measure("Omega", "", omega), Measure("Gain to pain", "", gain_to_pain), Measure("Tail ratio", "", tail_ratio),
    Measure("Value at risk, 5 %", "%", value_at_risk), Measure("Expected shortfall, 5 %", "%", expected_shortfall),
    Measure("Skewness", "", skewness), Measure("Excess kurtosis", "", excess_kurtosis),
    Measure("Days with a gain", "%", win_rate), Measure("Mean gain over mean loss", "", payoff),
    Measure("Kelly share", "%", kelly),
    Measure("Best day", "%", lambda net, a_year: net.max(axis=-1)),
    Measure("Worst day", "%", lambda net, a_year: net.min(axis=-1)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Against:
    """A series beside a benchmark: slope, its error, the return a year besides, correlation and ratios a year."""

    beta: float
    beta_error: float
    alpha: float
    alpha_error: float
    correlation: float
    information: float
    treynor: float


def against(net_T: Floats, market_T: Floats, a_year: float) -> Against:
    """Least squares on the benchmark's returns; errors of independent periods."""
    count, spread = len(net_T), float(market_T.var(ddof=1))
    if count < 3 or spread <= 0:
        return Against(*[float("nan")] * 7)
    beta = float(np.cov(net_T, market_T)[0, 1]) / spread
    rest_T = net_T - net_T.mean() - beta * (market_T - market_T.mean())
    noise = float((rest_T**2).sum()) / (count - 2)
    beta_error = np.sqrt(noise / (spread * (count - 1)))
    alpha = float(net_T.mean() - beta * market_T.mean())
    alpha_error = np.sqrt(noise * (1.0 / count + market_T.mean() ** 2 / (spread * (count - 1))))
    apart_T = net_T - market_T
    deviation = float(apart_T.std(ddof=1))
    return Against(
        beta, float(beta_error), alpha * a_year, float(alpha_error) * a_year,
        float(np.corrcoef(net_T, market_T)[0, 1]) if net_T.std() > 0 else float("nan"),
        float(apart_T.mean() / deviation * np.sqrt(a_year)) if deviation > 0 else float("nan"),
        float(net_T.mean() * a_year / beta) if beta else float("nan"),
    )  # fmt: skip


def resamples(length: int, *, seed: int = 0, draws: int = DRAWS, block: int = BLOCK) -> np.ndarray:
    """Rows of stationary-bootstrap resamples (B x T). Source: Politis and Romano 1994, section 2."""
    rng = np.random.default_rng(seed)
    starts, restart = rng.integers(length, size=(draws, length)), rng.random((draws, length)) < 1.0 / block
    restart[:, 0] = True
    last = np.maximum.accumulate(np.where(restart, np.arange(length), 0), axis=1)
    return np.asarray((np.take_along_axis(starts, last, axis=1) + np.arange(length) - last) % length)


def over(above: Floats, below: Floats) -> Floats:
    """A ratio; NaN where nothing stands below."""
    out = np.full(np.broadcast(above, below).shape, np.nan)
    return np.divide(above, below, out=out, where=below > 0)


def _moment(net: Floats, power: int) -> Floats:
    return ((net - net.mean(axis=-1, keepdims=True)) ** power).mean(axis=-1)
