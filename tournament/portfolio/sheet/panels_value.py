"""Parts of the sheet about value and returns: growth, falls, calendar, rolling figures, spread, what may come."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd

from tournament.portfolio.metrics import expected_shortfall as shortfall
from tournament.portfolio.metrics import resamples, value_at_risk
from tournament.portfolio.sheet.draw import PAINTS, Curve, bars, boxes, heat, lines, number, percent
from tournament.portfolio.sheet.panel import Panel, none, table
from tournament.portfolio.sheet.periods import compounded, drawdowns, monthly, named_windows, worst_months
from tournament.portfolio.sheet.record import Record

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Year")
one, two = partial(percent, digits=1), partial(percent, digits=2)


def value_panels(record: Record, frame: pd.DataFrame) -> tuple[Panel, ...]:
    """Figures 1 to 5."""
    return (*_growth(record, frame), *_falls(record, frame))


def _growth(record: Record, frame: pd.DataFrame) -> Iterator[Panel]:
    """What the value was, beside the market's."""
    days = record.columns
    net, gross, market, matched = (
        frame[name].to_numpy() for name in ("nav", "nav_before_costs", "market", "market_at_same_volatility")
    )
    after = Curve("after costs", net)
    curves = [after, Curve("before costs", gross, PAINTS[5])]
    beside = [*curves, Curve("market", market, PAINTS[1], faint=True)]
    calm = [after, Curve("market at the book's volatility", matched, PAINTS[1])]
    yield Panel(
        "How did the value grow?", lines(days, beside, label="Value after and before costs, and the market"),
        "1 at the start. The market is the mean return of all assets.", wide=True,
    )  # fmt: skip
    yield Panel("In steps of equal growth?", lines(days, curves, log=True, label="Value on a log scale"), "Log scale.")
    yield Panel(
        "Against a market as calm?", lines(days, calm, label="Value beside the market at the same volatility"),
        "The market scaled to the book's volatility of the whole time, in hindsight.",
    )  # fmt: skip


def _falls(record: Record, frame: pd.DataFrame) -> Iterator[Panel]:
    """What was lost since the highest value, and the worst of it."""
    days, last, falls = record.columns, len(record.columns) - 1, drawdowns(record.net_T)
    shaded = [(fall.peak, fall.recovered or last) for fall in falls[:5]]
    rows = [
        (
            f"{place}", days[fall.peak], days[fall.bottom], days[fall.recovered] if fall.recovered else "not yet",
            str((fall.recovered or last) - fall.peak), one(fall.depth),
        )
        for place, fall in enumerate(falls, 1)
    ]  # fmt: skip
    lost = [Curve("drawdown", frame["drawdown"].to_numpy(), "var(--loss)", filled=True)]
    after = [Curve("after costs", frame["nav"].to_numpy())]
    yield Panel(
        "How deep was it under water?", lines(days, lost, write=one, zero=True, label="Loss since the highest value"),
        "Loss since the highest value.", wide=True,
    )  # fmt: skip
    yield Panel(
        "Which were the worst falls?",
        lines(days, after, shaded=shaded, height=140, label="Value with the five worst falls")
        + table(("", "High", "Low", "Recovered", "Days", "Depth"), rows, "Ten worst drawdowns"),
        "The five deepest are shaded.", wide=True,
    )  # fmt: skip


def calendar_panels(record: Record) -> tuple[Panel, ...]:
    """Figures 6 to 10 and 26."""
    years, values = monthly(record.net_T, record.dates)
    months = values[:, :12][np.isfinite(values[:, :12])]
    rules = (("day", None), ("week", "W-FRI"), ("month", "ME"), ("quarter", "QE"), ("year", "YE"))
    samples = [
        record.net_T if rule is None else compounded(record.net_T, record.dates, rule).to_numpy() for _, rule in rules
    ]
    return (
        Panel(
            "Which months were good?",
            heat(years, MONTHS, values, write=lambda v: number(100 * v, 1), label="Returns by month, %"),
            "After costs, compounded, in %.",
            wide=True,
        ),
        Panel(
            "Which years?",
            bars(years, list(values[:, 12]), write=one, label="Return of each year"),
            "A year that is not whole counts its days.",
        ),
        Panel("How are months spread?", _histogram(months, 15), f"{len(months)} months."),
        Panel(
            "How wide is a day, a week, a year?",
            boxes([name for name, _ in rules], samples, label="Quantiles of returns"),
            "The line spans 5 to 95 %, the box the middle half.",
        ),
        Panel("What came each day?", _daily(record), "After costs."),
        Panel(
            "What happened in bad times?",
            _stress(record),
            "Windows of a month that were worst for the market, and known ones.",
            wide=True,
        ),
    )


def rolling_panels(record: Record, frame: pd.DataFrame) -> tuple[Panel, ...]:
    """Figures 11 to 14."""
    days, error = record.columns, np.sqrt(252.0 / 126.0)  # of a Sharpe ratio near 0 over half a year

    def drawn(title: str, name: str, write: object = number, *, note: str = "", band: float = 0.0) -> Panel:
        values = frame[name].to_numpy()
        curves = [Curve(name.split("_")[0], values)]
        if band:
            curves.insert(0, Curve("", values + 2 * band, PAINTS[0], below_T=values - 2 * band, faint=True))
        label = f"{title[:-1]}, over half a year"
        return Panel(title, lines(days, curves, write=write, zero=True, label=label), note or "Over half a year.")  # type: ignore[arg-type]

    return (
        drawn("How volatile was it?", "volatility_half_year", percent),
        drawn(
            "Was the Sharpe ratio steady?",
            "sharpe_half_year",
            note="Over half a year, with two standard errors.",
            band=float(error),
        ),
        drawn("And the Sortino ratio?", "sortino_half_year"),
        drawn("Did it lean on the market?", "beta_half_year", note="Beta to the mean of all assets, over half a year."),
    )


def chance_panels(record: Record) -> tuple[Panel, ...]:
    """Figures 23 and 24."""
    low, mean = float(value_at_risk(record.net_T, 252.0)), float(shortfall(record.net_T, 252.0))
    years = min(1.0, record.years)
    ahead = max(2, round(252 * years))
    paths = np.cumprod(1.0 + record.net_T[resamples(len(record.net_T), draws=300, seed=1)[:, :ahead]], axis=1)
    five = np.quantile(paths, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    fan = [
        Curve("95 %", five[4], PAINTS[0], below_T=five[0], faint=True),
        Curve("75 %", five[3], PAINTS[0], below_T=five[1], faint=True),
        Curve("median", five[2]),
        Curve("25 %", five[1], faint=True),
        Curve("5 %", five[0], faint=True),
    ]
    return (
        Panel(
            "How are days spread?",
            _histogram(record.net_T, 41),
            f"One day in twenty lost {two(-low)} or more (value at risk), on average {two(-mean)} (shortfall).",
        ),
        Panel(
            "What may a year bring?",
            lines([f"day {day + 1}" for day in range(ahead)], fan, label="Bootstrap of a year"),
            f"{len(paths)} futures drawn from past days in blocks of a month; they hold no world but the past one.",
        ),
    )


def _histogram(values: np.ndarray, bins: int) -> str:
    if len(values) < 5:
        return none("Too few to be drawn yet.")
    reach = float(np.quantile(np.abs(values), 0.995)) or 1e-9
    edges = np.linspace(-reach, reach, bins + 1)
    counts = np.histogram(np.clip(values, -reach, reach), edges)[0]
    names = [f"{two(a)} to {two(b)}" for a, b in pairwise(edges)]
    middle = [two(edges[0]), two(0.0), two(edges[-1])]
    drawn = bars(names, [float(count) for count in counts], write=lambda v: f"{v:.0f}", label="How many")
    foot = "".join(f"<span>{name}</span>" for name in middle)
    return f'{drawn[: drawn.index("<p class")]}<p class="below">{foot}</p>'


def _daily(record: Record) -> str:
    """Days as bars; where there are many, the best and the worst of each stretch."""
    stride = max(1, -(-len(record.net_T) // 250))
    if stride == 1:
        return bars(record.columns, list(record.net_T), write=two, label="Return of each day")
    starts = np.arange(0, len(record.net_T), stride)
    high, low = np.maximum.reduceat(record.net_T, starts), np.minimum.reduceat(record.net_T, starts)
    columns = [record.columns[start] for start in starts]
    curves = [
        Curve("best", np.maximum(high, 0), "var(--gain)", filled=True),
        Curve("worst", np.minimum(low, 0), "var(--loss)", filled=True),
    ]
    return lines(columns, curves, write=two, zero=True, label=f"Best and worst day of every {stride}")


def _stress(record: Record) -> str:
    windows = [(f"{record.columns[a]} to {record.columns[b]}", a, b) for a, b in worst_months(record.market_T)]
    windows += [(f"{name}, from {record.columns[a]}", a, b) for name, a, b in named_windows(record.dates)]
    if not windows:
        return none("No month has passed yet.")
    rows = []
    for name, first, last in windows:
        book, market = record.net_T[first : last + 1], record.market_T[first : last + 1]
        worst = float((np.cumprod(1 + book) / np.maximum.accumulate(np.cumprod(1 + book)) - 1).min())
        rows.append((name, one(float(np.prod(1 + book) - 1)), one(float(np.prod(1 + market) - 1)), one(worst)))
    return table(("Window", "Book", "Market", "Book's drawdown"), rows, "Windows of stress")
