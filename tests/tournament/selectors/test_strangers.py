"""A state and a question that do not belong together are refused, by every family, before anything is weighed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.histories import history, permuted
from tests.tournament.selectors.explanation.ready import ROW, ready
from tournament.errors import BadInput
from tournament.selectors.registry import NAMES

ASKED_OF = ("ridge", "boa", "fforma", "committee", "hmm", "kernel", "maml", "set_attention", "pretrained")


@pytest.mark.parametrize("name", ASKED_OF)
def test_models_in_another_order_are_refused(name: str) -> None:
    selector, state, _ = ready(name)
    turned = permuted(history(), np.arange(8)[::-1])

    with pytest.raises(BadInput, match="another order"):
        selector.weights(state, turned.query(ROW))
    with pytest.raises(BadInput, match="another order"):
        selector.explain(state, turned.query(ROW))


@pytest.mark.parametrize("name", NAMES)
def test_a_state_of_another_family_is_refused(name: str) -> None:
    selector, state, query = ready(name)
    other = "ridge" if name != "ridge" else "hmm"

    with pytest.raises(BadInput, match=f"state is of {other}, the selector is {name}"):
        selector.weights(replace(state, family=other), query)


def test_every_fault_is_named_at_once() -> None:
    selector, state, query = ready("ridge")
    strange = replace(query, models=("stranger", *query.models[1:]), context_K=query.context_K[:1])

    with pytest.raises(BadInput) as refused:
        selector.weights(replace(state, family="hmm"), strange)

    told = " ".join(str(fault) for fault in refused.value.faults)
    assert len(refused.value.faults) == 3
    assert "stranger" in told
    assert query.models[0] in told
    assert "1 contexts" in told
