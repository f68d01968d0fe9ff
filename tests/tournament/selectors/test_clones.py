"""Ten exact clones of a model change nothing for the others: every family that knows how alike models are."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.tournament.histories import history, permuted
from tests.tournament.selectors.explanation.ready import ROW, begun, with_clones
from tournament.selectors.protocol import Floats, History, State
from tournament.selectors.registry import NAMES, make
from tournament.worlds.score_space import as_history, draw_world
from tournament.worlds.spec import Spec

BY_MODEL = (
    "equal", "stake", "trailing", "inverse_variance", "hedge", "fixed_share", "boa", "bma", "fforma", "committee",
)  # fmt: skip
"""Families that weigh each model by itself, or blend with one that does: they count clones, and say no other."""
BLIND = [name for name in NAMES if name not in BY_MODEL]
CLONES = 10


@cache
def settled(name: str, place: str) -> tuple[History, int, State]:
    """A tournament, a row to weigh, and a state; forty models of a drawn world come and go."""
    past = history() if place == "small" else as_history(draw_world(Spec(rounds=140, models=40, assets=500), 1))
    row = ROW if place == "small" else 130
    return past, row, begun(make(name), past.known_at(past.opens_at_R[row]))


def moved(name: str, place: str, of: int | None = None) -> Floats:
    """Weights among clones of one model (of the heaviest) less those without, what its family has put together."""
    past, row, state = settled(name, place)
    alone, models = weigh(name, state, past, row), len(past.models)
    of = int(alone.argmax()) if of is None else of
    among = weigh(name, state, with_clones(past, of=of, count=CLONES), row)
    together = among[:models].copy()
    together[of] += among[models:].sum()
    return together - alone


def weigh(name: str, state: State, past: History, row: int) -> Floats:
    selector = make(name)
    return selector.weights(selector.adapt(state, past.known_at(past.opens_at_R[row])), past.query(row))


@pytest.mark.parametrize("name", BLIND)
def test_ten_clones_leave_the_others_as_they_were(name: str) -> None:
    assert np.abs([moved(name, "small", of) for of in (2, 5)]).max() < 1e-3


@pytest.mark.parametrize("name", BLIND)
def test_ten_clones_of_the_heaviest_of_many_leave_the_others_as_they_were(name: str) -> None:
    assert np.abs(moved(name, "drawn")).max() < 1e-3


@pytest.mark.parametrize("name", ["equal", "hedge"])
def test_families_that_weigh_each_model_by_itself_do_count_clones(name: str) -> None:
    assert np.abs(moved(name, "small", 2)).max() > 1e-2


@pytest.mark.parametrize("name", ["ridge", "hmm", "pretrained"])
def test_the_order_of_a_thousand_models_does_not_matter(name: str) -> None:
    past = as_history(draw_world(Spec(rounds=60, models=1_000), 4))
    order = np.random.default_rng(5).permutation(1_000)
    state = begun(make(name), past.known_at(past.opens_at_R[55]))

    straight, turned = weigh(name, state, past, 55), weigh(name, state, permuted(past, order), 55)

    assert turned == pytest.approx(straight[order], abs=1e-5)
