"""The whole course, hosted models too, reads no price of the future.

Change them all, and everything earlier stays the same to the bit.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.db import transaction
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from regatta.accounts.models import User
from regatta.ensemble.models import MetaModel, RegimeState, RoundWeights, SelectorVersion, Watch
from regatta.hosting.intake import take_in
from regatta.hosting.models import HostedModel, HostedRun
from regatta.portfolios.models import BookAttribution, NavPoint, Rebalance
from regatta.predictors.models import PredictorVersion
from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Leaderboard, Score
from regatta.stakes.ledger import put_at_stake
from regatta.stakes.models import Entry
from regatta.submissions.models import ContributedModel, Submission
from tests.flows import seas
from tests.hosting import files
from tournament.markets.panel import PricePanel
from tournament.portfolio.accounting import COLUMNS

pytestmark = pytest.mark.django_db

NOW, LATER = 34, 42
RULES = {
    "warmup_rounds": 22, "retrain_every_rounds": 6, "predictor_rounds": 20, "novelty_limit": 0.6, "stickiness": 0.5,
    "contributor_cap": 0.6,
}  # fmt: skip
PAGES = (
    "/", "/tournaments/seas/", "/tournaments/seas/data/", "/tournaments/seas/leaderboard/", "/models/kelpie/",
    "/models/undertow/", "/models/autopilot/", "/rounds/30/", "/rounds/34/", "/meta-model/", "/meta-model/?round=28",
    "/portfolio/", "/portfolio/why/", "/portfolio/tear-sheet/", "/portfolio/series.csv",
)  # fmt: skip
TABLES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "rounds": (
        Round,
        ("number", "status", "context", "live_sha256", "panel_sha256", "target_sha256", "universe_size", "stakes"),
    ),
    "submissions": (Submission, ("round__number", "model__name", "status", "values_sha256")),
    "scores": (
        Score,
        (
            "round__number",
            "model__name",
            "day",
            "is_final",
            "corr",
            "mmc",
            "bmc",
            "fnc",
            "max_feature_exposure",
            "contribution",
            "mpc",
        ),
    ),
    "boards": (Leaderboard, ("round__number", "rows")),
    "selectors": (SelectorVersion, ("family", "trained_through", "status", "state_sha256", "reason", "gain")),
    "hosted models": (HostedModel, ("model__name", "number", "state", "sha256", "about", "is_assigned", "diagnostics")),
    "runs": (HostedRun, ("round__number", "hosted__model__name", "state", "submission__values_sha256")),
    "predictors": (PredictorVersion, ("family", "trained_in", "last_era", "state_sha256")),
    "weights": (
        RoundWeights,
        (
            "round__number",
            "family",
            "is_champion",
            "answers",
            "reason",
            "weights",
            "own",
            "corr",
            "explanation",
            "outcome",
        ),
    ),
    "watches": (
        Watch,
        ("round__number", "family", "since", "expected", "live", "rounds", "fall", "has_drifted", "gaps"),
    ),
    "regimes": (RegimeState, ("round__number", "probabilities", "label", "novelty")),
    "meta-models": (MetaModel, ("round__number", "family", "sha256", "corr")),
    "books": (
        Rebalance,
        (
            "round__number",
            "holdings",
            "holdings_sha256",
            "turnover",
            "expected_risk",
            "opening",
            "prices",
            "premises_sha256",
            "overlay",
        ),
    ),
    "attributions": (BookAttribution, ("nav__date", "exposure", "predicted", "realised", "risk")),
    "values": (NavPoint, ("round__number", "date", *COLUMNS, "forecast")),
}


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All that the course has written so far, in an order that does not hang on keys."""
    tables = {name: sorted(model.objects.values_list(*fields), key=repr) for name, (model, fields) in TABLES.items()}
    points = Entry.objects.values_list("account__kind", "account__model__name", "transfer__kind").annotate(
        Sum("amount")
    )
    return tables | {"points": sorted(points, key=repr)}


def pages() -> dict[str, str]:
    """Every page of the course as a visitor gets it, without the marks that differ from answer to answer."""
    client, shown = Client(), {}
    for address in PAGES:
        answer = client.get(address)
        assert answer.status_code == 200, address
        shown[address] = re.sub(r'(csrfmiddlewaretoken" value=|nonce=)"[^"]*"', r'\1""', answer.content.decode())
    return shown


def hand_in_a_model(tournament: Tournament) -> None:
    """A slot of its own, with points at stake and a file that was trained on the published data."""
    owner, start = User.objects.get(username="owner_of_kelpie"), seas.first(tournament).opens_at
    model = ContributedModel.objects.create(tournament=tournament, owner=owner, name="autopilot", created_at=start)
    put_at_stake(model, Decimal(30), key="stake of autopilot", now=start)
    take_in(model, files.trained_on(tournament), filename="mine.txt", by=owner, now=timezone.now())


def sail_and_forget(panel: PricePanel) -> tuple[dict[str, Any], dict[str, str], dict[str, Any]]:
    """Tables and pages after round NOW, and tables after round LATER; the database is left as it was."""
    with transaction.atomic():
        tournament = seas.make(panel, **RULES)
        hand_in_a_model(tournament)
        seas.sail(tournament, NOW)
        known, shown = everything(), pages()
        seas.sail(tournament, LATER)
        later = everything()
        transaction.set_rollback(True)
    return known, shown, later


def test_prices_of_the_future_change_nothing_before_them(settings: Any) -> None:
    settings.REGATTA_PREDICTORS = ("lightgbm", "reptile")
    prices = seas.prices(weeks=60)  # long enough for the platform's own predictors to learn from
    with transaction.atomic():
        closes_at = seas.make(prices, **RULES).rounds.get(number=NOW).closes_at
        transaction.set_rollback(True)
    day = np.datetime64(closes_at.date())  # the market closes after the round: that day's close is not known yet

    ours = sail_and_forget(prices)
    theirs = sail_and_forget(seas.altered_after(prices, day - np.timedelta64(1, "D")))

    for name, table in ours[0].items():
        assert table, f"{name} is empty: nothing was compared"
        assert table == theirs[0][name], name
    for address, page in ours[1].items():
        assert page == theirs[1][address], address
    answered = {number: sha256 for number, _, state, sha256 in ours[0]["runs"] if state == "SUCCESS" and sha256}
    assert sorted(answered) == list(range(1, NOW + 1)), "the hosted model answered every round"
    # the altered prices did reach what came later, so equality above was no accident
    for name in ("scores", "weights", "books", "values", "runs"):
        assert ours[2][name] != theirs[2][name], name
    assert Tournament.objects.count() == 0
