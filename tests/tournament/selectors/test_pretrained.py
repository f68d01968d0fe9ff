"""The in-context gate: what it is equivariant to and blind to, that it learns, and that what ships is what it loads."""

import numpy as np
import pytest
import torch

from tests.tournament.histories import permuted
from tournament.selectors.meta.in_context import Asked, InContextGate, stack
from tournament.selectors.meta.neural import Stored, loaded
from tournament.selectors.meta.pretrained import Pretrained, shipped
from tournament.selectors.meta.pretraining import PretrainingConfig, chunks_of_worlds, make_state, queries, sized
from tournament.selectors.meta.training import TrainingConfig, descend, mean_corr
from tournament.selectors.patterns import sight
from tournament.selectors.protocol import Budget, State
from tournament.worlds.judging import judge
from tournament.worlds.oracles import informed_means
from tournament.worlds.score_space import as_history, draw_world
from tournament.worlds.spec import Spec


def ask(past, row):
    query = past.query(row)
    sighting = sight(query, past.known_at(query.opens_at))
    return Asked(sighting, query.active_M, query.correlations_MM, np.zeros(len(query.models)))


def expected(past, row):
    torch.manual_seed(1)
    gate = InContextGate()
    torch.nn.init.normal_(gate.trust[-1].weight, std=0.1)
    with torch.no_grad():
        return gate(stack([ask(past, row)]))[0].numpy()


def small(worlds, *, steps):
    training = TrainingConfig(steps=steps, check_every=steps // 2, learning_rate=4e-3, batch=8)
    return PretrainingConfig(worlds=worlds, check_worlds=4, rounds=120, models=20, training=training)


@pytest.fixture
def past():
    return as_history(draw_world(Spec(rounds=120, models=24), 4))


def test_models_in_another_order_are_expected_to_score_the_same(past):
    order = np.random.default_rng(2).permutation(24)

    assert expected(permuted(past, order), 100) == pytest.approx(expected(past, 100)[order], abs=2e-3)


def test_a_padded_batch_says_what_each_alone_says(past):
    torch.manual_seed(0)
    gate = InContextGate()
    short = as_history(draw_world(Spec(rounds=80, models=15, columns=3), 5))

    with torch.no_grad():
        together = gate(stack([ask(past, 110), ask(short, 60)]))
        alone = gate(stack([ask(short, 60)]))

    assert together[1, :15].numpy() == pytest.approx(alone[0].numpy(), abs=1e-4)


def test_the_gate_learns_the_worlds_that_it_is_shown():
    config = small(4, steps=30)
    chunk = next(iter(chunks_of_worlds(config, 5, 4)))
    torch.manual_seed(0)
    gate = InContextGate()

    gains = descend(
        gate, lambda _: chunk, lambda: float(mean_corr(gate, chunk, config.training)), config.training, Budget()
    )

    assert gains[-1] > gains[0] + 0.02


def test_the_same_seed_makes_the_same_state():
    states = [make_state(small(4, steps=4), Budget(seed=5))[0] for _ in range(2)]

    assert states[0].to_bytes() == states[1].to_bytes()


def test_queries_of_a_world_are_scored_by_the_teacher_in_shares_of_its_gain():
    asked = queries(Spec(rounds=100, models=20), 3)

    assert len(asked) == 4
    assert all(np.isfinite(one.score_M).all() and one.score_M.any() for one in asked)


def test_worlds_of_a_chunk_are_of_like_length():
    chunk = next(iter(chunks_of_worlds(PretrainingConfig(rounds=120, models=20), 0, 16)))

    assert len(chunk) == 64


def test_what_ships_is_no_random_state():
    state = shipped()

    assert state.config["checked"][-1] > state.config["checked"][0]
    assert state.config["worlds"] >= 500


@pytest.mark.slow
def test_what_ships_gains_more_than_ridge_in_fresh_worlds():
    from tournament.selectors.registry import make

    rows = np.arange(220, 300, 8)
    selectors = {"ridge": make("ridge"), "pretrained": Pretrained()}
    verdicts = []
    for seed in range(4):
        world = draw_world(Spec(rounds=300, models=60), 80_000 + seed)
        verdicts.append(judge(world, informed_means(world), selectors, rows))

    gain = np.mean([one.by_selector["pretrained"] - one.by_selector["ridge"] for one in verdicts])
    whole = np.mean([one.informed - one.equal for one in verdicts])
    assert gain > 0.05 * whole


def test_too_few_rounds_are_answered_by_ridge(past):
    query = past.query(9)
    selector = Pretrained()
    support = past.known_at(query.opens_at)

    weights = selector.weights(selector.adapt(selector.meta_train([support], Budget()), support), query)

    assert weights.sum() == pytest.approx(1.0)


def test_a_network_is_built_once_for_a_state_and_anew_for_another():
    state = shipped()
    other = State.from_bytes(state.to_bytes())

    first, again, another = (loaded(InContextGate, Stored(one.arrays)) for one in (state, state.adapted(None), other))

    assert again is first
    assert another is not first
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), another.parameters(), strict=True))


def test_a_short_training_is_checked_at_its_end_and_a_long_one_as_usual():
    short, usual = (sized(worlds=2, steps=steps).training for steps in (3, 3_000))

    assert (short.check_every, usual.check_every) == (3, 250)
