"""What a book earned, read from the daily values: for tests that hold it against weights and prices."""

from __future__ import annotations

from regatta.portfolios.models import NavPoint
from regatta.rounds.models import Round


def booked(round: Round) -> float:
    """Earned before costs from the fill of the round's book to that of the next, per value when it was filled."""
    points = list(NavPoint.objects.filter(tournament=round.tournament).order_by("date"))
    held = [place for place, point in enumerate(points) if point.round_id == round.pk and place]
    fill = points[held[0] - 1]
    value = fill.nav / (1 + fill.net_return) * (1 + fill.gross_return - fill.borrow)
    return sum(points[place].gross_return * points[place - 1].nav for place in held) / value
