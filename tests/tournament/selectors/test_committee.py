"""The committee: shares from what blends scored, and a record that goes on without being worked out again."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tournament.histories import history
from tournament.evaluation.walk_forward import walk_forward
from tournament.selectors import committee
from tournament.selectors.baselines import RULES, Baseline, ridge
from tournament.selectors.committee import GAINS, MEMBERS, Committee, Walk, shares
from tournament.selectors.protocol import Budget, History, State

TRAINED = 60


@pytest.fixture(scope="module")
def past() -> History:
    return history(90)


@pytest.fixture(scope="module")
def trained(past: History) -> State:
    return Committee().meta_train([past.known_at(past.opens_at_R[TRAINED])], Budget())


def adapted(state: State, past: History, row: int) -> State:
    return Committee().adapt(state, past.known_at(past.opens_at_R[row]))


def test_a_chain_of_adaptations_equals_a_fresh_one(past: History, trained: State) -> None:
    chained = trained
    for row in range(TRAINED, 80):
        chained = adapted(chained, past, row)

    fresh = adapted(trained, past, 79)

    assert chained.to_bytes() == fresh.to_bytes()
    assert np.array_equal(Committee().weights(chained, past.query(79)), Committee().weights(fresh, past.query(79)))


def test_what_is_on_record_is_not_worked_out_again(
    past: History, trained: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, asked = adapted(trained, past, 70), []
    plain = Walk.open
    monkeypatch.setattr(Walk, "open", lambda walk, row: asked.append(row) or plain(walk, row))

    adapted(state, past, 72)

    assert asked == [70, 71]


def test_the_record_holds_what_a_member_led_through_history_scored(past: History, trained: State) -> None:
    run = walk_forward(past, Baseline("ridge", RULES["ridge"]), warmup=1, retrain_every=1000)

    record = adapted(trained, past, 80).arrays[GAINS][:, MEMBERS.index("ridge")]

    assert len(record) == 76
    assert record[1:] == pytest.approx(run.corr(past)[1:76])


def test_shares_follow_the_record() -> None:
    gains = np.zeros((100, len(MEMBERS)))
    gains[:, MEMBERS.index("ridge")] = 0.05

    found = shares(State("committee", {GAINS: gains}))

    assert MEMBERS[int(found.argmax())] == "ridge"
    assert found.sum() == pytest.approx(1.0)


def test_weights_are_the_mean_of_the_members_by_share(
    past: History, trained: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_ridge = np.eye(len(MEMBERS))[MEMBERS.index("ridge")]
    monkeypatch.setattr(committee, "shares", lambda state: only_ridge)
    known = past.known_at(past.opens_at_R[75])

    weights = Committee().weights(adapted(trained, past, 75), past.query(75))

    assert weights == pytest.approx(ridge(known.resolved(), past.query(75)))


def test_on_another_history_the_record_begins_anew(past: History, trained: State) -> None:
    other = adapted(trained, history(90, seed=7), 80)

    assert len(other.arrays[GAINS]) == 80 - TRAINED - 4


def test_adapting_leaves_the_given_state_as_it_was(past: History, trained: State) -> None:
    before = trained.to_bytes()

    adapted(trained, past, 75)

    assert trained.to_bytes() == before
