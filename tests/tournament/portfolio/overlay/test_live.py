"""A live book's exposure: chosen from its own days, carried from choice to choice, told with its reasons."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tournament.portfolio.limits import Costs, Limits
from tournament.portfolio.overlay.learned import GAINS, PRIOR, SCEPTICAL, prior_at
from tournament.portfolio.overlay.live import Course, Protection, chosen, followed, held_to, protected
from tournament.portfolio.overlay.settings import LEARNABLE, LIVE, Floats
from tournament.portfolio.rebalance import rebalance
from tournament.portfolio.risk import RiskModel


def days(count: int, *, wild_last: int = 0) -> Floats:
    daily_T = 0.004 * np.random.default_rng(1).standard_normal(count)
    daily_T[count - wild_last :] *= 3.0
    return np.asarray(daily_T)


def test_a_young_book_is_held_whole() -> None:
    exposure = chosen(followed(Course.begun(), days(40), cost=0.0005), Protection())

    assert exposure.share == 1.0
    assert (exposure.days, exposure.waits) == (40, 20)
    assert all(one.seen is None for one in exposure.settings)


def test_a_wild_book_is_held_in_part_and_never_beyond_the_whole() -> None:
    wild = chosen(followed(Course.begun(), days(400, wild_last=60), cost=0.0005), Protection())
    calm = chosen(followed(Course.begun(), days(400)[::-1] * np.linspace(2, 0.5, 400), cost=0.0005), Protection())

    assert 0.4 < wild.share < 0.8
    assert wild.volatility_now > wild.volatility_long
    assert calm.share == 1.0


def test_what_is_kept_with_a_book_is_all_that_the_next_needs() -> None:
    daily_T = days(1_000)
    whole = followed(Course.begun(), daily_T, cost=0.0005)

    course = Course.begun()
    for part_T in np.split(daily_T, [5, 10, 400, 403]):
        course = Course.read(json.loads(json.dumps(followed(course, part_T, cost=0.0005).written())))

    assert course.written() == whole.written()


def test_a_course_of_other_settings_begins_anew() -> None:
    kept = Course.begun().written()
    kept["state"]["held"] = kept["state"]["held"][:-1]

    assert Course.read(kept).written() == Course.begun().written()
    assert Course.read({}).written() == Course.begun().written()


def test_after_enough_batches_the_book_speaks_for_itself() -> None:
    exposure = chosen(followed(Course.begun(), days(1_000), cost=0.0005), Protection())

    default, constant = exposure.settings[:2]
    assert constant.seen is not None
    assert default.believed == pytest.approx(0.0)
    low, high = sorted((constant.prior, constant.seen))
    assert low <= constant.believed <= high


def test_the_learned_prior_has_every_setting() -> None:
    assert set(GAINS) == set(LEARNABLE) == set(LIVE)
    assert PRIOR.gain_J[0] == 0


def test_a_limit_on_the_drawdown_leaves_its_share() -> None:
    course = followed(Course.begun(), days(40), cost=0.0005)

    assert protected(0.9, Protection(limit=0.2)) == pytest.approx(0.1 / (0.2 * 0.9))
    assert protected(0.5, Protection(limit=0.2, floor=0.3)) == pytest.approx(0.3)
    assert chosen(course, Protection(limit=0.2), kept=0.9).share == pytest.approx(0.556)
    assert chosen(course, Protection(), kept=0.5).share == 1.0


def test_half_the_exposure_is_the_best_book_halved() -> None:
    rng = np.random.default_rng(3)
    alpha_N, before_N = 0.01 * rng.standard_normal(40), np.zeros(40)
    risk = RiskModel(0.02 * rng.standard_normal((40, 3)), rng.uniform(1e-4, 3e-4, 40))
    limits, costs = Limits(turnover=10.0, position=0.08, beta_neutral=False), Costs()

    whole = rebalance(alpha_N, risk, before_N, limits, costs)
    half = rebalance(alpha_N, risk, before_N, held_to(limits, 0.5), costs)

    assert half.weights_N == pytest.approx(0.5 * whole.weights_N, abs=1e-9)


def test_the_whole_exposure_leaves_limits_as_they_were() -> None:
    assert held_to(Limits(), 1.0) == Limits()


def test_a_book_of_the_past_reads_no_prior_learned_later() -> None:
    before, after = np.datetime64("2023-08-31T23:00"), np.datetime64("2023-09-01T00:00")

    assert prior_at(before) is SCEPTICAL
    assert not SCEPTICAL.gain_J.any()
    assert prior_at(after) is PRIOR
