"""What a selector is shown and what it must answer.

Shape suffixes: R rounds (oldest first), M models, K context columns, P eras before the first round.
A round is (scores s, model correlations C,
context, active mask, times): for standardised predictions P and target y, corr(Pw, y) = s.w / sqrt(w'Cw), so every
selector works on s and C alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tournament.errors import BadInput, Fault
from tournament.selectors import provenance
from tournament.selectors.explanation.record import Explanation
from tournament.selectors.progress import Peers, Progress
from tournament.selectors.sketch import EXACT_MODELS, Sketch

Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]
FORMAT = 1
BY_ROUND = (
    "rounds_R", "opens_at_R", "resolves_at_R", "active_RM", "scores_RM", "correlations_RMM", "context_RK", "stakes_RM",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class History:
    """Rounds as a selector may see them; a score is NaN where the model did not submit or the target is not known."""

    rounds_R: NDArray[np.int64]
    models: tuple[str, ...]
    opens_at_R: Times
    resolves_at_R: Times
    active_RM: NDArray[np.bool_]
    scores_RM: Floats
    correlations_RMM: NDArray[np.float32]
    context_RK: Floats
    context_names: tuple[str, ...]
    stakes_RM: Floats
    earlier_context_PK: Floats | None = None
    """Contexts of the eras before the first round, known at every time asked; None where there are none."""
    duplicate_corr: float = 1.0
    """The tournament's rule: models of a round more alike than this share one weight; 1: each stands for itself."""

    def __post_init__(self) -> None:
        """Refuse shapes that do not meet."""
        rounds, models = self.scores_RM.shape
        shapes = (self.active_RM.shape, self.correlations_RMM.shape[:2], (len(self.rounds_R), len(self.models)))
        if any(shape != (rounds, models) for shape in shapes) or len(self.context_RK) != rounds:
            raise BadInput(Fault("shape", f"history of {rounds} rounds and {models} models meets shapes {shapes}"))

    def __len__(self) -> int:
        return len(self.rounds_R)

    def take(self, rows: Any) -> History:
        """Some of the rounds."""
        chosen = _without_copying(rows)
        return replace(self, **{name: _taken(getattr(self, name), chosen) for name in BY_ROUND})

    def known_at(self, time: np.datetime64) -> History:
        """What was known at `time`: rounds opened before it, with scores of those resolved by it."""
        seen = self.take(np.flatnonzero(self.opens_at_R < time))
        return replace(seen, scores_RM=np.where((seen.resolves_at_R <= time)[:, None], seen.scores_RM, np.nan))

    def resolved_rows(self) -> NDArray[np.intp]:
        """Rows of the rounds that have at least one score."""
        return np.flatnonzero(np.isfinite(self.scores_RM).any(axis=1))

    def resolved(self) -> History:
        """The rounds that have at least one score."""
        return self.take(self.resolved_rows())

    def contexts(self) -> Floats:
        """Contexts of the earlier eras and of the rounds, oldest first ((P + R) x K)."""
        return (
            self.context_RK
            if self.earlier_context_PK is None
            else np.vstack([self.earlier_context_PK, self.context_RK])
        )

    def tells_weather(self, *, least: int) -> bool:
        """Whether there are at least so many contexts, and anything at all in them: a tournament may publish none."""
        contexts = self.contexts()
        return len(contexts) >= least and bool(np.isfinite(contexts).any())

    def mark(self) -> str:
        """A mark (sha256) of everything that a training sees of it."""
        digest = hashlib.sha256()
        alike = self.correlations_RMM[:1] if not self.correlations_RMM.strides[0] else self.correlations_RMM
        for values in (self.scores_RM, self.context_RK, self.active_RM):
            digest.update(f"{values.shape}".encode() + values.tobytes())
        for table_MM in alike if any(alike.strides) else ():  # beyond 2,000 models nothing is kept of them
            digest.update(table_MM.tobytes())
        return digest.hexdigest()

    def query(self, row: int) -> Query:
        """The question that round `row` asked at its close."""
        return Query(
            self.models, self.opens_at_R[row], self.active_RM[row], self.correlations_RMM[row].astype(float),
            self.context_RK[row], self.stakes_RM[row],
        )  # fmt: skip


def _taken(values: NDArray[Any], chosen: Any) -> Any:
    """Some rows; where all rows are one and the same in memory, the result is too: it may be too large to copy."""
    if values.strides[0] or not len(values) or isinstance(chosen, slice):
        return np.asarray(values[chosen])
    return np.broadcast_to(values[0], (len(chosen), *values.shape[1:]))


def _without_copying(rows: Any) -> Any:
    """Rows that follow each other as a slice: correlations of all rounds are too large to copy at every step."""
    if isinstance(rows, slice):
        return rows
    places = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows)
    if not len(places) or (np.diff(places) != 1).any():
        return places
    return slice(int(places[0]), int(places[-1]) + 1)


@dataclass(frozen=True, slots=True)
class Query:
    """One round to weigh: who submitted, how alike the models are, and the context at opening."""

    models: tuple[str, ...]
    opens_at: np.datetime64
    active_M: NDArray[np.bool_]
    correlations_MM: Floats | Sketch
    """The table of all pairs; beyond 2,000 models a sketch of it."""
    context_K: Floats
    stakes_M: Floats
    silent_M: NDArray[np.bool_] | None = None
    """Models that submitted too, but for which a duplicate speaks; None where there are none."""

    def __post_init__(self) -> None:
        """Refuse a round that nobody submitted to. Raises BadInput."""
        if not self.active_M.any():
            raise BadInput("no model submitted to this round; there is nothing to weigh")

    def table(self) -> Floats:
        """How alike the models are, for families that read every pair. Raises BadInput."""
        if isinstance(self.correlations_MM, Sketch):
            found = f"{len(self.models)} models come with a sketch of how alike they are, this family reads every pair"
            raise BadInput(Fault("sketch", found, f"weigh at most {EXACT_MODELS} models, or by another family"))
        return self.correlations_MM


@dataclass(frozen=True, slots=True)
class State:
    """What a selector has learned (arrays and config), and the support it was adapted on (never stored)."""

    family: str
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    support: History | None = None
    code: str = ""
    """Mark of the code that made a stored state (`provenance.code_hash`); empty for one made by this process."""
    data: str = ""
    """Mark of what it was trained on (`History.mark`), where the trainer says."""

    @property
    def warning(self) -> str:
        """What staff should know of a stored state that today's code did not make; empty when it did."""
        return provenance.warning(self.family, self.code)

    def to_bytes(self) -> bytes:
        """The learned part as safetensors, with config and the marks of code and data; no code, no pickle."""
        code = self.code or provenance.code_hash(self.family)
        told = {"family": self.family, "config": self.config, "format": FORMAT, "code": code, "data": self.data}
        about = json.dumps(told, sort_keys=True)
        arrays = {name: np.ascontiguousarray(values) for name, values in self.arrays.items()}
        # one entry of metadata only: safetensors writes several in an order that changes from call to call
        return save(arrays or {"empty": np.zeros(1)}, metadata={"about": about})

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        """Read what `to_bytes` wrote; one that other code made is read too, and says so. Raises BadInput."""
        try:
            size = int.from_bytes(data[:8], "little")
            about = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["about"])
            arrays = {name: values for name, values in load(data).items() if name != "empty"}
            if about.get("format", FORMAT) != FORMAT or not isinstance(about["config"], dict):
                raise ValueError(f"its format is {about.get('format')}, not {FORMAT}, or its config is no table")
            code, trained_on = about.get("code", provenance.UNKNOWN), about.get("data", "")
            return cls(about["family"], arrays, about["config"], code=code, data=trained_on)
        except (KeyError, ValueError, OSError, TypeError, AttributeError, SafetensorError) as error:
            raise BadInput(Fault("state", f"this is not a selector's state: {error}")) from None

    def adapted(self, support: History) -> State:
        """The same knowledge beside another support."""
        return replace(self, support=support)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a training may spend and where it begins."""

    seed: int = 0
    seconds: float = float("inf")
    """Wall time after which the best state so far is kept; infinite: as many steps as the family's config says."""
    start: State | None = None
    """A state of the same family to go on from: pre-trained, or an earlier training's."""
    progress: Progress | None = None
    """Where a training that was cut off left its progress, to go on from; its seconds count on."""
    peers: Peers | None = None
    """Who shares the work of each gradient step; None: nobody."""


def refuse_strangers(family: str, state: State, query: Query) -> None:
    """Refuse what would be answered, but wrongly: another family's state, models or contexts in other places.

    Raises BadInput with every fault.
    """
    support, faults = state.support, []
    if state.family != family:
        faults.append(
            Fault("family", f"the state is of {state.family}, the selector is {family}", "give its own state")
        )
    if support is not None and support.models != query.models:
        hint = "ask about the support's models, in its order; who did not submit is not active"
        faults.append(Fault("models", _apart(support.models, query.models), hint))
    if support is not None and len(query.context_K) != len(support.context_names):
        found = f"the query has {len(query.context_K)} contexts, the support {len(support.context_names)}"
        faults.append(Fault("contexts", found, f"give {', '.join(support.context_names) or 'none'}"))
    if faults:
        raise BadInput(faults)


def _apart(models: tuple[str, ...], asked: tuple[str, ...]) -> str:
    """How the models of a query differ from those of the support."""
    if sorted(models) == sorted(asked):
        return "the query's models stand in another order than the support's"
    unknown, missing = sorted(set(asked) - set(models)), sorted(set(models) - set(asked))
    return f"the query has models that the support lacks ({unknown[:3]}) or lacks some of its ({missing[:3]})"


class Selector(Protocol):
    """Weighs any set of models, also models never seen before."""

    @property
    def name(self) -> str:
        """The family."""

    def meta_train(self, tasks: Sequence[History], budget: Budget) -> State:
        """Learn from the resolved rounds of tournaments; all in them must be known now.

        Every resolved round is an episode: it is the query, what was known at its opening is the support. The last task
        is the tournament that the state will serve; the others may have other models and other context columns, or
        none. Families that learn one tournament's own numbers read the last task alone.
        """

    def adapt(self, state: State, support: History) -> State:
        """Take in what is known at a query's opening. Pure; may be given a state it has adapted before."""

    def weights(self, state: State, query: Query) -> Floats:
        """Weights (M) on the simplex over the active models."""

    def explain(self, state: State, query: Query) -> Explanation:
        """Why the weights are what they are, from the state and the query alone; its weights are those of `weights`."""


def equal_weights(active_M: NDArray[np.bool_]) -> Floats:
    """The same weight for each active model."""
    return active_M / active_M.sum()


def on_simplex(values_M: Floats, active_M: NDArray[np.bool_]) -> Floats:
    """Positive part over the active models, summing to one; equal weights when nothing is positive."""
    positive = np.where(active_M & np.isfinite(values_M), np.maximum(values_M, 0.0), 0.0)
    total = positive.sum()
    return positive / total if total > 0 else equal_weights(active_M)
