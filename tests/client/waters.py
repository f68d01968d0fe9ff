"""Three small tournaments, one for each API of the client, with a contributor who has a model in each."""

from __future__ import annotations

import io
from decimal import Decimal

import numpy as np
import pandas as pd

from regatta import artifacts
from regatta.accounts.models import ApiKey, User
from regatta.accounts.sign_up import open_account
from regatta.ensemble.blending import blend_round
from regatta.ensemble.weighing import weigh_round
from regatta.rounds.models import Round, Tournament
from regatta.rounds.opening import open_round
from regatta.rounds.publish import publish
from regatta.rounds.schedule import tick
from regatta.rounds.sealing import seal
from regatta.scores.scoring import resolve_round, score_partially
from regatta.stakes.ledger import put_at_stake
from regatta.submissions.intake import receive
from regatta.submissions.models import ContributedModel
from tests.flows import seas
from tournament.rules import Rules

CLASSIC = 8
SLUGS = {CLASSIC: "classic", 11: "signals", 12: "crypto"}
SAILED = 3
"""Rounds that are closed; the next one is open, and the first ones are resolved by then."""
RULES = Rules(horizon_days=5, predictor_rounds=0)
"""A week's returns, so that rounds resolve soon."""
FEATURES = {"adas": "momentum_12_1", "bobs": "reversal_1m", "carols": "volatility_12"}
PASSWORD = "tide-and-wind-9"
ROUNDS = 20


def lay() -> dict[str, str]:
    """Everything in the database; ada's key."""
    owners = {name: open_account(name[:-1], f"{name}@example.org", PASSWORD) for name in FEATURES}
    for number, slug in SLUGS.items():
        made = make(slug, owners)
        (sail if number == CLASSIC else drift)(made)
    key, secret = ApiKey.issue(owners["adas"], "script")
    return {"public_id": key.public_id, "secret": secret}


def make(slug: str, owners: dict[str, User]) -> Tournament:
    """A published tournament at its first opening, with a staked model of each owner."""
    market = Tournament.Market.SIMULATED
    made = Tournament.objects.create(slug=slug, name=slug.title(), market=market, rules=RULES.to_dict())
    publish(made, seas.prices(), rounds=ROUNDS, key=slug.encode())
    start = seas.first(made).opens_at
    move(made, start)
    for name, owner in owners.items():
        model = ContributedModel.objects.create(tournament=made, owner=owner, name=f"{name}_{slug}", created_at=start)
        put_at_stake(model, Decimal(100), key=f"first stake of {model.name}", now=start)
    return made


def move(tournament: Tournament, to: object) -> None:
    """Set the replay clock and do all that is due."""
    Tournament.objects.filter(pk=tournament.pk).update(clock_at=to)
    tournament.refresh_from_db()
    tick(tournament, tournament.now())


def sail(tournament: Tournament) -> None:
    """Every model submits to the first rounds, the schedule does the rest; the round after them opens."""
    for round in tournament.rounds.filter(number__lte=SAILED).order_by("number"):
        move(tournament, round.opens_at)
        submit(round)
        move(tournament, round.closes_at)
    move(tournament, tournament.rounds.get(number=SAILED + 1).opens_at)


def drift(tournament: Tournament) -> None:
    """The same step by step and without books, which take the most time: the API tells nothing of them."""
    rounds = list(tournament.rounds.select_related("tournament").order_by("number")[: SAILED + 1])
    for place, round in enumerate(rounds):
        for earlier in rounds[:place]:
            if earlier.status != Round.Status.RESOLVED and earlier.resolves_at <= round.opens_at:
                resolve_round(earlier, earlier.resolves_at)
        open_round(round, round.opens_at)
        if place < SAILED:
            submit(round)
            seal(round, round.closes_at)
            weigh_round(round, round.closes_at)
            blend_round(round, round.closes_at)
    Tournament.objects.filter(pk=tournament.pk).update(clock_at=rounds[-1].opens_at)
    score_partially(tournament, rounds[-1].opens_at)


def submit(round: Round) -> None:
    """Every model's predictions of an open round."""
    round.refresh_from_db()
    for name, feature in FEATURES.items():
        model = ContributedModel.objects.get(name=f"{name}_{round.tournament.slug}")
        data = predictions(round, feature).to_csv(index=False).encode()
        receive(model, round, data, filename=f"{name}.csv", source="api", now=round.opens_at)


def predictions(round: Round, feature: str) -> pd.DataFrame:
    """Ranks of a feature."""
    live = pd.read_parquet(io.BytesIO(artifacts.get(round.live_sha256)))
    values = live[feature].to_numpy(float) + 0.01 * live["momentum_6_1"].to_numpy(float)
    ranks = (np.argsort(np.argsort(values, kind="stable"), kind="stable") + 0.5) / len(values)
    return pd.DataFrame({"id": live["id"], "prediction": ranks})
