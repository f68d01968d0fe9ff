"""Models that rank a round's assets almost alike share one weight budget, whoever weighs them.

Shape suffixes: M models, R rounds, H rows at a time. Two models are duplicates in a round when their predictions' rank
correlation (of normal scores, the C that every selector reads) is above the rules' `duplicate_corr`; duplicates of
duplicates belong to one group (single linkage). A selector is asked as if each group were its one member with the
best record, and what that member is given is shared out equally. So a group weighs what one of its members would get,
and everybody else gets what they would get were the others of the group not there. The best and not the longest record:
else an old losing model that sends the leader's predictions would speak for the leader. Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tournament.selectors.allocator import Alike, rows
from tournament.selectors.protocol import Floats, History, Query

ROWS_AT_ONCE = 256
SHRINK_ROUNDS = 30.0
"""A mean of fewer rounds than this counts less than half."""
LEDGERED = ("boa", "committee")
"""They go on from a record of past rounds, which they would not know again with models left out: they are told the
whole past, and ask in each of its rounds who spoke."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """For each model the one that speaks for its group (M); for one without duplicates, and absent ones, itself."""

    speaker_M: NDArray[np.intp]

    @property
    def silent_M(self) -> NDArray[np.bool_]:
        """Models for which another speaks."""
        return np.asarray(self.speaker_M != np.arange(len(self.speaker_M)))

    def __bool__(self) -> bool:
        """Whether there are duplicates at all."""
        return bool(self.silent_M.any())

    def sizes(self, models: tuple[str, ...]) -> dict[str, int]:
        """How many models each speaker of a group speaks for, itself included."""
        size_M = np.bincount(self.speaker_M, minlength=len(models))
        return {models[place]: int(size_M[place]) for place in np.flatnonzero(size_M > 1)}

    def asked(self, query: Query) -> Query:
        """The same question about the speakers alone."""
        silent_M = self.silent_M
        return replace(query, active_M=query.active_M & ~silent_M, silent_M=silent_M) if self else query

    def known(self, support: History, family: str = "") -> History:
        """The past without the models for which another speaks; whole for a family that knows it by its ledger."""
        return support if not self or family in LEDGERED else without(support, self.silent_M)

    def shared(self, weights_M: Floats) -> Floats:
        """Weights of the speakers shared out within their groups, equally."""
        if not self:
            return weights_M
        size_M = np.bincount(self.speaker_M, minlength=len(self.speaker_M))
        return np.asarray((weights_M / np.maximum(size_M, 1))[self.speaker_M])

    def gathered(self, weights_M: Floats) -> Floats:
        """The opposite of `shared`: what a group weighs, at its speaker."""
        if not self:
            return weights_M
        return np.asarray(np.bincount(self.speaker_M, weights=weights_M, minlength=len(weights_M)), dtype=np.float64)


def without(support: History, silent_M: NDArray[np.bool_] | None) -> History:
    """The past as if some models had never been in it."""
    if silent_M is None:
        return support
    scores_RM = np.where(silent_M, np.nan, support.scores_RM)
    return replace(support, active_RM=support.active_RM & ~silent_M, scores_RM=scores_RM)


def duplicates(query: Query, support: History) -> Groups:
    """Who speaks for whom in a round, by the rule of its tournament.

    The member with the best known mean score speaks, shrunk to zero where few rounds tell it; among equals the one
    active in most past rounds, then the one first in the alphabet.
    """
    limit = support.duplicate_corr
    pairs = near_pairs(query.correlations_MM, query.active_M, limit) if limit < 1 else ()
    if not len(pairs):
        return _alone(query)
    graph = coo_array((np.ones(len(pairs)), tuple(np.transpose(pairs))), shape=(len(query.models),) * 2)
    group_M = connected_components(graph, directed=False)[1]
    told_M = np.nansum(support.scores_RM, axis=0) / (np.isfinite(support.scores_RM).sum(axis=0) + SHRINK_ROUNDS)
    order = np.lexsort((np.array(query.models), -support.active_RM.sum(axis=0), -told_M))  # best speakers first
    speaker_G = np.full(group_M.max() + 1, -1, dtype=np.intp)
    for place in order[::-1]:
        speaker_G[group_M[place]] = place
    return Groups(speaker_G[group_M])


def in_its_time(support: History, row: int) -> tuple[Query, Groups]:
    """What round `row` of the past asked of those that spoke in it, by what was known when it opened."""
    query = support.query(row)
    groups = duplicates(query, support.known_at(query.opens_at)) if support.duplicate_corr < 1 else _alone(query)
    return groups.asked(query), groups


def _alone(query: Query) -> Groups:
    return Groups(np.arange(len(query.models)))


def near_pairs(correlations_MM: Alike, active_M: NDArray[np.bool_], threshold: float) -> NDArray[np.intp]:
    """Pairs of active models more alike than the threshold (pairs x 2), each once; a few rows at a time."""
    chosen, found = np.flatnonzero(active_M), [np.zeros((0, 2), dtype=np.intp)]
    for first in range(0, len(chosen), ROWS_AT_ONCE):
        some = chosen[first : first + ROWS_AT_ONCE]
        near_HM = (rows(correlations_MM, some.tolist()) > threshold) & active_M
        here, there = np.nonzero(near_HM & (np.arange(near_HM.shape[1]) > some[:, None]))
        found.append(np.column_stack([some[here], there]))
    return np.concatenate(found)
