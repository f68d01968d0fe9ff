"""Upload predictions by page, and see what became of a file with every fault."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from regatta.access import for_contributors, for_owners
from regatta.ensemble.likeness import likeness_of
from regatta.pages.account import owner_of
from regatta.pages.context import choose, until
from regatta.rounds.models import Round
from regatta.submissions.intake import receive
from regatta.submissions.models import ContributedModel, Submission
from regatta.submissions.slots import not_open
from tournament.errors import BadInput, Fault
from tournament.predictions import too_large

SHOWN = 20


@for_contributors()
@login_required
@require_http_methods(["GET", "POST"])
def submit(request: HttpRequest) -> HttpResponse:
    """A form and the last files; an upload leads to the page of its submission."""
    refusal = None
    if request.method == "POST":
        try:
            return redirect("submission", pk=take(request).pk)
        except BadInput as bad:
            refusal = bad
    models = list(ContributedModel.objects.filter(owner_id=request.user.pk).select_related("tournament"))
    context = {
        "models": models, "refusal": refusal, "wanted": request.POST.get("model", request.GET.get("model", "")),
        "open": open_rounds(models), "sent": last_files(owner_of(request).pk),
    }  # fmt: skip
    return render(request, "pages/submit.html", context, status=422 if refusal else 200)


@for_owners("submission")
@login_required
@require_safe
def submission(request: HttpRequest, pk: int) -> HttpResponse:
    """What became of one of the contributor's own files."""
    found = get_object_or_404(
        Submission.objects.select_related("model__tournament", "round__tournament"),
        pk=pk,
        model__owner_id=request.user.pk,
    )
    choose(request, found.model.tournament)
    same = Submission.objects.filter(model=found.model, round=found.round, status="ACCEPTED", is_late=False)
    context = {
        "submission": found, "round": found.round, "model": found.model, "counts": same.order_by("-id").first(),
        "alike": likeness_of(found),
    }  # fmt: skip
    return render(request, "pages/submission.html", context)


def take(request: HttpRequest) -> Submission:
    """Hand the uploaded file to the intake. Raises BadInput."""
    own = ContributedModel.objects.select_related("tournament").filter(owner_id=request.user.pk)
    model = get_object_or_404(own, name=request.POST.get("model", ""))
    upload = request.FILES.get("predictions")
    if upload is None:
        raise BadInput(Fault("no_file", "no file was chosen", "choose a CSV or Parquet file"))
    largest = model.tournament.parsed_rules().max_upload_bytes
    if upload.size is None or upload.size > largest:
        raise BadInput(too_large(upload.size or 0, largest))
    rounds = Round.objects.select_related("tournament").filter(tournament=model.tournament, status=Round.Status.OPEN)
    newest = rounds.order_by("-number").first()
    if newest is None:
        raise BadInput(not_open(model.tournament))
    now = model.tournament.now()
    return receive(model, newest, upload.read(), filename=upload.name or "upload", source="page", now=now)


def open_rounds(models: list[ContributedModel]) -> list[dict[str, Any]]:
    """The open rounds of the models' tournaments with their deadlines and live files."""
    tournaments = {model.tournament_id: model.tournament for model in models}
    found = Round.objects.filter(tournament__in=tournaments, status=Round.Status.OPEN).order_by("tournament", "number")
    out = []
    for round in found.defer("context", "stakes", "panel_models"):
        tournament = tournaments[round.tournament_id]
        left = until(round, tournament, tournament.now())
        out.append({"tournament": tournament, "deadline": left, "live": f"live_{round.number:05d}.parquet"})
    return out


def last_files(owner_id: int) -> list[Submission]:
    """The contributor's last submissions, newest first."""
    found = Submission.objects.filter(model__owner_id=owner_id).select_related("model", "round")
    return list(found.defer("round__context", "round__stakes", "round__panel_models").order_by("-id")[:SHOWN])
