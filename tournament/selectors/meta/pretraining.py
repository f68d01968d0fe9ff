"""Train the in-context gate on simulated tournaments, by the informed Bayes filter as teacher.

The simulator knows every parameter, so its informed filter says what a model is expected to score given all but the
regime: the least noisy teacher there is. The loss is the negative corr of the gate's blend with these expectations, in
shares of what the filter gains over equal weight, so that strong and weak worlds count alike. Source: ours, after
Mueller et al. 2022 (training on a prior) and Hinton et al. 2015 (distillation).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import torch

from tournament.selectors import algebra
from tournament.selectors.allocator import RIDGE
from tournament.selectors.meta.in_context import Asked, InContextGate, Sightings, stack
from tournament.selectors.meta.neural import NETWORK
from tournament.selectors.meta.training import TrainingConfig, descend, mean_corr
from tournament.selectors.patterns import sight
from tournament.selectors.protocol import Budget, Floats, State, equal_weights
from tournament.worlds.oracles import informed_means, oracle_weights
from tournament.worlds.score_space import ScoreWorld, as_history, draw_world
from tournament.worlds.spec import Spec, draw_spec

FIRST_QUERY = 40
QUERIES_A_WORLD = 4
WORLDS_A_CHUNK = 16
FLOOR = 0.15
"""Least gain of the filter, in units of the patterns' noise: worlds without any must not count without end."""
CHECK_SEED = 1_000_000
"""Worlds for checking are numbered from here on, apart from those for training."""


@dataclass(frozen=True, slots=True)
class PretrainingConfig:
    """How many worlds and steps; rounds and models of the worlds are drawn up to these."""

    worlds: int = 1_200
    check_worlds: int = 64
    rounds: int = 640
    models: int = 100
    training: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(
            steps=3_000,
            learning_rate=2e-3,
            weight_decay=1e-3,
            batch=16,
            check_every=250,
            patience=12,
            own_rate=3.0,
            ridge=RIDGE,
            anneals=True,
        )
    )


def pretrain(config: PretrainingConfig, budget: Budget) -> tuple[InContextGate, list[float]]:
    """A gate trained on worlds `budget.seed` and following, and the shares of the gain it closed, step by step."""
    chunks = list(chunks_of_worlds(config, budget.seed, config.worlds))
    check = list(chunks_of_worlds(config, CHECK_SEED + budget.seed, config.check_worlds))
    torch.manual_seed(budget.seed)
    gate = InContextGate()

    def draw(generator: torch.Generator) -> Sightings:
        chunk = chunks[int(torch.randint(len(chunks), (1,), generator=generator))]
        return chunk.take(torch.randperm(len(chunk), generator=generator)[: config.training.batch])

    def closed() -> float:
        return float(torch.stack([mean_corr(gate, one, config.training) for one in check]).mean())

    return gate, descend(gate, draw, closed, config.training, budget)


def chunks_of_worlds(config: PretrainingConfig, seed: int, worlds: int) -> Iterator[Sightings]:
    """Batches of queries, each of worlds of about the same length."""
    specs = [_spec(config, seed + number) for number in range(worlds)]
    order = np.argsort([spec.rounds for spec in specs], kind="stable")
    for start in range(0, worlds, WORLDS_A_CHUNK):
        places = order[start : start + WORLDS_A_CHUNK]
        yield stack([one for place in places for one in queries(specs[place], seed + int(place))])


def _spec(config: PretrainingConfig, seed: int) -> Spec:
    rng = np.random.default_rng((seed, 7))
    rounds = int(rng.integers(min(120, config.rounds), config.rounds + 1))
    models = int(rng.integers(min(20, config.models), config.models + 1))
    return replace(draw_spec(rng, rounds=rounds), models=models)


def queries(spec: Spec, seed: int) -> list[Asked]:
    """A few rounds of one world as they would be asked, the teacher's expectations as their scores."""
    world = draw_world(spec, seed)
    rng = np.random.default_rng((seed, 8))
    rows = np.sort(rng.choice(np.arange(min(FIRST_QUERY, spec.rounds - 1), spec.rounds), QUERIES_A_WORLD))
    means_RM = informed_means(world)
    weights_RM = oracle_weights(world, means_RM, rows)
    return [_query(world, int(row), means_RM[row], weights_RM[row]) for row in rows]


def _query(world: ScoreWorld, row: int, mean_M: Floats, weights_M: Floats) -> Asked:
    past = as_history(world)
    query = past.query(row)
    sighting = sight(query, past.known_at(query.opens_at))
    equal_M = equal_weights(query.active_M)
    gain = algebra.corr(weights_M, mean_M, world.correlation_MM) - algebra.corr(equal_M, mean_M, world.correlation_MM)
    floor = FLOOR * sighting.noise
    score_M = np.where(query.active_M, mean_M, 0.0) / (max(gain, floor) + floor)
    return Asked(sighting, query.active_M, query.table(), score_M)


def make_state(config: PretrainingConfig, budget: Budget) -> tuple[State, list[float]]:
    """The state that ships, and how training went."""
    gate, gains = pretrain(config, budget)
    arrays = {NETWORK + name: values.numpy() for name, values in gate.state_dict().items()}
    return State("pretrained", arrays, asdict(config) | {"seed": budget.seed, "checked": gains}), gains


def sized(*, worlds: int, steps: int) -> PretrainingConfig:
    """The usual config with other sizes; a training shorter than the usual check is checked at its end."""
    usual = PretrainingConfig()
    check_every = min(steps, usual.training.check_every)
    return replace(usual, worlds=worlds, training=replace(usual.training, steps=steps, check_every=check_every))
