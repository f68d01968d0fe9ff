"""Model, round, status and docs."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from regatta.charts.draw import intervals, line
from regatta.ensemble.models import RegimeState
from regatta.health import state_of_parts
from regatta.jobs.models import Job
from regatta.pages.context import required
from regatta.scores.models import Score
from regatta.submissions.models import ContributedModel
from tournament.rules import Rules
from tournament.scoring.reputation import standard_errors


def model(request: HttpRequest, name: str) -> HttpResponse:
    """One model: scores, regimes, weight."""
    found = get_object_or_404(ContributedModel.objects.select_related("owner", "tournament"), name=name)
    scores = list(Score.objects.filter(model=found, is_final=True).select_related("round").order_by("round__number"))
    total, sums = 0.0, []
    for score in scores:
        total += score.corr or 0.0
        sums.append(total)
    context = {
        "model": found, "scores": scores[::-1][:20], "rounds": len(scores), "tournament": found.tournament,
        "curve": line(sums, [f"round {score.round.number}" for score in scores], title="Summed corr"),
        "by_regime": intervals(regime_rows(found, scores), title="Corr by regime, two standard errors"),
    }  # fmt: skip
    return render(request, "pages/model.html", context)


def regime_rows(model: ContributedModel, scores: list[Score]) -> list[tuple[str, float, float | None]]:
    """(regime, mean corr, standard error) over the rounds filtered into each regime."""
    import numpy as np

    states = RegimeState.objects.filter(round__tournament=model.tournament).values_list("round_id", "names", "label")
    names = {pk: regimes[label] for pk, regimes, label in states}
    by_name: dict[str, list[float]] = {}
    for score in scores:
        if score.round_id in names and score.corr is not None:
            by_name.setdefault(names[score.round_id], []).append(score.corr)
    overlap = Rules.from_dict(model.tournament.rules).overlap_rounds
    rows = []
    for name, values in sorted(by_name.items()):
        error = standard_errors(np.array(values)[:, None], overlap=overlap)[0] if len(values) > 1 else None
        rows.append((name, float(np.mean(values)), None if error is None else float(error)))
    return rows


def round_page(request: HttpRequest, number: int) -> HttpResponse:
    """One round: times, seal, scores."""
    tournament = required(request)
    found = get_object_or_404(tournament.rounds.exclude(status="SCHEDULED"), number=number)
    final = list(found.scores.select_related("model__owner").order_by("-is_final", "-day", "-corr"))
    day = final[0].day if final else None
    context = {
        "tournament": tournament, "round": found, "scores": [score for score in final if score.day == day], "day": day,
        "meta": getattr(found, "meta_model", None), "regime": getattr(found, "regime", None),
    }  # fmt: skip
    return render(request, "pages/round.html", context)


def status(request: HttpRequest) -> HttpResponse:
    """Whether everything runs."""
    jobs = Job.objects.order_by().values("queue", "state").annotate(count=Count("id")).order_by("queue", "state")
    failed = Job.objects.filter(state=Job.State.FAILED)[:10]
    return render(request, "pages/status.html", {"checks": state_of_parts(), "jobs": jobs, "failed": failed})


def docs(request: HttpRequest) -> HttpResponse:
    """How to take part, and how scores are computed."""
    return render(request, "pages/docs.html", {"rules": Rules().to_dict()})
