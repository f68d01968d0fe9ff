"""What a multi-asset book did: figures with their errors, and each group's part of value, cost and risk.

Shape suffixes: T rows walked through, N instruments, G groups, S steps (days of the whole book).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tournament.portfolio.accounting import COLUMNS
from tournament.portfolio.calibration import Calibration, calibrate
from tournament.portfolio.metrics import MEASURES, resamples
from tournament.portfolio.multi_asset.walk import Walked, contracts
from tournament.portfolio.risk import Floats
from tournament.portfolio.tearsheet import Figure

SEED = 0


@dataclass(frozen=True, slots=True)
class GroupPart:
    """One group's part of the book's returns a year, and of its risk as forecast and as it was."""

    name: str
    gross: float
    carry: float
    cost: float
    sharpe: float
    sharpe_error: float
    forecast_share: float
    realised_share: float


def step_sums(made: Walked, values_T: Floats) -> Floats:
    """Values of rows summed over each step: what weekends bring is Monday's (S, or S x G)."""
    steps = _steps(made)
    return np.add.reduceat(values_T, np.concatenate([[0], steps[:-1] + 1]), axis=0)


def step_returns(made: Walked, name: str) -> Floats:
    """Returns of rows compounded over each step (S)."""
    return np.asarray(np.expm1(step_sums(made, np.log1p(made.column(name)))))


def figures_of(made: Walked) -> tuple[Figure, ...]:
    """Every measure of the net returns with a block-bootstrap error; exposure, turnover and cost besides."""
    net_S, a_year = step_returns(made, "net_return"), made.panel.steps_a_year
    gross_S, years = step_returns(made, "gross_return"), len(net_S) / a_year
    rows_BS = resamples(len(net_S), seed=SEED)
    with np.errstate(all="ignore"):
        told = [
            Figure(one.name, float(one.of(net_S, a_year)), _error(one.of(net_S[rows_BS], a_year)),
                   one.unit)
            for one in MEASURES
        ]  # fmt: skip
    by_name = {one.name: one for one in MEASURES}
    before = by_name["Sharpe ratio"].of
    return (
        *told,
        Figure("Sharpe ratio before costs", float(before(gross_S, a_year)),
               _error(before(gross_S[rows_BS], a_year))),
        Figure("Return a year before costs", float(by_name["Return a year"].of(gross_S, a_year)), None, "%"),
        Figure("Gross exposure", float(made.column("gross").mean()), None, "%"),
        Figure("Net exposure", float(made.column("net").mean()), None, "%"),
        Figure("Turnover a year", float(made.column("turnover").sum()) / years),
        Figure("Cost a year", float(made.column("cost").sum()) / years, None, "%"),
        Figure("Carry a year", float(made.column("dividend").sum()) / years, None, "%"),
        Figure("Years", years),
    )  # fmt: skip


def forecast_steps(made: Walked) -> Floats:
    """Volatility of a day that was forecast for each step, of the book held into it; NaN before any (S)."""
    ends = made.first + _steps(made)
    fills = np.array([one.fill for one in made.decisions])
    forecast_R = np.array([one.volatility_per_year for one in made.decisions]) / np.sqrt(made.panel.steps_a_year)
    book_S = np.searchsorted(fills, ends, side="left") - 1
    return np.where(book_S >= 0, forecast_R[np.maximum(book_S, 0)], np.nan)


def calibration_of(made: Walked) -> Calibration | None:
    """Whether the forecast volatility was right."""
    return calibrate(step_returns(made, "net_return"), forecast_steps(made))


def group_parts(made: Walked) -> tuple[GroupPart, ...]:
    """The groups' parts; they sum to the book's gross return, carry and cost (borrow and spread)."""
    names = sorted(set(made.panel.groups))
    inside_NG = np.array([[group == name for name in names] for group in made.panel.groups], dtype=float)
    earned, carry, cost = (step_sums(made, part_TN @ inside_NG) for part_TN in parts_by_instrument(made))
    net_SG, a_year = earned + carry - cost, made.panel.steps_a_year
    rows_BS, total_S = resamples(len(net_SG), seed=SEED), net_SG.sum(axis=1)
    variance = float(total_S.var())
    sharpe = next(one.of for one in MEASURES if one.name == "Sharpe ratio")
    told = []
    for place, name in enumerate(names):
        net_S, shares = net_SG[:, place], [one.shares.get(name, 0.0) for one in made.decisions]
        with np.errstate(all="ignore"):
            error = _error(sharpe(net_S[rows_BS], a_year))
        covariance = float(np.cov(net_S, total_S, bias=True)[0, 1])
        told.append(
            GroupPart(
                name, float((earned + carry)[:, place].mean() * a_year), float(carry[:, place].mean() * a_year),
                float(cost[:, place].mean() * a_year), float(sharpe(net_S, a_year)), error, float(np.mean(shares)),
                covariance / variance if variance > 0 else float("nan"),
            )
        )  # fmt: skip
    return tuple(told)


def parts_by_instrument(made: Walked) -> tuple[Floats, Floats, Floats]:
    """What prices, carry and costs (spread, borrow) made of the book by instrument (T x N each).

    Fractions of the value at the row before; over instruments they sum to the engine's own columns. The value of what
    is delisted stays at its last close.
    """
    panel, first = made.panel, made.first
    rows = slice(first, None)
    held_TN = np.vstack([np.zeros(len(panel.ids)), made.table("weights_TN")[:-1]])
    before_TN = np.vstack([panel.known_TN[max(first - 1, 0)], panel.known_TN[rows][:-1]])
    growth_TN = np.where(np.isfinite(before_TN) & (held_TN != 0), panel.known_TN[rows] / before_TN, 1.0)
    carry_TN = held_TN * growth_TN * panel.carry_TN[rows]
    borrow_N = np.array([one.borrow_per_year for one in panel.instruments]) / panel.rows_a_year
    borrow_TN = np.maximum(-held_TN, 0.0) * borrow_N
    base_T = 1.0 + made.column("gross_return") - made.column("borrow")
    spread_TN = np.abs(made.table("trades_TN")) * base_T[:, None] * _spreads_paid(made)
    return held_TN * (growth_TN - 1.0), carry_TN, borrow_TN + spread_TN


def positions(made: Walked) -> pd.DataFrame:
    """date, id, weight, contracts of every position held at a close."""
    weights_TN, value_T = made.table("weights_TN"), made.column("nav")
    units = [
        contracts(weights_N, made.panel, made.first + row, float(value_T[row]) * made.config.book.capital)
        for row, weights_N in enumerate(weights_TN)
    ]
    rows, columns = np.nonzero(weights_TN)
    return _long(made, rows, columns, {"weight": weights_TN, "contracts": np.array(units)})


def trades(made: Walked) -> pd.DataFrame:
    """date, id, trade: money traded at a close, as a fraction of the book before its costs."""
    trades_TN = made.table("trades_TN")
    rows, columns = np.nonzero(trades_TN)
    return _long(made, rows, columns, {"trade": trades_TN})


def nav(made: Walked) -> pd.DataFrame:
    """One row a day of the joint calendar from the first fill on."""
    days_TK = made.table("days_TK")
    frame = pd.DataFrame({"date": pd.to_datetime(made.dates_T), **dict(zip(COLUMNS, days_TK.T, strict=True))})
    return frame.rename(columns={"dividend": "carry"}).drop(columns=["impact", "interest"])


def budgets(made: Walked) -> pd.DataFrame:
    """date, group, share: each group's share of the forecast variance of each book."""
    rows = [(made.panel.dates_T[one.row], name, share) for one in made.decisions for name, share in one.shares.items()]
    frame = pd.DataFrame(rows, columns=["date", "group", "share"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


def _error(drawn_B: Floats) -> float:
    """Deviation of a figure over resamples; NaN where too few have one."""
    known_B = drawn_B[np.isfinite(drawn_B)]
    return float(known_B.std(ddof=1)) if len(known_B) > 2 else float("nan")


def _steps(made: Walked) -> np.ndarray:
    """Last row of each step, counted from the first fill; rows after the last step are left to it."""
    steps = np.flatnonzero(made.panel.steps_T[made.first :])
    return np.concatenate([steps[:-1], [len(made.dates_T) - 1]])


def _spreads_paid(made: Walked) -> Floats:
    """The half-spread at which each row's trades were made: that known when its piece of the course began (T x N)."""
    spreads = []
    for course in made.courses:
        known_N = made.panel.spread_TN[max(course.first - 1, 0)]
        spreads.append(np.broadcast_to(known_N, (len(course.days_TK), len(known_N))))
    return np.concatenate(spreads)[made.first - made.courses[0].first :]


def _long(made: Walked, rows: np.ndarray, columns: np.ndarray, values: dict[str, Floats]) -> pd.DataFrame:
    ids = np.array(made.panel.ids, dtype=object)[columns]
    told = {name: value_TN[rows, columns] for name, value_TN in values.items()}
    return pd.DataFrame({"date": pd.to_datetime(made.dates_T[rows]), "id": ids, **told})
