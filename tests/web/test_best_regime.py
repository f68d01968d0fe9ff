"""In which regime a model is called best."""

import numpy as np

from regatta.scores.board import MIN_REGIME_ROUNDS, best_regimes

NAN = float("nan")


def test_the_regime_of_the_highest_mean_is_best() -> None:
    regimes = ["Stress"] * MIN_REGIME_ROUNDS + ["Rotation"] * MIN_REGIME_ROUNDS
    corr = np.array([[0.01, 0.05]] * MIN_REGIME_ROUNDS + [[0.03, 0.02]] * MIN_REGIME_ROUNDS)

    best = best_regimes(regimes, corr)

    assert [(name, round(mean, 6)) for name, mean in best if name] == [("Rotation", 0.03), ("Stress", 0.05)]


def test_a_regime_of_few_rounds_is_never_best() -> None:
    regimes = ["Stress"] * MIN_REGIME_ROUNDS + ["Rotation"] * (MIN_REGIME_ROUNDS - 1)
    corr = np.array([[0.01]] * MIN_REGIME_ROUNDS + [[0.9]] * (MIN_REGIME_ROUNDS - 1))

    assert best_regimes(regimes, corr)[0] == ("Stress", 0.01)


def test_rounds_that_a_model_missed_do_not_count() -> None:
    corr = np.array([[0.01]] * (MIN_REGIME_ROUNDS - 1) + [[NAN]])

    assert best_regimes(["Stress"] * MIN_REGIME_ROUNDS, corr) == [None]


def test_rounds_before_regimes_were_told_have_no_best() -> None:
    assert best_regimes([None] * 9, np.full((9, 1), 0.02)) == [None]
