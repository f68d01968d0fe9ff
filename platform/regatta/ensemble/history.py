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
from tournament.scoring.blend import model_correlations, standardized_ranks
from tournament.selectors.allocator import Alike
from tournament.selectors.protocol import History, Query
from tournament.selectors.sketch import EXACT_MODELS, Sketch, sketch


def history(tournament: Tournament, now: datetime, *, through: Round | None = None) -> History:
    """Every sealed round opened by `now` (and up to `through`), with the scores of those resolved by `now`.

    Beyond `EXACT_MODELS` models the past rounds' correlations are all NaN and take no memory.
    """
    rounds = tournament.rounds.exclude(panel_sha256="").exclude(panel_models=[]).filter(opens_at__lte=now)
    if through is not None:
        rounds = rounds.filter(number__lte=through.number)
    ordered = list(rounds.order_by("number"))
    models = tuple(sorted({name for round in ordered for name in round.panel_models}))
    place = {name: j for j, name in enumerate(models)}
    shape = (len(ordered), len(models))
    active, scores, stakes = np.zeros(shape, dtype=bool), np.full(shape, np.nan), np.zeros(shape)
    exact = len(models) <= EXACT_MODELS
    correlations = np.zeros((*shape, len(models)), dtype=np.float32) if exact else _unknown((*shape, len(models)))
    for row, round in enumerate(ordered):
        columns = np.array([place[name] for name in round.panel_models])
        active[row, columns] = True
        if exact:
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
        CONTEXT_NAMES, stakes, earlier_contexts(tournament), tournament.parsed_rules().duplicate_corr,
    )  # fmt: skip


def _unknown(shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.broadcast_to(np.float32(np.nan), shape)


def question(known: History, round: Round) -> Query:
    """What the newest round of a history asks; beyond `EXACT_MODELS` models with a sketch of its sealed panel."""
    if len(known.models) <= EXACT_MODELS:
        return known.query(len(known) - 1)
    place = {name: column for column, name in enumerate(known.models)}
    columns = np.array([place[name] for name in round.panel_models])
    alike = sketch_of(round.panel_sha256).placed(columns, len(known.models))
    return Query(
        known.models, known.opens_at_R[-1], known.active_RM[-1], alike, known.context_RK[-1], known.stakes_RM[-1]
    )  # fmt: skip


def alike_of(panel_sha256: str, models: int) -> Alike:
    """How alike the models of a sealed panel are, in its order: the table, of many models a sketch."""
    return correlations_of(panel_sha256) if models <= EXACT_MODELS else sketch_of(panel_sha256)


@lru_cache(maxsize=16)
def sketch_of(panel_sha256: str) -> Sketch:
    """How alike the models of a large sealed panel are, in the panel's order."""
    return sketch(standardized_ranks(read_panel(panel_sha256)))


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
