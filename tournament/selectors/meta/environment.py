"""A tournament as a Gymnasium environment: every step weighs one round, every reward comes when its round resolves.

Shape suffixes: R rounds, M models, T tokens. What is seen is what was known at the round's opening; an action is the
corr that each model is expected to score, and the allocator makes weights of it. The reward of a round is the corr of
its blend less that of equal weight. It is worked out and paid only once the round has resolved, some steps later: the
step that ends at a round's opening pays all rounds resolved by then, and the last step waits for those still open.
Weights move no market, so what is seen does not depend on what was done. Source: ours; the interface is Gymnasium's
(Towers et al. 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from tournament.errors import BadConfig, BadInput, Fault
from tournament.selectors.allocator import best_blend, surrogate_corr
from tournament.selectors.baselines import STACK_RIDGE
from tournament.selectors.meta.training import Episodes, training_episodes
from tournament.selectors.protocol import Floats, History, equal_weights
from tournament.selectors.tokens import SCALE, TOKENS
from tournament.selectors.weather import Beliefs

Observation = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Course(Episodes):
    """Every resolved round of a history as an episode, with when it opened and resolved (seconds, B)."""

    opens_B: Tensor
    resolves_B: Tensor


def course(history: History, beliefs: Beliefs) -> Course:
    """The resolved rounds of a history, each with what was known at its own opening."""
    resolved = history.resolved()
    opens_B, resolves_B = (
        one.astype("datetime64[s]").astype(np.int64) for one in (resolved.opens_at_R, resolved.resolves_at_R)
    )
    values = training_episodes(history, beliefs).values()
    return Course(**values, opens_B=torch.from_numpy(opens_B), resolves_B=torch.from_numpy(resolves_B))


class SelectionEnv(gymnasium.Env[Observation, NDArray[np.float32]]):
    """Rounds of one tournament in order; an episode is `span` of them that follow each other, from a drawn place on."""

    metadata = {"render_modes": []}

    def __init__(self, course: Course, rows: NDArray[np.intp] | None = None, *, span: int | None = None) -> None:
        """`rows` of the course, all by default, and how many of them an episode has. Raises BadConfig."""
        self.course = course
        self.rows = np.arange(len(course)) if rows is None else rows
        self.span = len(self.rows) if span is None else span
        if not 1 <= self.span <= len(self.rows):
            found = f"episodes of {self.span} rounds from {len(self.rows)} resolved ones"
            raise BadConfig(Fault("span", found, "give at least one round, and no more than there are"))
        models = course.active_BM.shape[1]
        seen: dict[str, spaces.Space[Any]] = {
            "tokens": spaces.Box(-SCALE, SCALE, (models, len(TOKENS)), np.float32),
            "active": spaces.MultiBinary(models),
            "copies": spaces.Box(1.0, float(max(2, models)), (models,), np.float32),
        }
        self.observation_space = spaces.Dict(seen)  # type: ignore[assignment]
        self.action_space = spaces.Box(-1.0, 1.0, (models,), np.float32)
        self._place, self._last, self._waiting = 0, 0, dict[int, Floats]()

    @property
    def row(self) -> int:
        """Row of the round that is open; after an episode's end, of its last one."""
        return int(self.rows[min(self._place, self._last - 1)])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Open the first round of an episode that starts at a drawn place."""
        super().reset(seed=seed)
        self._place = int(self.np_random.integers(len(self.rows) - self.span + 1))
        self._last, self._waiting = self._place + self.span, {}
        return self._observed(), {"row": self.row}

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Weigh the open round, go to the next; `info["paid"]` tells the reward by row. Raises BadInput."""
        if self._place >= self._last:
            raise BadInput(Fault("no_round", "no round is open: the episode has ended", "call reset first"))
        self._waiting[self.row] = self.weights(self.row, np.asarray(action, dtype=float))
        self._place += 1
        over = self._place == self._last
        paid = self._pay(None if over else int(self.course.opens_B[self.row]))
        return self._observed(), float(sum(paid.values())), over, False, {"row": self.row, "paid": paid}

    def _observed(self) -> Observation:
        seen = self.course
        return {
            "tokens": seen.token_BMT[self.row].clamp(-SCALE, SCALE).numpy(),
            "active": seen.active_BM[self.row].numpy().astype(np.int8),
            "copies": seen.copies_BM[self.row].numpy().copy(),
        }

    def weights(self, row: int, action_M: Floats) -> Floats:
        """The allocator's blend of a row for expected scores."""
        correlations, active_M = self.course.correlation_BMM[row].double().numpy(), self.course.active_BM[row].numpy()
        return best_blend(action_M, correlations, active_M, ridge=STACK_RIDGE)

    def _pay(self, now: int | None) -> dict[int, float]:
        """Rewards of the weighed rounds that have resolved by `now`, all without one; scores are read here alone."""
        due = [row for row in self._waiting if now is None or int(self.course.resolves_B[row]) <= now]
        return {row: self.reward(row, self._waiting.pop(row)) for row in due}

    def reward(self, row: int, weights_M: Floats) -> float:
        """corr of a blend in a row less that of equal weight."""
        scores_M = self.course.score_BM[row].double().numpy() / SCALE
        correlations, active_M = self.course.correlation_BMM[row].double().numpy(), self.course.active_BM[row].numpy()
        equal = surrogate_corr(equal_weights(active_M), scores_M, correlations)
        return surrogate_corr(weights_M, scores_M, correlations) - equal
