"""report.json, report.html and series.csv of a backtest: the tear sheet."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd

from tournament import reports
from tournament.errors import BadInput, Fault, counted
from tournament.portfolio.backtest import Backtest
from tournament.portfolio.calibration import calibrate
from tournament.portfolio.config import BacktestConfig
from tournament.portfolio.sheet import written
from tournament.portfolio.sheet.panels_risk import deflated, overfitting
from tournament.portfolio.sheet.record import Record, Trials, record_of
from tournament.portfolio.sheet.sheet import LEAST_DAYS, Sheet, sheet_of
from tournament.portfolio.sheet.sweeps import capacity


def told(done: Backtest, name: str) -> tuple[Record, Sheet]:
    """The record of a backtest and its sheet. Raises BadInput for a course that is too short for one."""
    days = len(done.done.days_TK)
    if days < LEAST_DAYS:
        found = f"{counted(days, 'day has', 'days have')} a close from the first fill on"
        raise BadInput(Fault("too_short", f"{found}; a tear sheet needs {LEAST_DAYS}", "give later prices"))
    record = record_of(done, name, Trials(count=done.config.signal.trials))
    return record, sheet_of(record)


def figures(done: Backtest, record: Record, sheet: Sheet) -> dict[str, Any]:
    """Every figure, with its standard error where it has one, the config, and the days without a book."""
    found, (chance, rival) = calibrate(record.net_T, record.forecast_T), deflated(record)
    return {
        "from": record.columns[0], "to": record.columns[-1], "days": len(record.columns),
        "figures": {
            one.name: {"value": one.value, "standard_error": one.error, "unit": one.unit} for one in sheet.figures
        },
        "trials": record.trials.count, "deflated_sharpe": chance, "best_of_luck": rival,
        "probability_of_backtest_overfitting": overfitting(record), "capacity": capacity(record),
        "risk": None if found is None else asdict(found),
        "days_without_book": [{"date": date, "reason": reason} for date, reason in done.refused],
        "settled": [{"date": date, "id": name} for date, name in done.settled],
        "config": asdict(done.config),
    }  # fmt: skip


def html(done: Backtest, record: Record, sheet: Sheet) -> str:
    """The tear sheet as one file."""
    parts = [written.verdict(sheet), *map(written.section, sheet.sections), written.numbers(sheet)]
    if done.refused:
        refused = pd.DataFrame(done.refused, columns=["Date", "Why no book was made"])
        parts += [reports.heading("Days without a book"), reports.table(refused)]
    if done.settled:
        settled = pd.DataFrame(done.settled, columns=["Date", "Asset that had stopped trading"])
        parts += [reports.heading("Settled at the last close"), reports.table(settled)]
    parts += [reports.heading("Settings"), reports.table(_settings(done.config))]
    return reports.page(f"Backtest of {record.name}", lede(record), parts, style=written.style())


def lede(record: Record) -> str:
    """What the sheet rests on, in words."""
    costs, execution = record.costs, record.execution
    delay = "the next close" if execution.delay_days == 1 else f"the close {execution.delay_days} days later"
    impact = "no impact, as there are no volumes"
    if record.orders.impact_RN is not None:
        impact = f"square-root impact for a book of {execution.capital:,.0f}"
    return (
        f"{len(record.columns)} trading days from {record.columns[0]} to {record.columns[-1]}. A signal known at one "
        f"close is traded at {delay}. Charged are {10_000 * costs.half_spread:.1f} bp of half-spread, "
        f"{100 * costs.borrow_per_year:.1f} % a year on shorts, and {impact}. Weights drift between trades."
    )


def _settings(config: BacktestConfig) -> pd.DataFrame:
    rows = [(f"{section}.{key}", str(value)) for section, keys in asdict(config).items() for key, value in keys.items()]
    return pd.DataFrame(rows, columns=["Setting", "Value"])
