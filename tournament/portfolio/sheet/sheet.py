"""The tear sheet put together: its head, its numbers with their errors, its sections, and all series for CSV."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tournament.portfolio.accounting import DAYS_A_YEAR
from tournament.portfolio.metrics import MEASURES, against, resamples
from tournament.portfolio.sheet import sweeps
from tournament.portfolio.sheet.attribution import attribute
from tournament.portfolio.sheet.panel import Section
from tournament.portfolio.sheet.panels_book import book_panels, cost_panels
from tournament.portfolio.sheet.panels_risk import deflated, honesty_panels, overfitting, risk_panels
from tournament.portfolio.sheet.panels_value import calendar_panels, chance_panels, rolling_panels, value_panels
from tournament.portfolio.sheet.record import Record
from tournament.portfolio.sheet.series import series_of
from tournament.portfolio.tearsheet import Figure

LEAST_DAYS = 10


@dataclass(frozen=True, slots=True)
class Sheet:
    """All of it. `verdict` are the figures that one reads first."""

    verdict: tuple[Figure, ...]
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]
    series: pd.DataFrame


def sheet_of(record: Record) -> Sheet:
    """The sheet of a course of at least LEAST_DAYS days."""
    parted = attribute(record)
    frame = series_of(record, parted)
    figures = numbers(record)
    return Sheet(
        _verdict(record, figures), figures,
        (
            Section("Value", value_panels(record, frame)), Section("Calendar", calendar_panels(record)),
            Section("Through time", rolling_panels(record, frame)), Section("The book", book_panels(record, frame)),
            Section("Costs, size and haste", cost_panels(record)), Section("Risk", risk_panels(record, frame, parted)),
            Section("Chance", chance_panels(record)), Section("Luck, models and reasons", honesty_panels(record)),
        ),
        frame,
    )  # fmt: skip


def numbers(record: Record) -> tuple[Figure, ...]:
    """Every figure with its block-bootstrap standard error; those beside the market and those of trading besides."""
    net_T, rows_BT = record.net_T, resamples(len(record.net_T))
    drawn_BT = net_T[rows_BT]
    with np.errstate(all="ignore"):
        made = [
            Figure(one.name, float(one.of(net_T, DAYS_A_YEAR)), _spread(one.of(drawn_BT, DAYS_A_YEAR)), one.unit)
            for one in MEASURES
        ]
    beside, costs, years = against(net_T, record.market_T, DAYS_A_YEAR), record.course.column("cost"), record.years
    turnover, cost_error = record.course.column("turnover"), float(costs.std()) * np.sqrt(DAYS_A_YEAR / years)
    per_book = turnover[record.book_days]
    return (
        *made,
        Figure("Beta to the market", beside.beta, beside.beta_error),
        Figure("Alpha a year", beside.alpha, beside.alpha_error, "%"),
        Figure("Correlation with the market", beside.correlation),
        Figure("Information ratio", beside.information),
        Figure("Treynor ratio", beside.treynor),
        Figure("Turnover a year", float(turnover.sum()) / years),
        Figure("Turnover of a book", float(per_book.mean()) if len(per_book) else float("nan"), None, "%"),
        Figure("Cost a year", float(costs.mean()) * DAYS_A_YEAR, cost_error, "%"),
        Figure("Break-even half-spread, bp", 10_000 * sweeps.break_even(record)),
        Figure("Years", years),
    )  # fmt: skip


def _verdict(record: Record, figures: tuple[Figure, ...]) -> tuple[Figure, ...]:
    """Net Sharpe, deflated Sharpe, PBO, drawdown, turnover and break-even cost."""
    by_name = {one.name: one for one in figures}
    chance, _ = deflated(record)
    pbo = overfitting(record)
    return (
        by_name["Sharpe ratio"],
        Figure("Deflated Sharpe", chance, None, "%"),
        *((Figure("Overfitting (PBO)", pbo, None, "%"),) if np.isfinite(pbo) else ()),
        by_name["Return a year"], by_name["Volatility a year"], by_name["Largest drawdown"],
        by_name["Turnover a year"], by_name["Break-even half-spread, bp"],
    )  # fmt: skip


def _spread(values_B: np.ndarray) -> float | None:
    known = values_B[np.isfinite(values_B)]
    return float(known.std(ddof=1)) if len(known) > 2 else None
