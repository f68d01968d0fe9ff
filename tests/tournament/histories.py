"""Small invented tournaments whose regimes are known: half the models are good in one regime, half in the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tournament.selectors.protocol import BY_ROUND, History

CONTEXT_NAMES = ("volatility", "dispersion", "momentum_return")
WEEK = np.timedelta64(7, "D")


def regimes(rounds: int, stay: int = 15) -> np.ndarray:
    """0 and 1 in turn, `stay` rounds each."""
    return np.arange(rounds) // stay % 2


def history(rounds: int = 90, models: int = 8, *, seed: int = 0, earlier: int = 40) -> History:
    """Weekly rounds that resolve five weeks later; noise of 0.05 around a skill of 0.06 in a model's own regime."""
    rng = np.random.default_rng(seed)
    now = regimes(earlier + rounds)
    contexts = np.exp(rng.normal(0.0, 0.25, (earlier + rounds, 3)) + now[:, None])
    own = np.arange(models) % 2
    scores = np.where(now[earlier:, None] == own, 0.06, -0.02) + rng.normal(0.0, 0.05, (rounds, models))
    opens = np.datetime64("2020-01-03T18:00:00") + np.arange(rounds) * WEEK
    active = np.ones((rounds, models), dtype=bool)
    correlations = np.where(own[:, None] == own, 0.3, 0.0) + 0.7 * np.eye(models)
    return History(
        np.arange(1, rounds + 1), tuple(f"model_{number}" for number in range(models)), opens.astype("datetime64[s]"),
        (opens + 5 * WEEK).astype("datetime64[s]"), active, scores,
        np.broadcast_to(correlations.astype(np.float32), (rounds, models, models)).copy(), contexts[earlier:],
        CONTEXT_NAMES, np.tile(np.arange(1.0, models + 1), (rounds, 1)), contexts[:earlier],
    )  # fmt: skip


def with_other_future(past: History, row: int, seed: int = 9) -> History:
    """The same history up to `row`: scores that resolve after its opening and all later rounds are drawn anew."""
    rng = np.random.default_rng(seed)
    opens = past.opens_at_R[row]
    scores = np.where((past.resolves_at_R > opens)[:, None], rng.normal(0, 0.2, past.scores_RM.shape), past.scores_RM)
    contexts, stakes = past.context_RK.copy(), past.stakes_RM.copy()
    contexts[row + 1 :] = rng.uniform(0.1, 9.0, contexts[row + 1 :].shape)
    stakes[row + 1 :] = rng.uniform(0.1, 9.0, stakes[row + 1 :].shape)
    return replace(past, scores_RM=scores, context_RK=contexts, stakes_RM=stakes)


def permuted(past: History, order: np.ndarray) -> History:
    """The same history with its models in another order."""
    columns = {name: getattr(past, name)[:, order] for name in BY_ROUND if name.endswith("_RM")}
    correlations = past.correlations_RMM[:, order][:, :, order]
    return replace(past, models=tuple(past.models[i] for i in order), correlations_RMM=correlations, **columns)
