"""The learner leaves the default only for what is sure, knows no future, and would be caught if it did."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tournament.portfolio.overlay.controls import manage
from tournament.portfolio.overlay.evidence import Estimate, Evidence, estimated, gather, gathered
from tournament.portfolio.overlay.judging import judge, largest_drawdown, sharpe_gain_error
from tournament.portfolio.overlay.learner import foreseen, gated, learn, mixed
from tournament.portfolio.overlay.prior import Prior, learned_prior, posterior, stretches
from tournament.portfolio.overlay.settings import CONSTANT, DEFAULT, Floats
from tournament.portfolio.overlay.worlds import WorldRanges, simulate_strategies

YEAR = 252.0
NO_WORLDS = Estimate(np.empty((3, 0)), np.empty((3, 0)))


def courses(*, gain: float = 0.0, periods: int = 3_000, seed: int = 2) -> Floats:
    """Net returns of three settings on two strategies; the second setting earns more a day by `gain` of volatility."""
    rng = np.random.default_rng(seed)
    shared_TS = rng.standard_normal((periods, 2))
    own_TJS = 0.3 * rng.standard_normal((periods, 3, 2))
    own_TJS[:, 1] += gain
    return np.asarray(0.01 * (shared_TS[:, None] + own_TJS))


def test_weights_sum_to_one_and_stay_with_the_default_without_evidence() -> None:
    learned = learn(gather(courses(), periods_a_year=YEAR), NO_WORLDS)

    assert learned.weight_RJS.sum(axis=1) == pytest.approx(1.0)
    assert (learned.weight_RJS[:8, 0] == 1.0).all()
    assert learned.weight_RJS[:, 0].mean() > 0.9


def test_a_setting_that_surely_earns_more_is_turned_to_and_logged() -> None:
    learned = learn(gather(courses(gain=0.06), periods_a_year=YEAR), NO_WORLDS)

    assert (learned.weight_RJS[-1, 1] > 0.4).all()
    assert (learned.weight_RJS[-1, 2] < 0.05).all()
    first = learned.moves[0]
    assert first.setting == 1
    assert first.after > first.before
    assert first.gain > 2 * first.error > 0


def test_future_returns_change_no_earlier_weight_by_a_bit() -> None:
    ours, theirs = courses(gain=0.06), courses(gain=0.06)
    theirs[1_900:] *= -2.0

    before, after = (learn(gather(one, periods_a_year=YEAR), NO_WORLDS) for one in (ours, theirs))

    reviews = 1_900 // 63 + 1
    assert np.array_equal(before.weight_RJS[:reviews], after.weight_RJS[:reviews])
    assert not np.array_equal(before.weight_RJS[reviews:], after.weight_RJS[reviews:])


def test_weights_act_after_the_review_that_gave_them() -> None:
    learned = learn(gather(courses(gain=0.06, periods=1_300), periods_a_year=YEAR), NO_WORLDS)

    in_force = learned.weights_T(1_300)

    assert np.array_equal(in_force[62], learned.weight_RJS[0])
    assert np.array_equal(in_force[63], learned.weight_RJS[1])


def test_the_canary_earns_what_no_honest_learner_does() -> None:
    net_TJS = courses(gain=0.0)
    moments = gather(net_TJS, periods_a_year=YEAR)

    honest, leak = (
        (net_TJS * one.weights_T(len(net_TJS))).sum(axis=1)[:, 0]
        for one in (learn(moments, NO_WORLDS), foreseen(moments))
    )

    base_T = net_TJS[:, 0, 0]
    assert judge(leak, base_T, periods_a_year=YEAR, block=63).gain > 0.4
    assert abs(judge(honest, base_T, periods_a_year=YEAR, block=63).gain) < 0.05


def test_the_part_of_a_gain_beyond_its_errors_moves() -> None:
    gains = Estimate(np.array([[0.0], [0.30], [0.10]]), np.array([[0.0], [0.10], [0.08]]))

    weight = gated(gains, sigmas=2.0)[:, 0]

    assert weight == pytest.approx([2 / 3, 1 / 3, 0.0])


def test_the_prior_is_the_random_effects_mean() -> None:
    tasks = Estimate(np.array([[0.0, 0.4, 0.2, 9.0]]), np.array([[0.1, 0.1, 0.1, np.inf]]))

    prior = learned_prior(tasks)

    between = (8.0 - 2.0) / (300.0 - 100.0)
    assert prior.tasks == 3
    assert prior.gain_J[0] == pytest.approx(0.2)
    assert prior.spread_J[0] == pytest.approx(np.sqrt(between + (0.01 + between) / 3))


def test_own_evidence_moves_the_prior_by_precision() -> None:
    prior = Prior(np.array([0.0, 0.1]), np.array([0.1, 0.1]), 5)

    after = posterior(prior, Estimate(np.array([[0.0], [0.3]]), np.array([[np.inf], [0.2]])))

    assert after.gain[:, 0] == pytest.approx([0.0, (0.1 * 100 + 0.3 * 25) / 125])
    assert after.error[1, 0] == pytest.approx(1 / np.sqrt(125))


def test_without_a_prior_only_own_evidence_counts() -> None:
    after = posterior(Prior.unknown(1), Estimate(np.array([[0.3]]), np.array([[0.2]])))

    assert after.gain[0, 0] == pytest.approx(0.3)
    assert after.error[0, 0] == pytest.approx(0.2)


def test_gains_are_measured_at_the_same_risk() -> None:
    base = courses()[:, :1]

    evidence = gather(np.concatenate([base, 2.5 * base], axis=1), periods_a_year=YEAR)[-1]

    assert estimated(evidence).gain == pytest.approx(0.0, abs=1e-9)


def test_evidence_goes_on_from_where_it_was_kept() -> None:
    net_TJS = courses(periods=800)
    whole = gather(net_TJS, periods_a_year=YEAR, every=800)[-1]

    half = gather(net_TJS[:400], periods_a_year=YEAR, every=400)[-1]
    kept = Evidence.read(json.loads(json.dumps(half.written())))
    for net_JS in net_TJS[400:]:
        kept = gathered(kept, net_JS, periods_a_year=YEAR)

    assert np.array_equal(kept.gains, whole.gains)
    assert np.array_equal(kept.squared_gains, whole.squared_gains)


def test_a_strategy_is_no_task_of_its_own_prior() -> None:
    net_TJS = courses(periods=2_600)
    moments = gather(net_TJS, periods_a_year=YEAR)
    net_TJS[:, 1, 0] += 0.001

    other = learn(gather(net_TJS, periods_a_year=YEAR), NO_WORLDS)

    assert stretches(moments).gain.shape == (3, 4)
    priors = {move.prior_gain for move in other.moves if move.strategy == 0 and move.setting == 1}
    assert max(priors) < 0.5


def test_targeting_volatility_gains_where_return_does_not_pay_for_it() -> None:
    gains = []
    for power in (0.0, 1.0, 2.0):
        ranges = WorldRanges(payoff_power=(power, power), sharpe_mean=0.8, sharpe_spread=0.0, cost=(0.0, 0.0))
        worlds = simulate_strategies(np.random.default_rng(5), worlds=80, periods=2_520, ranges=ranges)
        managed = manage(worlds.return_TW, worlds.cost_TW, [CONSTANT, DEFAULT], periods_a_year=YEAR)
        gains.append(estimated(gather(managed.net_TJS, periods_a_year=YEAR)[-1]).gain[1].mean())

    assert gains[0] > 0.02
    assert gains[2] < -0.01
    assert gains[0] > gains[1] > gains[2]


def test_worlds_are_repeated_by_their_seed() -> None:
    one, two = (simulate_strategies(np.random.default_rng(5), worlds=3, periods=50) for _ in range(2))

    assert np.array_equal(one.return_TW, two.return_TW)


def test_the_error_of_a_gain_is_that_of_independent_draws() -> None:
    rng = np.random.default_rng(0)
    net_T, base_T = 0.01 * rng.standard_normal((2, 4_000))

    error = sharpe_gain_error(net_T, base_T, periods_a_year=YEAR, block=5)

    assert error == pytest.approx(np.sqrt(2 * 252 / 4_000), rel=0.1)
    assert sharpe_gain_error(base_T, base_T, periods_a_year=YEAR, block=5) == 0


def test_drawdowns_are_told_as_run_and_at_equal_risk() -> None:
    base_T = np.array([0.1, -0.2, 0.05, 0.02, -0.03, 0.04])

    halved = judge(0.5 * base_T, base_T, periods_a_year=YEAR, block=2)

    assert largest_drawdown(base_T) == pytest.approx(0.2)
    assert halved.drawdown == pytest.approx(0.1)
    assert halved.drawdown_matched == pytest.approx(0.2)
    assert halved.gain == pytest.approx(0.0, abs=1e-12)


def test_the_mixture_pays_for_its_own_changes_alone() -> None:
    exposure_TJS = np.array([[[1.0], [1.0]], [[2.0], [1.0]]])
    weight_TJS = np.full((2, 2, 1), 0.5)

    exposure_TS, net_TS = mixed(exposure_TJS, weight_TJS, np.full((2, 1), 0.01), np.full((2, 1), 0.001))

    assert exposure_TS[:, 0] == pytest.approx([1.0, 1.5])
    assert net_TS[:, 0] == pytest.approx([0.01, 0.015 - 0.0005])
