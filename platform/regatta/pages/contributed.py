"""A contributed model: how it scores over time and by regime, and what weight it carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from regatta.access import open_to_all
from regatta.charts.colours import regime_colour
from regatta.charts.figure import Chart
from regatta.charts.intervals import Interval, intervals
from regatta.charts.lines import Curve, lines, shares
from regatta.charts.numbers import corr, percent, two
from regatta.ensemble.likeness import newest_of
from regatta.ensemble.models import RegimeState, RoundWeights
from regatta.hosting.models import HostedModel
from regatta.pages import why
from regatta.pages.context import choose
from regatta.pages.downloads import csv_file
from regatta.scores.board import whole
from regatta.scores.models import FIGURES, Leaderboard, Score
from regatta.submissions.models import ContributedModel
from tournament.scoring.reputation import standard_errors

SHOWN_SCORES, SHOWN_ROUNDS, WINDOW = 25, 120, 20
HEAVY = ("round__context", "round__stakes", "round__panel_models")


@open_to_all(of="model")
@require_safe
def model(request: HttpRequest, name: str) -> HttpResponse:
    """Scores over rounds with their interval, skill by regime, weight over time, the last scores."""
    sails = HostedModel.objects.filter(model=OuterRef("pk"), is_assigned=True).values("number")
    slots = ContributedModel.objects.select_related("owner", "tournament").annotate(hosted_version=Subquery(sails))
    found = get_object_or_404(slots, name=name)
    choose(request, found.tournament)
    scores = final_scores(found)
    regimes = regimes_by_round(found)
    overlap = found.tournament.parsed_rules().overlap_rounds
    board = Leaderboard.objects.filter(tournament=found.tournament).select_related("round").first()
    context = {
        "model": found, "tournament": found.tournament, "rounds": len(scores), "scores": scores[::-1][:SHOWN_SCORES],
        "standing": next((whole(row) for row in board.rows if row["model"] == name), None) if board else None,
        "board": board,
        "curve": draw_scores(scores[-SHOWN_ROUNDS:], regimes, overlap),
        "by_regime": draw_regimes(scores, regimes, overlap),
        "weight": draw_weight(found, regimes), "window": WINDOW, "thought": thought(found),
        "is_own": found.owner_id == request.user.pk,
        "alike": newest_of(found) if found.owner_id == request.user.pk else None,
    }  # fmt: skip
    return render(request, "pages/model.html", context)


@open_to_all(of="model")
@require_safe
def model_file(request: HttpRequest, name: str) -> HttpResponse:
    """Every final score of a model as CSV."""
    found = get_object_or_404(ContributedModel.objects.select_related("tournament"), name=name)
    rows = ([score.round.number, *(getattr(score, one) for one in FIGURES)] for score in final_scores(found))
    return csv_file(f"scores_{name}", ("round", *FIGURES), rows)


def final_scores(model: ContributedModel) -> list[Score]:
    """Final scores that are out, oldest round first."""
    out = Score.objects.filter(model=model, is_final=True, known_at__lte=model.tournament.now())
    found = out.select_related("round").defer(*HEAVY)
    return list(found.order_by("round__number"))


def regimes_by_round(model: ContributedModel) -> dict[int, str]:
    """The name of the likeliest regime by round number, as told at each opening."""
    states = RegimeState.objects.filter(round__tournament=model.tournament_id)
    return {number: names[label] for number, names, label in states.values_list("round__number", "names", "label")}


def draw_scores(scores: Sequence[Score], regimes: dict[int, str], overlap: int) -> Chart:
    """Each round's corr as a dot, and the mean of the last rounds with two standard errors, under the ribbon."""
    values = np.array([np.nan if score.corr is None else score.corr for score in scores])
    means, errors = moving_mean(values, overlap=overlap)
    columns = [f"round {score.round.number}" for score in scores]
    curves = [
        Curve("each round", _plain(values), "var(--edge)", dots=True),
        Curve(f"mean of {WINDOW}", means, error=errors),
    ]
    ribbon = [regimes.get(score.round.number) for score in scores]
    title = "How does it score over time?"
    return lines(columns, curves, title=title, caption="corr", write=two, precise=corr, zero=True, ribbon=ribbon)


def moving_mean(values: np.ndarray, *, overlap: int) -> tuple[list[float | None], list[float | None]]:
    """Mean and standard error of the last `WINDOW` rounds at each round; None while fewer than half are there."""
    means: list[float | None] = []
    errors: list[float | None] = []
    for end in range(1, len(values) + 1):
        recent = values[max(0, end - WINDOW) : end]
        enough = np.isfinite(recent).sum() >= WINDOW // 2
        means.append(float(np.nanmean(recent)) if enough else None)
        errors.append(float(standard_errors(recent[:, None], overlap=overlap)[0]) if enough else None)
    return means, errors


def draw_regimes(scores: Sequence[Score], regimes: dict[int, str], overlap: int) -> str:
    """Mean corr with two standard errors by regime."""
    by_name: dict[str, list[float]] = {}
    for score in scores:
        if score.round.number in regimes and score.corr is not None:
            by_name.setdefault(regimes[score.round.number], []).append(score.corr)
    rows = [
        Interval(
            name, float(np.mean(values)), float(standard_errors(np.array(values)[:, None], overlap=overlap)[0]),
            f"{len(values)} rounds", regime_colour(name),
        )
        for name, values in sorted(by_name.items(), key=lambda item: -float(np.mean(item[1])))
    ]  # fmt: skip
    return intervals(rows, title="Corr by regime with two standard errors", unit="corr")


def draw_weight(model: ContributedModel, regimes: dict[int, str]) -> Chart:
    """The fleet's weight on the model, round by round."""
    found = RoundWeights.objects.filter(round__tournament=model.tournament_id, answers=True)
    newest = found.order_by("-round__number").values_list("round__number", f"weights__{model.name}")[:SHOWN_ROUNDS]
    rows: list[tuple[int, Any]] = list(newest)[::-1]
    columns, ribbon = [f"round {number}" for number, _ in rows], [regimes.get(number) for number, _ in rows]
    curve = Curve("weight", [float(weight or 0.0) for _, weight in rows], filled=True)
    title = "How much does the fleet trust it?"
    return lines(
        columns, [curve], title=title, caption="share of the weight", zero=True, ribbon=ribbon, kind="low",
        write=shares([curve]), precise=lambda value: percent(value, 1),
    )  # fmt: skip


def thought(model: ContributedModel) -> why.Thought | None:
    """What the selector that answered thought of the model in the newest weighed round."""
    found = RoundWeights.objects.filter(round__tournament=model.tournament_id, answers=True)
    newest = found.select_related("round").defer(*HEAVY).order_by("-round__number").first()
    return why.of_model(why.told(newest), model.name, model.tournament)


def _plain(values: np.ndarray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
