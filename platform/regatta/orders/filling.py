"""The paper broker: confirmed orders are filled at the first bar after their confirmation, once."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import numpy as np
from django.db import transaction

from regatta.orders.models import OrderEvent, OrderPlan, PaperAccount
from regatta.portfolios.books import COSTS
from regatta.rounds.models import Tournament
from regatta.rounds.prices import known_prices, row_after
from tournament.markets.panel import PricePanel
from tournament.portfolio.orders import filled


def fill_confirmed(tournament: Tournament, now: datetime) -> int:
    """Fill what was confirmed before the newest known bar; how many plans were."""
    waiting = list(
        OrderPlan.objects.filter(account__tournament=tournament, state=OrderPlan.State.CONFIRMED).order_by("id")
    )
    if not waiting:
        return 0
    panel = known_prices(tournament, now)
    return sum(_fill(plan.pk, panel, now) for plan in waiting)


@transaction.atomic
def _fill(pk: int, panel: PricePanel, now: datetime) -> bool:
    plan = OrderPlan.objects.select_for_update().filter(pk=pk, state=OrderPlan.State.CONFIRMED).first()
    if plan is None or plan.market_at is None or (row := row_after(panel, plan.market_at)) >= len(panel.dates_D):
        return False
    account = PaperAccount.objects.select_for_update().get(pk=plan.account_id)
    fills = filled(plan.parsed_orders(), _prices(panel, row), half_spread=COSTS.half_spread)
    for fill in fills:
        if fill.price is not None:
            account.cash -= fill.signed * fill.price + fill.cost
            account.positions[fill.asset] = account.positions.get(fill.asset, 0) + fill.signed
    account.positions = {name: units for name, units in sorted(account.positions.items()) if units}
    account.save(update_fields=["cash", "positions"])
    plan.state, plan.filled_on = OrderPlan.State.FILLED, panel.dates_D[row].astype(object)
    plan.fills = [asdict(fill) for fill in fills]
    plan.save(update_fields=["state", "filled_on", "fills"])
    there = sum(fill.price is not None for fill in fills)
    what = f"{there} of {len(fills)} orders filled at the bar of {plan.filled_on}, known {now:%Y-%m-%d %H:%M} UTC"
    OrderEvent.objects.create(plan=plan, what=what)
    return True


def _prices(panel: PricePanel, row: int) -> dict[str, float]:
    """Opening prices of a bar, its closes where there are no openings; NaN where an asset did not trade."""
    bars = panel.close_DN if panel.open_DN is None else np.where(
        np.isfinite(panel.open_DN), panel.open_DN, panel.close_DN
    )  # fmt: skip
    return dict(zip(panel.ids, map(float, bars[row]), strict=True))
