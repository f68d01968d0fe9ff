"""Who asks, and for which of their models."""

from __future__ import annotations

from dataclasses import dataclass

import strawberry
from django.db.models import QuerySet
from django.http import HttpRequest

from regatta.accounts.models import User
from regatta.api.envelope import Refusal, key_of
from regatta.api.numerapi.numbers import tournament_of
from regatta.security import asked_number
from regatta.submissions.models import ContributedModel


@dataclass(frozen=True, slots=True)
class Asking:
    """What every resolver may look at."""

    request: HttpRequest


Info = strawberry.Info[Asking, None]


def contributor(info: Info, scope: str) -> User:
    """The owner of the request's key. Raises Refusal when there is none, or when it may not do this."""
    return key_of(info.context.request, scope).owner


def page(limit: int, offset: int) -> slice:
    """The asked part of a list. Raises Refusal for a negative number."""
    if limit < 0 or offset < 0:
        raise Refusal(422, "page", f"limit {limit} and offset {offset} must not be negative", "send 0 or more")
    return slice(offset, offset + limit)


def model_named(text: str | None) -> ContributedModel:
    """The model of that id or name, whoever owns it. Raises Refusal."""
    found = _named(text or "", ContributedModel.objects.all()).select_related("tournament", "owner").first()
    return found or _missing(f"there is no model {(text or '')[:60]!r}")


def own_model(owner: User, text: str | None, number: int | None = None) -> ContributedModel:
    """The contributor's model of that id or name; without one, the only one that they have in the tournament."""
    own = ContributedModel.objects.filter(owner=owner).select_related("tournament")
    if number is not None:
        own = own.filter(tournament=tournament_of(number))
    found = list((_named(text, own) if text else own)[:2])
    if len(found) == 1:
        return found[0]
    if found:
        raise Refusal(422, "which_model", "you have several models", "name one: model_id of get_models()")
    return _missing(f"you have no model {text[:60]!r} there" if text else "you have no model there")


def _named(text: str, models: QuerySet[ContributedModel]) -> QuerySet[ContributedModel]:
    number = asked_number(text)
    return models.filter(name=text) if number is None else models.filter(pk=number)


def _missing(message: str) -> ContributedModel:
    raise Refusal(404, "no_model", message, "ask get_models() for your own, or a leaderboard for others")
