"""report.json and report.html of a multi-asset book."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from tournament import reports
from tournament.errors import counted
from tournament.portfolio.metrics import depths
from tournament.portfolio.multi_asset.outcome import (
    GroupPart,
    calibration_of,
    figures_of,
    group_parts,
    parts_by_instrument,
    step_returns,
    step_sums,
)
from tournament.portfolio.multi_asset.walk import Walked
from tournament.portfolio.tearsheet import Figure


def told(made: Walked) -> dict[str, Any]:
    """Every figure with its standard error, the groups' parts, the days without a book, and the config."""
    found = calibration_of(made)
    return {
        "from": str(made.dates_T[0]), "to": str(made.dates_T[-1]), "books": len(made.decisions),
        "instruments": len(made.panel.ids), "groups": [asdict(one) for one in group_parts(made)],
        "figures": {one.name: {"value": one.value, "standard_error": one.error, "unit": one.unit}
                    for one in figures_of(made)},
        "risk": None if found is None else asdict(found),
        "days_without_book": [{"date": date, "reason": reason} for date, reason in made.refused],
        "config": asdict(made.config),
    }  # fmt: skip


def html(made: Walked, figures: dict[str, Any]) -> str:
    """The report as one file."""
    drawn = [
        reports.drawing("Value of 1, before and after costs (log scale)", lambda axes: _growth(made, axes)),
        reports.drawing("Loss since the highest value so far", lambda axes: _under(made, axes), height=2.4),
        reports.drawing("What each group earned after costs, summed", lambda axes: _by_group(made, axes)),
        reports.drawing("Each group's share of the forecast variance", lambda axes: _shares(made, axes)),
        reports.drawing("Gross and net exposure", lambda axes: _exposure(made, axes), height=2.4),
    ]
    numbers = [
        Figure(name, one["value"], one["standard_error"], one["unit"]) for name, one in figures["figures"].items()
    ]
    parts = [
        *drawn, reports.heading("Groups"), reports.table(group_table([GroupPart(**one) for one in figures["groups"]])),
        reports.note("Parts a year, of the book; shares are of variance. The Sharpe ratio is the part's."),
        reports.note(risk_line(figures)),
        reports.heading("Figures"), reports.table(_numbers(numbers)),
        reports.note("After costs, in days of the whole book. Standard errors by bootstrap in blocks of a month."),
    ]  # fmt: skip
    if made.refused:
        refused = pd.DataFrame(made.refused, columns=["Date", "Why no book was made"])
        parts += [reports.heading("Days without a book"), reports.table(refused)]
    return reports.page("Multi-asset book", lede(made), parts)


def lede(made: Walked) -> str:
    """What the report rests on, in words."""
    rules = made.config.book
    given = ", ".join(one.name for one in made.config.tournaments) or "none, so everything is held long"
    return (
        f"{len(made.panel.ids)} instruments of {len(set(made.panel.groups))} groups, {len(made.decisions)} books from "
        f"{made.dates_T[0]} to {made.dates_T[-1]}, method {rules.method.replace('_', ' ')}, aimed at a volatility of "
        f"{rules.target_volatility:.0%} a year. Signals: {given}. A book chosen at one close is filled "
        f"{counted(rules.delay_days, 'weekday', 'weekdays')} later, each instrument at its own market's close. "
        f"Spreads, borrow and carry are paid; returns are as the files and the config's carry make them."
    )


def risk_line(figures: dict[str, Any]) -> str:
    """Whether the risk was as forecast: a book that is wilder than it was aimed at must say so."""
    risk = figures["risk"]
    if risk is None:
        return "Too few days to hold the risk against its forecast."
    return f"Realised over forecast volatility: {risk['bias']:.2f} ± {risk['bias_error']:.2f}; 1 is right."


def sharpe_of(part: GroupPart) -> str:
    """A group's Sharpe ratio with its error; a group that was never held has none."""
    if not math.isfinite(part.sharpe):
        return "never held"
    return f"{reports.number(part.sharpe, 2)} ± {reports.number(part.sharpe_error, 2)}"


def group_table(parts: Sequence[GroupPart]) -> pd.DataFrame:
    """The groups' parts in words."""
    return pd.DataFrame(
        [
            (
                one.name, _percent(one.gross), _percent(one.carry), _percent(one.cost),
                sharpe_of(one), _percent(one.forecast_share), _percent(one.realised_share),
            )
            for one in parts
        ],
        columns=["Group", "Before costs", "of which carry", "Costs", "Sharpe ratio", "Risk forecast", "Risk realised"],
    )  # fmt: skip


def _numbers(figures: Sequence[Figure]) -> pd.DataFrame:
    rows = []
    for one in figures:
        write = _percent if one.unit == "%" else (lambda value: reports.number(value, 2))
        rows.append((one.name, write(one.value), "" if one.error is None else f"± {write(one.error)}"))
    return pd.DataFrame(rows, columns=["Figure", "Value", "Standard error"])


def _percent(value: float) -> str:
    return "–" if value != value else f"{100 * value:.1f} %".replace("-", "−")


def _days(made: Walked) -> pd.DatetimeIndex:
    steps = made.dates_T[np.flatnonzero(made.panel.steps_T[made.first :])]
    return pd.DatetimeIndex(pd.to_datetime(steps))


def _growth(made: Walked, axes: Axes) -> None:
    for name, words in (("gross_return", "before costs"), ("net_return", "after costs")):
        axes.plot(_days(made), np.cumprod(1.0 + step_returns(made, name)), label=words)
    axes.set_yscale("log")
    for axis_part in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        axis_part(FuncFormatter(lambda value, place: f"{value:g}"))
    axes.legend()


def _under(made: Walked, axes: Axes) -> None:
    axes.fill_between(_days(made), 100.0 * depths(step_returns(made, "net_return")), 0.0, alpha=0.5)
    axes.set_ylabel("%")


def _by_group(made: Walked, axes: Axes) -> None:
    earned_TN, carry_TN, cost_TN = parts_by_instrument(made)
    groups = np.array(made.panel.groups)
    for name in sorted(set(made.panel.groups)):
        part_T = (earned_TN + carry_TN - cost_TN)[:, groups == name].sum(axis=1)
        axes.plot(_days(made), 100.0 * np.cumsum(step_sums(made, part_T)), label=name)
    axes.set_ylabel("% of the book")
    axes.legend(ncols=3)


def _shares(made: Walked, axes: Axes) -> None:
    days = pd.DatetimeIndex(pd.to_datetime([made.panel.dates_T[one.row] for one in made.decisions]))
    for name in sorted(set(made.panel.groups)):
        axes.plot(days, [100.0 * one.shares.get(name, 0.0) for one in made.decisions], label=name, linewidth=1.0)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.0), max(high, 60.0))  # equal shares differ by rounding, which is nothing to look at
    axes.set_ylabel("%")
    axes.legend(ncols=3)


def _exposure(made: Walked, axes: Axes) -> None:
    days = pd.DatetimeIndex(pd.to_datetime(made.dates_T))
    for name in ("gross", "net"):
        axes.plot(days, made.column(name), label=name)
    axes.legend()
