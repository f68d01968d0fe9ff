"""Do MAML and Reptile learn to adapt? On tasks whose payoffs turn, the same few steps must lead further."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.predictors.drawn import STAY, drawn
from tournament.gradient_learning import Inner
from tournament.predictors import neural
from tournament.predictors.neural import NeuralPredictor, Way
from tournament.rules import Rules
from tournament.scoring.panel import score_panel
from tournament.selectors.protocol import State

SUPPORT, TRAINED, UNSEEN = 4, 300, 100
RULES = Rules(horizon_days=5, lag_days=0)
INNER = Inner(3, 0.5)
META = replace(neural.META, steps=100, learning_rate=1e-2, check_every=25, patience=4)
ERAS = drawn(eras=TRAINED + UNSEEN)


def learner(way: Way) -> NeuralPredictor:
    meta = replace(META, learning_rate=0.3, rule=neural.REPTILE_META.rule) if way is Way.REPTILE else META
    return NeuralPredictor(way, INNER, replace(neural.ORDINARY, steps=60), meta, SUPPORT, places=40, rules=RULES)


def corr(predictor: NeuralPredictor, state: State, *, adapts: bool) -> float:
    """Mean corr over unseen eras whose support lies in their own regime."""
    found = []
    for row in range(TRAINED + SUPPORT + 1, len(ERAS)):
        number = int(ERAS.number_E[row])
        if (number - 1) % STAY <= SUPPORT:
            continue
        newest = ERAS.known_at(number, RULES.resolve_rounds).newest(SUPPORT)
        moved = predictor.adapt(state, newest) if adapts else state
        values = predictor.predict(moved, ERAS.features_ENF[row])
        found.append(score_panel(values[:, None], ERAS.target_EN[row].astype(float)).corr[0])
    return float(np.mean(found))


@pytest.fixture(scope="module")
def ordinary() -> float:
    predictor = learner(Way.ORDINARY)
    return corr(predictor, predictor.train(ERAS.take(slice(0, TRAINED)), seed=1), adapts=True)


@pytest.mark.parametrize("way", [Way.MAML, Way.REPTILE])
def test_a_few_steps_from_the_meta_trained_start_lead_further(way: Way, ordinary: float) -> None:
    predictor = learner(way)

    state = predictor.train(ERAS.take(slice(0, TRAINED)), seed=1)

    assert (
        max(state.config[way]["validation"]) > state.config[way]["validation"][0]
    )  # its own steps, not the warm start
    assert corr(predictor, state, adapts=True) > ordinary + 0.03
    assert abs(corr(predictor, state, adapts=False)) < 0.3  # before adaptation nobody can know the sign
