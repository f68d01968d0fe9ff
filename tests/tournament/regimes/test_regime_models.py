"""Regimes found in contexts: causal, whole, and near the truth where it is plain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from tests.tournament.histories import CONTEXT_NAMES, history, regimes
from tournament.markets.context import CONTEXT_NAMES as MARKET_CONTEXT
from tournament.regimes.filters import fit_gmm, fit_hmm, fit_jump
from tournament.regimes.model import RegimeModel
from tournament.regimes.names import regime_names

FITS = pytest.mark.parametrize("fit", [fit_hmm, fit_jump, fit_gmm])
Fit = Callable[..., RegimeModel]


def contexts() -> np.ndarray:
    """Contexts of 130 weeks of two regimes."""
    return history().contexts()


@FITS
def test_plain_regimes_are_found(fit: Fit) -> None:
    model = fit(contexts(), CONTEXT_NAMES, regimes=2, seed=0)

    label = model.filtered(contexts()).argmax(axis=1)

    agreement = (label == regimes(130)).mean()
    assert max(agreement, 1 - agreement) > 0.9


@FITS
def test_probabilities_read_no_later_context(fit: Fit) -> None:
    model = fit(contexts(), CONTEXT_NAMES, regimes=3, seed=0)
    other = contexts()
    other[80:] = 5.0

    before, after = model.filtered(contexts())[:80], model.filtered(other)[:80]

    assert np.array_equal(before, after)
    assert before.sum(axis=1) == pytest.approx(np.ones(80))


@FITS
def test_a_stored_model_filters_the_same(fit: Fit) -> None:
    model = fit(contexts(), CONTEXT_NAMES, regimes=2, seed=0)

    copy = RegimeModel.from_arrays(model.to_arrays("stored_"), "stored_")

    assert np.array_equal(copy.filtered(contexts()), model.filtered(contexts()))


@FITS
def test_missing_contexts_leave_the_belief_near_where_it_was(fit: Fit) -> None:
    model = fit(contexts(), CONTEXT_NAMES, regimes=2, seed=0)
    blind = contexts()
    blind[40] = np.nan

    beliefs = model.filtered(blind)

    assert np.isfinite(beliefs).all()
    assert beliefs[40].argmax() == beliefs[39].argmax()


def test_a_context_unlike_any_before_is_novel() -> None:
    model = fit_hmm(contexts(), CONTEXT_NAMES, regimes=2, seed=0)

    assert model.novelty(np.full(3, 200.0)) > 2 * model.novelty(contexts()[5])


def test_slow_columns_are_not_looked_at() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(0.1, 1.0, (80, len(MARKET_CONTEXT)))

    model = fit_hmm(values, MARKET_CONTEXT, regimes=2, seed=0)

    looked_at = {MARKET_CONTEXT[column] for column in model.scaling.columns_C}
    assert "drawdown" not in looked_at
    assert {"volatility", "dispersion"} <= looked_at


def test_a_context_of_unknown_columns_is_looked_at_whole() -> None:
    model = fit_hmm(contexts(), ("a", "b", "c"), regimes=2, seed=0)

    assert len(model.scaling.columns_C) == 3


def test_each_regime_gets_its_own_name() -> None:
    model = fit_hmm(contexts(), CONTEXT_NAMES, regimes=5, seed=0)

    names = regime_names(model, CONTEXT_NAMES)

    assert len(set(names)) == 5
    assert {"Steady trend", "Rotation", "Stress", "Recovery"} < set(names)


def test_the_wildest_regime_is_called_stress() -> None:
    rng = np.random.default_rng(3)
    now = np.arange(160) // 20 % 4
    values = np.exp(rng.normal(0, 0.1, (160, 3)) + now[:, None])

    model = fit_hmm(values, ("volatility", "dispersion", "average_correlation"), regimes=4, seed=0)

    wildest = int(model.means_by_column(3)[:, 0].argmax())
    assert regime_names(model, ("volatility", "dispersion", "average_correlation"))[wildest] == "Stress"


def test_a_mixture_gives_the_posterior_of_each_context_alone() -> None:
    model = fit_gmm(contexts(), CONTEXT_NAMES, regimes=2, seed=0)

    assert model.filtered(contexts())[90] == pytest.approx(model.filtered(contexts()[90:91])[0])


def test_a_mixture_of_one_column_gives_the_library_s_posterior() -> None:
    column = contexts()[:, :1]
    model = fit_gmm(column, CONTEXT_NAMES[:1], regimes=2, seed=0)
    seen = model.scaling.in_spreads(column)
    mixture = GaussianMixture(2, covariance_type="tied", n_init=8, reg_covar=0.05, random_state=0).fit(seen)

    # prior weights are lifted a little, so that none is zero
    assert model.filtered(column) == pytest.approx(mixture.predict_proba(seen), abs=5e-3)
