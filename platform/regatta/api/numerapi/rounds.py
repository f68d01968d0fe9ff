"""Rounds and the state of the schedule."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import Enum

import strawberry
from django.db.models import Max, Min
from django.utils import timezone

from regatta.api.envelope import Refusal
from regatta.api.numerapi.numbers import CLASSIC, SIGNALS, tournament_of
from regatta.api.numerapi.scalars import Untouched
from regatta.api.numerapi.values import moment
from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Score
from tournament.rules import Rules

TARGET = "target"
PIPELINES = {"classic": CLASSIC, "signals": SIGNALS}


@strawberry.enum
class RoundStatus(Enum):
    """Where a round stands, in the client's words."""

    UPCOMING = "UPCOMING"
    OPEN = "OPEN"
    RESOLVING = "RESOLVING"
    RESOLVED = "RESOLVED"


STATES = {
    RoundStatus.UPCOMING: ["SCHEDULED"], RoundStatus.OPEN: ["OPEN"], RoundStatus.RESOLVING: ["CLOSED", "RESOLVING"],
    RoundStatus.RESOLVED: ["RESOLVED"],
}  # fmt: skip


@strawberry.type
class RoundScoreConfig:
    """How one score of the round counts."""

    id: str
    score_config_id: str
    round_number_start: int
    round_number_end: int | None
    name: str
    version: str
    display_name: str
    total_score_days: int
    returns_lag_days: int
    data_delay_days: int
    universe: str
    is_canon_score: bool
    is_payout: bool
    scoring_start: str | None
    scoring_end: str | None
    min_multiplier: float
    max_multiplier: float
    default_multiplier: float
    clip_threshold: float
    stake_threshold: Untouched | None
    payout_factor: Untouched


@strawberry.type(name="Round")
class RoundAnswer:
    """One round."""

    id: str
    tournament: int | None
    number: int
    target: str
    open_time: str | None
    close_time: str | None
    close_staking_time: str | None
    score_time: str | None
    resolve_time: str | None
    resolved_general: bool
    resolved_staking: bool
    payout_factor: str
    stake_threshold: Untouched | None
    data_datestamp: Untouched | None
    rules: strawberry.Private[Rules]

    @strawberry.field
    def round_score_configs(self) -> list[RoundScoreConfig]:
        """The scores that pay."""
        return score_configs(self)


@strawberry.type
class PipelineStatus:
    """What the schedule did on one day."""

    data_ready_at: str | None
    is_scoring_day: bool
    resolved_at: str | None
    scored_at: str | None
    started_at: str | None
    tournament: str


def current_round(tournament: Tournament) -> Round:
    """The round that takes submissions. Raises Refusal between rounds."""
    found = tournament.rounds.filter(status=Round.Status.OPEN).order_by("-number").first()
    if found is None:
        raise Refusal(409, "not_open", "Current round not open for submissions", "wait for the next opening")
    found.tournament = tournament
    return found


def rounds(
    tournament: int | None = None,
    number: int | None = None,
    target: str | None = None,
    status: RoundStatus | None = None,
    limit: int | None = None,
) -> list[RoundAnswer | None]:
    """Rounds, newest first; number 0 is the one that is open. Scheduled ones only when asked for."""
    found = tournament_of(tournament)
    asked = CLASSIC if tournament is None else tournament
    if limit is not None and limit < 0:
        raise Refusal(422, "limit", f"limit {limit} must not be negative", "send 0 or more")
    if number == 0:
        return [round_answer(current_round(found), asked, shift=_to_the_wall(found))]
    if target not in (None, TARGET):
        return []
    rows = found.rounds.filter(status__in=STATES[status]) if status else found.rounds.exclude(status="SCHEDULED")
    rows = rows.defer("context", "stakes", "panel_models").order_by("-number")
    chosen = rows if number is None else rows.filter(number=number)
    rules = found.parsed_rules()
    return [round_answer(row, asked, rules=rules) for row in chosen[:limit]]


def _to_the_wall(tournament: Tournament) -> timedelta:
    """What a replay's clock lags behind the wall clock, by which the client judges whether a round is open."""
    return timezone.now() - tournament.clock_at if tournament.clock_at else timedelta()


def round_answer(
    row: Round, number: int | None, *, rules: Rules | None = None, shift: timedelta = timedelta()
) -> RoundAnswer:
    """A round as the client reads it; `shift` is added to its times."""
    rules = rules or row.tournament.parsed_rules()
    resolved = row.status == Round.Status.RESOLVED
    return RoundAnswer(
        id=str(row.pk), tournament=number, number=row.number, target=TARGET, open_time=moment(row.opens_at + shift),
        close_time=moment(row.closes_at + shift), close_staking_time=moment(row.closes_at + shift),
        score_time=moment(row.resolves_at + shift), resolve_time=moment((row.resolved_at or row.resolves_at) + shift),
        resolved_general=resolved, resolved_staking=resolved, payout_factor=repr(rules.payout_factor),
        stake_threshold=None, data_datestamp=Untouched(int(row.as_of.strftime("%Y%m%d"))), rules=rules,
    )  # fmt: skip


def score_configs(round: RoundAnswer) -> list[RoundScoreConfig]:
    """What corr and mmc pay by the tournament's rules, which are the same in every round."""
    rules = round.rules
    paid = (("correlation", "corr", rules.corr_multiplier), ("meta_model_contribution", "mmc", rules.mmc_multiplier))
    return [
        RoundScoreConfig(
            id=f"{round.tournament}-{shown}", score_config_id=shown, round_number_start=1, round_number_end=None,
            name=name, version="1", display_name=shown, total_score_days=rules.horizon_days,
            returns_lag_days=rules.lag_days, data_delay_days=0, universe=str(round.tournament),
            is_canon_score=True, is_payout=multiplier > 0, scoring_start=round.close_time,
            scoring_end=round.resolve_time, min_multiplier=multiplier, max_multiplier=multiplier,
            default_multiplier=multiplier, clip_threshold=rules.payout_clip, stake_threshold=None,
            payout_factor=Untouched(rules.payout_factor),
        )
        for name, shown, multiplier in paid
    ]  # fmt: skip


def pipeline_status(tournament: str, date: str | None = None) -> PipelineStatus:
    """What a day brought: times are None for what did not happen on it."""
    if tournament not in PIPELINES:
        raise Refusal(
            404, "no_pipeline", f"there is no pipeline {tournament[:40]!r}", f"ask for {', '.join(PIPELINES)}"
        )
    found = tournament_of(PIPELINES[tournament])
    on = _asked_day(date) if date else found.now().date()
    started = found.rounds.filter(opens_at__date=on).exclude(status="SCHEDULED").aggregate(at=Min("opens_at"))["at"]
    resolved = found.rounds.filter(resolved_at__date=on).aggregate(at=Max("resolved_at"))["at"]
    scored: datetime | None = Score.objects.filter(
        round__tournament=found, known_at__date=on, known_at__lte=found.now()
    ).aggregate(at=Max("known_at"))["at"]
    return PipelineStatus(
        data_ready_at=moment(started), is_scoring_day=scored is not None, resolved_at=moment(resolved),
        scored_at=moment(scored), started_at=moment(started), tournament=tournament,
    )  # fmt: skip


def _asked_day(text: str) -> date:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise Refusal(422, "date", f"{text[:40]!r} is no date", "send it like 2026-01-31") from None


@strawberry.type
class RoundQuery:
    """What is asked about rounds."""

    rounds: list[RoundAnswer | None] = strawberry.field(resolver=rounds)
    pipeline_status: PipelineStatus = strawberry.field(resolver=pipeline_status)
