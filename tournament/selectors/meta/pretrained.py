"""The in-context gate, trained on simulated tournaments before it has seen this one.

Its state ships with the project: pretrained.safetensors beside this file, made by `python manage.py pretrain_selector`
(its metadata hold config and seed). With enough resolved rounds it is tuned further on the tournament's own, gently;
the newest rounds, purged, say whether that helps, and the state as shipped is kept unless it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from tournament.selectors.allocator import RIDGE, best_blend
from tournament.selectors.baselines import ridge, ridge_outlook
from tournament.selectors.explanation.explained import Explained, allocated
from tournament.selectors.explanation.record import Estimate, Outlook
from tournament.selectors.meta.in_context import (
    Asked,
    InContextGate,
    Sightings,
    in_contexts,
    principal,
    stack,
    wide,
)
from tournament.selectors.meta.neural import NETWORK, Stored, choose_device, loaded, network_arrays
from tournament.selectors.meta.training import TrainingConfig, shown_in_training, split, train
from tournament.selectors.patterns import query_contexts, sight
from tournament.selectors.protocol import Budget, Floats, History, Query, State, equal_weights
from tournament.selectors.sketch import EXACT_MODELS
from tournament.selectors.tokens import SCALE

SHIPPED = Path(__file__).with_suffix(".safetensors")
LEAST_SEEN = 8
"""With fewer resolved rounds than this there is no pattern to see; ridge answers."""
LEAST_TO_TUNE = 300
TUNING = TrainingConfig(
    steps=24, learning_rate=3e-4, weight_decay=0.0, batch=12, check_every=12, patience=2, ridge=RIDGE
)


@dataclass(frozen=True)
class Pretrained(Explained):
    """The selector around the gate."""

    name: str = "pretrained"
    device: str = "cpu"
    config: TrainingConfig = field(default_factory=lambda: TUNING)
    least_to_tune: int = LEAST_TO_TUNE

    def meta_train(self, tasks: Sequence[History], budget: Budget) -> State:
        """The shipped state, tuned on tasks with enough resolved rounds if that helps on the newest of them."""
        start = shipped() if budget.start is None else budget.start
        # beyond the models of which every pair is kept there is nothing to tune on: how alike they were is not known
        kept = [history for history in tasks if len(history.models) <= EXACT_MODELS]
        long = [history for history in kept if len(history.resolved()) >= self.least_to_tune]
        if not long:
            return start
        gate = InContextGate()
        gate.load_state_dict(network_arrays(start.arrays))
        gate.to(self.device)
        material = [
            (_episodes(history).to(self.device), *split(history, self.config.validation_share)) for history in long
        ]
        gains = train(gate, material, self.config, budget)
        arrays = {NETWORK + name: values.cpu().numpy() for name, values in gate.state_dict().items()}
        about = {"tuning": asdict(self.config), "validation": gains}
        about["shown"] = shown_in_training(gate, material[-1], self.config, long[-1])
        return State(self.name, arrays, start.config | about)

    def adapt(self, state: State, support: History) -> State:
        """Keep everything known: seeing it is the adaptation."""
        return state.adapted(support)

    def weigh(self, state: State, query: Query) -> Floats:
        """Expected scores by the gate, then the exact allocator; ridge while there is too little to see."""
        support = state.support
        if support is None or not len(support.resolved_rows()):
            return equal_weights(query.active_M)
        if len(support.resolved_rows()) < LEAST_SEEN:
            return ridge(support.resolved(), query)
        with torch.inference_mode():
            asked = _asked(query, support)
            expected_M = loaded(InContextGate, Stored(state.arrays))(stack([asked]))[0].double().numpy()
        copies_M = asked.sighting.directions.copies_M
        return best_blend(expected_M, query.correlations_MM, query.active_M, ridge=RIDGE, copies_M=copies_M)

    def outlook(self, state: State, query: Query, context_EC: Floats) -> Outlook:
        """Expected scores in each context, beside the same past; its attention to each round, mean over the heads."""
        support = state.support
        if support is None or len(support.resolved_rows()) < LEAST_SEEN:
            return ridge_outlook(support, query, len(context_EC))
        asked, count = _asked(query, support), len(context_EC)
        gate: InContextGate = loaded(InContextGate, Stored(state.arrays))  # type: ignore[assignment]
        seen = stack([asked])
        query_context = torch.from_numpy(query_contexts(query, support, context_EC).astype(np.float32))
        with torch.inference_mode():
            mean, pattern = gate.weathers(seen)
            basis, strength = (wide(values, count) for values in principal(seen, pattern))
            mean, pattern, seen = wide(mean, count), wide(pattern, count), in_contexts(seen, query_context)
            attention = gate.attention(seen, mean, pattern)
            expected_EM = gate.answer(seen, (mean, pattern), (basis, strength), attention).double().numpy()
            share_B = attention[0].mean(0).double().numpy()
        attention_R = _by_round(share_B, asked.sighting.rounds_a_bin, support)
        return allocated(expected_EM, query, Estimate.OWN, RIDGE, attention_R=attention_R)


def _episodes(history: History) -> Sightings:
    """Every resolved round as it would have been asked; one with too little before it is asked of what there was."""
    rows = history.resolved_rows()
    asked = []
    for row in rows:
        query = history.query(int(row))
        support = history.known_at(query.opens_at)
        if not len(support.resolved_rows()):
            support = history.known_at(history.opens_at_R[rows[-1]])  # fills a place that `split` never fits on
        scores = np.nan_to_num(history.scores_RM[row]) * SCALE
        asked.append(Asked(sight(query, support), query.active_M, np.nan_to_num(query.table()), scores))
    return stack(asked)


def _asked(query: Query, support: History) -> Asked:
    """A query to be answered; how alike the models are is the loss's to read, not the gate's."""
    return Asked(sight(query, support), query.active_M, np.zeros((0, 0)), np.zeros(len(query.models)))


def _by_round(share_B: Floats, rounds_a_bin: int, support: History) -> Floats:
    """Attention to bins of resolved rounds as attention to each round of the support (R)."""
    binned = support.resolved_rows()[-len(share_B) * rounds_a_bin :]
    share_R = np.zeros(len(support))
    share_R[binned] = np.repeat(share_B / rounds_a_bin, rounds_a_bin)
    return share_R


@lru_cache(maxsize=1)
def shipped() -> State:
    """The state that came with the project."""
    return State.from_bytes(SHIPPED.read_bytes())


def build(device: str) -> Pretrained:
    """The selector for a device: cpu, cuda or auto. Raises BadConfig when cuda is missing."""
    return Pretrained(device=choose_device(device))
