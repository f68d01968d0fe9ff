"""The live book as a record for the tear sheet: all its books replayed by the engine, with all that were tried."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from regatta import artifacts
from regatta.ensemble.models import RoundWeights
from regatta.portfolios.accounting import orders_of
from regatta.portfolios.books import COSTS, EXECUTION, LIMITS
from regatta.portfolios.models import Rebalance
from regatta.rounds.models import Tournament
from regatta.rounds.prices import known_prices, row_after
from regatta.scores.models import Score
from tournament.markets.panel import PricePanel
from tournament.portfolio.accounting import DAYS_A_YEAR
from tournament.portfolio.backtest import Market, replay
from tournament.portfolio.premises import unpacked
from tournament.portfolio.risk import Floats
from tournament.portfolio.sheet.reasons import waterfall_of
from tournament.portfolio.sheet.record import Record, Trials

LEAST_DAYS = 10
LEAST_ROUNDS = 20
"""Rounds that a model or selector must have been scored in to count for the probability of overfitting."""


def live_record(tournament: Tournament, now: datetime) -> Record | None:
    """The course so far; None before it has LEAST_DAYS days."""
    panel = known_prices(tournament, now)
    found = Rebalance.objects.filter(round__tournament=tournament).order_by("round__number")
    books = [book for book in found if row_after(panel, book.known_at) < len(panel.dates_D)]
    if not books or row_after(panel, books[0].known_at) + LEAST_DAYS > len(panel.dates_D):
        return None
    market, orders = _market(panel), orders_of(panel, books)
    course = replay(market, orders, COSTS, EXECUTION)
    risk_R = np.array([book.expected_risk for book in books]) / np.sqrt(DAYS_A_YEAR)
    limits = LIMITS.widened_for(len(panel.ids))
    premises = unpacked(artifacts.get(books[-1].premises_sha256)) if books[-1].premises_sha256 else None
    return Record(
        tournament.name, market, orders, course, COSTS, limits, EXECUTION, risk_R, _trials(tournament),
        _contributions(tournament, books), waterfall_of(premises),
    )  # fmt: skip


def _contributions(tournament: Tournament, books: list[Rebalance]) -> dict[str, Floats]:
    """What each model did for each book (R); NaN where its round has no final scores yet."""
    place_of = {book.round_id: place for place, book in enumerate(books)}
    found: dict[str, Floats] = {}
    scores = Score.objects.filter(round__tournament=tournament, is_final=True).exclude(contribution=None)
    for name, round, value in scores.values_list("model__name", "round", "contribution"):
        if round in place_of:
            found.setdefault(name, np.full(len(books), np.nan))[place_of[round]] = value
    return found


def _market(panel: PricePanel) -> Market:
    no_signal = np.full((1, len(panel.ids)), np.nan)  # the books are chosen already
    return Market(panel.dates_D, panel.ids, panel.close_DN, no_signal, volume_TN=panel.volume_DN, sectors=panel.sectors)


def _trials(tournament: Tournament) -> Trials:
    """Every model that was scored and every selector that gave weights: each could have been the book's.

    Their Sharpe ratios are those of their corr a round, brought to days; PBO is over those with scores in all of the
    newest rounds that the most of them share.
    """
    final = Score.objects.filter(round__tournament=tournament, is_final=True).exclude(corr=None)
    blends = RoundWeights.objects.filter(round__tournament=tournament)
    named = [f"selector {name}" for name in blends.values_list("family", flat=True).distinct()]
    named += [f"model {name}" for name in final.values_list("model__name", flat=True).distinct()]
    by_name: dict[str, dict[int, float]] = {}
    scored = final.values_list("model__name", "round__number", "corr")
    weighed = blends.exclude(corr=None).values_list("family", "round__number", "corr")
    for kind, rows in (("model", scored), ("selector", weighed)):
        for name, number, corr in rows:
            by_name.setdefault(f"{kind} {name}", {})[number] = float(corr or 0.0)
    cadence = tournament.parsed_rules().cadence_days
    sharpes = [_ratio(list(one.values())) / np.sqrt(cadence) for one in by_name.values() if len(one) >= LEAST_ROUNDS]
    told = (
        f"Trials: {len(set(named))}, every model that was scored and every selector that gave weights; the spread of "
        f"their Sharpe ratios is measured. PBO by splitting their scores in halves in all ways (CSCV)."
    )
    return Trials(max(1, len(set(named))), np.array(sharpes), _shared(by_name), told)


def _ratio(values: list[float]) -> float:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return float(np.mean(values)) / spread if spread > 0 else float("nan")


def _shared(by_name: dict[str, dict[int, float]]) -> Floats | None:
    """Scores of those with LEAST_ROUNDS or more, in the rounds that all share (T x S); None for too few."""
    long = [one for one in by_name.values() if len(one) >= LEAST_ROUNDS]
    if len(long) < 2:
        return None
    most = max(map(len, long))
    long = [one for one in long if len(one) >= 0.8 * most]
    rounds = sorted(set.intersection(*(set(one) for one in long)))
    return np.array([[one[number] for one in long] for number in rounds]) if len(rounds) >= LEAST_ROUNDS else None
