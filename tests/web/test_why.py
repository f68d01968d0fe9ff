"""Pages say why the weights are what they are: expected when the round closed, and what came of it once it resolved."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client

from regatta.ensemble.history import correlations_of, history
from regatta.ensemble.models import RoundWeights
from regatta.pages import why
from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Score
from tests.flows import seas
from tournament.selectors import algebra
from tournament.selectors.protocol import Budget
from tournament.selectors.registry import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]


def champion(tournament: Tournament, number: int) -> RoundWeights:
    return tournament.rounds.get(number=number).weights.get(is_champion=True)


def explain_by(family: str, row: RoundWeights) -> RoundWeights:
    """Store what another family would have said of the round, as if it had led."""
    known = history(row.round.tournament, row.known_at, through=row.round)
    query, support = known.query(len(known) - 1), known.known_at(known.opens_at_R[-1])
    selector = make(family)
    told = selector.explain(selector.adapt(selector.meta_train([support], Budget()), support), query)
    row.family, row.explanation = family, told.plain()
    row.weights = {name: float(w) for name, w in zip(known.models, told.weights_M, strict=True) if w > 0}
    RoundWeights.objects.filter(round=row.round, family=family).delete()
    row.save()
    return row


def body(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_only_the_champion_says_why(sailed: Tournament) -> None:
    rows = RoundWeights.objects.filter(round__tournament=sailed)

    assert {row.explanation.get("format") for row in rows.filter(is_champion=True)} == {1}
    assert not [row for row in rows.filter(is_champion=False) if row.explanation or row.outcome]


def test_what_models_did_add_sums_to_the_blends_linear_corr(sailed: Tournament) -> None:
    row = champion(sailed, 5)
    linear = dict(Score.objects.filter(round=row.round, is_final=True).values_list("model__name", "linear"))

    models = row.round.panel_models
    weights, scores = ([found.get(name, 0.0) for name in models] for found in (row.weights, linear))
    corr = algebra.corr(np.array(weights), np.array(scores), correlations_of(row.round.panel_sha256))

    assert row.outcome["corr"] == pytest.approx(corr, abs=1e-6)
    assert sum(values[1] for values in row.outcome["models"].values()) == pytest.approx(corr, abs=1e-5)


def test_a_round_that_resolves_keeps_its_explanation(sailed: Tournament) -> None:
    newest = sailed.rounds.filter(status=Round.Status.CLOSED).order_by("number").first() or sailed.rounds.get(number=12)
    before = champion(sailed, newest.number)
    assert before.outcome == {}

    seas.advance(sailed, newest.resolves_at + timedelta(days=2))

    after = champion(sailed, newest.number)
    assert after.explanation == before.explanation
    assert after.outcome["models"]


def test_the_page_of_a_past_round_has_what_was_expected_and_what_came(sailed: Tournament, client: Client) -> None:
    text = body(client, "/meta-model/?tournament=seas&round=6")

    assert "Which models did the fleet follow in round 6?" in text
    assert "Why these weights in round 6?" in text
    assert "Did add, corr" in text


def test_the_page_of_a_past_round_knows_nothing_later(sailed: Tournament, client: Client) -> None:
    text = body(client, "/meta-model/?tournament=seas&round=6")

    assert re.findall(r"\bround (7|8|9|10|11|12)\b", text) == []


def test_the_page_of_the_first_round_stands_before_any_score(sailed: Tournament, client: Client) -> None:
    text = body(client, "/meta-model/?tournament=seas&round=1")

    assert "No round has resolved yet" in text
    assert "No round had resolved yet" in text


@pytest.mark.parametrize("asked", ["20", "0", "-1", "six", "9999999999", "6.0"])
def test_a_round_without_weights_is_not_there(sailed: Tournament, client: Client, asked: str) -> None:
    assert client.get(f"/meta-model/?tournament=seas&round={asked}").status_code == 404


@pytest.mark.parametrize("family", ["hmm", "kernel", "fforma"])
def test_every_kind_of_champion_is_explained(sailed: Tournament, client: Client, family: str) -> None:
    explain_by(family, champion(sailed, 12))

    text = body(client, "/meta-model/?tournament=seas")

    assert ("What if the regime were certain?" in text) == (family == "hmm")
    assert "What if a model were missing?" in text
    assert "Points moved" in text or "would have been the same" in text


def test_an_old_row_without_explanation_has_no_such_section(sailed: Tournament, client: Client) -> None:
    RoundWeights.objects.filter(pk=champion(sailed, 12).pk).update(explanation={"like_rounds": [1, 2]})

    assert "Why these weights" not in body(client, "/meta-model/?tournament=seas")
    assert "expected to add" not in body(client, "/models/kelpie/")


def test_the_waterfall_ends_at_the_whole(sailed: Tournament) -> None:
    told = why.told(explain_by("hmm", champion(sailed, 12)))
    if told.explanation["corr"] <= 0:
        pytest.skip("nothing was expected to score above zero")

    drawn = str(why.draw_shares(told, sailed))

    assert '<th scope="row">The blend' in drawn
    assert "100.0\u202f%" in drawn


def test_mean_weights_by_regime_count_rounds_by_how_likely_the_regime_was(sailed: Tournament) -> None:
    names, notes, table = why.given_by_regime(why.told(champion(sailed, 12)), sailed)

    assert names == ("Steady trend", "Stress")
    assert notes == ("5 rounds", "5 rounds")
    assert table["kelpie"] == pytest.approx([1 / 6, 1 / 6])  # equal weight led throughout


def test_a_models_page_says_what_the_selector_thinks_of_it(sailed: Tournament, client: Client) -> None:
    text = body(client, "/models/kelpie/")

    assert "In round 12 equal gave it 16.7" in text
    assert "Mean weight in each regime" in text


def test_a_rounds_page_names_who_carried_it(sailed: Tournament, client: Client) -> None:
    text = body(client, "/rounds/5/?tournament=seas")

    assert "Who carried the blend?" in text
    assert "round=5#why" in text


def test_what_is_said_of_a_model_left_out_adds_up(sailed: Tournament) -> None:
    told = why.told(explain_by("hmm", champion(sailed, 12)))

    rows: list[Any] = why.left_out(told)

    assert [row.weight for row in rows] == sorted((row.weight for row in rows), reverse=True)
    assert all(row.name in told.weights for row in rows)
