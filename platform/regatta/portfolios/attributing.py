"""Write for every ended holding period which styles its return came from, by exposures known at the book's choice."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from django.db.models import Max

from regatta.portfolios.contributing import columns_by_name, holding_of, premises_of
from regatta.portfolios.models import BookAttribution, NavPoint, Rebalance
from regatta.rounds.models import Tournament
from regatta.rounds.prices import known_prices, row_after
from tournament.markets.panel import PricePanel
from tournament.portfolio.attribution import attribute, styles_of


def attribute_settled(tournament: Tournament, now: datetime) -> int:
    """Attribute the periods that have none yet; how many were. Books from before premises were kept stay without.

    A period is told with its last day, the one on which the next book is filled.
    """
    books = Rebalance.objects.filter(round__tournament=tournament).exclude(premises_sha256="")
    waiting = (
        books.exclude(round__nav__attribution__isnull=False).values("round").annotate(last=Max("round__nav__date"))
    )
    ended = NavPoint.objects.filter(tournament=tournament, date__in=[row["last"] for row in waiting if row["last"]])
    points = list(ended.select_related("round__rebalance").order_by("date"))
    if not points:
        return 0
    panel = known_prices(tournament, now)
    found = [one for point in points if (one := _attributed(point, tournament, panel, now)) is not None]
    BookAttribution.objects.bulk_create(found, ignore_conflicts=True)
    return len(found)


def _attributed(point: NavPoint, tournament: Tournament, panel: PricePanel, now: datetime) -> BookAttribution | None:
    book, horizon = point.round.rebalance, tournament.parsed_rules().horizon_days
    book.round, book.round.tournament = point.round, tournament
    premises = premises_of(book)
    held = holding_of(book, premises.ids, panel, now)
    if held is None:
        return None
    then, by_id = panel.rows(slice(0, row_after(panel, book.known_at))), {r["id"]: r["weight"] for r in book.holdings}
    weights_N = np.array([by_id.get(name, 0.0) for name in premises.ids])
    parts = attribute(
        weights_N, styles_of(then, columns_by_name(then, premises.ids)), premises.risk,
        alpha_N=premises.alpha_N * held.days / horizon, returns_N=held.returns_N,
    )  # fmt: skip
    return BookAttribution(
        nav=point, names=list(parts.names), exposure=parts.exposure_S.tolist(), predicted=parts.predicted.tolist(),
        realised=parts.realised.tolist(), risk=parts.risk.tolist(), known_at=now,
    )  # fmt: skip
