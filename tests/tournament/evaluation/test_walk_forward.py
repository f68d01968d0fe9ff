"""Walk-forward shows each selector only what was known: the future may be rewritten without moving a weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from tests.tournament.histories import history, with_other_future
from tournament.evaluation.walk_forward import WalkForward, blend_corr, equal_corr, walk_forward
from tournament.selectors.protocol import Budget, Floats, History, Query, State, equal_weights
from tournament.selectors.registry import LIGHT, make

ROUNDS, TURN = 80, 62


@dataclass
class Watcher:
    """Weighs equally and remembers what it was shown."""

    trained: list[History]
    adapted: list[History]
    lent: list[Sequence[History]] = field(default_factory=list)
    name: str = "watcher"

    def meta_train(self, tasks: Sequence[History], budget: Budget) -> State:
        self.trained.append(tasks[-1])
        self.lent.append(tasks[:-1])
        return State(self.name, config={"seed": budget.seed, "training": len(self.trained)})

    def adapt(self, state: State, support: History) -> State:
        self.adapted.append(support)
        return state

    def weights(self, state: State, query: Query) -> Floats:
        return equal_weights(query.active_M)


def watched(past: History, **options: int) -> Watcher:
    watcher = Watcher([], [])
    walk_forward(past, watcher, **{"warmup": 20, "retrain_every": 15, **options})
    return watcher


def test_a_training_due_in_a_round_without_submissions_is_made_up_in_the_next() -> None:
    past = history(ROUNDS)
    active = past.active_RM.copy()
    active[35] = False

    trained = [len(known) for known in watched(replace(past, active_RM=active)).trained]

    assert trained == [20, 36, 50, 65]


def run(past: History, name: str, **options: int) -> WalkForward:
    return walk_forward(past, make(name), **{"warmup": 50, "retrain_every": 25, **options})


@pytest.mark.parametrize("name", [*LIGHT, "prototype", "lstm", "memory", "maml", "reptile", "set_attention", "policy"])
def test_another_future_leaves_earlier_weights_bit_for_bit(name: str) -> None:
    past = history(ROUNDS, seed=3)

    before, after = run(past, name), run(with_other_future(past, TURN), name)

    assert before.weights_RM[: TURN + 1].tobytes() == after.weights_RM[: TURN + 1].tobytes()


@pytest.mark.parametrize("name", sorted({*LIGHT} - {"equal"}))
def test_another_future_does_move_later_weights(name: str) -> None:
    past = history(ROUNDS, seed=3)

    before, after = run(past, name), run(with_other_future(past, TURN), name)

    assert not np.array_equal(before.weights_RM[TURN + 6 :], after.weights_RM[TURN + 6 :])


@pytest.mark.parametrize("name", LIGHT)
def test_a_canary_in_unresolved_rounds_is_never_heard(name: str) -> None:
    """One model's scores turn brilliant from a round on; until the first of them resolves nobody may follow it."""
    past = history(ROUNDS, seed=4)
    scores = past.scores_RM.copy()
    scores[TURN - 4 :, 1] = 0.9
    tempting = replace(past, scores_RM=scores)

    plain, lured = run(past, name), run(tempting, name)

    np.testing.assert_array_equal(plain.weights_RM[: TURN + 1, 1], lured.weights_RM[: TURN + 1, 1])


def test_a_leak_would_be_seen() -> None:
    """The canary is real: a history that resolves at once lets selectors follow it in these very rounds."""
    past = history(ROUNDS, seed=4)
    scores = past.scores_RM.copy()
    scores[TURN - 4 :, 1] = 0.9
    leaking = replace(past, resolves_at_R=past.opens_at_R, scores_RM=scores)

    lured = run(leaking, "best_single")

    np.testing.assert_array_equal(lured.weights_RM[TURN, 1], 1.0)


def test_every_support_ends_before_its_query_and_holds_only_resolved_scores() -> None:
    past = history(ROUNDS)

    seen = watched(past)

    assert len(seen.adapted) == ROUNDS - 20
    for row, support in zip(range(20, ROUNDS), seen.adapted, strict=True):
        scored = np.isfinite(support.scores_RM).any(axis=1)
        assert len(support) == row
        assert (support.opens_at_R < past.opens_at_R[row]).all()
        assert (support.resolves_at_R[scored] <= past.opens_at_R[row]).all()
        assert scored.sum() == row - 4  # rounds resolve five weeks later; the one that resolves now counts


def test_training_happens_at_the_first_round_and_every_so_many_after() -> None:
    seen = watched(history(ROUNDS))

    assert [len(past) for past in seen.trained] == [20, 35, 50, 65]


def test_training_sees_no_more_than_its_round_did() -> None:
    seen = watched(history(ROUNDS))

    assert all(np.isnan(past.scores_RM[-4:]).all() for past in seen.trained)


def later(past: History, weeks: int) -> History:
    """The same rounds, so many weeks later."""
    move = np.timedelta64(7 * weeks, "D")
    return replace(past, opens_at_R=past.opens_at_R + move, resolves_at_R=past.resolves_at_R + move)


def test_of_other_tournaments_a_training_sees_what_was_known_by_the_calendar() -> None:
    past, other = history(ROUNDS), later(history(ROUNDS, models=5, seed=1), 30)
    watcher = Watcher([], [])

    walk_forward(past, watcher, warmup=20, retrain_every=15, others=(other,))

    assert [len(tasks[0]) for tasks in watcher.lent] == [0, 5, 20, 35]  # it began 30 weeks after ours
    for own, (lent,) in zip(watcher.trained, watcher.lent, strict=True):
        now = past.opens_at_R[len(own)]
        scored = np.isfinite(lent.scores_RM).any(axis=1)
        assert (lent.opens_at_R < now).all()
        assert (lent.resolves_at_R[scored] <= now).all()


def test_another_future_of_another_tournament_moves_no_earlier_weight() -> None:
    past, other = history(ROUNDS, seed=3), history(ROUNDS, models=5, seed=1)
    options = {"warmup": 50, "retrain_every": TURN - 50}

    before, after = (
        walk_forward(past, make("set_attention"), **options, others=(one,)).weights_RM
        for one in (other, with_other_future(other, TURN - 10))
    )

    assert before[:TURN].tobytes() == after[:TURN].tobytes()
    assert not np.array_equal(before[TURN:], after[TURN:], equal_nan=True)


def test_rounds_of_the_warm_up_have_no_weights() -> None:
    found = run(history(ROUNDS), "equal")

    assert np.isnan(found.weights_RM[:50]).all()
    assert np.isfinite(found.weights_RM[50:]).all()
    assert len(found.weigh_milliseconds) == 30


def test_a_round_without_any_model_is_passed_over() -> None:
    past = history(ROUNDS)
    active = past.active_RM.copy()
    active[55] = False

    found = run(replace(past, active_RM=active), "equal")

    assert np.isnan(found.weights_RM[55]).all()
    assert np.isfinite(found.weights_RM[56:]).all()


@pytest.mark.parametrize("name", LIGHT)
def test_weights_lie_on_the_simplex_of_the_models_that_submitted(name: str) -> None:
    past = history(ROUNDS, seed=5)
    active = past.active_RM.copy()
    active[40:, 6] = False
    active[:60, 7] = False
    scores = np.where(active, past.scores_RM, np.nan)

    weights = run(replace(past, active_RM=active, scores_RM=scores), name).weights_RM[50:]

    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    assert (weights >= 0).all()
    assert (weights[~active[50:]] == 0).all()


def test_progress_is_told_for_each_round() -> None:
    told: list[int] = []

    walk_forward(history(30), make("equal"), warmup=25, retrain_every=5, tell=told.append)

    assert told == [25, 26, 27, 28, 29]


def test_the_corr_of_a_blend_follows_from_scores_and_likeness() -> None:
    past = history(3, models=2)
    scores = np.array([[0.02, 0.04], [np.nan, np.nan], [0.02, 0.04]])
    likeness = np.broadcast_to(np.array([[1.0, 0.5], [0.5, 1.0]], dtype=np.float32), (3, 2, 2))
    weights = np.array([[0.5, 0.5], [0.5, 0.5], [np.nan, np.nan]])

    found = blend_corr(weights, replace(past, scores_RM=scores, correlations_RMM=likeness))

    assert found[0] == pytest.approx(0.03 / np.sqrt(0.75))
    assert np.isnan(found[1:]).all()


def test_the_equal_blend_is_that_of_the_equal_selector() -> None:
    past = history(ROUNDS)

    np.testing.assert_array_equal(equal_corr(past)[50:], run(past, "equal").corr(past)[50:])
