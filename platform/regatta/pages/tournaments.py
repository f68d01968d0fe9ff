"""A tournament: its rounds and rules; its data."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import Count, F, Func, IntegerField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from regatta.access import open_to_all
from regatta.pages.context import chosen, deadline
from regatta.rounds.models import Round, Tournament

ROUNDS_A_PAGE = 30
HEAVY = ("context", "stakes", "panel_models")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as people read it."""

    name: str
    value: str
    unit: str = ""


@open_to_all()
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The first tournament; home, where there is none."""
    found = chosen(request)
    return redirect("home") if found is None else redirect("tournament", slug=found.slug)


@open_to_all(of="tournament")
@require_safe
def tournament(request: HttpRequest, slug: str) -> HttpResponse:
    """Rounds, newest first, and the rules."""
    found = get_object_or_404(Tournament, slug=slug)
    opened = found.rounds.exclude(status=Round.Status.SCHEDULED).order_by("-number").defer(*HEAVY)
    page = Paginator(opened.annotate(models=_panel_size()), ROUNDS_A_PAGE).get_page(request.GET.get("page"))
    upcoming = found.rounds.filter(status=Round.Status.SCHEDULED).defer(*HEAVY).order_by("number").first()
    counted = found.rounds.order_by().values("status").annotate(count=Count("id"))
    states = {row["status"].lower(): row["count"] for row in counted}
    context = {
        "tournament": found, "page": page, "upcoming": upcoming, "rules": rules(found), "deadline": deadline(found),
        "states": states, "waiting": states.get("closed", 0) + states.get("resolving", 0),
        "models": found.models.count(),
    }  # fmt: skip
    return render(request, "pages/tournament.html", context)


def _panel_size() -> Func:
    """Number of models in a sealed panel, counted in the database."""
    return Func(F("panel_models"), function="jsonb_array_length", output_field=IntegerField())


def rules(tournament: Tournament) -> list[Rule]:
    """The rules in words, in the order in which a round meets them."""
    found = tournament.parsed_rules()
    return [
        Rule("A round opens every", str(found.cadence_days), "trading days"),
        Rule("It opens at", f"{found.opens_hour_utc:02d}:00", "UTC"),
        Rule("It stays open for", str(found.window_hours), "hours"),
        Rule("Returns count from", str(found.lag_days), "trading days after its prices"),
        Rule("Its target spans", str(found.horizon_days), "trading days"),
        Rule("Files a model may send to a round", str(found.submissions_per_round)),
        Rule("Largest file", f"{found.max_upload_bytes / 1e6:.0f}", "MB"),
        Rule(
            "Payout",
            f"stake × {found.payout_factor:g} × ({found.corr_multiplier:g} corr + {found.mmc_multiplier:g} mmc)",
        ),
        Rule("Most that a stake wins or loses in a round", f"{100 * found.payout_clip:g}", "%"),
        Rule("Points to start with", f"{found.starting_points:g}"),
        Rule("The leaderboard averages", str(found.leaderboard_window_rounds), "rounds"),
        Rule("Models share one weight above a rank correlation of", f"{found.duplicate_corr:g}"),
        Rule("Selectors are trained from resolved round", str(found.warmup_rounds)),
        Rule("and trained anew every", str(found.retrain_every_rounds), "rounds"),
        Rule("The platform's own predictors are trained anew every", str(found.predictor_rounds), "rounds"),
    ]


@open_to_all(of="tournament")
@require_safe
def data(request: HttpRequest, slug: str) -> HttpResponse:
    """Files, checksums, features and what the quality check found."""
    found = get_object_or_404(Tournament, slug=slug)
    dataset = found.datasets.filter(status="PUBLISHED").first()
    newest = found.rounds.newest()
    context = {
        "tournament": found, "dataset": dataset, "newest": newest, "base": request.build_absolute_uri("/").rstrip("/"),
        "files": list(dataset.files.filter(is_public=True)) if dataset else [],
        "live": f"live_{newest.number:05d}.parquet" if newest else "",
    }  # fmt: skip
    return render(request, "pages/data.html", context)
