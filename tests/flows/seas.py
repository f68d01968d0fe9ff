"""A small simulated tournament, sailed in this process by the code that sails live ones."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

import numpy as np
import pandas as pd

from regatta import artifacts
from regatta.accounts.models import User
from regatta.jobs import flow
from regatta.rounds.models import Round, Tournament
from regatta.rounds.publish import publish
from regatta.rounds.schedule import tick
from regatta.stakes.ledger import put_at_stake, welcome
from regatta.submissions.intake import receive
from regatta.submissions.models import ContributedModel, Submission
from tournament.markets.panel import PricePanel
from tournament.markets.simulate import SimulationConfig, simulate
from tournament.rules import Rules
from workers.running import run_job

ROUNDS = 44
FEATURES = {
    "kelpie": "momentum_12_1", "northwind": "reversal_1m", "stillwater": "volatility_12", "driftwood": "volatility_3",
    "undertow": "-momentum_12_1",
}  # fmt: skip


@lru_cache(maxsize=2)
def prices(weeks: int = 30) -> PricePanel:
    """Forty assets, 44 rounds of them in the tournament."""
    return simulate(SimulationConfig(seed=3, assets=40, weeks=weeks, shortest_stay=4, mean_stay=8)).panel


def altered_after(panel: PricePanel, day: np.datetime64, seed: int = 5) -> PricePanel:
    """The same panel up to and with `day`; after it, prices drift away from it and volumes too."""
    later_D1 = (panel.dates_D > day)[:, None]
    steps_DN = np.random.default_rng(seed).normal(0, 0.01, panel.close_DN.shape) * later_D1
    changed = {
        name: values * np.exp(steps_DN.cumsum(axis=0))
        for name in ("close_DN", "open_DN", "high_DN", "low_DN", "volume_DN")
        if (values := getattr(panel, name)) is not None
    }
    return replace(panel, **changed)


def make(panel: PricePanel | None = None, *, rounds: int = ROUNDS, **rules: int) -> Tournament:
    """Publish, and enter one model per feature, each with points at stake."""
    given = Rules(**{"predictor_rounds": 0} | rules)  # the platform's own predictors only where a test is about them
    tournament = Tournament.objects.create(
        slug="seas", name="Seas", market=Tournament.Market.SIMULATED, rules=given.to_dict()
    )
    publish(tournament, prices() if panel is None else panel, rounds=rounds, key=b"small seas")
    start = first(tournament).opens_at
    Tournament.objects.filter(pk=tournament.pk).update(clock_at=start)
    tournament.refresh_from_db()
    for place, name in enumerate(FEATURES):
        owner = User.objects.create_user(f"owner_of_{name}", f"{name}@example.org", "a long enough password")
        model = ContributedModel.objects.create(tournament=tournament, owner=owner, name=name, created_at=start)
        welcome(owner.pk, Decimal(1000), now=start)
        put_at_stake(model, Decimal(10 * (place + 1)), key=f"stake of {name}", now=start)
    return tournament


def first(tournament: Tournament) -> Round:
    """The tournament's first round."""
    return tournament.rounds.order_by("number")[0]


def sail(tournament: Tournament, through: int) -> None:
    """Open, submit to, close and resolve every round up to `through`; train and run hosted models when it is due."""
    for round in tournament.rounds.filter(number__lte=through, status="SCHEDULED").order_by("number"):
        advance(tournament, round.opens_at)
        run_sandbox(tournament)
        round.refresh_from_db()
        for name in FEATURES:
            submit(name, round)
        advance(tournament, round.closes_at)


def advance(tournament: Tournament, to: datetime) -> None:
    """Set the clock and do all that is due, trainings included."""
    Tournament.objects.filter(pk=tournament.pk).update(clock_at=to)
    tournament.clock_at = to
    tick(tournament, to)
    flow.run_all("gpu", "this process", run_job, clock=lambda: to)


def run_sandbox(tournament: Tournament) -> int:
    """Check and run whatever hosted models wait for it, in this process's sandboxes."""
    return flow.run_all("sandbox", "this process", run_job, clock=tournament.now)


def submit(name: str, round: Round, *, now: datetime | None = None) -> Submission:
    """Send the ranks of a model's feature to an open round."""
    model = ContributedModel.objects.get(name=name)
    data = predictions(name, round).to_csv(index=False).encode()
    return receive(model, round, data, filename=f"{name}.csv", source="api", now=now or round.opens_at)


def predictions(name: str, round: Round) -> pd.DataFrame:
    """id and prediction: ranks of the model's feature, ties parted by the next one."""
    live = pd.read_parquet(io.BytesIO(artifacts.get(round.live_sha256)))
    feature = FEATURES[name]
    sign = -1.0 if feature.startswith("-") else 1.0
    values = sign * live[feature.removeprefix("-")].to_numpy(float) + 0.01 * live["momentum_6_1"].to_numpy(float)
    ranks = (values.argsort(kind="stable").argsort() + 0.5) / len(values)
    return pd.DataFrame({"id": live["id"], "prediction": ranks})
