"""A signal traded through history: known at a close, traded at the next, held with its costs day by day.

Shape suffixes: T trading days, N assets. A book chosen for day t reads closes and signals up to t only; it is traded at
the close of t + 1 and earns from t + 2 on. An asset that has had no close for GONE_DAYS is taken as gone: what is held
of it is settled at its last close, so that no book carries the dead beside its limits for long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tournament.errors import Infeasible
from tournament.portfolio.accounting import hold
from tournament.portfolio.config import BacktestConfig
from tournament.portfolio.rebalance import alpha_from_signal, rebalance
from tournament.portfolio.risk import Floats, RiskModel, betas, fit_risk_model

GONE_DAYS = 5


@dataclass(frozen=True, slots=True)
class Market:
    """Closes, and the signal on the days that have one; NaN where there is none. `beta_TN` replaces estimated betas."""

    dates_T: NDArray[np.datetime64]
    ids: tuple[str, ...]
    close_TN: Floats
    signal_TN: Floats
    beta_TN: Floats | None = None


@dataclass(slots=True)
class Backtest:
    """What was held, traded and earned."""

    market: Market
    weights_TN: Floats
    trades_TN: Floats
    days: list[dict[str, float]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    settled: list[tuple[str, str]] = field(default_factory=list)
    """Date and id of holdings that were settled at their last close because the asset had stopped trading."""
    first: int = 0

    def positions(self) -> pd.DataFrame:
        """date, id, weight of every position held at a close."""
        return self._long(self.weights_TN, "weight")

    def trades(self) -> pd.DataFrame:
        """date, id, trade: the change of weight at a close, as a fraction of the book."""
        return self._long(self.trades_TN, "trade")

    def nav(self) -> pd.DataFrame:
        """One row a day from the first trade on."""
        dates = pd.to_datetime(self.market.dates_T[self.first : self.first + len(self.days)])
        return pd.DataFrame({"date": dates, **pd.DataFrame(self.days)})

    def _long(self, values_TN: Floats, name: str) -> pd.DataFrame:
        rows, columns = np.nonzero(values_TN)
        ids = np.array(self.market.ids, dtype=object)[columns]
        dates = pd.to_datetime(self.market.dates_T[rows])
        return pd.DataFrame({"date": dates, "id": ids, name: values_TN[rows, columns]})


def run(market: Market, config: BacktestConfig, *, tell: Callable[[int], object] = lambda day: None) -> Backtest:
    """Trade the signal; a day that has no book is noted and keeps its holdings. Raises Infeasible if no day had one."""
    days, assets = market.close_TN.shape
    done = Backtest(market, np.zeros((days, assets)), np.zeros((days, assets)))
    decided = _decided(market)
    done.first = int(decided[0]) + 1
    returns_TN, gone_TN = daily_returns(market.close_TN), _gone(market.close_TN)
    trade_days = {int(day) + 1 for day in decided}
    weights_N, value = np.zeros(assets), 1.0
    for day in range(done.first, days):
        period = hold(weights_N, 0.0, returns_TN[day], config.costs, days=1.0)
        trades_N = _settle(done, day, period.drifted_N, gone_TN[day])
        weights_N = period.drifted_N + trades_N
        if day in trade_days:
            target_N = _target(done, returns_TN, day - 1, config)
            if target_N is not None:
                # what has no price that day cannot be traded
                chosen_N = np.where(np.isfinite(market.close_TN[day]), target_N - weights_N, 0.0)
                weights_N, trades_N = weights_N + chosen_N, trades_N + chosen_N
            tell(day)
        turnover = float(np.abs(trades_N).sum())
        cost = period.cost + turnover * config.costs.half_spread
        value *= 1.0 + period.gross_return - cost
        done.weights_TN[day], done.trades_TN[day] = weights_N, trades_N
        done.days.append(_row(period.gross_return, cost, value, weights_N, turnover))
    if len(done.refused) == len(trade_days):
        raise Infeasible(f"no day had a book; the first, {done.refused[0][0]}: {done.refused[0][1]}")
    return done


def _gone(close_TN: Floats) -> NDArray[np.bool_]:
    """Whether an asset has had no close for GONE_DAYS days (T x N)."""
    seen = pd.DataFrame(np.isfinite(close_TN)).rolling(GONE_DAYS, min_periods=GONE_DAYS).sum()
    return np.asarray(seen.to_numpy() == 0)


def _settle(done: Backtest, day: int, weights_N: Floats, gone_N: NDArray[np.bool_]) -> Floats:
    """Trades that end holdings of assets that are gone (N), noted in `done`."""
    held = gone_N & (weights_N != 0)
    done.settled += [(str(done.market.dates_T[day]), done.market.ids[column]) for column in np.flatnonzero(held)]
    return np.where(held, -weights_N, 0.0)


def signal_days(market: Market) -> int:
    """How many days have a signal and a later close to be traded at."""
    return len(_decided(market))


def _decided(market: Market) -> NDArray[np.intp]:
    return np.flatnonzero(np.isfinite(market.signal_TN[:-1]).any(axis=1))


def daily_returns(close_TN: Floats) -> Floats:
    """Simple returns since the last known close; NaN on days without a close (a gap's return comes at its end)."""
    last_TN = pd.DataFrame(close_TN).ffill().to_numpy()
    returns_TN = np.full(close_TN.shape, np.nan)
    returns_TN[1:] = close_TN[1:] / last_TN[:-1] - 1.0
    return returns_TN


def _target(done: Backtest, returns_TN: Floats, day: int, config: BacktestConfig) -> Floats | None:
    """The book for the next close, from what was known at the close of `day`; None when no book meets the limits."""
    market = done.market
    past_TN = returns_TN[max(0, day + 1 - config.risk.window_days) : day + 1]
    enough = np.isfinite(past_TN).sum(axis=0) >= min(config.risk.least_days, max(2, len(past_TN) - 1))
    here = np.flatnonzero(np.isfinite(market.signal_TN[day]) & np.isfinite(market.close_TN[day]) & enough)
    date = str(market.dates_T[day])
    if len(here) < 2:
        done.refused.append((date, f"{len(here)} assets have a signal, a close and enough history"))
        return None
    problem = _problem(market, past_TN[:, here], here, day, config)
    try:
        book = rebalance(previous_N=done.weights_TN[day], limits=config.constraints, costs=config.costs, **problem)
    except Infeasible as refusal:
        done.refused.append((date, str(refusal)))
        return None
    return book.weights_N * _scale(book.risk_per_year, config.overlay.target_volatility)


def _problem(
    market: Market, past_TU: Floats, here: NDArray[np.intp], day: int, config: BacktestConfig
) -> dict[str, Any]:
    """Expected returns, risk and betas in the places of all assets, so that every day's program has one shape."""
    fitted = fit_risk_model(past_TU, factors=config.risk.factors, half_life=config.risk.half_life_days)
    deviation_U = np.sqrt((fitted.loadings_NK**2).sum(axis=1) + fitted.specific_N)
    over_horizon_U = deviation_U * np.sqrt(config.signal.horizon_days)
    alpha_U = alpha_from_signal(market.signal_TN[day, here], over_horizon_U, corr=config.signal.expected_corr)
    assets = len(market.ids)
    held_N, alpha_N, beta_N = np.zeros(assets, dtype=bool), np.zeros(assets), np.zeros(assets)
    specific_N, loadings_NK = np.zeros(assets), np.zeros((assets, config.risk.factors))
    held_N[here], alpha_N[here], beta_N[here] = True, alpha_U, _beta(market, past_TU, here, day)
    specific_N[here], loadings_NK[here, : fitted.loadings_NK.shape[1]] = fitted.specific_N, fitted.loadings_NK
    return {"alpha_N": alpha_N, "risk": RiskModel(loadings_NK, specific_N), "beta_N": beta_N, "held_N": held_N}


def _scale(risk_per_year: float, target: float) -> float:
    return 1.0 if target <= 0 or risk_per_year <= target else target / risk_per_year


def _beta(market: Market, past_TN: Floats, here: NDArray[np.intp], day: int) -> Floats:
    """Given betas where there are any, else estimated on the mean return of the universe."""
    estimated_N = betas(past_TN, np.nan_to_num(np.nanmean(np.where(np.isfinite(past_TN), past_TN, 0.0), axis=1)))
    if market.beta_TN is None:
        return estimated_N
    given_N = market.beta_TN[day, here]
    return np.where(np.isfinite(given_N), given_N, estimated_N)


def _row(gross_return: float, cost: float, value: float, weights_N: Floats, turnover: float) -> dict[str, float]:
    return {
        "gross_return": gross_return, "cost": cost, "net_return": gross_return - cost, "nav": value,
        "gross": float(np.abs(weights_N).sum()), "net": float(weights_N.sum()), "turnover": turnover,
    }  # fmt: skip
