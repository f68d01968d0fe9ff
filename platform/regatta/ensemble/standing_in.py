"""When a committee answers in the champion's place, and what the rules make of the weights of whoever answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import numpy as np

from regatta import artifacts
from regatta.ensemble.models import RoundWeights, SelectorVersion
from regatta.rounds.models import Round
from regatta.submissions.models import ContributedModel
from tournament.regimes.novelty import Known, known
from tournament.selectors.committee import MEMBERS, shares_after
from tournament.selectors.duplicates import Groups
from tournament.selectors.protocol import Floats, History, Query, State
from tournament.selectors.restraint import restrained
from tournament.selectors.stand_in import NAME, StandIn

NEWEST_CONTEXTS = 800
"""Fifteen years of weeks: what lies before them is not needed to call a market known, and costs time."""


@lru_cache(maxsize=64)
def _state(sha256: str) -> State:
    return State.from_bytes(artifacts.get(sha256))


def learned(version: SelectorVersion) -> State:
    """What a version has learned."""
    return _state(version.state_sha256)


def novelty_of(version: SelectorVersion | None, support: History, query: Query) -> float | None:
    """How far the round's market is from all that the version's training had seen; None without a training."""
    if version is None:
        return None
    trained_at = np.datetime64(version.created_at.replace(tzinfo=None), "s")
    earlier = support.contexts()[: len(support.contexts()) - len(support)]
    opened = support.context_RK[support.opens_at_R <= trained_at]
    seen = np.ascontiguousarray(np.vstack([earlier, opened])[-NEWEST_CONTEXTS:])
    found = _known(seen.tobytes(), support.context_names)
    return None if found is None else found.novelty(query.context_K)


@lru_cache(maxsize=16)
def _known(contexts: bytes, names: tuple[str, ...]) -> Known | None:
    """What contexts make known; asked anew only after a training, so it is kept by its input."""
    return known(np.frombuffer(contexts).reshape(-1, len(names)), names)


def reason_to_stand_in(round: Round, champion: SelectorVersion | None, novelty: float | None) -> str:
    """Why the champion shall not answer; empty where it shall. One that learned nothing has nothing to be wrong in."""
    limit = round.tournament.parsed_rules().novelty_limit
    if champion is None or not learned(champion).arrays or novelty is None or novelty <= limit:
        return ""
    return (
        f"the market is {novelty:.2f} times as far from all that {champion.family} was trained on as the edge of what "
        f"it knows; the rules let it answer up to {limit:.2f}"
    )


def stand_in(
    round: Round, rows: Sequence[RoundWeights], query: Query, reason: str, support: History, now: datetime
) -> RoundWeights:
    """The committee's answer, with why: from what its members gave this round, and from their blends' corrs so far."""
    given = {row.family: row.weights for row in rows}
    members = [family for family in MEMBERS if family in given]
    weights_SM = np.array([[given[family].get(name, 0.0) for name in query.models] for family in members])
    share_S = shares_after(corrs_so_far(round, members, now))
    told = StandIn(weights_SM, share_S).explain(State(NAME, support=support), query)
    shares = {family: _short(share) for family, share in zip(members, share_S, strict=True)}
    return RoundWeights(
        family=NAME, answers=True, reason=reason, weights=by_name(told.weights_M, query.models),
        explanation=told.plain() | {"members": shares},
    )  # fmt: skip


def corrs_so_far(round: Round, families: Sequence[str], now: datetime) -> Floats:
    """corr of each family's blend (R x S) in the rounds that had resolved when this one opened, in that order."""
    known_rows = RoundWeights.objects.filter(
        round__tournament=round.tournament, round__resolves_at__lte=round.opens_at, round__resolved_at__lte=now,
        family__in=families, corr__isnull=False,
    ).order_by("round__resolves_at", "round__number")  # fmt: skip
    table: dict[int, list[float | None]] = {}
    for number, family, corr in known_rows.values_list("round__number", "family", "corr"):
        table.setdefault(number, [np.nan] * len(families))[families.index(family)] = corr
    return np.array(list(table.values()), dtype=float).reshape(-1, len(families))


def restrain(row: RoundWeights, round: Round, query: Query, groups: Groups) -> dict[str, float]:
    """What the rules make of the weights that answer: held to those before, shared out, contributors capped.

    Empty where the rules ask for none of it.
    """
    rules = round.tournament.parsed_rules()
    if rules.stickiness <= 0 and rules.contributor_cap >= 1:
        return {}
    before = RoundWeights.objects.filter(
        round__tournament=round.tournament, round__number__lt=round.number, answers=True
    ).order_by("-round__number")
    last = before.values_list("weights", flat=True).first()
    owners = dict(ContributedModel.objects.filter(name__in=query.models).values_list("name", "owner_id"))
    _, owner_M = np.unique([owners.get(name, 0) for name in query.models], return_inverse=True)
    made_M = restrained(
        _in_places(row.weights, query), query, None if last is None else groups.gathered(_in_places(last, query)),
        owner_M, stickiness=rules.stickiness, cap=rules.contributor_cap, groups=groups,
    )  # fmt: skip
    return by_name(made_M, query.models)


def shared_out(weights: dict[str, float], query: Query, groups: Groups) -> dict[str, float]:
    """Weights by model once each group's are shared among its members."""
    return by_name(groups.shared(_in_places(weights, query)), query.models) if groups else weights


def by_name(weights_M: Floats, models: Sequence[str]) -> dict[str, float]:
    """Weights above zero by model."""
    return {name: float(weight) for name, weight in zip(models, weights_M, strict=True) if weight > 0}


def _short(share: float) -> float:
    """Four digits: enough to show."""
    return round(float(share), 4)


def _in_places(weights: dict[str, float], query: Query) -> Floats:
    return np.array([weights.get(name, 0.0) for name in query.models])
