"""Selectors ready to be asked: the learned ones with what they start from, which takes no training to explain."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from tests.tournament.histories import history, permuted
from tournament.selectors.meta.neural import NETWORK, Neural
from tournament.selectors.protocol import Budget, History, Query, Selector, State
from tournament.selectors.registry import make
from tournament.selectors.weather import fit_weather

ROW = 85
ALLOCATING = (
    "ridge", "hmm", "jump", "gmm", "kernel", "prototype", "memory", "maml", "set_attention", "pretrained", "policy",
)  # fmt: skip
OTHERS = ("equal", "stake", "trailing", "best_single", "greedy", "hedge", "bma", "boa", "fforma", "committee")
READING = (*ALLOCATING[1:], "fforma", "committee")
"""Families that read the context."""


def ready(name: str, past: History | None = None, row: int = ROW) -> tuple[Selector, State, Query]:
    """A family, its state beside what was known when a round opened, and the round."""
    if past is None:
        return _usual(name)
    known = past.known_at(past.opens_at_R[row])
    selector = make(name)
    return selector, selector.adapt(begun(selector, known), known), past.query(row)


@cache
def _usual(name: str) -> tuple[Selector, State, Query]:
    """The usual history, which nobody may change: trained on once for all tests."""
    return ready(name, history())


def begun(selector: Selector, known: History) -> State:
    """A state: of networks the untrained one, which answers by what it starts from."""
    if not isinstance(selector, Neural):
        return selector.meta_train([known], Budget())
    network = selector.make_network()
    arrays = {NETWORK + name: values.numpy() for name, values in network.state_dict().items()}
    return State(selector.name, arrays | fit_weather(known, seed=0))


def with_clones(past: History, of: int, count: int) -> History:
    """The same tournament with so many exact copies of one model behind the others."""
    models = len(past.models)
    taken = permuted(past, np.r_[np.arange(models), np.full(count, of)])
    return replace(taken, models=(*past.models, *(f"copy_{number}" for number in range(count))))
