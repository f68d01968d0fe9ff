"""Scores of one model: day by day while a target grows, and final."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

import strawberry
from django.db.models import Q, QuerySet

from regatta.api.numerapi.asking import model_named
from regatta.api.numerapi.numbers import tournament_of
from regatta.api.numerapi.scalars import Untouched
from regatta.api.numerapi.values import day as day_text
from regatta.api.numerapi.values import moment, points
from regatta.rounds.models import Round
from regatta.scores.models import Score
from regatta.security import asked_number
from regatta.stakes.overview import paid_in
from regatta.submissions.models import ContributedModel, Submission
from tournament.rules import Rules
from tournament.scoring.payout import POINT, payout

SHOWN = ("corr", "mmc", "bmc", "fnc", "max_feature_exposure", "mpc")
PERCENTILES = {"corr": "corr_percentile", "mmc": "mmc_percentile"}
MOST_ROUNDS = 100
"""Newest rounds that are told of when no number of them is asked for."""
HEAVY = ("round__context", "round__panel_models")


@strawberry.type
class SubmissionScore:
    """One value of one day."""

    round_id: str
    submission_id: str | None
    round_number: int
    round_resolve_time: str | None
    round_score_time: str | None
    round_close_staking_time: str | None
    value: float
    percentile: float | None
    display_name: str
    version: str
    date: str | None
    day: int
    resolve_date: str | None
    resolved: bool


@strawberry.type
class PayoutMultiplier:
    """What a score pays."""

    id: str
    score_config_id: str
    name: str
    version: str
    display_name: str
    multiplier: float


@strawberry.type(name="PerfScore")
class PerformanceScore:
    """One value of one day, with the points that it brings."""

    date: str | None
    day: int
    display_name: str
    payout_pending: str | None
    payout_settled: str | None
    percentile: float | None
    value: float


@strawberry.type(name="RoundPerf")
class RoundPerformance:
    """A round from one model's side."""

    at_risk: str
    payout_multipliers: list[PayoutMultiplier]
    round_payout_factor: Untouched
    corr_multiplier: Untouched
    mmc_multiplier: Untouched
    tc_multiplier: Untouched | None
    round_number: int
    round_open_time: str | None
    round_resolve_time: str | None
    round_resolved: bool
    round_target: str
    submission_scores: list[PerformanceScore]
    intra_round_submission_scores: list[PerformanceScore]


def submission_scores(
    model_id: strawberry.ID,
    display_name: str | None = None,
    version: str | None = None,
    day: int | None = None,
    resolved: bool | None = None,
    tournament: int | None = None,
    last_n_rounds: int | None = None,
    distinct_on_round: bool | None = None,
) -> list[SubmissionScore]:
    """Scores that are out, newest round and day first; `distinct_on_round` keeps the last day of each round."""
    model = model_named(model_id)
    if tournament is not None and tournament_of(tournament).pk != model.tournament_id:
        return []
    found = _out(model)
    if day is not None:
        found = found.filter(day=day)
    if version is not None:
        found = found.filter(version=asked_number(version) or 0)
    if resolved is not None:
        settled = Q(round__status=Round.Status.RESOLVED)
        found = found.filter(settled if resolved else ~settled)
    rows = _newest(found, MOST_ROUNDS if last_n_rounds is None else max(last_n_rounds, 0))
    if distinct_on_round:
        rows = list({row.round_id: row for row in reversed(rows)}.values())[::-1]
    sent = _counted(model)
    return [
        one for row in rows for one in _told(row, sent.get(row.round_id))
        if display_name is None or one.display_name == display_name
    ]  # fmt: skip


def _out(model: ContributedModel) -> QuerySet[Score]:
    """Scores that are known in the tournament's present."""
    return Score.objects.filter(model=model, known_at__lte=model.tournament.now())


def _newest(scores: QuerySet[Score], rounds: int) -> list[Score]:
    """Those of the newest rounds, newest round and day first."""
    numbers = scores.order_by("-round__number").values_list("round__number", flat=True).distinct()[:rounds]
    found = scores.filter(round__number__in=list(numbers)).select_related("round").defer(*HEAVY)
    return list(found.order_by("-round__number", "-day", "-version"))


def _counted(model: ContributedModel) -> dict[int, int]:
    """The submission that counted, by round."""
    accepted = Submission.objects.filter(model=model, status="ACCEPTED", is_late=False).order_by("id")
    return dict(accepted.values_list("round_id", "id"))


def _values(row: Score) -> Iterator[tuple[str, float, float | None]]:
    """Name, value and percentile of every score that the row has."""
    for name in SHOWN:
        value = getattr(row, name)
        if value is not None:
            yield name, value, getattr(row, PERCENTILES[name]) if name in PERCENTILES else None


def _told(row: Score, submission_id: int | None) -> Iterator[SubmissionScore]:
    round = row.round
    for name, value, percentile in _values(row):
        yield SubmissionScore(
            round_id=str(round.pk), submission_id=None if submission_id is None else str(submission_id),
            round_number=round.number, round_resolve_time=moment(round.resolves_at),
            round_score_time=moment(row.known_at), round_close_staking_time=moment(round.closes_at), value=value,
            percentile=percentile, display_name=name, version=str(row.version), date=day_text(row.as_of), day=row.day,
            resolve_date=moment(round.resolves_at), resolved=round.status == Round.Status.RESOLVED,
        )  # fmt: skip


def round_performances(model_id: str, tournament: int) -> list[RoundPerformance]:
    """Every round that has scores of the model, newest first."""
    model = model_named(model_id)
    if tournament_of(tournament).pk != model.tournament_id:
        return []
    by_round: dict[int, list[Score]] = defaultdict(list)
    for row in _newest(_out(model), MOST_ROUNDS):
        by_round[row.round_id].append(row)
    settled = paid_in(list(by_round), [model])
    rules = model.tournament.parsed_rules()
    return [_performance(model, rows, rules, settled.get((round_id, model.pk))) for round_id, rows in by_round.items()]


def _performance(model: ContributedModel, rows: list[Score], rules: Rules, settled: Decimal | None) -> RoundPerformance:
    round = rows[0].round
    at_risk = Decimal(round.stakes.get(model.name, "0"))
    told = [one for row in rows for one in _paid(row, at_risk, rules, settled)]
    paid = (("correlation", "corr", rules.corr_multiplier), ("meta_model_contribution", "mmc", rules.mmc_multiplier))
    return RoundPerformance(
        at_risk=str(at_risk), round_payout_factor=Untouched(rules.payout_factor),
        corr_multiplier=Untouched(rules.corr_multiplier), mmc_multiplier=Untouched(rules.mmc_multiplier),
        tc_multiplier=None, round_number=round.number, round_open_time=moment(round.opens_at),
        round_resolve_time=moment(round.resolves_at), round_resolved=round.status == Round.Status.RESOLVED,
        round_target="target", submission_scores=told, intra_round_submission_scores=told,
        payout_multipliers=[
            PayoutMultiplier(
                id=f"{round.number}-{shown}", score_config_id=shown, name=name, version="1", display_name=shown,
                multiplier=multiplier,
            )
            for name, shown, multiplier in paid
        ],
    )  # fmt: skip


def _paid(row: Score, at_risk: Decimal, rules: Rules, settled: Decimal | None) -> Iterator[PerformanceScore]:
    """Values of one day; the points of the round stand with the scores that bring them, in their proportion."""
    total = settled if row.is_final and settled is not None else payout(at_risk, row.corr, row.mmc, rules)
    brought = {"corr": rules.corr_multiplier * (row.corr or 0.0), "mmc": rules.mmc_multiplier * (row.mmc or 0.0)}
    whole = sum(brought.values())
    for name, value, percentile in _values(row):
        share = brought.get(name, 0.0) / whole if whole and row.corr is not None else 0.0
        part = points((total * Decimal(repr(share))).quantize(POINT)) if name in brought else None
        yield PerformanceScore(
            date=day_text(row.as_of), day=row.day, display_name=name, percentile=percentile, value=value,
            payout_pending=None if row.is_final else part, payout_settled=part if row.is_final else None,
        )  # fmt: skip


@strawberry.type
class ScoreQuery:
    """What is asked about scores."""

    submission_scores: list[SubmissionScore] = strawberry.field(resolver=submission_scores)
    v2_round_model_performances: list[RoundPerformance] = strawberry.field(
        resolver=round_performances, name="v2RoundModelPerformances"
    )
