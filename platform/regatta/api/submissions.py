"""Models, submissions and scores of whoever holds the key."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404

from regatta.accounts.models import User
from regatta.api.envelope import Refusal, body, endpoint, refuse_larger
from regatta.ensemble.likeness import likeness_of
from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Score
from regatta.security import asked_number
from regatta.submissions.intake import receive
from regatta.submissions.models import ContributedModel, Submission
from regatta.submissions.slots import not_open, set_experimental


def submission_json(submission: Submission) -> dict[str, Any]:
    """A submission as its owner sees it."""
    plain = {name: getattr(submission, name) for name in ("id", "status", "is_late", "rows", "size", "faults")}
    return plain | {"round": submission.round.number, "received_at": submission.received_at.isoformat()}


@endpoint("POST", scope="manage")
def create_model(request: HttpRequest) -> JsonResponse:
    """Open a slot for a model."""
    data = body(request, "tournament", "name")
    tournament = get_object_or_404(Tournament, slug=data["tournament"])
    model = open_slot(request.api_key.owner, tournament, data["name"])  # type: ignore[attr-defined]
    return JsonResponse({"name": model.name, "tournament": tournament.slug}, status=201)


def open_slot(owner: User, tournament: Tournament, name: str) -> ContributedModel:
    """A new model. Raises Refusal when the name is taken, ValidationError when it is none."""
    model = ContributedModel(tournament=tournament, owner=owner, name=name)
    taken = Refusal(409, "name_taken", f"a model {name!r} exists", "choose another name")
    if ContributedModel.objects.filter(name=name).exists():
        raise taken
    model.full_clean()
    try:
        with transaction.atomic():
            model.save()
    except IntegrityError:
        raise taken from None
    return model


@endpoint("POST", scope="manage")
def experimental(request: HttpRequest, name: str) -> JsonResponse:
    """Between rounds: POST `{"experimental": "yes"}` takes the model off board, blend and stakes, "no" puts it back."""
    owner = request.api_key.owner  # type: ignore[attr-defined]
    model = get_object_or_404(ContributedModel.objects.select_related("tournament"), owner=owner, name=name)
    wanted = body(request, "experimental")["experimental"]
    if wanted not in ("yes", "no"):
        raise Refusal(422, "experimental", f"experimental is {wanted[:20]!r}", "send yes or no")
    set_experimental(model, wanted == "yes")
    return JsonResponse({"name": model.name, "experimental": model.is_experimental})


@endpoint("POST", scope="submit")
def submit(request: HttpRequest) -> JsonResponse:
    """Upload predictions as the body: `?model=name` and, unless the open round is meant, `&round=number`."""
    owner = request.api_key.owner  # type: ignore[attr-defined]
    model = (
        ContributedModel.objects.select_related("tournament")
        .filter(owner=owner, name=request.GET.get("model", ""))
        .first()
    )
    if model is None:
        raise Refusal(
            404, "no_model", f"you have no model {request.GET.get('model', '')!r}", "open it at /api/v1/models/"
        )
    refuse_larger(request, model.tournament.parsed_rules().max_upload_bytes)
    round = _round(model, request.GET.get("round", ""))
    round.tournament = model.tournament  # read already
    filename = request.headers.get("X-Filename", "predictions.csv")
    now = model.tournament.now()
    submission = receive(model, round, request.body, filename=filename, source="api", now=now)
    return JsonResponse(submission_json(submission), status=201)


@endpoint("GET", scope="read")
def detail(request: HttpRequest, pk: int) -> JsonResponse:
    """One of your submissions, and whether models rank the assets almost as it does."""
    owner = request.api_key.owner  # type: ignore[attr-defined]
    own = Submission.objects.select_related("model", "round__tournament")
    found = get_object_or_404(own, pk=pk, model__owner=owner)
    alike = likeness_of(found)
    return JsonResponse(submission_json(found) | {"alike": alike and alike.plain()})


@endpoint("GET")
def scores(request: HttpRequest, name: str) -> JsonResponse:
    """Final scores of a model, oldest first."""
    model = get_object_or_404(ContributedModel, name=name)
    columns = ("round__number", "corr", "mmc", "bmc", "fnc", "max_feature_exposure", "corr_percentile")
    rows = Score.objects.filter(model=model, is_final=True).order_by("round__number").values_list(*columns)
    names = ("round", *columns[1:])
    return JsonResponse({"model": name, "results": [dict(zip(names, row, strict=True)) for row in rows]})


def _round(model: ContributedModel, number: str) -> Round:
    """The round asked for, or the open one."""
    rounds = Round.objects.filter(tournament=model.tournament)
    if number:
        asked = asked_number(number)
        found = None if asked is None else rounds.filter(number=asked).order_by("number").first()
        if found is None:
            raise Refusal(404, "no_round", f"there is no round {number[:40]!r}", "ask /rounds/ for their numbers")
        return found
    found = rounds.filter(status=Round.Status.OPEN).order_by("-number").first()
    if found is None:
        fault = not_open(model.tournament)
        raise Refusal(409, fault.code, fault.message, fault.hint)
    return found
