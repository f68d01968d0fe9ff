"""How much of the book is held: chosen with it from what was known when the round closed, and kept beside it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import Max

from regatta.portfolios.accounting import Walked
from regatta.portfolios.books import COSTS, LIMITS, PROTECTION
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament
from tournament.portfolio.overlay.learned import prior_at
from tournament.portfolio.overlay.live import Course, chosen, followed


def overlay_of(tournament: Tournament, walked: Walked | None, now: datetime) -> dict[str, Any]:
    """The share of the full book to be held, why, and how far the shadows have come, as kept with the book."""
    course = _followed(tournament, walked)
    prior = prior_at(np.datetime64(now.replace(tzinfo=None)))
    exposure = chosen(course, PROTECTION, kept=_kept(tournament, walked), prior=prior)
    return {"share": exposure.share, "why": asdict(exposure), "course": course.written()}


def _followed(tournament: Tournament, walked: Walked | None) -> Course:
    """The newest book's course, and the days since its choice as they would have been with all of it held."""
    if walked is None:
        return Course.begun()
    newest = Rebalance.objects.filter(round__tournament=tournament).order_by("-round__number").first()
    course = Course.read(newest.overlay.get("course", {}) if newest else {})
    share_T = np.array([float(book.overlay.get("share", 1.0)) for book in walked.held_in])
    return followed(course, walked.days["net_return"] / share_T, cost=COSTS.half_spread * LIMITS.gross)


def _kept(tournament: Tournament, walked: Walked | None) -> float:
    """The book's value as a share of the highest so far."""
    if walked is None or PROTECTION.limit == 0:
        return 1.0
    before = NavPoint.objects.filter(tournament=tournament, date__lt=walked.dates_T[0].astype(object))
    highest = max(
        1.0, before.aggregate(highest=Max("nav"))["highest"] or 1.0, float(walked.days["nav"].max(initial=1.0))
    )
    return walked.value / highest
