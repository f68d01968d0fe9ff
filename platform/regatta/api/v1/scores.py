"""Scores that are out: of a model over rounds, of a round over models; open to all.

A model that was experimental when a round closed is told of where it is asked for by name, as its page does, and not
among a round's.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db.models import F
from django.http import HttpRequest
from ninja import Query
from pydantic import Field

from regatta.access import open_to_all
from regatta.api.v1.finding import model_of, round_of
from regatta.api.v1.paging import OrderedPaging, Page, Paging, page
from regatta.api.v1.rooms import Room, Told
from regatta.scores.models import FIGURES, Score

room = Room("scores")
PLAIN = (*FIGURES, "day", "as_of", "is_final", "is_experimental", "version", "known_at")


class ScoreAnswer(Told):
    """What a model's predictions of a round were worth, as known on one day; null where there is no score."""

    corr: float | None
    mmc: float | None
    bmc: float | None
    fnc: float | None
    max_feature_exposure: float | None
    corr_percentile: float | None
    mmc_percentile: float | None
    contribution: float | None = Field(description="Slope of the book's realised net return by the model's weight.")
    mpc: float | None = Field(description="Numerai's meta portfolio contribution.")
    day: int = Field(description="Trading days of returns in the score.")
    as_of: date
    is_final: bool
    is_experimental: bool
    version: int
    known_at: datetime


class RoundScore(ScoreAnswer):
    """One of a model's."""

    round: int


class ModelScore(ScoreAnswer):
    """One of a round's."""

    model: str


class ModelScores(Page[RoundScore]):
    """A part of a model's scores."""

    model: str


class DayPaging(OrderedPaging):
    """Which scores."""

    days: str = Field("final", pattern="^(final|all)$", description="`all`: those of unfinished rounds too.")


@room.get("/models/{str:name}/scores/", ModelScores)
@open_to_all(of="model")
def of_model(request: HttpRequest, name: str, paging: Query[DayPaging]) -> dict[str, Any]:
    """Scores of a model: the final ones of its rounds, or with `?days=all` those of every day."""
    model = model_of(name)
    found = Score.objects.filter(model=model, known_at__lte=model.tournament.now()).annotate(number=F("round__number"))
    if paging.days == "final":
        found = found.filter(is_final=True)
    return page(request, found, paging, _of_round, by=("number", "pk")) | {"model": name}


@room.get("/tournaments/{slug:slug}/rounds/{int:number}/scores/", Page[ModelScore])
@open_to_all(of="round")
def of_round(request: HttpRequest, slug: str, number: int, paging: Query[Paging]) -> dict[str, Any]:
    """Scores of the last scored day of a round."""
    round = round_of(slug, number)
    out = Score.objects.filter(round=round, is_experimental=False, known_at__lte=round.tournament.now())
    newest = out.order_by("-day").values("day")[:1]
    found = out.filter(day=newest).annotate(name=F("model__name"))
    return page(request, found, paging, _of_model, by=("name", "pk"))


def _plain(score: Score) -> dict[str, Any]:
    return {name: getattr(score, name) for name in PLAIN}


def _of_round(score: Any) -> dict[str, Any]:
    return _plain(score) | {"round": score.number}


def _of_model(score: Any) -> dict[str, Any]:
    return _plain(score) | {"model": score.name}
