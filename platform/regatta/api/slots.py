"""Open a slot for a model, as REST and GraphQL do."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction

from regatta.accounts.models import User
from regatta.api.envelope import Refusal
from regatta.rounds.models import Tournament
from regatta.submissions.models import NAME_RULE, ContributedModel


def open_slot(owner: User, tournament: Tournament, name: str) -> ContributedModel:
    """A new model. Raises Refusal when the name is taken or none, ValidationError when it is the platform's."""
    if not re.fullmatch(NAME_RULE, name):
        hint = "take 3 to 40 small letters, digits and _, the first a letter"
        raise Refusal(422, "bad_name", f"a model cannot be named {name[:60]!r}", hint)
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
