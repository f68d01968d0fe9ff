"""Signals of several tournaments on one book, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.portfolio.multi_asset.alphas import LONG_SHARPE, Signals, alphas, newest_signal, standardised
from tournament.portfolio.multi_asset.config import TournamentFiles

DATES = np.arange(np.datetime64("2020-01-01"), np.datetime64("2020-01-11"))
ALL, VOLATILITY = np.ones(3, dtype=bool), np.array([0.01, 0.02, 0.04])


def tournament(signal: list[float], *, row: int = 5, **about: object) -> Signals:
    signal_TN = np.full((len(DATES), 3), np.nan)
    signal_TN[row] = signal
    return Signals(TournamentFiles(name="one", signals="file", **about), signal_TN)  # type: ignore[arg-type]


def test_relative_scores_sum_to_nothing_and_directional_ones_keep_their_sign() -> None:
    assert standardised(np.array([1.0, 2.0, 3.0]), "relative") == pytest.approx(np.array([-1, 0, 1]) * np.sqrt(1.5))
    assert standardised(np.array([1.0, 1.0, -1.0]), "directional") == pytest.approx([1, 1, -1])
    assert standardised(np.array([2.0, 2.0, np.nan]), "relative")[:2].tolist() == [0.0, 0.0]


def test_a_signal_is_remembered_until_it_is_too_old_and_never_before_it_was_given() -> None:
    one = tournament([1.0, np.nan, -1.0], age_days=3)

    assert np.isnan(newest_signal(one, DATES, 4)).all()
    assert newest_signal(one, DATES, 8)[[0, 2]].tolist() == [1.0, -1.0]
    assert np.isnan(newest_signal(one, DATES, 9)).all()


def test_alphas_of_two_tournaments_add_each_by_its_own_corr_horizon_and_weight() -> None:
    first = tournament([1.0, 1.0, -1.0], standard="directional", expected_corr=0.1, horizon_days=25)
    second = tournament([1.0, np.nan, np.nan], standard="directional", expected_corr=0.02, horizon_days=4, weight=0.5)

    made = alphas((first, second), DATES, 6, VOLATILITY, here_N=ALL, horizon_days=10)

    one, other = 0.1 * 10 / 5, 0.5 * 0.02 * 10 / 2
    assert made.return_N == pytest.approx(VOLATILITY * [one + other, one, -one])


def test_what_no_tournament_speaks_of_has_no_alpha() -> None:
    made = alphas((tournament([1.0, 2.0, np.nan]),), DATES, 6, VOLATILITY, here_N=ALL, horizon_days=10)

    assert np.isfinite(made.return_N).tolist() == [True, True, False]


def test_without_tournaments_everything_earns_alike_for_its_risk() -> None:
    made = alphas((), DATES, 6, VOLATILITY, here_N=np.array([True, True, False]), horizon_days=252)

    assert made.return_N[:2] / (VOLATILITY[:2] * 252) == pytest.approx([LONG_SHARPE / np.sqrt(252)] * 2)
    assert np.isnan(made.return_N[2])
