"""The leaderboard: computed and rendered once when a round resolves, then served as stored."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from regatta.ensemble.models import RegimeState
from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Leaderboard, Score
from tournament.scoring.reputation import Standing, standing

SCORES = ("corr", "mmc", "bmc", "fnc", "max_feature_exposure", "contribution", "mpc")
SPARK_ROUNDS = 52
MIN_REGIME_ROUNDS = 5
"""A regime is not called a model's best on fewer rounds than these."""


def render_board(round: Round, now: datetime) -> None:
    """Write the board as it stands after this round's resolution."""
    tournament = round.tournament
    rounds = _window(tournament)
    names, tables = _tables(rounds, now, without=round.trial_models)
    rules = tournament.parsed_rules()
    window = {"window": rules.leaderboard_window_rounds, "overlap": rules.overlap_rounds}
    standings = {name: standing(table, **window) for name, table in tables.items()}
    before = Leaderboard.objects.filter(tournament=tournament).order_by("-round__number").first()
    ranks_before = {} if before is None else {row["model"]: row["rank"] for row in before.rows}
    best = best_regimes(_regimes(rounds), tables["corr"])
    rows = _rows(round, names, tables["corr"], standings, ranks_before, best)
    etag = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:32]
    Leaderboard.objects.get_or_create(
        round=round, defaults={"tournament": tournament, "as_of": now, "rows": rows, "etag": etag}
    )


def _window(tournament: Tournament) -> list[int]:
    """Keys of the rounds that count, oldest first."""
    window = tournament.parsed_rules().leaderboard_window_rounds
    resolved = tournament.rounds.filter(status="RESOLVED").order_by("-number")
    return list(resolved.values_list("pk", flat=True)[:window])[::-1]


def _regimes(rounds: list[int]) -> list[str | None]:
    """The name of each round's regime as it was told at the opening; None where none was told."""
    states = RegimeState.objects.filter(round__in=rounds).values_list("round_id", "names", "label")
    told = {pk: names[label] for pk, names, label in states}
    return [told.get(pk) for pk in rounds]


def best_regimes(regimes: list[str | None], corr_RM: np.ndarray) -> list[tuple[str, float] | None]:
    """For each model the regime of its highest mean corr, with that mean; None when no regime has enough rounds."""
    best: list[tuple[str, float] | None] = [None] * corr_RM.shape[1]
    for regime in sorted({name for name in regimes if name is not None}):
        inside = corr_RM[[name == regime for name in regimes]]
        known_M = (~np.isnan(inside)).sum(axis=0)
        for j in np.flatnonzero(known_M >= MIN_REGIME_ROUNDS):
            mean = float(np.nanmean(inside[:, j]))
            found = best[j]
            if found is None or mean > found[1]:
                best[j] = (regime, mean)
    return best


def _tables(
    rounds: list[int], now: datetime, *, without: Sequence[str]
) -> tuple[list[tuple[str, str, bool]], dict[str, np.ndarray]]:
    """(model, owner, benchmark) and rounds x models tables of final scores; experimental models have none here."""
    final = Score.objects.filter(round__in=rounds, is_final=True, is_experimental=False, known_at__lte=now)
    final = final.exclude(model__name__in=without) if without else final
    values = list(
        final.values_list("round_id", "model__name", "model__owner__username", "model__is_benchmark", *SCORES)
    )
    names = sorted({(row[1], row[2], row[3]) for row in values})
    place = {name: j for j, (name, _, _) in enumerate(names)}
    tables = {score: np.full((len(rounds), len(names)), np.nan) for score in SCORES}
    row_of = {pk: i for i, pk in enumerate(rounds)}
    for pk, name, _, _, *scores in values:
        for score, value in zip(SCORES, scores, strict=True):
            tables[score][row_of[pk], place[name]] = np.nan if value is None else value
    return names, tables


def _rows(
    round: Round,
    names: list[tuple[str, str, bool]],
    corr: np.ndarray,
    by: dict[str, Standing],
    before: dict[str, int],
    best: list[tuple[str, float] | None],
) -> list[dict[str, Any]]:
    answer = round.weights.filter(answers=True).first()
    weights = {} if answer is None else answer.weights
    rows = []
    for j, (model, owner, benchmark) in enumerate(names):
        if math.isnan(by["corr"].rank[j]):
            continue
        rank = int(by["corr"].rank[j])
        row: dict[str, Any] = {"rank": rank, "model": model, "owner": owner, "is_benchmark": benchmark}
        row |= {"rank_change": before[model] - rank if model in before else None, "weight": weights.get(model)}
        row |= {name: _number(by[name].mean[j]) for name in SCORES}
        row |= {f"{name}_se": _number(by[name].standard_error[j]) for name in SCORES}
        regime, mean = best[j] or (None, math.nan)
        row |= {"best_regime": regime, "best_regime_corr": _number(mean)}
        row |= {"percentile": _number(by["corr"].percentile[j]), "rounds": int(by["corr"].rounds[j])}
        row["spark"] = [_number(value) for value in np.nancumsum(corr[-SPARK_ROUNDS:, j])]
        rows.append(row)
    return sorted(rows, key=lambda row: (row["rank"], row["model"]))


def whole(row: dict[str, Any]) -> dict[str, Any]:
    """A stored line with all scores; those that its board had not yet are None."""
    return dict.fromkeys(name for score in SCORES for name in (score, f"{score}_se")) | row


def _number(value: float) -> float | None:
    return round_(value) if math.isfinite(value) else None


def round_(value: float) -> float:
    """Twelve significant digits: enough to rank on, and the stored text stays short."""
    return float(f"{value:.12g}")
