"""One round: its times and seal, its weather, and how the models did in it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from regatta.access import open_to_all
from regatta.pages import watches, why
from regatta.pages.context import required, until
from regatta.pages.downloads import csv_file
from regatta.pages.meta import wind
from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Score

STEPS = ("OPEN", "CLOSED", "RESOLVING", "RESOLVED")
SORTS = ("corr", "mmc", "bmc", "fnc", "max_feature_exposure", "contribution", "mpc")
FILE_COLUMNS = ("model", "day", "is_final", *SORTS, "corr_percentile", "mmc_percentile")


@open_to_all(of="round")
@require_safe
def round_page(request: HttpRequest, number: int) -> HttpResponse:
    """Times, seal, regime and the newest scores of one round."""
    tournament = required(request)
    found = find_round(tournament, number)
    day, scores = newest_scores(found)
    chosen = found.weights.filter(answers=True).first()
    weights = chosen.weights if chosen else {}
    sort = request.GET.get("sort", "corr")
    sort = sort if sort in SORTS else "corr"
    scores.sort(key=lambda score: -getattr(score, sort) if getattr(score, sort) is not None else float("inf"))
    context = {
        "tournament": tournament, "round": found, "day": day, "sort": sort, "family": chosen.family if chosen else "",
        "rows": [(score, weights.get(score.model.name)) for score in scores], "steps": steps(found),
        "closes": until(found, tournament, tournament.now()) if found.status == Round.Status.OPEN else None,
        "waits": found.resolves_at <= tournament.now(),
        "meta": getattr(found, "meta_model", None), "wind": wind(getattr(found, "regime", None)),
        "why": (told := why.told(chosen)), "carriers": why.carriers(told), "stands_in": watches.standing_in(chosen),
        "limit": tournament.parsed_rules().novelty_limit,
        "novelty": getattr(getattr(found, "regime", None), "novelty", None),
        "book": getattr(found, "rebalance", None), "entered": entered(found), "neighbours": neighbours(found),
    }  # fmt: skip
    return render(request, "pages/round.html", context)


@open_to_all(of="round")
@require_safe
def round_file(request: HttpRequest, number: int) -> HttpResponse:
    """The newest scores of a round as CSV."""
    tournament = required(request)
    _, scores = newest_scores(find_round(tournament, number))
    rows = ([score.model.name, *(getattr(score, name) for name in FILE_COLUMNS[1:])] for score in scores)
    return csv_file(f"scores_{tournament.slug}_round_{number}", FILE_COLUMNS, rows)


def find_round(tournament: Tournament, number: int) -> Round:
    """The round of that number, once it has opened. Raises Http404."""
    opened = tournament.rounds.exclude(status=Round.Status.SCHEDULED)
    return get_object_or_404(opened.select_related("tournament", "meta_model", "regime", "rebalance"), number=number)


def newest_scores(round: Round) -> tuple[int | None, list[Score]]:
    """The last scored day that is out, and its scores."""
    out = round.scores.filter(is_experimental=False, known_at__lte=round.tournament.now())
    day = out.order_by("-day").values_list("day", flat=True).first()
    if day is None:
        return None, []
    return day, list(out.filter(day=day).select_related("model__owner").order_by("-corr"))


def entered(round: Round) -> int:
    """How many models have an accepted file that will count (an open round) or counted (a closed one)."""
    if round.status != Round.Status.OPEN:
        return len(round.panel_models)
    return round.submissions.filter(status="ACCEPTED", is_late=False).values("model").distinct().count()


def steps(round: Round) -> list[dict[str, Any]]:
    """The round's way: each step with its time, and whether it is behind us."""
    reached = STEPS.index(round.status)
    times = {"OPEN": round.opens_at, "CLOSED": round.closes_at, "RESOLVED": round.resolves_at}
    names = {"OPEN": "Opens", "CLOSED": "Closes", "RESOLVED": "Resolves"}
    return [
        {"name": names[state], "at": at, "is_done": STEPS.index(state) <= reached} for state, at in times.items()
    ]  # fmt: skip


def neighbours(round: Round) -> dict[str, int | None]:
    """Numbers of the rounds before and after, where they have opened."""
    opened = Round.objects.filter(tournament=round.tournament_id).exclude(status=Round.Status.SCHEDULED)
    around = set(opened.filter(number__in=(round.number - 1, round.number + 1)).values_list("number", flat=True))
    before, after = round.number - 1, round.number + 1
    return {"before": before if before in around else None, "after": after if after in around else None}
