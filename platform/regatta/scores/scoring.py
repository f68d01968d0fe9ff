"""Score sealed panels: daily while the target grows, finally when it is known. A final score never changes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from django.db import transaction

from regatta import artifacts
from regatta.ensemble.models import RoundWeights
from regatta.ensemble.monitoring import watch_round
from regatta.ensemble.outcomes import outcome
from regatta.ensemble.training import enqueue_if_due
from regatta.notifications.models import Event
from regatta.notifications.telling import announce
from regatta.portfolios.contributing import contributions
from regatta.rounds.models import Round, Tournament
from regatta.rounds.prices import columns_of, known_prices, row_of
from regatta.rounds.sealing import read_panel
from regatta.scores.board import render_board
from regatta.scores.models import Score
from regatta.stakes.ledger import pay_round
from regatta.submissions.models import ContributedModel
from tournament.markets.dataset import partial_target
from tournament.markets.panel import PricePanel
from tournament.scoring.blend import blend, linear_scores
from tournament.scoring.panel import PanelScores, score_panel
from tournament.scoring.reputation import percentiles

Floats = np.ndarray[Any, np.dtype[np.float64]]
Models = dict[str, tuple[int, bool]]
"""By name: the key, and whether it is a benchmark."""


def resolve_round(round: Round, now: datetime) -> bool:
    """Write final scores, blends' scores, payouts and the board; all or nothing; whether this call did.

    A round whose last prices have not come waits for them, however late: final scores never change.
    """
    rules = round.tournament.parsed_rules()
    panel = known_prices(round.tournament, now)
    if row_of(panel, round.as_of) + rules.lag_days + rules.horizon_days >= len(panel.dates_D):
        round.move(Round.Status.CLOSED, Round.Status.RESOLVING)
        return False
    target = _target(round, panel, rules.horizon_days)
    with transaction.atomic():
        if not round.move(
            Round.Status(round.status),
            Round.Status.RESOLVED,
            resolved_at=now,
            target_sha256=artifacts.put(target.tobytes()),
        ):
            return False
        if round.panel_models:
            write_scores(round, target, now, day=rules.horizon_days, final=True)
            _score_blends(round, target)
            watch_round(round, now)
            pay_round(round, now)
            render_board(round, now)
            announce(round, Event.SCORED)
        enqueue_if_due(round, now)
    return True


@transaction.atomic
def score_partially(tournament: Tournament, now: datetime) -> int:
    """Scores on the part of the target that is known, once for each day of it; how many rounds were scored."""
    panel, rules = known_prices(tournament, now), tournament.parsed_rules()
    unresolved = tournament.rounds.filter(status__in=["CLOSED", "RESOLVING"]).exclude(panel_models=[])
    rounds = list(unresolved.select_related("meta_model"))
    sailed = _sailed(rounds)
    done = set(Score.objects.filter(round__in=rounds).values_list("round_id", "day").distinct())
    rows: list[Score] = []
    for round in rounds:
        days = len(panel.dates_D) - 1 - row_of(panel, round.as_of) - rules.lag_days
        day = min(days, rules.horizon_days - 1)
        if day > 0 and (round.pk, day) not in done:
            if round.status == Round.Status.CLOSED:
                round.move(Round.Status.CLOSED, Round.Status.RESOLVING)
            rows += _rows(round, _target(round, panel, day), now, sailed, day=day, final=False)
    Score.objects.bulk_create(rows)
    return len({row.round_id for row in rows})


def _target(round: Round, panel: PricePanel, days: int) -> Floats:
    """The main target of the round's rows after `days` days, from the prices known so far."""
    values = partial_target(panel, row_of(panel, round.as_of), round.tournament.parsed_rules(), days)
    return values[columns_of(round, panel)]


def write_scores(round: Round, target: Floats, now: datetime, *, day: int, final: bool) -> None:
    """Score the sealed panel against a target of its rows (NaN: not known) after `day` trading days."""
    Score.objects.bulk_create(_rows(round, target, now, _sailed([round]), day=day, final=final))


def _sailed(rounds: Iterable[Round]) -> Models:
    """Every model of the rounds' sealed panels."""
    names = {name for round in rounds for name in (*round.panel_models, *round.trial_models)}
    found = ContributedModel.objects.filter(name__in=names).order_by()
    return {name: (pk, benchmark) for name, pk, benchmark in found.values_list("name", "pk", "is_benchmark")}


def _rows(round: Round, target: Floats, now: datetime, models: Models, *, day: int, final: bool) -> list[Score]:
    """A row for each model of the sealed panel, and for those that were experimental, which change nobody else's."""
    panel = read_panel(round.panel_sha256)
    benchmarks = np.flatnonzero([models[name][1] for name in round.panel_models])
    benchmark_N = blend(panel[:, benchmarks], np.ones(len(benchmarks))) if len(benchmarks) else None
    scores, linear = _all_scores(round, panel, target, benchmark_N, final=final), linear_scores(panel, target)
    shares = percentiles(scores.corr), percentiles(scores.mmc)
    added = contributions(round, target, now) if final else {}
    facts: dict[str, Any] = {"round": round, "as_of": now.date(), "day": day, "is_final": final, "known_at": now}
    rows = [
        Score(
            model_id=models[name][0], **facts, **_values(scores, linear, j), **_shares(shares, j), **added.get(name, {})
        )
        for j, name in enumerate(round.panel_models)
    ]
    if not round.trial_models:
        return rows
    panel = read_panel(round.trial_sha256)
    scores, linear = _all_scores(round, panel, target, benchmark_N, final=final), linear_scores(panel, target)
    return rows + [
        Score(model_id=models[name][0], is_experimental=True, **facts, **_values(scores, linear, j))
        for j, name in enumerate(round.trial_models)
    ]


def _values(scores: PanelScores, linear: Floats, j: int) -> dict[str, float | None]:
    """The scores of one column."""
    named = {name: getattr(scores, name) for name in ("corr", "mmc", "bmc", "fnc", "max_feature_exposure")}
    return {name: _number(values[j]) for name, values in (named | {"linear": linear}).items()}


def _shares(shares: tuple[Floats, Floats], j: int) -> dict[str, float | None]:
    """The part of the panel that one column beats."""
    return {"corr_percentile": _number(shares[0][j]), "mmc_percentile": _number(shares[1][j])}


def _all_scores(
    round: Round,
    panel: np.ndarray[Any, np.dtype[np.float32]],
    target: Floats,
    benchmark_N: Floats | None,
    *,
    final: bool,
) -> PanelScores:
    """Every score of the whole panel; the scores against features only when final, as they cost most."""
    meta = getattr(round, "meta_model", None)
    meta_N = None if meta is None else np.frombuffer(artifacts.get(meta.sha256), dtype=np.float64)
    features = _features(round) if final else None
    return score_panel(panel, target, meta_N=meta_N, benchmark_N=benchmark_N, features_NF=features)


def _features(round: Round) -> Floats | None:
    """Features of the round's rows; None where its live file has none, as in an imported tournament."""
    import io

    live = pd.read_parquet(io.BytesIO(artifacts.get(round.live_sha256))).drop(columns=["id", "era"])
    return live.to_numpy(float) if len(live.columns) else None


def _score_blends(round: Round, target: Floats) -> None:
    """corr of every selector's blend of this round, and of the meta-model beside equal and stake weights."""
    panel = read_panel(round.panel_sha256)
    rows = list(round.weights.order_by("family"))  # the last bits of a score hang on its column
    answer = next(row for row in rows if row.answers)
    given = [row.given for row in rows] + ([answer.weights] if answer.own else [])
    blends = [blend(panel, np.array([weights.get(name, 0.0) for name in round.panel_models])) for weights in given]
    corr = score_panel(np.stack(blends, axis=1), target).corr
    answer.outcome = outcome(answer.weights, round.panel_models, linear_scores(panel, target), round.panel_sha256)
    for row, value in zip(rows, corr[: len(rows)], strict=True):
        row.corr = _number(value)
    RoundWeights.objects.bulk_update(rows, ["corr"])
    answer.save(update_fields=["outcome"])
    by_family, meta = {row.family: row.corr for row in rows}, round.meta_model
    meta.corr = _number(corr[-1]) if answer.own else answer.corr
    meta.equal_corr, meta.stake_corr = by_family.get("equal"), by_family.get("stake")
    meta.save(update_fields=["corr", "equal_corr", "stake_corr"])


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
