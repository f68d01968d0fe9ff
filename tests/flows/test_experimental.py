"""An experimental model is scored and nothing else: no board, no blend, no stake, and nobody else's scores change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from regatta.accounts.models import ApiKey, User
from regatta.ensemble.models import RoundWeights
from regatta.rounds.models import Tournament
from regatta.scores.models import Leaderboard, Score
from regatta.submissions.models import ContributedModel
from regatta.submissions.slots import set_experimental
from tests.flows import seas
from tournament.errors import BadInput

pytestmark = pytest.mark.django_db
LAST = 9


def kelpie() -> ContributedModel:
    return ContributedModel.objects.select_related("tournament").get(name="kelpie")


@pytest.fixture(scope="module")
def sailed(django_db_setup: None, django_db_blocker: Any) -> Iterator[Tournament]:
    """Two rounds with the fleet, the others alone; some of both kinds have resolved."""
    with django_db_blocker.unblock():
        made = seas.make(rounds=14)
        seas.sail(made, 2)
        set_experimental(kelpie(), True)
        seas.sail(made, LAST)
        yield made
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def tournament(sailed: Tournament) -> Tournament:
    return Tournament.objects.get(pk=sailed.pk)


def test_from_the_toggle_on_it_is_scored_and_nothing_else(client: Client, tournament: Tournament) -> None:
    early, late = tournament.rounds.get(number=1), tournament.rounds.get(number=3)
    scores = {one.round_id: one for one in Score.objects.filter(model=kelpie(), is_final=True)}

    assert "kelpie" in early.panel_models
    assert "kelpie" in early.stakes
    assert (late.panel_models, late.trial_models) == ([*sorted({*early.panel_models} - {"kelpie"})], ["kelpie"])
    assert "kelpie" not in late.stakes
    assert not any("kelpie" in row.weights for row in RoundWeights.objects.filter(round__number__gte=3))
    assert any("kelpie" in row.weights for row in RoundWeights.objects.filter(round__number__lte=2))
    assert scores[early.pk].is_experimental is False
    assert scores[late.pk].is_experimental is True
    assert scores[late.pk].corr is not None
    assert scores[late.pk].mmc is not None
    assert scores[late.pk].corr_percentile is None


def test_boards_before_the_toggle_have_it_and_those_after_do_not(client: Client, tournament: Tournament) -> None:
    boards = {board.round.number: [row["model"] for row in board.rows] for board in Leaderboard.objects.all()}
    ranks = [row["rank"] for row in Leaderboard.objects.get(round__number=3).rows]

    assert "kelpie" in boards[1]
    assert "kelpie" not in boards[3]
    assert min(ranks) == 1
    assert max(ranks) <= len(ranks)


def test_its_own_page_shows_it_and_the_rounds_page_does_not(client: Client, tournament: Tournament) -> None:
    own = client.get("/models/kelpie/").content.decode()
    round = client.get(f"/rounds/3/?tournament={tournament.slug}").content.decode()

    assert "Experimental: it is scored here" in own
    assert 'href="/rounds/3/?tournament=seas">Round 3' in own
    assert 'href="/models/kelpie/"' not in round


def test_it_is_toggled_between_rounds_alone(client: Client, tournament: Tournament) -> None:
    token = ApiKey.issue(User.objects.get(username="owner_of_kelpie"), "test")
    head = {"Authorization": f"Token {token[0].public_id}${token[1]}"}
    asked = {"content_type": "application/json", "headers": head}
    seas.advance(tournament, tournament.rounds.get(number=LAST + 1).opens_at)

    refused = client.post("/api/v1/models/kelpie/experimental/", {"experimental": "no"}, **asked)
    with pytest.raises(BadInput, match=f"round {LAST + 1} is open"):
        set_experimental(kelpie(), False)
    seas.advance(tournament, tournament.rounds.get(number=LAST + 1).closes_at)
    taken = client.post("/api/v1/models/kelpie/experimental/", {"experimental": "no"}, **asked)

    assert refused.json()["error"]["code"] == "round_open"
    assert taken.json() == {"name": "kelpie", "experimental": False}
    assert client.post("/api/v1/models/northwind/experimental/", {"experimental": "no"}, **asked).status_code == 404


def test_between_rounds_it_is_said_why_nothing_is_queued(client: Client, tournament: Tournament) -> None:
    token = ApiKey.issue(User.objects.get(username="owner_of_kelpie"), "test")
    head = {"Authorization": f"Token {token[0].public_id}${token[1]}"}

    answer = client.post("/api/v1/submissions/?model=kelpie", b"id,prediction\n", content_type="text/csv", headers=head)

    assert answer.status_code == 409
    assert f"round {LAST + 1} opens at" in answer.json()["error"]["message"]
    assert "nothing can be queued before" in answer.json()["error"]["hint"]
