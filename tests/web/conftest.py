"""A site with a sailed tournament, made once for a file of tests and swept away after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from regatta.accounts.models import User
from regatta.ensemble.models import RegimeState
from regatta.rounds.models import Tournament
from regatta.submissions.models import ContributedModel
from tests.flows import seas

SAILED = 12
REGIMES = ["Steady trend", "Stress"]


@pytest.fixture(scope="module")
def opened(django_db_setup: None, django_db_blocker: Any) -> Iterator[Tournament]:
    """The first round is open; for tests of what is sent and fetched."""
    with django_db_blocker.unblock():
        tournament = seas.make(rounds=4)
        seas.advance(tournament, seas.first(tournament).opens_at)
        yield tournament
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(scope="module")
def sailed(django_db_setup: None, django_db_blocker: Any) -> Iterator[Tournament]:
    """Twelve rounds sailed, the thirteenth open, regimes told from the third; reading tests share it."""
    with django_db_blocker.unblock():
        tournament = seas.make()
        seas.sail(tournament, SAILED)
        seas.advance(tournament, tournament.rounds.get(number=SAILED + 1).opens_at)
        for round in tournament.rounds.filter(number__range=(3, SAILED)):
            label = round.number % 2
            values = {"names": REGIMES, "probabilities": [0.1 + 0.8 * (label == 0), 0.1 + 0.8 * label], "label": label}
            RegimeState.objects.get_or_create(round=round, defaults=values | {"known_at": round.opens_at})
        kelpie = ContributedModel.objects.get(name="kelpie")
        for name in ("kelpie_two", "kelpie_three"):  # a page that asks once for each model would be found out
            ContributedModel.objects.create(tournament=tournament, owner=kelpie.owner, name=name)
        User.objects.create_superuser("harbourmaster", "office@example.org", "tide-and-wind-9")
        yield tournament
        call_command("flush", interactive=False, verbosity=0)
