"""report.json and report.html of a backtest: the tear sheet."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from tournament import reports
from tournament.portfolio.accounting import DAYS_A_YEAR
from tournament.portfolio.backtest import Backtest
from tournament.portfolio.config import BacktestConfig
from tournament.portfolio.tearsheet import Figure, drawdown, summarize


def figures(done: Backtest, config: BacktestConfig) -> dict[str, Any]:
    """Every figure, with its standard error where it has one, the config, and the days without a book."""
    nav = done.nav()
    sheet = {one.name: {"value": one.value, "standard_error": one.error, "unit": one.unit} for one in _sheet(nav)}
    return {
        "from": str(nav["date"].iloc[0].date()), "to": str(nav["date"].iloc[-1].date()), "days": len(nav),
        "figures": sheet,
        "days_without_book": [{"date": date, "reason": reason} for date, reason in done.refused],
        "settled": [{"date": date, "id": name} for date, name in done.settled],
        "config": asdict(config),
    }  # fmt: skip


def html(done: Backtest, name: str) -> str:
    """The tear sheet as one file."""
    nav = done.nav()
    first, last = nav["date"].iloc[0].date(), nav["date"].iloc[-1].date()
    lede = (
        f"{len(nav)} trading days from {first} to {last}. A signal known at one close is traded at the next. "
        "Returns are after spread and borrow costs."
    )
    parts = [
        reports.heading("Figures"), reports.table(_figure_table(_sheet(nav))),
        reports.heading("Value"), reports.drawing("Net asset value, 1 at the start", lambda axes: _value(axes, nav)),
        reports.drawing("Drawdown", lambda axes: _drawdown(axes, nav), height=2.0),
        reports.heading("Exposure"),
        reports.drawing("Gross and net exposure, fractions of value", lambda axes: _exposure(axes, nav), height=2.4),
        reports.heading("Returns by month, %"), reports.table(_months(nav)),
    ]  # fmt: skip
    if done.refused:
        refused = pd.DataFrame(done.refused, columns=["Date", "Why no book was made"])
        parts += [reports.heading("Days without a book"), reports.table(refused)]
    if done.settled:
        settled = pd.DataFrame(done.settled, columns=["Date", "Asset that had stopped trading"])
        parts += [reports.heading("Settled at the last close"), reports.table(settled)]
    return reports.page(f"Backtest of {name}", lede, parts)


def _sheet(nav: pd.DataFrame) -> tuple[Figure, ...]:
    columns = (nav[name].to_numpy(float) for name in ("net_return", "gross_return", "turnover"))
    return summarize(*columns, periods_a_year=DAYS_A_YEAR)


def _figure_table(sheet: tuple[Figure, ...]) -> pd.DataFrame:
    def shown(value: float | None, unit: str) -> str:
        if value is None:
            return ""
        return f"{reports.number(100 * value, 1)} %" if unit == "%" else f"{reports.number(value, 2)} {unit}".strip()

    return pd.DataFrame(
        [
            {"Figure": one.name, "Value": shown(one.value, one.unit), "± s.e.": shown(one.error, one.unit)}
            for one in sheet
        ]
    )


def _value(axes: Axes, nav: pd.DataFrame) -> None:
    axes.plot(nav["date"], nav["nav"], color=reports.ACCENT)
    axes.axhline(1.0, color=reports.SOFT, linewidth=0.8)


def _drawdown(axes: Axes, nav: pd.DataFrame) -> None:
    axes.fill_between(nav["date"], 100 * drawdown(nav["net_return"].to_numpy(float)), color=reports.ACCENT, alpha=0.35)
    axes.set_ylabel("%")


def _exposure(axes: Axes, nav: pd.DataFrame) -> None:
    axes.plot(nav["date"], nav["gross"], label="gross")
    axes.plot(nav["date"], nav["net"], label="net")
    axes.legend(loc="upper right")


def _months(nav: pd.DataFrame) -> pd.DataFrame:
    """Compounded net return of each month, a row a year."""
    monthly = (1.0 + nav.set_index("date")["net_return"]).resample("ME").prod() - 1.0
    ends = pd.DatetimeIndex(monthly.index)
    frame = pd.DataFrame({"year": ends.year, "month": ends.month, "value": 100 * monthly.to_numpy()})
    wide = frame.pivot(index="year", columns="month", values="value").reindex(columns=range(1, 13))
    out = wide.map(lambda value: reports.number(value, 1)).rename(columns=lambda month: f"{month:02d}")
    return out.rename_axis(None, axis=1).reset_index().rename(columns={"year": "Year"})
