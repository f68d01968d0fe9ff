"""Parts of the sheet about the book: its holdings, trades and costs, and what other costs, sizes and delays make."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd

from tournament.portfolio.sheet import sweeps
from tournament.portfolio.sheet.draw import PAINTS, Curve, bars, lines, number, percent
from tournament.portfolio.sheet.panel import Panel, none, table
from tournament.portfolio.sheet.periods import round_trips
from tournament.portfolio.sheet.record import Record

one, two = partial(percent, digits=1), partial(percent, digits=2)
LARGEST = 7


def book_panels(record: Record, frame: pd.DataFrame) -> tuple[Panel, ...]:
    """Figures 15 to 18 and 25."""
    days, limits = record.columns, record.limits
    exposures = [
        Curve(name, frame[name].to_numpy(), PAINTS[k]) for k, name in enumerate(("gross", "net", "long", "short"))
    ]
    exposures.append(Curve("gross limit", np.full(len(days), limits.gross), PAINTS[5], faint=True))
    return (
        Panel(
            "How much was at work?",
            lines(days, exposures, write=percent, zero=True, label="Exposures"),
            "Shares of the value at each close. Between trades prices carry a book past its limits.",
            wide=True,
        ),
        Panel(
            "What does it hold most of?", _largest(record), f"{days[-1]}; at most {one(limits.position)} when chosen."
        ),
        Panel(
            "How many positions is it worth?",
            lines(
                days,
                [Curve("positions of equal size", frame["concentration"].to_numpy())],
                write=partial(number, digits=0),
                zero=True,
                label="Concentration",
            ),
            "(sum of |w|)² over sum of w².",
        ),
        Panel("Where does it lean?", _sectors(record), _sector_note(record)),
        Panel(
            "How much is traded?",
            lines(
                days,
                [Curve("a day, mean of a month", _smooth(frame["turnover"]))],
                write=one,
                zero=True,
                label="Turnover",
            ),
            "Share of the value.",
        ),
        Panel("What does it cost?", _costs(record, frame), "Summed, as shares of the value.", wide=True),
        Panel(
            "How much of the volume does it take?",
            _volume(record),
            f"For a book of {record.execution.capital:,.0f} at the start.",
        ),
        Panel(
            "How long is a position held?",
            _trips(record),
            "From the day that a side is taken to the day that it is left; before costs.",
        ),
    )


def cost_panels(record: Record) -> tuple[Panel, ...]:
    """Figures 19, 20 and 29, and what delistings would cost."""
    spreads, delays, gone = sweeps.spread_sweep(record), sweeps.delay_decay(record), sweeps.delisting_sweep(record)
    break_even = sweeps.break_even(record)
    names = [f"{10_000 * spread:.0f} bp" for spread in spreads.settings]
    close = [f"+{delay:.0f}" for delay in delays.settings]
    above = (
        f"the mean return is zero at {10_000 * break_even:.1f} bp"
        if np.isfinite(break_even)
        else "it earns at any of them"
    )
    return (
        Panel(
            "What would a wider spread leave?",
            bars(names, spreads.values, errors=spreads.errors, write=one, label="Net return by half-spread")
            + _spelled(names, spreads, one, "Half-spread", "Net return a year"),
            f"Same books: {above} (break-even). Paid is {10_000 * record.costs.half_spread:.1f} bp.",
        ),
        Panel("How large may it grow?", *_sizes(record)),
        Panel(
            "How fast does the signal decay?",
            bars(close, delays.values, errors=delays.errors, write=number, label="Sharpe ratio by delay")
            + _spelled(close, delays, number, "Filled at", "Sharpe before costs"),
            "The same books filled so many closes after their choice. A cliff after +0 would be a leak.",
        ),
        Panel(
            "What if the gone were worth less?",
            table(
                ("Settled at", "Net return a year", "± s.e."),
                [
                    (f"last close {percent(s)}".replace(" 0 %", ""), two(v), two(e))
                    for s, v, e in zip(gone.settings, gone.values, gone.errors, strict=True)
                ],
                "Delisting returns",
            ),
            f"{int(record.course.settled_TN.sum())} holdings stopped trading and were settled. Shorts gain by a fall.",
        ),
    )


def _largest(record: Record) -> str:
    weights_N = record.course.weights_TN[-1]
    order = [k for k in np.argsort(-np.abs(weights_N), kind="stable")[:LARGEST] if weights_N[k] != 0]
    if not order:
        return none("Nothing is held.")
    return table(
        ("Asset", "Weight"), [(record.market.ids[k], two(float(weights_N[k]))) for k in order], "Largest positions"
    )


def _sectors(record: Record) -> str:
    if record.market.sectors is None:
        weights_TN = record.course.weights_TN
        held_T = np.maximum((weights_TN != 0).sum(axis=1), 1)
        shares = [
            Curve("longs", (weights_TN > 0).sum(axis=1) / held_T),
            Curve("shorts", (weights_TN < 0).sum(axis=1) / held_T, PAINTS[1]),
        ]
        return lines(record.columns, shares, write=percent, zero=True, label="Share of positions")
    names = sorted(set(record.market.sectors))
    mask = np.array([[sector == name for name in names] for sector in record.market.sectors], dtype=float)
    net_TS = record.course.weights_TN @ mask
    most = np.argsort(-np.abs(net_TS).mean(axis=0), kind="stable")[:5]
    curves = [Curve(names[k], net_TS[:, k], PAINTS[place]) for place, k in enumerate(most)]
    return lines(record.columns, curves, write=one, zero=True, label="Net exposure by sector")


def _sector_note(record: Record) -> str:
    if record.market.sectors is None:
        return "No sectors are known: the shares of positions that are long and short. Styles stand under risk."
    return "Net exposure of the five sectors leaned on most; sectors are not limited."


def _smooth(values: pd.Series) -> np.ndarray:
    return np.asarray(values.rolling(21, min_periods=1).mean().to_numpy(), dtype=float)


def _costs(record: Record, frame: pd.DataFrame) -> str:
    kinds = [name for name in ("spread", "impact", "borrow") if frame[name].any()]
    curves = [Curve(name, frame[name].cumsum().to_numpy(), PAINTS[k]) for k, name in enumerate(kinds)]
    return (
        lines(record.columns, curves, write=one, zero=True, label="Costs so far")
        if curves
        else none("Nothing was paid.")
    )


def _volume(record: Record) -> str:
    if record.market.volume_TN is None:
        return none("These prices come without volumes, so no impact is charged either.")
    first, days = record.course.first, len(record.net_T)
    volume_TN = record.market.volume_TN[first : first + days]
    money_TN = np.abs(record.course.trades_TN) * record.execution.capital * record.course.column("nav")[:, None]
    share_TN = np.where(volume_TN > 0, money_TN / np.where(volume_TN > 0, volume_TN, 1.0), 0.0)
    traded = share_TN.max(axis=1) > 0
    if not traded.any():
        return none("Nothing was traded.")
    shown = [Curve("largest of the day", share_TN.max(axis=1)[traded])]
    return lines(
        [day for day, is_one in zip(record.columns, traded, strict=True) if is_one],
        shown,
        write=two,
        zero=True,
        label="Share of volume",
    )


def _trips(record: Record) -> str:
    trips = round_trips(record.course.weights_TN, record.returns_TN)
    if len(trips.days) < 5:
        return none("Too few positions have been left yet.")
    won, error = float((trips.earned > 0).mean()), float(np.sqrt(0.25 / len(trips.days)))
    rows = [
        ("Round trips", f"{len(trips.days)}"),
        ("Median days held", number(float(np.median(trips.days)), 0)),
        ("Longest", number(float(trips.days.max()), 0)),
        ("Won", f"{one(won)} ± {one(error)}"),
        ("Mean earned", f"{10_000 * trips.earned.mean():.2f} bp of the book".replace("-", "−")),
        ("Best and worst", f"{two(float(trips.earned.max()))} and {two(float(trips.earned.min()))}"),
    ]
    edges = np.array([1, 2, 6, 11, 22, 43, 64, 127, 253, np.inf])
    counts = np.histogram(trips.days, edges)[0]
    names = [f"{a:.0f}" if b == a + 1 else f"{a:.0f}+" for a, b in pairwise(edges)]
    return bars(
        names, [float(c) for c in counts], write=partial(number, digits=0), height=120, label="Days held"
    ) + table(("", ""), rows, "Round trips")


def _sizes(record: Record) -> tuple[str, str]:
    swept, most = sweeps.size_sweep(record), sweeps.capacity(record)
    if swept is None:
        return none("These prices come without volumes: capacity cannot be told."), ""
    names = [f"{size:.0e}".replace("e+0", "e").replace("e+", "e") for size in swept.settings]
    values, errors = np.array(swept.values), np.array(swept.errors)
    curves = [
        Curve("", values + 2 * errors, PAINTS[0], below_T=values - 2 * errors, faint=True),
        Curve("net Sharpe ratio", values),
    ]
    told = (
        f"It halves at {most:,.0f} (capacity)." if np.isfinite(most) else "No capacity: there is nothing to be halved."
    )
    drawn = lines(names, curves, zero=True, label="Net Sharpe ratio by size") + _spelled(
        names, swept, number, "Size", "Net Sharpe"
    )
    return drawn, f"Impact grows with the root of a trade over the day's volume. {told} Two standard errors."


def _spelled(names: list[str], swept: sweeps.Swept, write: partial[str] | object, first: str, second: str) -> str:
    rows = [
        (name, write(value), write(error))  # type: ignore[operator]
        for name, value, error in zip(names, swept.values, swept.errors, strict=True)
    ]
    inner = table((first, second, "± s.e."), rows, f"{second} by {first.lower()}")
    return f"<details class='same'><summary>Table of the same data</summary>{inner}</details>"
