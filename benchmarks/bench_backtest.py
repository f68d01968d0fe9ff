"""How fast is a backtest, and are its figures those of others? Against vectorbt's from_orders and quantstats.

2,500 days x 500 assets, a book a day, filled a close after its choice, half-spread and borrow paid; CPU time of one
thread, arms in turns, medians and least. The peers live in an environment of their own, which can run this file whole:

    python3.11 -m venv .peer && .peer/bin/pip install vectorbt==1.2.0 quantstats==0.0.86
    PYTHONPATH=platform:. .peer/bin/python benchmarks/bench_backtest.py

Without them it times the engine alone. vectorbt knows neither borrow nor impact nor cash interest: it is timed without
them, and compared where the features meet (drift, delay, proportional costs).
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import time
import warnings

import numpy as np
import pandas as pd

from tournament.portfolio.engine import Holdings, Orders, Rates, advance

HALF_SPREAD, BORROW, DELAY = 5e-4, 0.01, 1


def market(days, assets, seed=0):
    """Closes and slowly turning dollar-neutral books of gross 1."""
    rng = np.random.default_rng(seed)
    close = 100 * np.cumprod(1 + 0.02 * rng.standard_normal((days, assets)), axis=0)
    weights = pd.DataFrame(rng.standard_normal((days, assets))).ewm(halflife=20).mean().to_numpy(copy=True)
    weights -= weights.mean(axis=1, keepdims=True)
    return close, weights / np.abs(weights).sum(axis=1, keepdims=True)


def ours(close, weights, *, borrow=BORROW, impact=None):
    """The engine, from closes and weights to the days' figures, holdings and trades."""
    days, assets = close.shape
    orders = Orders(np.arange(DELAY, days), weights[: days - DELAY], impact)
    rates = Rates(np.full(assets, HALF_SPREAD), np.full(assets, borrow))
    return advance(Holdings(np.zeros(assets)), close, orders, rates, first=0, last=days - 1)


def theirs(close, weights):
    """vectorbt: the value of every day."""
    import vectorbt

    index = pd.bdate_range("2010-01-01", periods=len(close))
    late = np.full_like(weights, np.nan)
    late[DELAY:] = weights[: len(weights) - DELAY]
    prices, targets = pd.DataFrame(close, index=index), pd.DataFrame(late, index=index)
    return vectorbt.Portfolio.from_orders(
        prices, targets, size_type="targetpercent", group_by=True, cash_sharing=True, call_seq="auto", fees=HALF_SPREAD,
        freq="D", init_cash=1e8,
    ).value().to_numpy() / 1e8  # fmt: skip


def timed(work):
    """Seconds of this thread's own work, and what it made."""
    start = time.process_time()
    made = work()
    return time.process_time() - start, made


def speed(args):
    """Times of all arms, taken in turns, and how far the values are apart."""
    close, weights = market(args.days, args.assets)
    impact = np.full(weights[DELAY:].shape, 1e-3)
    arms = {"engine": lambda: ours(close, weights), "engine, with impact": lambda: ours(close, weights, impact=impact)}
    try:
        import vectorbt  # noqa: F401

        arms["vectorbt from_orders"] = lambda: theirs(close, weights)
    except ImportError:
        print("vectorbt is not installed here; see this file's first lines for how to compare with it")
    for arm in arms.values():
        arm()  # compiled and warm
    taken = {name: [] for name in arms}
    for _ in range(args.turns):
        for name, arm in arms.items():
            taken[name].append(timed(arm)[0])
    base = {"median": np.median(taken["engine"]), "least": np.min(taken["engine"])}
    print(f"{args.days} days x {args.assets} assets, ms: median (least)")
    for name, seconds in taken.items():
        median, least = np.median(seconds), np.min(seconds)
        ratio = f"{median / base['median']:.0f} times ({least / base['least']:.0f})"
        print(f"  {name:22s} {1e3 * median:8.1f} ({1e3 * least:.1f})  {ratio}")
    if "vectorbt from_orders" in arms:
        apart = ours(close, weights, borrow=0.0).column("nav") / theirs(close, weights) - 1
        print(f"  values apart from vectorbt's, relative: at most {np.abs(apart).max():.1e}")


def main():
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=2500)
    parser.add_argument("--assets", type=int, default=500)
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    speed(args)


if __name__ == "__main__":
    main()
