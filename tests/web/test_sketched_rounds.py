"""A round with more models than tables are kept for is weighed, and told of, by a sketch of its panel."""

from __future__ import annotations

import numpy as np
import pytest

from regatta.ensemble import history as histories
from regatta.ensemble import weighing
from regatta.ensemble.models import RoundWeights
from regatta.ensemble.outcomes import outcome
from regatta.rounds.models import Tournament
from tournament.selectors.sketch import Sketch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]


@pytest.fixture
def _few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if tables were kept of two models at most."""
    monkeypatch.setattr(histories, "EXACT_MODELS", 2)
    monkeypatch.setattr(weighing, "EXACT_MODELS", 2)


@pytest.mark.usefixtures("_few_tables")
def test_a_large_round_is_weighed_by_a_sketch(sailed: Tournament) -> None:
    round = sailed.rounds.get(number=12)
    before = {row.family: row for row in round.weights.all()}
    now = next(iter(before.values())).known_at
    RoundWeights.objects.filter(round=round).delete()

    known = histories.history(sailed, now, through=round)
    weighing.weigh_round(round, now)

    assert isinstance(histories.question(known, round).correlations_MM, Sketch)
    assert known.correlations_RMM.strides == (0, 0, 0)
    ridge = round.weights.get(family="ridge").weights
    assert sum(ridge.values()) == pytest.approx(1.0)
    assert ridge == pytest.approx(before["ridge"].weights, abs=1e-3)


@pytest.mark.usefixtures("_few_tables")
def test_what_models_did_add_to_a_large_round_is_told_by_the_sketch(sailed: Tournament) -> None:
    round = sailed.rounds.get(number=5)
    weights = round.weights.get(is_champion=True).weights
    linear = np.linspace(-0.02, 0.03, len(round.panel_models))

    told = outcome(weights, round.panel_models, linear, round.panel_sha256)

    assert sum(shapley for _, shapley in told["models"].values()) == pytest.approx(told["corr"], abs=1e-4)
