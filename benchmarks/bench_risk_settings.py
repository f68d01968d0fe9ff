"""Is there anything to learn about covariance half-life, factor count, risk aversion and turnover price of a book?

The same learner as of the overlays, on walk-forward courses of the optimised book under each setting. Whatever price of
turnover a book is chosen with, the spread that it pays is the same. REGATTA_DATA names the folder of the price files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from strategies import DELAY, STOCK_SPREAD, Market, composite, momentum, stock_market

from tournament.portfolio.decision import betas, market_returns
from tournament.portfolio.limits import Costs, Limits
from tournament.portfolio.overlay.evidence import gather
from tournament.portfolio.overlay.judging import judge
from tournament.portfolio.overlay.learner import foreseen, learn
from tournament.portfolio.overlay.prior import Estimate, learned_prior, stretches
from tournament.portfolio.rebalance import alpha_from_signal, rebalance
from tournament.portfolio.risk import HALF_LIFE_DAYS, fit_risk_model

DATA = Path(os.environ.get("REGATTA_DATA", "../shared/data"))
YEAR, BLOCK, EVERY, WINDOW = 252.0, 63, 42, 504


@dataclass(frozen=True)
class Setting:
    factors: int = 20
    half_life: float = HALF_LIFE_DAYS
    aversion: float = 20.0
    price: float = 1.0


SETTINGS = {
    "default: 20 factors, half-life 126, aversion 20, spread": Setting(), "5 factors": Setting(factors=5),
    "40 factors": Setting(factors=40), "half-life 42": Setting(half_life=42.0),
    "half-life 252": Setting(half_life=252.0), "aversion 5": Setting(aversion=5.0),
    "aversion 80": Setting(aversion=80.0),
    "turnover free": Setting(price=0.0), "turnover at 3 spreads": Setting(price=3.0),
}  # fmt: skip


def reversal(market: Market, day: int) -> np.ndarray:
    return -market.return_TN[day - 20 : day + 1].sum(axis=0)


SIGNALS = {"momentum": momentum, "composite": composite, "reversal": reversal}


def books(market: Market, day: int, before_JSN: np.ndarray) -> np.ndarray:
    """The books of every setting and signal from the closes of a day (J x S x N)."""
    chosen = np.flatnonzero(market.open_to_TN[day])
    past_TU = market.return_TN[max(0, day - WINDOW + 1) : day + 1][:, chosen]
    past_TU = np.where(past_TU == 0.0, np.nan, past_TU)
    beta_U, out_JSN, risks = betas(past_TU, market_returns(past_TU)), np.zeros_like(before_JSN), {}
    for j, setting in enumerate(SETTINGS.values()):
        kind = (setting.factors, setting.half_life)
        if kind not in risks:
            risks[kind] = fit_risk_model(past_TU, factors=kind[0], half_life=kind[1])
        risk, costs = risks[kind], Costs(half_spread=STOCK_SPREAD * setting.price)
        volatility_U = np.sqrt((risk.loadings_NK**2).sum(axis=1) + risk.specific_N)
        for s, score in enumerate(SIGNALS.values()):
            signal_U = pd.Series(score(market, day)[chosen]).rank(pct=True).to_numpy()
            alpha_U = alpha_from_signal(signal_U, volatility_U * np.sqrt(EVERY), corr=0.03)
            limits = Limits(turnover=10.0, aversion=setting.aversion)
            book = rebalance(alpha_U, risk, before_JSN[j, s, chosen], limits, costs, beta_N=beta_U)
            out_JSN[j, s, chosen] = book.weights_N
    return out_JSN


def courses(market: Market) -> np.ndarray:
    """Net daily returns of every setting and signal (T x J x S), spread paid on all that is traded."""
    shape = (len(SETTINGS), len(SIGNALS), len(market.ids))
    net_TJS, held_JSN = np.full((len(market.dates_T), *shape[:2]), np.nan), np.zeros(shape)
    for day in range(WINDOW, len(net_TJS) - DELAY, EVERY):
        before_JSN, held_JSN = held_JSN, books(market, day, held_JSN)
        rows = slice(day + DELAY, day + DELAY + EVERY)
        net_TJS[rows] = np.einsum("tn,jsn->tjs", market.return_TN[rows], held_JSN)
        net_TJS[day + DELAY] -= STOCK_SPREAD * np.abs(held_JSN - before_JSN).sum(axis=2)
    return net_TJS[WINDOW + DELAY :]


def main() -> None:
    if not (DATA / "equity_us_sp500_daily.parquet").exists():
        print(f"{DATA} has no equity_us_sp500_daily.parquet; set REGATTA_DATA to the folder of the price files")
        return
    net_TJS = courses(stock_market(DATA))
    moments = gather(net_TJS, periods_a_year=YEAR)
    none = Estimate(np.empty((len(SETTINGS), 0)), np.empty((len(SETTINGS), 0)))
    learned = {
        "learned": learn(moments, none), "learned at 1 s.e.": learn(moments, none, sigmas=1.0),
        "canary": foreseen(moments),
    }  # fmt: skip
    rows = {name: net_TJS[:, j] for j, name in enumerate(SETTINGS)}
    rows |= {name: (net_TJS * one.weights_T(len(net_TJS))).sum(axis=1) for name, one in learned.items()}
    print("| setting | " + " | ".join(SIGNALS) + " |\n|---" + "|---" * len(SIGNALS) + "|")
    for name, net_TS in rows.items():
        cells = []
        for s in range(len(SIGNALS)):
            got = judge(net_TS[:, s], net_TJS[:, 0, s], periods_a_year=YEAR, block=BLOCK)
            cells.append(f"{got.sharpe:.2f}: {got.gain:+.2f} ± {got.error:.2f}, {got.drawdown_matched:.0%}")
        print(f"| {name} | " + " | ".join(cells) + " |")
    prior = learned_prior(stretches(moments))
    print(f"\nPrior of {prior.tasks} tasks:")
    for j, name in enumerate(SETTINGS):
        print(f"  {name}: {prior.gain_J[j]:+.3f} ± {prior.spread_J[j]:.3f}")
    print(f"moves of weight: {len(learned['learned'].moves)}")


if __name__ == "__main__":
    main()
