"""Duplicates of a round: told to their owner alone, one weight for all of them."""

from __future__ import annotations

import pytest
from django.test import Client

from regatta.accounts.models import ApiKey, User
from regatta.ensemble.models import RoundWeights
from regatta.rounds.models import Round, Tournament
from regatta.submissions.models import ContributedModel, Submission
from tests.flows import seas

pytestmark = pytest.mark.django_db
COPIES = {"kelpie_two": "owner_of_kelpie", "copycat": "owner_of_northwind"}


@pytest.fixture
def tournament() -> Tournament:
    """Round 1 is open; kelpie's file was sent by three models, the others sent their own."""
    return sent(seas.make(rounds=4))


def sent(made: Tournament) -> Tournament:
    seas.advance(made, seas.first(made).opens_at)
    round = opened(made)
    for name in seas.FEATURES:
        seas.submit(name, round)
    for name, owner in COPIES.items():
        user = User.objects.get(username=owner)
        model = ContributedModel.objects.create(tournament=made, owner=user, name=name)
        seas.FEATURES[name] = seas.FEATURES["kelpie"]
        seas.submit(name, round)
        del seas.FEATURES[name]
        assert model.submissions.get().status == "ACCEPTED"
    return made


def opened(tournament: Tournament) -> Round:
    return tournament.rounds.get(number=1)


def close(tournament: Tournament) -> Round:
    seas.advance(tournament, opened(tournament).closes_at)
    return opened(tournament)


def page(client: Client, model: str, viewer: str) -> str:
    client.force_login(User.objects.get(username=viewer))
    return client.get(f"/models/{model}/").content.decode()


def answer(client: Client, model: str) -> dict[str, object] | None:
    submission = Submission.objects.get(model__name=model)
    key, secret = ApiKey.issue(submission.model.owner, "test")
    token = {"Authorization": f"Token {key.public_id}${secret}"}
    found: dict[str, object] | None = client.get(f"/api/v1/submissions/{submission.pk}/", headers=token).json()["alike"]
    return found


def test_in_an_open_round_only_ones_own_are_compared(client: Client, tournament: Tournament) -> None:
    found = answer(client, "kelpie")

    assert found == {"limit": 0.95, "own": ["kelpie_two"], "others": 0, "nearest": 1.0, "is_sealed": False}
    assert answer(client, "copycat") is None


def test_a_sealed_round_tells_how_many_others_and_no_name(client: Client, tournament: Tournament) -> None:
    close(tournament)

    found = answer(client, "kelpie")
    text = page(client, "kelpie", "owner_of_kelpie")

    assert found == {"limit": 0.95, "own": ["kelpie_two"], "others": 1, "nearest": 1.0, "is_sealed": True}
    assert "kelpie_two and 1 model of other contributors" in " ".join(text.split())
    assert "copycat" not in text


def test_nobody_else_is_told(client: Client, tournament: Tournament) -> None:
    close(tournament)

    assert "almost as" not in client.get("/models/kelpie/").content.decode()
    assert "almost as" not in page(client, "kelpie", "owner_of_northwind")
    assert "almost as" in page(client, "copycat", "owner_of_northwind")


def test_a_file_of_its_own_kind_is_told_nothing(client: Client, tournament: Tournament) -> None:
    close(tournament)

    assert answer(client, "stillwater") is None
    assert "almost as" not in page(client, "stillwater", "owner_of_stillwater")


def test_every_family_gives_the_three_the_weight_of_one(tournament: Tournament) -> None:
    round = close(tournament)

    rows = list(RoundWeights.objects.filter(round=round))
    equal = next(row for row in rows if row.family == "equal")

    assert len(rows) > 5
    assert equal.weights["stillwater"] == pytest.approx(1 / 6)  # five features, and the platform's example
    for row in rows:
        together = {row.weights.get(name) for name in ("kelpie", *COPIES)}
        assert len(together) == 1
        assert sum(row.weights.values()) == pytest.approx(1.0)
    assert equal.weights["kelpie"] == pytest.approx(1 / 18)


def test_a_limit_of_one_turns_it_off(client: Client) -> None:
    tournament = sent(seas.make(rounds=4, duplicate_corr=1))

    round = close(tournament)

    assert RoundWeights.objects.get(round=round, family="equal").weights["kelpie"] == pytest.approx(1 / 8)
    assert answer(client, "kelpie") is None
