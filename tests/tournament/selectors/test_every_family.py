"""What every selector family must keep to, each asked through the same protocol."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from tests.tournament.histories import history, permuted, with_other_future
from tournament.errors import BadConfig, BadInput
from tournament.evaluation.walk_forward import walk_forward
from tournament.selectors.protocol import Budget, History, Query, State
from tournament.selectors.registry import NAMES, make
from tournament.selectors.weather import PREFIX

ROW = 85
LEARNED = (
    "hmm", "jump", "gmm", "prototype", "kernel", "fforma", "lstm", "memory", "maml", "reptile", "set_attention",
    "policy", "committee",
)  # fmt: skip


@lru_cache(maxsize=len(NAMES))
def trained(name: str) -> State:
    """The family's state from what was known at round ROW; trained once, as several tests ask of it."""
    past = history()
    return make(name).meta_train([past.known_at(past.opens_at_R[ROW])], Budget())


def weigh(name: str, past: History, row: int = ROW, *, state: State | None = None) -> np.ndarray:
    """Weights of round `row`, adapted (and, without a state, trained) on what was known at its opening."""
    known = past.known_at(past.opens_at_R[row])
    selector = make(name)
    learned = selector.meta_train([known], Budget()) if state is None else state
    return selector.weights(selector.adapt(learned, known), past.query(row))


@pytest.mark.parametrize("name", NAMES)
def test_weights_lie_on_the_simplex_over_the_active_models(name: str) -> None:
    past = history()
    past.active_RM[ROW, 2] = False

    weights = weigh(name, past, state=trained(name))

    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0).all()
    assert weights[2] == 0


@pytest.mark.parametrize("name", [name for name in NAMES if name != "stake"])
def test_without_any_resolved_round_all_models_weigh_the_same(name: str) -> None:
    weights = weigh(name, history(), row=2)

    assert weights == pytest.approx(np.full(8, 1 / 8))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_yet_known_changes_no_weight_by_one_bit(name: str) -> None:
    past = history()

    before, after = (weigh(name, one, row=70) for one in (past, with_other_future(past, 70)))

    assert np.array_equal(before, after)


@pytest.mark.parametrize("name", ["hmm", "fforma"])
def test_a_walk_forward_weighs_early_rounds_the_same_whatever_comes_later(name: str) -> None:
    past = history()

    runs = [
        walk_forward(one, make(name), warmup=50, retrain_every=10).weights_RM
        for one in (past, with_other_future(past, 75))
    ]

    assert np.array_equal(runs[0][:76], runs[1][:76], equal_nan=True)
    assert not np.array_equal(runs[0][76:], runs[1][76:], equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_the_models_does_not_matter(name: str) -> None:
    past, order = history(), np.random.default_rng(4).permutation(8)
    known = past.known_at(past.opens_at_R[ROW])
    state = trained(name)

    straight = make(name).weights(make(name).adapt(state, known), past.query(ROW))
    turned = permuted(past, order)
    turned_known = turned.known_at(turned.opens_at_R[ROW])
    other = make(name).weights(make(name).adapt(state, turned_known), turned.query(ROW))

    assert other == pytest.approx(straight[order], abs=1e-5)


@pytest.mark.parametrize("name", LEARNED)
def test_a_stored_state_gives_the_same_weights(name: str) -> None:
    past = history()
    known = past.known_at(past.opens_at_R[ROW])
    state = trained(name)

    copy = State.from_bytes(state.to_bytes())

    weights = [make(name).weights(make(name).adapt(one, known), past.query(ROW)) for one in (state, copy)]
    assert copy.family == name
    assert np.array_equal(*weights)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_never_seen_before_may_take_part(name: str) -> None:
    past = history()
    past.scores_RM[:, 3] = np.nan
    past.active_RM[:ROW, 3] = False

    weights = weigh(name, past)

    assert np.isfinite(weights).all()
    assert weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", LEARNED)
def test_the_same_seed_learns_the_same(name: str) -> None:
    known = history().known_at(history().opens_at_R[ROW])

    states = [make(name).meta_train([known], Budget(seed=3)).to_bytes() for _ in range(2)]

    assert states[0] == states[1]


@pytest.mark.parametrize("name", LEARNED)
def test_what_was_learned_beats_equal_weight_where_regimes_turn(name: str) -> None:
    past = history(rounds=130, seed=2)
    gain = [
        walk_forward(past, make(family), warmup=60, retrain_every=40).corr(past)[60:].mean()
        for family in (name, "equal")
    ]

    assert gain[0] > gain[1] + 0.01


@pytest.mark.parametrize("name", LEARNED)
def test_with_too_little_to_learn_from_a_family_still_weighs(name: str) -> None:
    past = replace(history(rounds=20), earlier_context_PK=None)

    weights = weigh(name, past, row=15)

    assert weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", NAMES)
def test_a_round_without_models_is_refused(name: str) -> None:
    past = history()
    past.active_RM[ROW] = False

    with pytest.raises(BadInput, match="no model submitted"):
        weigh(name, past, state=trained(name))


def test_an_unknown_family_is_refused_by_name() -> None:
    with pytest.raises(BadConfig, match=r"'oracle'.*equal"):
        make("oracle")


def test_bytes_that_are_no_state_are_refused() -> None:
    with pytest.raises(BadInput, match="not a selector's state"):
        State.from_bytes(b"12345678 nonsense")


def headed(header: object, body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


WHOLE = State("hmm", {"means": np.arange(5.0)}).to_bytes()
OF_OTHERS = {
    "cut off": WHOLE[:-4], "longer": WHOLE + b"xx", "a list": headed([1]),
    "tells a list": headed({"__metadata__": {"about": "[1]"}}),
    "config is a list": headed({"__metadata__": {"about": json.dumps({"family": "hmm", "config": [1]})}}),
    "later format": headed({"__metadata__": {"about": json.dumps({"family": "hmm", "config": {}, "format": 99})}}),
    "ends outside": headed(
        {"__metadata__": {"about": json.dumps({"family": "hmm", "config": {}})},
         "means": {"dtype": "F64", "shape": [9], "data_offsets": [0, 8]}}, bytes(8),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", OF_OTHERS)
def test_a_broken_state_or_one_of_a_later_format_is_refused(kind: str) -> None:
    with pytest.raises(BadInput, match="not a selector's state"):
        State.from_bytes(OF_OTHERS[kind])


def test_stake_weighs_by_stake_alone() -> None:
    past = history()

    assert weigh("stake", past) == pytest.approx(np.arange(1, 9) / 36)


def test_missing_contexts_are_borne() -> None:
    past = history()
    past.context_RK[10:20, 1] = np.nan
    past.context_RK[ROW] = np.nan

    for name in LEARNED:
        assert np.isfinite(weigh(name, past)).all()


def without_context(past: History) -> History:
    return replace(past, context_RK=past.context_RK[:, :0], context_names=(), earlier_context_PK=None)


@pytest.mark.parametrize("name", ["hmm", "kernel", "set_attention", "policy", "pretrained"])
def test_a_tournament_that_publishes_no_context_is_weighed(name: str) -> None:
    weights = weigh(name, without_context(history()))

    assert np.isfinite(weights).all()
    assert weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["set_attention", "policy"])
def test_tournaments_with_other_models_and_contexts_teach_a_family_too(name: str) -> None:
    own, narrow, silent = history(), history(models=5, seed=1), without_context(history(models=6, seed=2))
    narrow = replace(narrow, context_RK=narrow.context_RK[:, :1], context_names=("x",), earlier_context_PK=None)
    now = own.opens_at_R[ROW]
    known = own.known_at(now)

    alone, beside = (
        make(name).meta_train([*(other.known_at(now) for other in others), known], Budget())
        for others in ((), (narrow, silent))
    )

    weights = make(name).weights(make(name).adapt(beside, known), own.query(ROW))
    assert weights.sum() == pytest.approx(1.0)
    assert alone.to_bytes() != beside.to_bytes()
    assert all(np.array_equal(alone.arrays[key], beside.arrays[key]) for key in alone.arrays if key.startswith(PREFIX))


def test_a_history_whose_shapes_do_not_meet_is_refused() -> None:
    with pytest.raises(BadInput, match="history of 90 rounds"):
        replace(history(), active_RM=np.ones((3, 8), dtype=bool))


def test_a_query_carries_its_own_round_alone() -> None:
    query = history().query(4)

    assert isinstance(query, Query)
    assert query.context_K == pytest.approx(history().context_RK[4])
