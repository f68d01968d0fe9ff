"""Write for every ended holding period which styles its return came from, by exposures known at the book's choice."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from regatta.portfolios.contributing import holding_of, premises_of
from regatta.portfolios.models import BookAttribution, NavPoint
from regatta.rounds.models import Tournament
from regatta.rounds.prices import columns_of, known_prices
from tournament.portfolio.attribution import attribute, styles_of


def attribute_settled(tournament: Tournament, now: datetime) -> int:
    """Attribute the periods that have none yet; how many were. Books from before premises were kept stay without."""
    waiting = NavPoint.objects.filter(tournament=tournament, attribution=None).exclude(
        round__rebalance__premises_sha256=""
    )
    found = [
        one
        for point in waiting.select_related("round__rebalance", "round__tournament").order_by("date")
        if (one := _attributed(point, now)) is not None
    ]
    BookAttribution.objects.bulk_create(found, ignore_conflicts=True)
    return len(found)


def _attributed(point: NavPoint, now: datetime) -> BookAttribution | None:
    round = point.round
    book, horizon = round.rebalance, round.tournament.parsed_rules().horizon_days
    book.round, premises = round, premises_of(book)
    held = holding_of(book, premises.ids, now)
    if held is None:
        return None
    panel, by_id = known_prices(round.tournament, book.known_at), {row["id"]: row["weight"] for row in book.holdings}
    weights_N = np.array([by_id.get(name, 0.0) for name in premises.ids])
    parts = attribute(
        weights_N, styles_of(panel, columns_of(round, panel)), premises.risk,
        alpha_N=premises.alpha_N * held.days / horizon, returns_N=held.returns_N,
    )  # fmt: skip
    return BookAttribution(
        nav=point, names=list(parts.names), exposure=parts.exposure_S.tolist(), predicted=parts.predicted.tolist(),
        realised=parts.realised.tolist(), risk=parts.risk.tolist(), known_at=now,
    )  # fmt: skip
