"""Weigh the models of a sealed round by every selector there is; the champion's weights make the meta-model.

Where the market is unlike all that the champion was trained on a committee answers in its place (standing_in.py). Who
answers also says why, once and from what was known at the opening (tournament/selectors/explanation/record.py has
the form in which it is stored).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from regatta.ensemble.history import history, question
from regatta.ensemble.models import RegimeState, RoundWeights, SelectorVersion
from regatta.ensemble.standing_in import (
    by_name,
    learned,
    novelty_of,
    reason_to_stand_in,
    restrain,
    shared_out,
    stand_in,
)
from regatta.rounds.models import Round
from tournament.regimes.model import RegimeModel
from tournament.regimes.names import regime_names
from tournament.selectors.duplicates import Groups, duplicates
from tournament.selectors.protocol import History, Query, State, on_simplex
from tournament.selectors.registry import SKETCHED, make
from tournament.selectors.sketch import EXACT_MODELS

UNTRAINED = ("equal", "stake", "trailing", "best_single", "inverse_variance", "greedy", "ridge", "hedge", "fixed_share")
DEFAULT = "equal"


def weigh_round(round: Round, now: datetime) -> None:
    """Write the weights of every family, once; they read what was resolved by the round's opening."""
    if round.weights.exists():
        return
    known = history(round.tournament, now, through=round)
    whole, past = question(known, round), known.known_at(known.opens_at_R[-1])
    groups = duplicates(whole, past)
    query, support = groups.asked(whole), groups.known(past)
    versions = _versions(round)
    if len(known.models) > EXACT_MODELS:  # then how alike the models are is sketched
        versions = {family: version for family, version in versions.items() if family in SKETCHED}
    champion = next((family for family, version in versions.items() if version.led_at(round.opens_at)), DEFAULT)
    novelty = novelty_of(versions.get(champion) or versions.get("hmm"), support, query)
    _write_regime(round, versions.get("hmm"), support, query, now, novelty)
    reason = reason_to_stand_in(round, versions.get(champion), novelty)
    rows = []
    for family in dict.fromkeys((*UNTRAINED, *versions)):
        answers = family == champion and not reason
        row = _answer(family, versions.get(family), groups.known(past, family), query, explains=answers)
        row.is_champion, row.answers = family == champion, answers
        rows.append(row)
    if reason:
        rows.append(stand_in(round, rows, query, reason, support, now))
    _finish(rows, round, query, groups)
    for row in rows:
        row.round, row.known_at = round, now
    RoundWeights.objects.bulk_create(rows, ignore_conflicts=True)


def _finish(rows: Sequence[RoundWeights], round: Round, query: Query, groups: Groups) -> None:
    """From weights of those who speak for duplicates to weights of all, those that answer as the rules ask."""
    answer = next(row for row in rows if row.answers)
    made = restrain(answer, round, query, groups)
    for row in rows:
        row.weights = shared_out(row.weights, query, groups)
    if made:
        answer.own, answer.weights = answer.weights, made
    if groups:
        answer.explanation["groups"] = groups.sizes(query.models)


def _answer(
    family: str, version: SelectorVersion | None, support: History, query: Query, *, explains: bool
) -> RoundWeights:
    """What one family gives; where it explains, its weights are part of the explanation."""
    selector = make(family)
    adapted, explanation = selector.adapt(learned(version) if version else State(family), support), None
    if explains:
        explanation = selector.explain(adapted, query)
    answer = selector.weights(adapted, query) if explanation is None else explanation.weights_M
    return RoundWeights(
        selector=version, family=family, weights=by_name(on_simplex(answer, query.active_M), query.models),
        explanation={} if explanation is None else explanation.plain(),
    )  # fmt: skip


def _versions(round: Round) -> dict[str, SelectorVersion]:
    """The newest trained version of each family that had been trained by the round's opening."""
    trained = SelectorVersion.objects.filter(tournament=round.tournament, created_at__lte=round.opens_at)
    usable = trained.exclude(status__in=["TRAINING", "FAILED"]).order_by("id")
    newest = {version.family: version for version in usable}
    return newest | {version.family: version for version in usable if version.led_at(round.opens_at)}


def _write_regime(
    round: Round,
    version: SelectorVersion | None,
    support: History,
    query: Query,
    now: datetime,
    novelty: float | None,
) -> None:
    """Filtered probabilities by the trained regime model; before there is one, none is written."""
    if version is None or not (arrays := learned(version).arrays):
        return
    model = RegimeModel.from_arrays(arrays)
    probabilities = model.filtered(np.vstack([support.contexts(), query.context_K[None]]))[-1]
    names = list(regime_names(model, support.context_names))
    values = {"names": names, "probabilities": probabilities.tolist(), "label": int(probabilities.argmax())}
    RegimeState.objects.get_or_create(round=round, defaults=values | {"known_at": now, "novelty": novelty})
