"""Explanations agree with what they explain, family by family, and are told from what was known alone."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.histories import history, permuted, regimes, with_other_future
from tests.tournament.selectors.explanation.ready import ALLOCATING, OTHERS, ROW, begun, ready, with_clones
from tournament.regimes.model import RegimeModel
from tournament.selectors import algebra
from tournament.selectors.allocator import best_blend
from tournament.selectors.explanation.record import Estimate, LikeBy
from tournament.selectors.protocol import State
from tournament.selectors.registry import NAMES, make
from tournament.selectors.tokens import recent_means

ALL = (*ALLOCATING, *OTHERS)


@pytest.mark.parametrize("name", ALL)
def test_the_explained_weights_are_those_given(name: str) -> None:
    selector, state, query = ready(name)

    assert selector.explain(state, query).weights_M == pytest.approx(selector.weights(state, query), abs=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_values_are_those_of_the_blend_at_the_expected_scores(name: str) -> None:
    selector, state, query = ready(name)

    told = selector.explain(state, query)

    game = told.weights_M, told.expected_M, query.correlations_MM
    assert told.corr == pytest.approx(algebra.corr(*game))
    assert told.leave_one_out_M == pytest.approx(algebra.leave_one_out(*game))
    assert told.shapley_M == pytest.approx(algebra.exact_shapley(*game), abs=1e-12)
    assert told.shapley_M.sum() == pytest.approx(told.corr)


@pytest.mark.parametrize("name", OTHERS)
def test_a_family_without_expected_scores_is_judged_by_recent_means(name: str) -> None:
    selector, state, query = ready(name)

    told = selector.explain(state, query)

    assert told.estimate is Estimate.RECENT
    assert told.expected_M == pytest.approx(recent_means(state.support.resolved()))


@pytest.mark.parametrize("name", ALLOCATING)
def test_without_a_model_the_allocator_is_solved_again(name: str) -> None:
    selector, state, query = ready(name)
    told = selector.explain(state, query)

    row, left_out = 1, query.models.index(told.without.models[1])
    others = np.delete(np.arange(8), left_out)
    ridge = selector.outlook(state, query, query.context_K[None]).ridge
    solved = best_blend(
        told.expected_M[others], query.correlations_MM[np.ix_(others, others)], np.ones(7, dtype=bool), ridge=ridge
    )

    assert told.without.weights_WM[row][others] == pytest.approx(solved, abs=1e-9)
    assert told.without.weights_WM[row][left_out] == 0.0
    assert told.without.corr_W[row] == pytest.approx(
        algebra.corr(solved, told.expected_M[others], query.correlations_MM[np.ix_(others, others)])
    )


def test_without_a_model_its_like_take_over_and_not_all_alike() -> None:
    selector, state, query = ready("hmm")
    told = selector.explain(state, query)
    left_out = query.models.index(told.without.models[0])

    others = np.where(np.arange(8) == left_out, 0.0, told.weights_M)
    change = told.without.weights_WM[0] - others / others.sum()

    assert np.abs(change).max() > 0.003  # renormalised weights would be something else


@pytest.mark.parametrize("name", ["trailing", "greedy", "hedge", "boa", "fforma"])
def test_without_a_model_other_families_weigh_the_round_again(name: str) -> None:
    selector, state, query = ready(name)
    told = selector.explain(state, query)

    absent = query.active_M & (np.array(query.models) != told.without.models[0])

    assert told.without.weights_WM[0] == pytest.approx(selector.weights(state, replace(query, active_M=absent)))


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_models_does_not_matter(name: str) -> None:
    order = np.random.default_rng(4).permutation(8)
    selector, state, query = ready(name)
    turned = permuted(history(), order)
    known = turned.known_at(turned.opens_at_R[ROW])
    stored = State(state.family, state.arrays, state.config)

    ours, theirs = selector.explain(state, query), selector.explain(selector.adapt(stored, known), turned.query(ROW))

    for field in ("weights_M", "leave_one_out_M", "shapley_M"):
        assert getattr(theirs, field) == pytest.approx(getattr(ours, field)[order], abs=2e-4), (
            field
        )  # single precision, learned on in turn
    assert theirs.like.rounds == ours.like.rounds
    if ours.context is not None:
        assert theirs.context.moved_CM == pytest.approx(ours.context.moved_CM[:, order], abs=2e-4)
    if ours.regimes is not None:
        assert theirs.regimes.weights_KM == pytest.approx(ours.regimes.weights_KM[:, order], abs=2e-4)


@pytest.mark.parametrize("name", ["ridge", "hmm", "kernel"])
def test_clones_share_and_leave_the_others_as_they_were(name: str) -> None:
    past = history()
    flooded = with_clones(past, of=3, count=10)
    alone, among = (
        selector.explain(state, query) for selector, state, query in map(ready, [name] * 2, [past, flooded])
    )
    copies = [3, *range(8, 18)]
    rest = [0, 1, 2, 4, 5, 6, 7]

    assert among.shapley_M[copies] == pytest.approx(np.full(11, among.shapley_M[3]), abs=1e-12)
    assert among.leave_one_out_M[copies] == pytest.approx(np.full(11, among.leave_one_out_M[3]), abs=1e-9)
    assert among.leave_one_out_M[rest] == pytest.approx(alone.leave_one_out_M[rest], abs=1e-3 * alone.corr)


def test_a_missing_clone_is_missed_by_nobody() -> None:
    selector, state, query = ready("hmm", with_clones(history(), of=4, count=3))  # the heaviest

    told = selector.explain(state, query)

    row = next(place for place, name in enumerate(told.without.models) if name in {"model_4", "copy_0", "copy_1"})
    assert told.without.corr_W[row] == pytest.approx(told.corr, rel=1e-3)


@pytest.mark.parametrize("name", ["hmm", "jump", "gmm"])
def test_certain_of_a_regime_the_weights_are_those_of_its_means(name: str) -> None:
    selector, state, query = ready(name)

    told = selector.explain(state, query).regimes

    certain = RegimeModel.from_arrays(state.arrays)
    beliefs = certain.filtered(np.vstack([state.support.contexts(), query.context_K[None]]))
    assert told.probability_K == pytest.approx(beliefs[-1])
    assert len(set(told.names)) == len(told.weights_KM) == 4
    assert told.weights_KM.sum(axis=1) == pytest.approx(np.ones(4))


@pytest.mark.parametrize("name", ["hmm", "set_attention", "prototype", "fforma"])
def test_in_each_regime_its_own_models_would_weigh_most(name: str) -> None:
    selector, state, query = ready(name)

    told = selector.explain(state, query).regimes

    even_K = told.weights_KM[:, ::2].sum(axis=1)
    assert even_K.max() > 0.55
    assert even_K.min() < 0.45


def test_a_round_resembles_those_of_its_own_weather() -> None:
    selector, state, query = ready("ridge")

    like = selector.explain(state, query).like

    now = regimes(40 + 90)[40:]
    assert like.by is LikeBy.CONTEXT
    assert [int(now[number - 1]) for number in like.rounds] == [now[ROW]] * 6
    assert list(like.similarity) == sorted(like.similarity, reverse=True)
    assert 0.0 < like.similarity[0] <= 1.0


@pytest.mark.parametrize("name", ["kernel", "pretrained"])
def test_attention_goes_to_resolved_rounds_and_sums_to_one(name: str) -> None:
    selector, state, query = ready(name)

    attention = selector.outlook(state, query, query.context_K[None]).attention_R

    assert attention.sum() == pytest.approx(1.0)
    assert attention[np.isnan(state.support.scores_RM).all(axis=1)].sum() == 0.0
    assert selector.explain(state, query).like.by is LikeBy.ATTENTION


@pytest.mark.parametrize("name", ALL)
def test_what_is_not_yet_known_changes_no_word_of_it(name: str) -> None:
    past = history()
    known = past.known_at(past.opens_at_R[70])
    state = begun(make(name), known)

    told = []
    for one in (past, with_other_future(past, 70)):
        selector = make(name)
        told.append(selector.explain(selector.adapt(state, one.known_at(one.opens_at_R[70])), one.query(70)).plain())

    assert told[0] == told[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_first_round_is_explained_too(name: str) -> None:
    past = history()
    selector = make(name)

    told = selector.explain(selector.adapt(State(name), past.known_at(past.opens_at_R[0])), past.query(0))

    assert json.dumps(told.plain(), allow_nan=False)
    assert told.like.rounds == ()
    assert told.weights_M.sum() == pytest.approx(1.0)


def test_a_model_alone_leaves_nobody_out() -> None:
    past = history()
    past.active_RM[ROW] = np.arange(8) == 2
    selector, state, query = ready("hmm", past)

    told = selector.explain(state, query)

    assert told.without.models == ()
    assert told.shapley_M[2] == pytest.approx(told.corr)


def test_what_is_stored_is_plain_and_small() -> None:
    selector, state, query = ready("set_attention", history(models=34))

    text = json.dumps(selector.explain(state, query).plain(), allow_nan=False)

    assert set(json.loads(text)) == {"format", "estimate", "corr", "models", "without", "like", "regimes", "context"}
    assert len(text) < 8_000
