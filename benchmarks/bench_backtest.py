"""How fast is a backtest, and are its figures those of others? Against vectorbt's from_orders and quantstats.

2,500 days x 500 assets, a book a day, filled a close after its choice, half-spread and borrow paid; CPU time of one
thread, arms in turns, medians and least. The peers live in an environment of their own, which can run this file whole:

    python3.11 -m venv .peer && .peer/bin/pip install vectorbt==1.2.0 quantstats==0.0.86 safetensors==0.8.0
    PYTHONPATH=platform:. .peer/bin/python benchmarks/bench_backtest.py

Without them it times the engine alone. vectorbt knows neither borrow nor impact nor cash interest: it is timed without
them, and compared where the features meet (drift, delay, proportional costs).
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import logging
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


MEANT_OTHERWISE = {
    "ulcer index": "ours divides by the days, theirs by the days less one",
    "return over ulcer index": "ours is a year's return over it, theirs that of the whole time",
    "recovery factor": "ours keeps the sign of the sum of returns, theirs is its size",
    "value at risk": "ours is the quantile of what happened, theirs that of a normal law",
    "expected shortfall": "ours is that of what happened; theirs too with method='historical', which is compared",
    "information ratio": "ours is a year's, theirs a day's",
    "treynor ratio": "ours is a year's mean over beta, theirs the whole time's return over it",
}
"""Where both have a figure of one name and do not mean the same."""


def figures():
    """Ours beside quantstats', on returns with fat tails."""
    try:
        from quantstats import stats
    except ImportError:
        print("quantstats is not installed here; tests/tournament/portfolio/test_metrics.py holds its golden values")
        return
    from tournament.portfolio import metrics

    rng = np.random.default_rng(3)
    net = 0.0004 + 0.01 * rng.standard_t(5, 2500)
    series = pd.Series(net, index=pd.bdate_range("2012-01-02", periods=len(net)))
    theirs_by_name = {
        "growth": stats.cagr(series), "total": stats.comp(series), "volatility": stats.volatility(series),
        "sharpe": stats.sharpe(series), "smart_sharpe": stats.smart_sharpe(series),
        "probable_sharpe": stats.probabilistic_sharpe_ratio(series), "sortino": stats.sortino(series),
        "largest_drawdown": stats.max_drawdown(series), "calmar": stats.calmar(series), "omega": stats.omega(series),
        "gain_to_pain": stats.gain_to_pain_ratio(series), "tail_ratio": stats.tail_ratio(series),
        "expected_shortfall": stats.conditional_value_at_risk(series, method="historical"),
        "skewness": stats.skew(series), "excess_kurtosis": stats.kurtosis(series), "win_rate": stats.win_rate(series),
        "payoff": stats.payoff_ratio(series), "kelly": stats.kelly_criterion(series),
    }  # fmt: skip
    apart = {
        name: abs(float(getattr(metrics, name)(net, 252.0)) / float(value) - 1)
        for name, value in theirs_by_name.items()
    }
    worst = max(apart, key=apart.get)
    print(f"{len(apart)} figures that quantstats defines alike: apart by at most {apart[worst]:.0e} ({worst})")
    for name, why in MEANT_OTHERWISE.items():
        print(f"  not compared: {name}: {why}")


def sheets(close, weights):
    """Time and weight of a whole tear sheet, beside quantstats' report."""
    from tournament.portfolio.backtest import Market
    from tournament.portfolio.config import Execution
    from tournament.portfolio.limits import Costs, Limits
    from tournament.portfolio.sheet import written
    from tournament.portfolio.sheet.record import Record
    from tournament.portfolio.sheet.sheet import sheet_of

    dates = np.busday_offset(np.datetime64("2012-01-02"), np.arange(len(close)), roll="forward")
    market = Market(dates, tuple(f"A{k}" for k in range(close.shape[1])), close, np.full((1, close.shape[1]), np.nan))
    orders = Orders(np.arange(DELAY, len(close)), weights[: len(close) - DELAY])
    course = ours(close, weights)

    def ours_whole():
        record = Record(
            "x", market, orders, course, Costs(HALF_SPREAD, BORROW), Limits(), Execution(), np.full(len(weights), 0.001)
        )
        sheet = sheet_of(record)
        return "".join([written.verdict(sheet), *map(written.section, sheet.sections), written.numbers(sheet)])

    ours_whole()
    seconds, text = timed(ours_whole)
    print(f"whole tear sheet: {seconds:.2f} s, {len(text) / 1000:.0f} kB")
    try:
        import quantstats
    except ImportError:
        return
    net = pd.Series(course.column("net_return"), index=pd.DatetimeIndex(dates))
    seconds, _ = timed(lambda: quantstats.reports.html(net, output=os.devnull))
    print(f"quantstats' report of the same days: {seconds:.2f} s")


def main():
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=2500)
    parser.add_argument("--assets", type=int, default=500)
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()  # of fonts that the peer's report would like
    speed(args)
    figures()
    sheets(*market(args.days, args.assets))


if __name__ == "__main__":
    main()
