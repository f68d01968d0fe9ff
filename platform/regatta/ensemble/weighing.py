"""Weigh the models of a sealed round by every selector there is; the champion's weights make the meta-model.

The champion also says why, once and from what was known at the opening (tournament/selectors/explanation/record.py has
the form in which it is stored).
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

import numpy as np

from regatta import artifacts
from regatta.ensemble.history import history
from regatta.ensemble.models import RegimeState, RoundWeights, SelectorVersion
from regatta.rounds.models import Round
from tournament.regimes.model import RegimeModel
from tournament.regimes.names import regime_names
from tournament.selectors.protocol import History, Query, State, on_simplex
from tournament.selectors.registry import make

UNTRAINED = ("equal", "stake", "trailing", "best_single", "inverse_variance", "greedy", "ridge", "hedge", "fixed_share")
DEFAULT = "equal"


def weigh_round(round: Round, now: datetime) -> None:
    """Write the weights of every family, once; they read what was resolved by the round's opening."""
    if round.weights.exists():
        return
    known = history(round.tournament, now, through=round)
    query, support = known.query(len(known) - 1), known.known_at(known.opens_at_R[-1])
    versions = _versions(round)
    champion = next((family for family, version in versions.items() if version.led_at(round.opens_at)), DEFAULT)
    _write_regime(round, versions.get("hmm"), support, query, now)
    rows = []
    for family in dict.fromkeys((*UNTRAINED, *versions)):
        version = versions.get(family)
        state = State(family) if version is None else _state(version.state_sha256)
        selector = make(family)
        adapted, explanation = selector.adapt(state, support), None
        if family == champion:  # its weights are part of its explanation
            explanation = selector.explain(adapted, query)
        answer = selector.weights(adapted, query) if explanation is None else explanation.weights_M
        weights = on_simplex(answer, query.active_M)
        rows.append(
            RoundWeights(
                round=round, selector=version, family=family, is_champion=family == champion, known_at=now,
                weights={name: float(w) for name, w in zip(known.models, weights, strict=True) if w > 0},
                explanation={} if explanation is None else explanation.plain(),
            )
        )  # fmt: skip
    RoundWeights.objects.bulk_create(rows, ignore_conflicts=True)


def _versions(round: Round) -> dict[str, SelectorVersion]:
    """The newest trained version of each family that had been trained by the round's opening."""
    trained = SelectorVersion.objects.filter(tournament=round.tournament, created_at__lte=round.opens_at)
    usable = trained.exclude(status__in=["TRAINING", "FAILED"]).order_by("id")
    newest = {version.family: version for version in usable}
    return newest | {version.family: version for version in usable if version.led_at(round.opens_at)}


@lru_cache(maxsize=64)
def _state(sha256: str) -> State:
    return State.from_bytes(artifacts.get(sha256))


def _write_regime(round: Round, version: SelectorVersion | None, support: History, query: Query, now: datetime) -> None:
    """Filtered probabilities by the trained regime model; before there is one, none is written."""
    if version is None or not (arrays := _state(version.state_sha256).arrays):
        return
    model = RegimeModel.from_arrays(arrays)
    probabilities = model.filtered(np.vstack([support.contexts(), query.context_K[None]]))[-1]
    names = list(regime_names(model, support.context_names))
    values = {"names": names, "probabilities": probabilities.tolist(), "label": int(probabilities.argmax())}
    RegimeState.objects.get_or_create(
        round=round, defaults=values | {"known_at": now, "novelty": model.novelty(query.context_K)}
    )
