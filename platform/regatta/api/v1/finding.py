"""What addresses name: a tournament, a round, a model; somebody else's own things are not found."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from regatta.api.envelope import Refusal
from regatta.api.guard import contributor
from regatta.rounds.models import Round, Tournament
from regatta.submissions.models import ContributedModel

HEAVY = ("context", "stakes", "panel_models", "trial_models")
HEAVY_OF_ROUND = tuple(f"round__{name}" for name in HEAVY)
HINT = "lists say what there is; what is another contributor's is not told"
Row = TypeVar("Row", bound=Model)


def the(rows: QuerySet[Row], kind: str, **named: object) -> Row:
    """The row of that name. Raises Refusal in words of the field, which repeat nothing that was asked."""
    found = rows.filter(**named).first()
    if found is None:
        raise Refusal(404, "not_found", f"there is no such {kind}", HINT)
    return found


def tournament_of(slug: str) -> Tournament:
    """Raises Refusal."""
    return the(Tournament.objects.all(), "tournament", slug=slug)


def opened(tournament: Tournament) -> QuerySet[Round]:
    """Rounds that have opened; those to come are not told of."""
    return tournament.rounds.exclude(status=Round.Status.SCHEDULED)


def round_of(slug: str, number: int) -> Round:
    """The round, once it has opened. Raises Refusal."""
    return the(opened(tournament_of(slug)).select_related("tournament"), "opened round", number=number)


def model_of(name: str) -> ContributedModel:
    """Raises Refusal."""
    return the(ContributedModel.objects.select_related("tournament", "owner"), "model", name=name)


def own_models(request: HttpRequest) -> QuerySet[ContributedModel]:
    """The asker's models."""
    return ContributedModel.objects.filter(owner=contributor(request)).select_related("tournament", "owner")


def own_model(request: HttpRequest, name: str) -> ContributedModel:
    """The asker's model of that name. Raises Refusal."""
    return the(own_models(request), "model", name=name)


def asked_model(request: HttpRequest, name: str) -> ContributedModel:
    """The asker's model that a query names. Raises Refusal."""
    owner = contributor(request)
    found = ContributedModel.objects.filter(owner=owner, name=name).select_related("tournament").first()
    if found is None:
        raise Refusal(404, "no_model", f"you have no model {name[:60]!r}", "open it at /api/v1/models/")
    found.owner = owner  # read with the key
    return found
