"""The two tournaments of the demonstration: real prices and a simulated market whose regimes are known."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from regatta import artifacts
from regatta.rounds.models import Tournament
from regatta.rounds.publish import publish
from tournament.markets.panel import PricePanel, bundled_sp500, read_prices
from tournament.markets.simulate import SimulatedMarket, SimulationConfig, simulate
from tournament.rules import Rules

REAL, SIMULATED = "real", "simulated"
ROUNDS = {REAL: 126, SIMULATED: 207}
"""Rounds of the course; the last of them stays open."""
AFTER = {REAL: 59, SIMULATED: 38}
"""Rounds kept back: the living site sails them slowly."""
RULES = Rules(warmup_rounds=40)
SEED = 1
OPEN_KEY = "simulated"


def prepare(market: Path | None, *, rounds: dict[str, int], id_key: str = "") -> list[Tournament]:
    """Make and publish both tournaments unless they exist; `market` takes the place of the bundled prices.

    `id_key` fixes what the assets' ids are made from, so that two runs can be compared; empty: a fresh secret for the
    real prices. The simulated assets have nothing to hide, so that course is the same every time.
    """
    world = simulate(SimulationConfig(seed=SEED, weeks=460))
    about = "A market with four hidden regimes; the truth is kept."
    real = "Real seas" if market is None else market.stem
    return [
        _prepare(
            SIMULATED,
            "Simulated seas",
            about,
            world.panel,
            rounds[SIMULATED] + AFTER[SIMULATED],
            _key(SIMULATED, id_key or OPEN_KEY),
            world,
        ),
        _prepare(
            REAL, real, "Daily prices of US companies.", _prices(market), rounds[REAL] + AFTER[REAL], _key(REAL, id_key)
        ),
    ]


def _prices(market: Path | None) -> PricePanel:
    return bundled_sp500() if market is None else read_prices(market)


def _prepare(
    slug: str, name: str, about: str, panel: PricePanel, rounds: int, key: bytes, world: SimulatedMarket | None = None
) -> Tournament:
    kind = Tournament.Market.REAL if world is None else Tournament.Market.SIMULATED
    defaults = {"name": name, "description": about, "market": kind, "rules": RULES.to_dict()}
    tournament, _ = Tournament.objects.get_or_create(slug=slug, defaults=defaults)
    if not tournament.datasets.exists():
        publish(tournament, panel, rounds=rounds, key=key)
        first = tournament.rounds.order_by("number").first()
        Tournament.objects.filter(pk=tournament.pk).update(clock_at=first.opens_at)
        if world is not None:
            _keep_truth(tournament, world)
    tournament.refresh_from_db()
    return tournament


def _key(slug: str, fixed: str) -> bytes:
    return f"{slug}/{fixed}".encode()[:64] if fixed else secrets.token_bytes(32)


def _keep_truth(tournament: Tournament, world: SimulatedMarket) -> None:
    """The true regime of every round, beside the dataset: for tests and pages, never for a selector."""
    truth = {round.number: int(world.regime_at(round.as_of)) for round in tournament.rounds.all()}
    data = json.dumps({"names": world.regime_names, "regimes": truth}).encode()
    dataset = tournament.datasets.get()
    dataset.files.create(
        name="truth.json", sha256=artifacts.put(data), size=len(data), rows=len(truth), is_public=False
    )
