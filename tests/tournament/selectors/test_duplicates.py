"""Models that rank the assets almost alike share one weight budget in every family; all others never notice."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tournament.histories import history, permuted
from tests.tournament.selectors.explanation.ready import ROW, begun, with_clones
from tournament.scoring.blend import model_correlations, standardized_ranks
from tournament.selectors.duplicates import Groups, duplicates, near_pairs
from tournament.selectors.protocol import Budget, Floats, History, Query, State, on_simplex
from tournament.selectors.registry import NAMES, make
from tournament.selectors.sketch import sketch
from tournament.worlds.score_space import as_history, draw_world
from tournament.worlds.spec import Spec

LIMIT, MODELS, CLONES = 0.95, 8, 10
SINGLE = 1e-4
"""Networks reckon in single precision, and steps on the support carry it on."""


@cache
def state_of(name: str) -> State:
    """What a family has learned, once: an untrained network begins at random."""
    past = history()
    return begun(make(name), past.known_at(past.opens_at_R[ROW]))


def asked(name: str, past: History, limit: float = LIMIT) -> tuple[Floats, Groups]:
    """The weights of a family as a round gets them."""
    past = replace(past, duplicate_corr=limit)
    query, known = past.query(ROW), past.known_at(past.opens_at_R[ROW])
    groups = duplicates(query, known)
    selector, support, question = make(name), groups.known(known, name), groups.asked(query)
    # a committee has a record of its own history, and would not take the other for it
    state = selector.meta_train([known], Budget()) if name == "committee" else state_of(name)
    given_M = selector.weights(selector.adapt(state, support), question)
    return groups.shared(on_simplex(given_M, question.active_M)), groups


def table(pairs: dict[tuple[int, int], float], models: int = 5) -> Floats:
    made = np.eye(models)
    for (one, other), value in pairs.items():
        made[one, other] = made[other, one] = value
    return made


def round_of(correlations: Floats, record: tuple[int, ...]) -> tuple[Query, History]:
    past = history(models=len(correlations))
    active = np.arange(len(past))[:, None] < np.array(record)
    told = replace(past, active_RM=active, scores_RM=np.where(active, 0.01, np.nan), duplicate_corr=LIMIT)
    return replace(past.query(ROW), correlations_MM=correlations), told


@pytest.mark.parametrize("name", NAMES)
def test_exact_clones_leave_all_others_as_they_were(name: str) -> None:
    alone, _ = asked(name, history())

    among, groups = asked(name, with_clones(history(), of=2, count=CLONES))

    assert list(groups.sizes(with_clones(history(), of=2, count=CLONES).models).values()) == [1 + CLONES]
    others = np.arange(MODELS) != 2
    assert among[:MODELS][others] == pytest.approx(alone[others], abs=SINGLE)
    assert among[2] + among[MODELS:].sum() == pytest.approx(alone[2], abs=SINGLE)
    assert np.ptp(among[[2, *range(MODELS, MODELS + CLONES)]]) < 1e-12


@pytest.mark.parametrize("name", ["equal", "trailing", "ridge", "hmm"])
def test_a_round_without_duplicates_is_left_to_the_bit(name: str) -> None:
    with_rule, groups = asked(name, history())
    without, _ = asked(name, history(), limit=1.0)

    assert not groups
    assert np.array_equal(with_rule, without)


def test_without_duplicates_nothing_is_copied() -> None:
    past = replace(history(), duplicate_corr=LIMIT)
    groups = duplicates(past.query(ROW), past)

    assert groups.known(past) is past
    assert groups.asked(query := past.query(ROW)) is query


def test_a_loser_that_copies_the_leader_does_not_speak_for_it() -> None:
    query, past = round_of(table({(0, 1): 1.0}), (80, 20, 40, 40, 40))
    scores = np.where(past.active_RM, np.array([-0.05, 0.08, 0.0, 0.0, 0.0]), np.nan)

    groups = duplicates(query, replace(past, scores_RM=scores))

    assert groups.speaker_M.tolist() == [1, 1, 2, 3, 4]


def test_of_members_with_the_same_mean_that_with_the_longest_record_speaks_then_the_first_by_name() -> None:
    alike = table({(0, 1): 0.97, (1, 2): 0.96, (3, 4): 0.99})

    groups = duplicates(*round_of(alike, (10, 40, 40, 5, 5)))

    assert groups.speaker_M.tolist() == [1, 1, 1, 3, 3]


def test_a_limit_of_one_turns_the_rule_off() -> None:
    query, past = round_of(np.ones((5, 5)), (9,) * 5)

    assert not duplicates(query, replace(past, duplicate_corr=1.0))


def test_who_did_not_submit_is_nobodys_duplicate() -> None:
    query, past = round_of(table({(0, 1): 0.99}), (9,) * 5)

    assert not duplicates(replace(query, active_M=np.array([False, *[True] * 4])), past)


def test_opposite_models_are_no_duplicates() -> None:
    assert not duplicates(*round_of(table({(0, 1): -0.99}), (9,) * 5))


rounds = st.integers(2, 12).flatmap(
    lambda models: st.tuples(
        st.lists(st.sampled_from([0, 1, 2, 3]), min_size=models, max_size=models),
        st.lists(st.booleans(), min_size=models, max_size=models).filter(any),
        st.lists(st.floats(0.0, 1.0), min_size=models, max_size=models),
        st.permutations(range(models)),
    )
)


@given(rounds)
def test_groups_share_a_budget_whatever_is_given(
    drawn: tuple[list[int], list[bool], list[float], list[int]],
) -> None:
    kinds, active, values, order = drawn
    kind_M, models = np.array(kinds), len(kinds)
    alike = np.where(kind_M[:, None] == kind_M, 0.96, 0.1)
    np.fill_diagonal(alike, 1.0)
    past = replace(history(rounds=3, models=models), duplicate_corr=LIMIT)
    query = replace(past.query(2), correlations_MM=alike, active_M=np.array(active))

    groups = duplicates(query, past)
    question = groups.asked(query)
    given_M = on_simplex(np.array(values), question.active_M)
    shared_M = groups.shared(given_M)

    assert shared_M.sum() == pytest.approx(1.0)
    assert not shared_M[~query.active_M].any()
    assert groups.gathered(shared_M) == pytest.approx(given_M)
    for kind in set(kinds):  # a group weighs what its one speaker was given, never more
        members = (kind_M == kind) & query.active_M
        assert shared_M[members].sum() == pytest.approx(given_M[members].max(initial=0.0))
    turned = duplicates(_turned(query, order), permuted(past, np.array(order)))
    assert [order[place] for place in turned.speaker_M] == groups.speaker_M[order].tolist()


def _turned(query: Query, order: list[int]) -> Query:
    return replace(
        query, models=tuple(query.models[i] for i in order), active_M=query.active_M[order],
        correlations_MM=query.correlations_MM[order][:, order],
    )  # fmt: skip


def test_a_sketch_finds_the_pairs_that_the_table_finds() -> None:
    rng = np.random.default_rng(3)
    base = rng.normal(size=(400, 300))
    panel = np.column_stack([base, base[:, :20] + 0.1 * rng.normal(size=(400, 20))])
    everybody = np.ones(320, dtype=bool)

    exact = near_pairs(model_correlations(panel), everybody, LIMIT)
    sketched = near_pairs(sketch(standardized_ranks(panel)), everybody, LIMIT)

    assert exact.tolist() == [[one, 300 + one] for one in range(20)]
    assert sketched.tolist() == exact.tolist()


def test_it_costs_less_than_two_milliseconds_a_round_of_34_models() -> None:
    drawn = replace(as_history(draw_world(Spec(rounds=200, models=32, assets=500), 1)), duplicate_corr=LIMIT)
    past = with_clones(drawn, of=3, count=2)
    query, known = past.query(199), past.known_at(past.opens_at_R[199])
    took = []
    for _ in range(20):
        begun_at = process_time()
        groups = duplicates(query, known)
        groups.known(known), groups.shared(groups.asked(query).active_M.astype(float))
        took.append(process_time() - begun_at)

    assert groups
    assert np.median(took) < 0.002
