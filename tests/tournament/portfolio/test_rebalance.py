"""One rebalance: the best book, within its limits, or a refusal that names them."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.errors import BadConfig, BadInput, Infeasible
from tournament.portfolio.limits import Costs, Limits
from tournament.portfolio.rebalance import alpha_from_signal, previous_on, rebalance
from tournament.portfolio.risk import RiskModel, betas, fit_risk_model

FREE = Costs(half_spread=0.0, borrow_per_year=0.0)
LIMITS = Limits(position=0.05, turnover=2.0)


def risk(assets: int = 60, seed: int = 0) -> RiskModel:
    """A fitted model of random returns with one common factor."""
    rng = np.random.default_rng(seed)
    returns = 0.01 * (
        rng.standard_normal((300, 1)) * rng.uniform(0.5, 1.5, assets) + rng.standard_normal((300, assets))
    )
    return fit_risk_model(returns, factors=5)


def alpha(assets: int = 60) -> np.ndarray:
    """Expected returns drawn at random."""
    return np.random.default_rng(1).normal(0, 0.005, assets)


def test_two_assets_solved_by_hand() -> None:
    # w = (v, -v): maximise 2 a v - aversion/2 * 2 s v^2, so v = a / (aversion s) = 0.01 / (20 * 0.01) = 0.05
    model = RiskModel(np.zeros((2, 1)), np.array([0.01, 0.01]))
    limits = Limits(gross=1.0, position=0.5, turnover=2.0, beta_neutral=False)

    book = rebalance(np.array([0.01, -0.01]), model, np.zeros(2), limits, FREE)

    assert book.weights_N == pytest.approx([0.05, -0.05], abs=1e-6)


def test_a_book_keeps_every_limit() -> None:
    beta = np.random.default_rng(2).uniform(0.5, 1.5, 60)

    book = rebalance(alpha(), risk(), np.zeros(60), LIMITS, Costs(), beta_N=beta)

    weights = book.weights_N
    assert abs(weights.sum()) < 1e-6
    assert abs(weights @ beta) < 1e-6
    assert np.abs(weights).max() <= LIMITS.position + 1e-6
    assert np.abs(weights).sum() <= LIMITS.gross + 1e-6
    assert weights @ alpha() > 0


def test_the_turnover_limit_binds_and_is_named() -> None:
    book = rebalance(alpha(), risk(), np.zeros(60), Limits(position=0.05, turnover=0.2), FREE)

    assert book.turnover == pytest.approx(0.2, abs=1e-5)
    assert "turnover" in book.binding


def test_dear_trading_keeps_the_old_book() -> None:
    held = rebalance(alpha(), risk(), np.zeros(60), LIMITS, FREE).weights_N

    book = rebalance(alpha()[::-1].copy(), risk(), held, LIMITS, Costs(half_spread=0.5))

    assert book.turnover < 1e-4


def test_what_may_not_be_held_is_sold() -> None:
    held = rebalance(alpha(), risk(), np.zeros(60), LIMITS, FREE).weights_N
    allowed = np.arange(60) >= 10

    book = rebalance(alpha(), risk(), held, LIMITS, FREE, held_N=allowed)

    assert (book.weights_N[:10] == 0).all()
    assert np.abs(book.weights_N[10:]).sum() > 0.5


def test_the_same_problem_has_the_same_book_whatever_was_solved_before() -> None:
    first = rebalance(alpha(), risk(), np.zeros(60), LIMITS, FREE).weights_N
    rebalance(100 * alpha()[::-1].copy(), risk(seed=5), np.zeros(60), Limits(position=0.9, turnover=2.0), Costs())

    again = rebalance(alpha(), risk(), np.zeros(60), LIMITS, FREE).weights_N

    assert np.array_equal(first, again)


@pytest.mark.parametrize(
    ("previous", "limits", "message"),
    [
        (np.full(60, 0.05), Limits(position=0.01, turnover=0.1), r"no book meets turnover 0.1.*gross 3\.000"),
        (np.zeros(60), Limits(net=0.9, position=0.001, turnover=2.0), "net 0.9 cannot be reached: 60 assets"),
    ],
)
def test_limits_in_conflict_are_named(previous: np.ndarray, limits: Limits, message: str) -> None:
    with pytest.raises(Infeasible, match=message):
        rebalance(alpha(), risk(), previous, limits, FREE)


def test_limits_that_no_book_can_meet_are_refused() -> None:
    with pytest.raises(BadConfig) as caught:
        Limits(gross=-1.0, position=0.0, net=3.0)

    assert len(caught.value.faults) == 3


def test_a_small_universe_gets_a_wider_position_limit() -> None:
    assert Limits(position=0.02).widened_for(20).position == pytest.approx(0.125)
    assert Limits(position=0.02).widened_for(500).position == 0.02


def test_alpha_grows_with_signal_and_volatility() -> None:
    values = alpha_from_signal(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.1, 0.2]), corr=0.02)

    assert values == pytest.approx([-0.02 * 0.1 * np.sqrt(1.5), 0.0, 0.02 * 0.2 * np.sqrt(1.5)])
    assert (alpha_from_signal(np.ones(3), np.ones(3), corr=0.02) == 0).all()


def test_holdings_are_put_in_the_order_of_the_universe() -> None:
    assert previous_on(["b", "a", "new"], {"a": 0.1, "b": -0.1, "gone": 0.3}).tolist() == [-0.1, 0.1, 0.0]


def test_the_risk_model_is_near_the_true_covariance() -> None:
    rng = np.random.default_rng(0)
    loading = rng.uniform(0.5, 1.5, 40)
    returns = 0.01 * (rng.standard_normal((4000, 1)) * loading + rng.standard_normal((4000, 40)))

    model = fit_risk_model(returns, factors=1, half_life=1e9)

    truth = 1e-4 * (np.outer(loading, loading) + np.eye(40))
    assert np.abs(model.covariance() - truth).max() < 3e-5
    weights = np.full(40, 1 / 40)
    assert model.variance(weights) == pytest.approx(weights @ model.covariance() @ weights)


def test_too_few_returns_are_refused() -> None:
    with pytest.raises(BadInput, match="1 days of 5 assets"):
        fit_risk_model(np.zeros((1, 5)))


def test_betas_are_slopes_on_the_market() -> None:
    market = np.random.default_rng(0).normal(0, 0.01, 500)
    returns = np.stack([2 * market, 0.5 * market, np.full(500, np.nan)], axis=1)

    assert betas(returns, market) == pytest.approx([2.0, 0.5, 1.0])
