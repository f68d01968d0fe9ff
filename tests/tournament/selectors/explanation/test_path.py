"""Each context variable's share of a change: they sum to it, and what two variables do together they share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.histories import history
from tests.tournament.selectors.explanation.ready import READING, ROW, ready
from tournament.selectors.explanation.path import walks

PAST = history()
KNOWN, QUERY = PAST.known_at(PAST.opens_at_R[ROW]), PAST.query(ROW)


def test_the_walk_goes_from_the_average_context_to_the_rounds_own() -> None:
    found = walks(QUERY, KNOWN)

    assert found.context_EC[0] == pytest.approx(QUERY.context_K)
    assert found.context_EC[1] == pytest.approx(KNOWN.context_RK.mean(axis=0))
    assert len(found.context_EC) == 2 + 2 * 2  # two stops on each of two walks over three variables


def test_variables_that_act_alone_have_just_what_they_do() -> None:
    found = walks(QUERY, KNOWN)
    slopes = np.array([[1.0, -2.0], [0.5, 0.0], [0.0, 3.0]])

    moved = found.movement(found.context_EC @ slopes).moved_CM

    assert moved == pytest.approx((QUERY.context_K - KNOWN.context_RK.mean(axis=0))[:, None] * slopes)


def test_two_variables_that_act_together_share_it() -> None:
    found = walks(QUERY, KNOWN)
    away = found.context_EC - found.context_EC[1]

    moved = found.movement(away[:, :1] * away[:, 2:]).moved_CM[:, 0]

    whole = away[0, 0] * away[0, 2]
    assert moved == pytest.approx([whole / 2, 0.0, whole / 2])


def test_many_pairs_of_walks_come_to_shapley_values() -> None:
    found = walks(QUERY, KNOWN, pairs=2_000)
    away = found.context_EC - found.context_EC[1]

    moved = found.movement(away.prod(axis=1, keepdims=True)).moved_CM[:, 0]

    assert moved == pytest.approx(np.full(3, away[0].prod() / 3), rel=0.05)


@pytest.mark.parametrize("name", READING)
def test_the_shares_of_every_family_sum_to_the_whole_change(name: str) -> None:
    selector, state, query = ready(name)
    average = np.nanmean(state.support.context_RK, axis=0)

    told = selector.explain(state, query)

    change = selector.weights(state, query) - selector.weights(state, replace(query, context_K=average))
    if name == "pretrained":  # the gate keeps the scale of contexts as the round's own has it
        change = told.weights_M - selector.outlook(state, query, average[None]).weights_EM[0]
    assert told.context.moved_CM.sum(axis=0) == pytest.approx(change, abs=2e-5)
    assert np.abs(told.context.moved_CM).max() > 1e-3


def test_the_order_of_the_variables_does_not_matter() -> None:
    turned = replace(
        PAST, context_RK=PAST.context_RK[:, [2, 0, 1]], earlier_context_PK=PAST.earlier_context_PK[:, [2, 0, 1]],
        context_names=tuple(PAST.context_names[place] for place in (2, 0, 1)),
    )  # fmt: skip

    ours, theirs = (
        selector.explain(state, query) for selector, state, query in map(ready, ["kernel"] * 2, [PAST, turned])
    )

    assert theirs.context.moved_CM == pytest.approx(ours.context.moved_CM[[2, 0, 1]], abs=1e-9)


def test_a_variable_that_is_not_known_moves_nothing_and_has_no_spread() -> None:
    past = history()
    past.context_RK[:, 1] = np.nan
    selector, state, query = ready("kernel", replace(past, earlier_context_PK=None))

    told = selector.explain(state, query)

    assert np.isnan(told.context.spread_C[1])
    assert told.context.moved_CM[1] == pytest.approx(0.0)
    assert told.plain()["context"]["spreads"][1] is None


@pytest.mark.parametrize("name", ["equal", "ridge", "hedge", "boa"])
def test_a_family_that_reads_no_context_tells_of_none(name: str) -> None:
    selector, state, query = ready(name)

    assert selector.explain(state, query).context is None
