"""Home, tournament and data."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from regatta.charts.draw import line
from regatta.ensemble.models import MetaModel
from regatta.rounds.models import Tournament


def home(request: HttpRequest) -> HttpResponse:
    """What this is, with the living tournaments."""
    cards = [
        (tournament, tournament.rounds.newest(), meta_curve(tournament)) for tournament in Tournament.objects.all()
    ]
    return render(request, "pages/home.html", {"cards": cards})


def meta_curve(tournament: Tournament) -> str:
    """The meta-model's summed corr over resolved rounds."""
    rows = MetaModel.objects.filter(round__tournament=tournament, corr__isnull=False).order_by("round__number")
    total, values, labels = 0.0, [], []
    for number, corr in rows.values_list("round__number", "corr"):
        total += corr or 0.0
        values.append(total)
        labels.append(f"round {number}")
    return line(values, labels, title="Summed corr of the meta-model")


def tournament(request: HttpRequest, slug: str) -> HttpResponse:
    """One tournament: rules and rounds."""
    found = get_object_or_404(Tournament, slug=slug)
    rounds = found.rounds.exclude(status="SCHEDULED").order_by("-number")[:30]
    return render(request, "pages/tournament.html", {"tournament": found, "rounds": rounds, "curve": meta_curve(found)})


def data(request: HttpRequest, slug: str) -> HttpResponse:
    """Files, checksums, features and what the quality check found."""
    found = get_object_or_404(Tournament, slug=slug)
    dataset = found.datasets.filter(status="PUBLISHED").first()
    files = dataset.files.filter(is_public=True) if dataset else []
    newest = found.rounds.newest()
    live = f"live_{newest.number:05d}.parquet" if newest else ""
    context = {"tournament": found, "dataset": dataset, "files": files, "newest": newest, "live": live}
    return render(request, "pages/data.html", context)
