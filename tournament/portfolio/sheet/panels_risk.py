"""Parts of the sheet about risk and honesty: forecasts, styles, models, one weight, overlays, luck and overfitting."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import kurtosis, skew

from tournament.evaluation.statistics import expected_best, overfitting_probability, probable_sharpe
from tournament.portfolio.accounting import DAYS_A_YEAR
from tournament.portfolio.backtest import held_into
from tournament.portfolio.calibration import calibrate
from tournament.portfolio.metrics import depths, sharpe
from tournament.portfolio.sheet.attribution import Attribution
from tournament.portfolio.sheet.draw import PAINTS, Curve, bars, lines, number, percent
from tournament.portfolio.sheet.panel import Panel, none, table
from tournament.portfolio.sheet.record import Record

one, two = partial(percent, digits=1), partial(percent, digits=2)
MODELS = 5


def risk_panels(record: Record, frame: pd.DataFrame, parted: Attribution) -> tuple[Panel, ...]:
    """Figures 21, 22 and 31."""
    days = record.columns
    forecast = [
        Curve("forecast", frame["forecast_volatility"].to_numpy(), PAINTS[1]),
        Curve("realised, half a year", frame["volatility_half_year"].to_numpy()),
    ]
    bias_T = frame["bias_half_year"].to_numpy()
    right = [Curve("bias", bias_T), Curve("right", np.ones(len(days)), PAINTS[5], faint=True)]
    return (
        Panel(
            "Was the risk as forecast?",
            lines(days, forecast, write=percent, zero=True, label="Volatility a year"),
            _told(record),
        ),
        Panel(
            "Was it over- or underrated?",
            lines(days, right, label="Bias statistic") + _qlike(record, frame),
            "Bias: the deviation of returns over their forecast, of half a year, ± 0.06; 1 is right, above it risk was "
            "underrated.",
        ),
        Panel(
            "Which styles did it lean on?",
            _exposures(record, parted),
            "Weights times standardised styles, mean of a month.",
            wide=True,
        ),
        Panel(
            "What did styles earn, what the choice of assets?",
            _earned(record, parted),
            "Before costs, summed.",
            wide=True,
        ),
        Panel(
            "What held it back?",
            _state(record),
            _held_back(record),
            wide=True,
        ),
    )


def honesty_panels(record: Record) -> tuple[Panel, ...]:
    """Figures 27, 28 and 30."""
    return (
        Panel("Could it be luck?", *_luck(record), wide=True),
        Panel("What did each model do for the book?", _models(record), _models_note(record)),
        Panel("Why this weight?", *_waterfall(record)),
    )


def deflated(record: Record) -> tuple[float, float]:
    """Deflated Sharpe ratio (a probability) and the Sharpe ratio, a year, that the best of so many lucky ones shows.

    The spread of the trials' Sharpe ratios is theirs where at least two are known, else what chance alone gives.
    Source: Bailey and Lopez de Prado 2014, equations 1 and 2.
    """
    net_T, known = record.net_T, record.trials.sharpes_S[np.isfinite(record.trials.sharpes_S)]
    spread = float(known.std(ddof=1)) if len(known) > 1 else 1.0 / np.sqrt(len(net_T))
    rival = expected_best(record.trials.count) * spread
    chance = probable_sharpe(
        float(sharpe(net_T, 1.0)),
        rival,
        rounds=len(net_T),
        skewness=float(skew(net_T)),
        tails=float(kurtosis(net_T, fisher=False)),
    )
    return chance, rival * float(np.sqrt(DAYS_A_YEAR))


def shortest_record(record: Record) -> float:
    """Years of record after which this Sharpe ratio would be above zero at 95 % (MinTRL); NaN for none above zero.

    Source: Bailey and Lopez de Prado 2012, equation 13.
    """
    ratio = float(sharpe(record.net_T, 1.0))
    if not ratio > 0:
        return float("nan")
    tails = float(kurtosis(record.net_T, fisher=False))
    variance = 1.0 - float(skew(record.net_T)) * ratio + (tails - 1.0) / 4.0 * ratio**2
    return (1.0 + variance * (1.6449 / ratio) ** 2) / DAYS_A_YEAR


def overfitting(record: Record) -> float:
    """PBO by CSCV over the strategies that were tried; NaN where there is none but this one."""
    returns_TS = record.trials.returns_TS
    return float("nan") if returns_TS is None else overfitting_probability(returns_TS)


def _told(record: Record) -> str:
    found = calibrate(record.net_T, record.forecast_T)
    if found is None:
        return "Too short to be judged yet."
    return (
        f"Over all {found.days} days: bias {number(found.bias)} ± {number(found.bias_error)}, "
        f"QLIKE {number(found.qlike)} ± {number(found.qlike_error)} (1.27 for right forecasts of normal returns)."
    )


def _qlike(record: Record, frame: pd.DataFrame) -> str:
    curve = Curve("QLIKE", frame["qlike_half_year"].to_numpy(), PAINTS[2])
    return lines(record.columns, [curve], height=110, label="QLIKE over half a year")


def _exposures(record: Record, parted: Attribution) -> str:
    smooth = pd.DataFrame(parted.exposure_TS).rolling(21, min_periods=1).mean().to_numpy()
    curves = [Curve(name, smooth[:, k], PAINTS[k]) for k, name in enumerate(parted.styles)]
    return lines(record.columns, curves, zero=True, label="Style exposures")


def _earned(record: Record, parted: Attribution) -> str:
    curves = [Curve(name, parted.earned_TS[:, k].cumsum(), PAINTS[k]) for k, name in enumerate(parted.styles)]
    curves.append(Curve("choice of assets", parted.selection_T.cumsum(), PAINTS[5]))
    rows = []
    for name, series in [
        *zip(parted.styles, parted.earned_TS.T, strict=True),
        ("choice of assets", parted.selection_T),
    ]:
        error = float(series.std(ddof=1)) * np.sqrt(DAYS_A_YEAR / record.years) if len(series) > 2 else float("nan")
        predicted = float(series.std(ddof=1)) * np.sqrt(DAYS_A_YEAR)
        rows.append((name, two(float(series.mean()) * DAYS_A_YEAR), two(error), two(predicted)))
    drawn = lines(record.columns, curves, write=one, zero=True, label="Earned by style")
    return drawn + table(("", "A year", "± s.e.", "Volatility"), rows, "Earned by style")


def _state(record: Record) -> str:
    depth = Curve("drawdown", depths(record.net_T), "var(--loss)", filled=True)
    gross = record.course.column("gross")
    lanes = [Curve("gross at work", gross, PAINTS[1])]
    if record.overlay_R is not None:
        left_T = held_into(record.course, record.orders.rows_R, record.overlay_R)
        lanes.insert(0, Curve("left by the overlay", left_T))
    return lines(record.columns, lanes, write=percent, zero=True, height=110, label="State of the overlay") + lines(
        record.columns, [depth], write=percent, zero=True, height=80, label="Drawdown"
    )


def _held_back(record: Record) -> str:
    if record.overlay_R is None:
        return "No overlay was set: what was at work, and the drawdown below it."
    return "What the overlay left of each book, what was at work, and the drawdown below."


def _luck(record: Record) -> tuple[str, str]:
    chance, rival = deflated(record)
    pbo, years = overfitting(record), shortest_record(record)
    error = float(np.sqrt(DAYS_A_YEAR / max(len(record.net_T), 1)))
    ratio = float(sharpe(record.net_T, DAYS_A_YEAR))
    count = f"{record.trials.count}"
    rows = [
        ("Sharpe ratio a year", f"{number(ratio)} ± {number(error)}"),
        ("Trials", count),
        ("Best of so many without skill", number(rival)),
        ("Deflated Sharpe ratio", percent(chance)),
        ("Probability of backtest overfitting", percent(pbo) if np.isfinite(pbo) else "–"),
        ("Years needed to be sure of it", number(years, 1) if np.isfinite(years) else "–"),
        ("Years seen", number(record.years, 1)),
    ]
    drawn = bars(
        ["this book", "best of luck"],
        [ratio, rival],
        errors=[error, float("nan")],
        height=130,
        label="Sharpe against luck",
    )
    note = (
        record.trials.told or "The trials are those that the config names; each that was tried and thrown away counts."
    )
    return drawn + table(("", ""), rows, "Luck and overfitting"), note


def _models(record: Record) -> str:
    if not record.contributions:
        return none("A backtest of one signal has no models to part.")
    rows_R = record.orders.rows_R
    columns = [f"{pd.Timestamp(record.market.dates_T[row]):%Y-%m-%d}" for row in rows_R]
    sums = {name: np.nan_to_num(values).cumsum() for name, values in record.contributions.items()}
    most = sorted(sums, key=lambda name: -abs(sums[name][-1]))[:MODELS]
    return lines(
        columns,
        [Curve(name, sums[name], PAINTS[k]) for k, name in enumerate(most)],
        write=partial(number, digits=4),
        zero=True,
        label="Contribution by model",
    )


def _models_note(record: Record) -> str:
    if not record.contributions:
        return "On the site: the gradient of the book's return with respect to each model's weight."
    return "Gradient of the book's net return by each model's weight, summed over the books; the five largest."


def _waterfall(record: Record) -> tuple[str, str]:
    if record.waterfall is None:
        return none("Known for the books of the site."), ""
    asset, parts = record.waterfall
    drawn = bars(
        list(parts),
        [10_000 * value for value in parts.values()],
        write=partial(number, digits=1),
        label=f"Parts of {asset}",
    )
    rows = [(name, number(10_000 * value, 2)) for name, value in parts.items()]
    told = f"{asset}, the largest position of the newest book, bp per unit of weight: pulls and prices balance."
    return drawn + table(("", "bp"), rows, f"Why {asset} weighs so much"), told
