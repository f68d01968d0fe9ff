"""What the fleet knows of regimes, how it weighs the models and why, and what came of it; open to all.

Weights are told when they are given, at a round's close; what they earned when the round has resolved.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest
from ninja import Query
from pydantic import Field

from regatta.access import open_to_all
from regatta.api.v1.finding import round_of, tournament_of
from regatta.api.v1.paging import OrderedPaging, Page, page
from regatta.api.v1.rooms import Room, Told
from regatta.ensemble.models import MetaModel, RegimeState, RoundWeights, SelectorVersion, Watch

room = Room("ensemble")
REASONS = ("explanation", "outcome", "own")
META = ("family", "sha256", "corr", "equal_corr", "stake_corr", "effective_models", "turnover", "known_at")
WATCH = (
    "family", "since", "expected", "expected_se", "live", "live_se", "rounds", "fall", "has_drifted", "gaps",
    "known_at",
)  # fmt: skip
VERSION = (
    "id", "family", "status", "trained_through", "gain", "gain_se", "reason", "created_at", "promoted_at", "retired_at",
)  # fmt: skip


class Regime(Told):
    """How likely each regime was, known at a round's opening."""

    round: int
    regime: str = Field(description="The likeliest.")
    probabilities: dict[str, float]
    novelty: float | None = Field(description="Distance to all that training had seen; 1 is the edge of the known.")
    known_at: datetime


class Weights(Told):
    """The weights that answered a round: a simplex over its models."""

    round: int
    selector: str
    is_champion: bool
    reason: str = Field(description="Why a stand-in answers in the champion's place.")
    weights: dict[str, float]
    corr: float | None = Field(description="Of the blend, once the round has resolved.")
    known_at: datetime


class Rival(Told):
    """Another selector in the same round."""

    selector: str
    is_champion: bool
    answers: bool
    corr: float | None


class WeightsDetail(Weights):
    """The same with why, what came of it, and how the other selectors did."""

    own: dict[str, float] = Field(description="What the selector gave before the rules' stickiness and cap, if other.")
    explanation: dict[str, Any]
    outcome: dict[str, Any]
    selectors: list[Rival]


class MetaModelAnswer(Told):
    """The blend of a round, and what it scored beside equal and stake weight."""

    round: int
    family: str
    sha256: str
    corr: float | None
    equal_corr: float | None
    stake_corr: float | None
    effective_models: float
    turnover: float | None
    known_at: datetime


class SelectorAnswer(Told):
    """A selector that leads or has led."""

    id: int
    family: str
    status: str
    trained_through: int
    gain: float | None
    gain_se: float | None
    reason: str
    created_at: datetime
    promoted_at: datetime | None
    retired_at: datetime | None


class WatchAnswer(Told):
    """Whether the champion keeps what its record promised, as read when a round had resolved."""

    round: int
    family: str
    since: int | None
    expected: float | None
    expected_se: float | None
    live: float | None
    live_se: float | None
    rounds: int
    fall: float | None
    has_drifted: bool
    gaps: list[dict[str, Any]]
    known_at: datetime


@room.get("/tournaments/{slug:slug}/regimes/", Page[Regime])
@open_to_all(of="tournament")
def regimes(request: HttpRequest, slug: str, paging: Query[OrderedPaging]) -> dict[str, Any]:
    """Regime probabilities of the rounds, as filtered at their openings."""
    found = RegimeState.objects.filter(round__tournament=tournament_of(slug))
    return _by_round(request, found, paging, _regime)


@room.get("/tournaments/{slug:slug}/weights/", Page[Weights])
@open_to_all(of="tournament")
def weights(request: HttpRequest, slug: str, paging: Query[OrderedPaging]) -> dict[str, Any]:
    """The meta-model's weights, round by round."""
    found = RoundWeights.objects.filter(round__tournament=tournament_of(slug), answers=True).defer(*REASONS)
    return _by_round(request, found, paging, _weights)


@room.get("/tournaments/{slug:slug}/rounds/{int:number}/weights/", WeightsDetail)
@open_to_all(of="weighed round")
def why(request: HttpRequest, slug: str, number: int) -> dict[str, Any]:
    """The weights of a round and why they are what they are; what models did add, once it has resolved."""
    given = RoundWeights.objects.filter(round=round_of(slug, number))
    found = list(given.annotate(number=F("round__number")))
    answering = next((row for row in found if row.answers), None)
    if answering is None:
        raise Http404(f"round {number} has no weights; they come at its close")
    reasons = {name: getattr(answering, name) for name in REASONS}
    return _weights(answering) | reasons | {"selectors": [_rival(row) for row in found]}


@room.get("/tournaments/{slug:slug}/meta-model/", Page[MetaModelAnswer])
@open_to_all(of="tournament")
def meta_model(request: HttpRequest, slug: str, paging: Query[OrderedPaging]) -> dict[str, Any]:
    """The blends, and what they scored beside equal and stake weight."""
    found = MetaModel.objects.filter(round__tournament=tournament_of(slug))
    return _by_round(request, found, paging, lambda row: _plain(row, META) | {"round": row.number})


@room.get("/tournaments/{slug:slug}/selectors/", Page[SelectorAnswer])
@open_to_all(of="tournament")
def selectors(request: HttpRequest, slug: str, paging: Query[OrderedPaging]) -> dict[str, Any]:
    """Selectors that lead or have led, with the gain for which they were promoted."""
    found = SelectorVersion.objects.filter(tournament=tournament_of(slug), promoted_at__isnull=False)
    return page(request, found.defer("report", "config"), paging, lambda row: _plain(row, VERSION))


@room.get("/tournaments/{slug:slug}/watches/", Page[WatchAnswer])
@open_to_all(of="tournament")
def watches(request: HttpRequest, slug: str, paging: Query[OrderedPaging]) -> dict[str, Any]:
    """What the monitors read when rounds had resolved."""
    found = Watch.objects.filter(round__tournament=tournament_of(slug))
    return _by_round(request, found, paging, lambda row: _plain(row, WATCH) | {"round": row.number})


def _by_round(request: HttpRequest, found: QuerySet[Any, Any], paging: OrderedPaging, told: Any) -> dict[str, Any]:
    return page(request, found.annotate(number=F("round__number")), paging, told, by=("number",))


def _plain(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _regime(row: Any) -> dict[str, Any]:
    likely = dict(zip(row.names, row.probabilities, strict=True))
    told = {"regime": row.names[row.label], "probabilities": likely, "novelty": row.novelty, "known_at": row.known_at}
    return told | {"round": row.number}


def _weights(row: Any) -> dict[str, Any]:
    told = _plain(row, ("is_champion", "reason", "weights", "corr", "known_at"))
    return told | {"round": row.number, "selector": row.family}


def _rival(row: RoundWeights) -> dict[str, Any]:
    return _plain(row, ("is_champion", "answers", "corr")) | {"selector": row.family}
