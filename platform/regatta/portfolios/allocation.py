"""Choose the book of a sealed round from its meta-model and what was known."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from regatta import artifacts
from regatta.portfolios.accounting import Walked, opening_of, walk
from regatta.portfolios.books import COSTS, EXPECTED_CORR, LIMITS, RISK
from regatta.portfolios.models import Rebalance
from regatta.portfolios.overlaying import overlay_of
from regatta.rounds.models import Round
from regatta.rounds.prices import columns_of, known_prices
from tournament.errors import Infeasible
from tournament.markets.panel import PricePanel
from tournament.portfolio.decision import estimate
from tournament.portfolio.limits import Limits
from tournament.portfolio.overlay.live import held_to
from tournament.portfolio.premises import Premises
from tournament.portfolio.rebalance import Allocation, alpha_from_signal, previous_on, rebalance

Floats = np.ndarray[Any, np.dtype[np.float64]]


def allocate_round(round: Round, now: datetime) -> None:
    """Write the book of a round, once. Assets that left the universe are sold."""
    if Rebalance.objects.filter(round=round).exists():
        return
    panel = known_prices(round.tournament, now)
    columns = columns_of(round, panel)
    assets = [panel.ids[column] for column in columns]
    walked = walk(round.tournament, panel)
    held = drifted_holdings(walked, panel)
    overlay = overlay_of(round.tournament, walked, now)
    limits = held_to(LIMITS.widened_for(len(columns)), overlay["share"])
    allocation, premises = _solve(round, panel, columns, previous_on(assets, held), limits)
    sold = {asset: -weight for asset, weight in held.items() if asset not in set(assets) and weight}
    holdings = [
        {"id": asset, "weight": float(weight), "trade": float(trade)}
        for asset, weight, trade in zip(assets, allocation.weights_N, allocation.trades_N, strict=True)
        if weight or trade
    ] + [{"id": asset, "weight": 0.0, "trade": trade} for asset, trade in sold.items()]
    holdings.sort(key=lambda row: -abs(row["weight"]))
    turnover = allocation.turnover + sum(map(abs, sold.values()))
    Rebalance.objects.get_or_create(
        round=round,
        defaults={
            "as_of": round.as_of, "holdings": holdings, "known_at": now, "turnover": turnover,
            "holdings_sha256": artifacts.put(json.dumps(holdings).encode()),
            "gross": float(np.abs(allocation.weights_N).sum()), "net": float(allocation.weights_N.sum()),
            "cost": turnover * COSTS.half_spread, "expected_risk": allocation.risk_per_year,
            "binding": list(allocation.binding), "prices": allocation.prices,
            "premises_sha256": artifacts.put(premises.packed()), "opening": opening_of(walked, panel.ids),
            "overlay": overlay,
        },
    )  # fmt: skip


def drifted_holdings(walked: Walked | None, panel: PricePanel) -> dict[str, float]:
    """What is held at the newest known close, as fractions of the book's value."""
    if walked is None:
        return {}
    return {panel.ids[column]: float(walked.weights_N[column]) for column in np.flatnonzero(walked.money_N)}


def _solve(
    round: Round, panel: PricePanel, columns: np.ndarray[Any, np.dtype[np.intp]], previous: Floats, limits: Limits
) -> tuple[Allocation, Premises]:
    """The best book; a book that cannot be reached within the turnover limit is approached without that limit."""
    known = estimate(panel.close_DN, columns, RISK)
    signal = np.frombuffer(artifacts.get(round.meta_model.sha256), dtype=np.float64)
    horizon = round.tournament.parsed_rules().horizon_days
    scale = EXPECTED_CORR * (known.volatility_U * np.sqrt(horizon))
    premises = Premises(
        tuple(panel.ids[column] for column in columns), alpha_from_signal(signal, scale, corr=1.0), scale, known.risk,
        previous, limits, COSTS, known.beta_U,
    )  # fmt: skip
    try:
        return _best(premises), premises
    except Infeasible:
        premises = premises.within(replace(premises.limits, turnover=10.0))
        return _best(premises), premises


def _best(premises: Premises) -> Allocation:
    return rebalance(
        premises.alpha_N, premises.risk, premises.previous_N, premises.limits, premises.costs, beta_N=premises.beta_N
    )
