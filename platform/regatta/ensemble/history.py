"""What selectors learn from: sealed panels and final scores, as known at a time."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np

from regatta.rounds.models import Round, Tournament
from regatta.rounds.prices import earlier_contexts
from regatta.rounds.sealing import read_panel
from regatta.scores.models import Score
from tournament.markets.context import CONTEXT_NAMES
from tournament.scoring.blend import model_correlations
from tournament.selectors.protocol import History


def history(tournament: Tournament, now: datetime, *, through: Round | None = None) -> History:
    """Every sealed round opened by `now` (and up to `through`), with the scores of those resolved by `now`."""
    rounds = tournament.rounds.exclude(panel_sha256="").exclude(panel_models=[]).filter(opens_at__lte=now)
    if through is not None:
        rounds = rounds.filter(number__lte=through.number)
    ordered = list(rounds.order_by("number"))
    models = tuple(sorted({name for round in ordered for name in round.panel_models}))
    place = {name: j for j, name in enumerate(models)}
    shape = (len(ordered), len(models))
    active, scores, stakes = np.zeros(shape, dtype=bool), np.full(shape, np.nan), np.zeros(shape)
    correlations = np.zeros((*shape, len(models)), dtype=np.float32)
    for row, round in enumerate(ordered):
        columns = np.array([place[name] for name in round.panel_models])
        active[row, columns] = True
        correlations[row][np.ix_(columns, columns)] = correlations_of(round.panel_sha256)
        if round.resolved_at is not None and round.resolved_at <= now:
            for name, value in _linear_scores(
                round.panel_sha256, round.target_sha256, tuple(round.panel_models)
            ).items():
                scores[row, place[name]] = value
        for name, amount in round.stakes.items():
            if name in place:
                stakes[row, place[name]] = float(amount)
    return History(
        np.array([round.number for round in ordered]), models, _times(round.opens_at for round in ordered),
        _times(round.resolves_at for round in ordered), active, scores, correlations,
        np.array([[round.context.get(name, np.nan) for name in CONTEXT_NAMES] for round in ordered], dtype=float),
        CONTEXT_NAMES, stakes, earlier_contexts(tournament),
    )  # fmt: skip


def _times(moments: Any) -> np.ndarray[Any, np.dtype[np.datetime64]]:
    return np.array([moment.replace(tzinfo=None) for moment in moments], dtype="datetime64[s]")


@lru_cache(maxsize=2048)
def correlations_of(panel_sha256: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How alike the models of a sealed panel are (M x M), in the panel's order."""
    return model_correlations(read_panel(panel_sha256))


@lru_cache(maxsize=2048)
def _linear_scores(panel_sha256: str, target_sha256: str, models: tuple[str, ...]) -> dict[str, float]:
    """Final linear scores by model: they follow from the sealed panel and target alone, so those are the key.

    Not a row's number: a server that crashes may give out the same one again.
    """
    rows = Score.objects.filter(
        round__panel_sha256=panel_sha256, round__target_sha256=target_sha256, is_final=True, model__name__in=models
    )
    return {name: np.nan if value is None else value for name, value in rows.values_list("model__name", "linear")}
