"""Choose the book of a sealed round from its meta-model and what was known."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from regatta import artifacts
from regatta.portfolios.accounting import last_closes
from regatta.portfolios.books import COSTS, EXPECTED_CORR, LIMITS, RISK_DAYS
from regatta.portfolios.models import Rebalance
from regatta.rounds.models import Round
from regatta.rounds.prices import columns_of, known_prices, row_after
from tournament.errors import Infeasible
from tournament.markets.panel import PricePanel
from tournament.markets.quality import daily_returns
from tournament.portfolio.premises import Premises
from tournament.portfolio.rebalance import Allocation, alpha_from_signal, previous_on, rebalance
from tournament.portfolio.risk import betas, fit_risk_model

Floats = np.ndarray[Any, np.dtype[np.float64]]


def allocate_round(round: Round, now: datetime) -> None:
    """Write the book of a round, once. Assets that left the universe are sold."""
    if Rebalance.objects.filter(round=round).exists():
        return
    panel = known_prices(round.tournament, now)
    columns = columns_of(round, panel)
    assets = [panel.ids[column] for column in columns]
    held = drifted_holdings(round, panel)
    allocation, premises = _solve(round, panel, columns, previous_on(assets, held))
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
            "premises_sha256": artifacts.put(premises.packed()),
        },
    )  # fmt: skip


def drifted_holdings(round: Round, panel: PricePanel) -> dict[str, float]:
    """The last book's weights, drifted to the newest known close."""
    before = Rebalance.objects.filter(round__tournament=round.tournament, round__number__lt=round.number)
    last = before.order_by("-round__number").first()
    if last is None:
        return {}
    column_of = {asset: column for column, asset in enumerate(panel.ids)}
    newest = len(panel.dates_D) - 1
    before_N, now_N = last_closes(panel, min(row_after(panel, last.known_at), newest)), last_closes(panel, newest)
    drifted = {}
    for row in last.holdings:
        growth = now_N[column_of[row["id"]]] / before_N[column_of[row["id"]]]
        drifted[row["id"]] = row["weight"] * (growth if np.isfinite(growth) else 1.0)
    return {asset: weight for asset, weight in drifted.items() if weight}


def _solve(
    round: Round, panel: PricePanel, columns: np.ndarray[Any, np.dtype[np.intp]], previous: Floats
) -> tuple[Allocation, Premises]:
    """The best book; a book that cannot be reached within the turnover limit is approached without that limit."""
    returns = daily_returns(panel.close_DN[-RISK_DAYS - 1 :])[1:]
    risk = fit_risk_model(returns[:, columns])
    beta = betas(returns[:, columns], np.nanmean(returns, axis=1))
    signal = np.frombuffer(artifacts.get(round.meta_model.sha256), dtype=np.float64)
    horizon = round.tournament.parsed_rules().horizon_days
    volatility = np.sqrt((risk.loadings_NK**2).sum(axis=1) + risk.specific_N)
    scale = EXPECTED_CORR * (volatility * np.sqrt(horizon))
    premises = Premises(
        tuple(panel.ids[column] for column in columns), alpha_from_signal(signal, scale, corr=1.0), scale, risk,
        previous, LIMITS.widened_for(len(columns)), COSTS, beta,
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
