"""Home: what this is, in one screen, with the living tournaments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from regatta.access import open_to_all
from regatta.charts.figure import Chart
from regatta.ensemble.models import RegimeState
from regatta.pages.context import Deadline, deadline, tournaments
from regatta.pages.meta import draw_gain
from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Leaderboard

LEADERS = 3


@dataclass(frozen=True, slots=True)
class Card:
    """One tournament as it stands."""

    tournament: Tournament
    deadline: Deadline | None
    resolved: int
    models: int
    regime: RegimeState | None
    curve: Chart
    leaders: list[dict[str, Any]]

    @property
    def regime_name(self) -> str:
        """The likeliest regime's name; empty before one was told."""
        return "" if self.regime is None else str(self.regime.names[self.regime.label])


@open_to_all()
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The tournaments, each with its regime, its meta-model and its leaders."""
    return render(request, "pages/home.html", {"cards": [card(one) for one in tournaments(request)]})


def card(tournament: Tournament) -> Card:
    """What the home page says of a tournament."""
    regime = RegimeState.objects.filter(round__tournament=tournament).order_by("-round__number").first()
    board = Leaderboard.objects.filter(tournament=tournament).first()
    resolved = tournament.rounds.filter(status=Round.Status.RESOLVED).count()
    leaders = board.rows[:LEADERS] if board else []
    return Card(
        tournament,
        deadline(tournament),
        resolved,
        tournament.models.count(),
        regime,
        draw_gain(tournament, tournament.now()),
        leaders,
    )
