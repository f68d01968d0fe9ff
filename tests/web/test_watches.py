"""The meta-model page and the round page say who answered and why, and whether selectors keep what they promised."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from regatta.ensemble.models import RegimeState, RoundWeights, Watch
from regatta.rounds.models import Tournament
from tests.web.conftest import SAILED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]

GAP = {
    "family": "set_attention", "trained_through": 8, "overfitted": ["fitted"],
    "shown": {
        "fitted": {"mean": 0.08, "error": 0.01, "rounds": 50}, "held out": {"mean": 0.03, "error": 0.02, "rounds": 9}
    },
    "live": {"mean": 0.0123, "error": 0.02, "rounds": 4},
}  # fmt: skip
DRIFT = {
    "family": "ridge", "since": 5, "expected": 0.0311, "expected_se": 0.01, "live": -0.0222, "live_se": 0.02,
    "rounds": 4, "fall": 16.2, "has_drifted": True, "gaps": [GAP],
}  # fmt: skip


def body(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.fixture
def stood_in(sailed: Tournament) -> RoundWeights:
    """A committee answers in the newest closed round."""
    answer = sailed.rounds.get(number=SAILED).weights.get(answers=True)
    RoundWeights.objects.filter(pk=answer.pk).update(answers=False)
    explanation = answer.explanation | {"members": {"equal": 0.25, "ridge": 0.75}}
    return RoundWeights.objects.create(
        round=answer.round, family="committee", answers=True, reason="the market is new", weights=answer.weights,
        explanation=explanation, known_at=answer.known_at,
    )  # fmt: skip


@pytest.mark.parametrize("address", ["/meta-model/", f"/meta-model/?round={SAILED}", f"/rounds/{SAILED}/"])
def test_pages_say_who_stood_in_for_whom_and_why(stood_in: RoundWeights, client: Client, address: str) -> None:
    page = body(client, address)

    assert f"In round {SAILED} a committee answered in the place of <b>equal</b>: the market is new." in page
    assert page.index("ridge 75") < page.index("equal 25")


@pytest.mark.parametrize("address", ["/meta-model/", f"/rounds/{SAILED}/"])
def test_where_the_champion_answers_nothing_is_said(sailed: Tournament, client: Client, address: str) -> None:
    assert "a committee answered" not in body(client, address)


def watch(sailed: Tournament, **read: Any) -> Watch:
    newest = Watch.objects.filter(round__tournament=sailed).latest("round__number")
    Watch.objects.filter(pk=newest.pk).update(**read)
    return newest


def test_the_page_shows_the_champions_drift_and_the_gaps(sailed: Tournament, client: Client) -> None:
    watch(sailed, **DRIFT)

    page = body(client, "/meta-model/")

    for said in ("+0.0311", "−0.0222", "It has drifted", "summed falls 16.2 of 15 allowed", "+0.0800", "+0.0123"):
        assert said in page
    assert page.count("overfitted</span>") == 1


def test_without_a_reading_the_page_says_when_there_will_be_one(sailed: Tournament, client: Client) -> None:
    assert "Told once a champion with a record of 20 rounds" in body(client, "/meta-model/")


def test_a_past_rounds_page_shows_what_was_read_by_then(sailed: Tournament, client: Client) -> None:
    newest = watch(sailed, **DRIFT)
    early = sailed.rounds.get(number=6).weights.get(answers=True)
    assert early.known_at < newest.known_at

    assert "It has drifted" not in body(client, "/meta-model/?round=6")


def test_a_rounds_page_tells_its_novelty_once_it_is_known(sailed: Tournament, client: Client) -> None:
    assert "<dt>Novelty</dt>" not in body(client, "/rounds/1/")  # before any training there is none
    RegimeState.objects.filter(round__number=SAILED).update(novelty=0.77)

    page = body(client, f"/rounds/{SAILED}/")

    assert "<dt>Novelty</dt><dd>0.77<br>" in page
    assert "from 1.50 on a committee answers" in page
