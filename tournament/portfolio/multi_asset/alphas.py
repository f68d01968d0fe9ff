"""Signals of several tournaments on one book: each standardised on its own, then added as expected returns.

Shape suffixes: T rows, N instruments, U those that may be held, S tournaments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tournament.portfolio.accounting import DAYS_A_YEAR
from tournament.portfolio.multi_asset.config import Standard, TournamentFiles
from tournament.portfolio.risk import Floats

LARGEST_SCORE = 3.0
LONG_SHARPE = 0.3
"""Of an instrument held for its premium alone, a year: what is expected of it where no tournament says anything."""


@dataclass(frozen=True, slots=True)
class Signals:
    """One tournament's signals on the rows of a panel (T x N); NaN where it gave none."""

    about: TournamentFiles
    signal_TN: Floats


@dataclass(frozen=True, slots=True)
class Alphas:
    """What is expected of each instrument: `return_N` over the book's horizon, `score_N` the same in volatilities.

    NaN where no tournament has a signal that is still remembered.
    """

    return_N: Floats
    score_N: Floats


def newest_signal(one: Signals, dates_T: NDArray[np.datetime64], row: int) -> Floats:
    """Each instrument's newest signal at the close of a row, if it is not forgotten yet (N)."""
    days = (dates_T[row] - dates_T[: row + 1]).astype("timedelta64[D]").astype(int)
    recent_TN = one.signal_TN[: row + 1][days <= one.about.age_days]
    given_TN = np.isfinite(recent_TN)
    place_N = len(recent_TN) - 1 - np.argmax(given_TN[::-1], axis=0)
    newest_N = recent_TN[place_N, np.arange(recent_TN.shape[1])]
    return np.where(given_TN.any(axis=0), newest_N, np.nan)


def standardised(signal_N: Floats, standard: str) -> Floats:
    """Scores of unit size among those that have one; relative ones sum to 0, directional ones keep their sign.

    NaN stays; scores beyond three are cut. Where nothing differs a relative score is 0.
    """
    known_N = np.isfinite(signal_N)
    if not known_N.any():
        return signal_N
    centred_N = signal_N - signal_N[known_N].mean() if standard == Standard.RELATIVE else signal_N
    size = float(np.sqrt((centred_N[known_N] ** 2).mean()))
    return np.clip(centred_N / size if size > 0 else centred_N, -LARGEST_SCORE, LARGEST_SCORE)


def alphas(
    signals: Sequence[Signals],
    dates_T: NDArray[np.datetime64],
    row: int,
    volatility_N: Floats,
    *,
    here_N: NDArray[np.bool_],
    horizon_days: int,
) -> Alphas:
    """Expected returns over the horizon, of all tournaments together, as known at the close of a row.

    alpha = sum of weight x corr x volatility x score x horizon / (own horizon)^(1/2): each forecast's corr is with the
    returns of its own horizon. `volatility_N` is a day's; a tournament is standardised among `here_N` alone. Without
    tournaments everything is expected to earn LONG_SHARPE for its risk (score 1). Source: Grinold 1994; adding assumes
    that forecasts of the same instrument err apart.
    """
    if not signals:
        earned_N = LONG_SHARPE / np.sqrt(DAYS_A_YEAR) * horizon_days * volatility_N
        return Alphas(np.where(here_N, earned_N, np.nan), np.where(here_N, 1.0, np.nan))
    total_N, given_N = np.zeros(len(volatility_N)), np.zeros(len(volatility_N), dtype=bool)
    for one in signals:
        score_N = standardised(np.where(here_N, newest_signal(one, dates_T, row), np.nan), one.about.standard)
        known_N = np.isfinite(score_N)
        strength = one.about.weight * one.about.expected_corr * horizon_days / np.sqrt(one.about.horizon_days)
        total_N[known_N] += strength * score_N[known_N]
        given_N |= known_N
    score_N = np.where(given_N, total_N, np.nan)
    return Alphas(score_N * volatility_N, score_N)
