"""A committee of the cheap families, weighed by fixed share on what their blends have scored: the safe default.

Shape suffixes: R rounds on record, S members, M models. Experts are selectors, not models: with seven of them the price
of learning whom to follow, sqrt(T / 2 ln S), is a fraction of what it would be with thousands of models.
Source: Herbster and Warmuth 1998, section 4 (fixed share), with members that give blends and scores that come late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournament.selectors.allocator import surrogate_corr
from tournament.selectors.baselines import RULES, Baseline
from tournament.selectors.boa import Boa
from tournament.selectors.duplicates import LEDGERED, in_its_time, without
from tournament.selectors.experts import specialists
from tournament.selectors.explanation.explained import Explained
from tournament.selectors.explanation.record import Outlook
from tournament.selectors.kernel import Kernel
from tournament.selectors.ledger import Ledger, meet
from tournament.selectors.protocol import Budget, Floats, History, Query, State, equal_weights, on_simplex
from tournament.selectors.regime_lookup import RegimeLookup

MEMBERS = ("equal", "trailing", "greedy", "ridge", "boa", "hmm", "kernel")
"""Equal weight is the harbour, the others are the best of their kind. Stake is no member: its weights follow money, not
scores, and whoever has enough could steer the default. Trees are none: to grow them again for the past costs more than
all the others together."""
RATE, SHARE = 3.0, 0.02
"""Chosen as `baselines.STACK_RIDGE` was."""
WINDOW_ROUNDS = 120
"""How many of the last rounds a training leads the members through; a fixed share has all but forgotten older ones."""
RETRAIN_ROUNDS = 60
GAINS = "gains_RS"

States = Mapping[str, State]


@dataclass(frozen=True)
class Committee(Explained):
    """Share-weighted mean of its members' weights."""

    name: str = "committee"

    def meta_train(self, tasks: Sequence[History], budget: Budget) -> State:
        """Lead the members through the last rounds of the last task, then train them on all of it.

        A member's weights for a past round are those of a member trained only on what was known then.
        """
        history = tasks[-1]
        walk = Walk(history, retrain_every=RETRAIN_ROUNDS, seed=budget.seed)
        ledger = meet(history, Ledger(opened=max(0, len(history) - WINDOW_ROUNDS)), walk)
        trained = train_members(history, seed=budget.seed)
        return State(self.name, {GAINS: walk.gains_RS} | ledger.to_arrays() | packed(trained))

    def adapt(self, state: State, support: History) -> State:
        """Extend the record by the rounds since; what is on record is not worked out again."""
        ledger, gains_RS = Ledger.from_arrays(state.arrays), state.arrays.get(GAINS, no_gains())
        if not ledger.continues(support):  # of another history: only rounds that open after it can be judged fairly
            ledger, gains_RS = Ledger(opened=ledger.first_row_after(support)), no_gains()
        walk = Walk(support, unpacked(state.arrays), gains_RS)
        ledger = meet(support, ledger, walk)
        return State(
            self.name, {GAINS: walk.gains_RS} | ledger.to_arrays() | packed(walk.states), state.config, support
        )

    def weigh(self, state: State, query: Query) -> Floats:
        """Mean of the members' weights by their shares; the members know what is known now."""
        support = state.support
        if support is None or not len(support.resolved()):
            return equal_weights(query.active_M)
        states = adapted(unpacked(state.arrays), support, query)
        return on_simplex(shares(state) @ member_weights(states, query), query.active_M)

    def outlook(self, state: State, query: Query, context_EC: Floats) -> Outlook:
        """Mean of the members' answers in each context."""
        support = state.support
        if support is None or not len(support.resolved_rows()):
            return Outlook(np.tile(equal_weights(query.active_M), (len(context_EC), 1)))
        states = adapted(unpacked(state.arrays), support, query)
        answer_SEM = np.array([member(name).outlook(states[name], query, context_EC).weights_EM for name in MEMBERS])
        return Outlook(np.tensordot(shares(state), answer_SEM, axes=1))


@dataclass
class Walk:
    """The members on their way through a history: the learner that the ledger leads."""

    support: History
    states: States = field(default_factory=lambda: {name: State(name) for name in MEMBERS})
    gains_RS: Floats = field(default_factory=lambda: no_gains())
    retrain_every: int = 0
    """Rounds between trainings of the members; 0 for never."""
    seed: int = 0
    met: int = 0

    def open(self, row: int) -> Floats:
        """Weights (S x M) that each member gives at the round's opening."""
        known = self.support.known_at(self.support.opens_at_R[row])
        if self.retrain_every and self.met % self.retrain_every == 0:
            self.states = train_members(known, seed=self.seed)
        self.met += 1
        query, groups = in_its_time(self.support, row)
        self.states = adapted(self.states, known, query)
        return np.array([groups.shared(weights_M) for weights_M in member_weights(self.states, query)])

    def resolve(self, row: int, weights_SM: Floats) -> None:
        """Put the corr of each member's blend on record."""
        correlations, scores_M = self.support.correlations_RMM[row].astype(float), self.support.scores_RM[row]
        gain_S = [surrogate_corr(weights_M, scores_M, correlations) for weights_M in weights_SM]
        self.gains_RS = np.vstack([self.gains_RS, gain_S])


def shares(state: State) -> Floats:
    """Weight of each member (S) by fixed share over the blend corrs on record, uniform without any."""
    return shares_after(state.arrays.get(GAINS, no_gains()))


def shares_after(gains_RS: Floats) -> Floats:
    """Weight of each expert (S) by fixed share after these corrs in the order of resolution, NaN where one slept."""
    log_S = specialists(gains_RS, rate=RATE, share=SHARE)
    return np.asarray(np.exp(log_S) / np.exp(log_S).sum())


def member(name: str) -> Baseline | Boa | Kernel | RegimeLookup:
    """A member by name."""
    if name in RULES:
        return Baseline(name, RULES[name])
    if name == "boa":
        return Boa()
    return Kernel() if name == "kernel" else RegimeLookup(name)


def train_members(known: History, *, seed: int) -> States:
    """Each member trained on what is known."""
    return {name: member(name).meta_train([known], Budget(seed=seed)) for name in MEMBERS}


def adapted(states: States, known: History, query: Query) -> States:
    """Each member's state beside what is known of the models that the query is about, duplicates left out."""
    heard = without(known, query.silent_M)
    return {name: member(name).adapt(state, known if name in LEDGERED else heard) for name, state in states.items()}


def member_weights(states: States, query: Query) -> Floats:
    """Weights (S x M) of the members."""
    return np.array([on_simplex(member(name).weights(states[name], query), query.active_M) for name in MEMBERS])


def no_gains() -> Floats:
    """An empty record."""
    return np.zeros((0, len(MEMBERS)))


def packed(states: States) -> dict[str, NDArray[Any]]:
    """Arrays of all members in one, under their names; what they were adapted on is not part of it."""
    return {f"{name}/{key}": values for name, state in states.items() for key, values in state.arrays.items()}


def unpacked(arrays: Mapping[str, NDArray[Any]]) -> States:
    """Read what `packed` gave."""
    return {
        name: State(name, {key.split("/", 1)[1]: arrays[key] for key in arrays if key.startswith(f"{name}/")})
        for name in MEMBERS
    }
