"""What addresses name: a tournament, a round, a model; somebody else's own things are not found."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from regatta.api.envelope import Refusal
from regatta.api.guard import contributor
from regatta.rounds.models import Round, Tournament
from regatta.submissions.models import ContributedModel

HEAVY = ("context", "stakes", "panel_models", "trial_models")
HEAVY_OF_ROUND = tuple(f"round__{name}" for name in HEAVY)
MOST_ROUNDS = 2**31 - 1


def tournament_of(slug: str) -> Tournament:
    """Raises Http404."""
    return get_object_or_404(Tournament, slug=slug)


def opened(tournament: Tournament) -> QuerySet[Round]:
    """Rounds that have opened; those to come are not told of."""
    return tournament.rounds.exclude(status=Round.Status.SCHEDULED)


def round_of(slug: str, number: int) -> Round:
    """The round, once it has opened. Raises Http404."""
    found = opened(tournament_of(slug)).select_related("tournament")
    return get_object_or_404(found, number=number)


def model_of(name: str) -> ContributedModel:
    """Raises Http404."""
    return get_object_or_404(ContributedModel.objects.select_related("tournament", "owner"), name=name)


def own_models(request: HttpRequest) -> QuerySet[ContributedModel]:
    """The asker's models."""
    return ContributedModel.objects.filter(owner=contributor(request)).select_related("tournament", "owner")


def own_model(request: HttpRequest, name: str) -> ContributedModel:
    """The asker's model of that name. Raises Http404."""
    return get_object_or_404(own_models(request), name=name)


def asked_model(request: HttpRequest, name: str) -> ContributedModel:
    """The asker's model that a query names. Raises Refusal."""
    owner = contributor(request)
    found = ContributedModel.objects.filter(owner=owner, name=name).select_related("tournament").first()
    if found is None:
        raise Refusal(404, "no_model", f"you have no model {name[:60]!r}", "open it at /api/v1/models/")
    found.owner = owner  # read with the key
    return found
