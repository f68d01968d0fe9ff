"""The leaderboard: computed and rendered once when a round resolves, then served as stored."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import datetime
from typing import Any

import numpy as np

from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Leaderboard, Score
from tournament.scoring.reputation import Standing, standing

SCORES = ("corr", "mmc", "bmc", "fnc", "max_feature_exposure")
SPARK_ROUNDS = 52


def render_board(round: Round, now: datetime) -> None:
    """Write the board as it stands after this round's resolution."""
    tournament = round.tournament
    names, tables = _tables(tournament, now)
    rules = tournament.parsed_rules()
    window = {"window": rules.leaderboard_window_rounds, "overlap": rules.overlap_rounds}
    standings = {name: standing(table, **window) for name, table in tables.items()}
    before = Leaderboard.objects.filter(tournament=tournament).order_by("-round__number").first()
    ranks_before = {} if before is None else {row["model"]: row["rank"] for row in before.rows}
    rows = _rows(round, names, tables["corr"], standings, ranks_before)
    etag = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:32]
    Leaderboard.objects.get_or_create(
        round=round, defaults={"tournament": tournament, "as_of": now, "rows": rows, "etag": etag}
    )


def _tables(tournament: Tournament, now: datetime) -> tuple[list[tuple[str, str, bool]], dict[str, np.ndarray]]:
    """(model, owner, benchmark) and rounds x models tables of final scores of the window, oldest first."""
    window = tournament.parsed_rules().leaderboard_window_rounds
    rounds = list(
        tournament.rounds.filter(status="RESOLVED").order_by("-number").values_list("pk", flat=True)[:window]
    )[::-1]
    final = Score.objects.filter(round__in=rounds, is_final=True, known_at__lte=now)
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
    round: Round, names: list[tuple[str, str, bool]], corr: np.ndarray, by: dict[str, Standing], before: dict[str, int]
) -> list[dict[str, Any]]:
    champion = round.weights.filter(is_champion=True).first()
    weights = {} if champion is None else champion.weights
    rows = []
    for j, (model, owner, benchmark) in enumerate(names):
        if math.isnan(by["corr"].rank[j]):
            continue
        rank = int(by["corr"].rank[j])
        row: dict[str, Any] = {"rank": rank, "model": model, "owner": owner, "is_benchmark": benchmark}
        row |= {"rank_change": before[model] - rank if model in before else None, "weight": weights.get(model)}
        row |= {name: _number(by[name].mean[j]) for name in SCORES}
        row |= {"corr_se": _number(by["corr"].standard_error[j]), "mmc_se": _number(by["mmc"].standard_error[j])}
        row |= {"percentile": _number(by["corr"].percentile[j]), "rounds": int(by["corr"].rounds[j])}
        row["spark"] = [_number(value) for value in np.nancumsum(corr[-SPARK_ROUNDS:, j])]
        rows.append(row)
    return sorted(rows, key=lambda row: (row["rank"], row["model"]))


def _number(value: float) -> float | None:
    return round_(value) if math.isfinite(value) else None


def round_(value: float) -> float:
    """Twelve significant digits: enough to rank on, and the stored text stays short."""
    return float(f"{value:.12g}")
