"""What each model of a resolved round did for the book that followed: read once its holding period has ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from regatta import artifacts
from regatta.portfolios.accounting import last_closes
from regatta.portfolios.models import Rebalance
from regatta.rounds.models import Round
from regatta.rounds.prices import known_prices, row_after
from regatta.rounds.sealing import read_panel
from tournament.errors import Infeasible
from tournament.markets.panel import PricePanel
from tournament.portfolio.contribution import true_contributions
from tournament.portfolio.kernel.solve import NotConverged, solve
from tournament.portfolio.premises import Premises, unpacked
from tournament.scoring.portfolio_contribution import orthonormal, portfolio_contributions
from tournament.scoring.ranks import Panel

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Holding:
    """The simple returns of a book's assets (N) from the close at which it was traded to the next book's trade."""

    returns_N: Floats
    days: int


def book_of(round: Round) -> Rebalance | None:
    """The round's book, if it can be solved again."""
    return Rebalance.objects.filter(round=round).exclude(premises_sha256="").first()


def premises_of(book: Rebalance) -> Premises:
    """What the book was chosen from."""
    return unpacked(artifacts.get(book.premises_sha256))


def holding_of(book: Rebalance, ids: tuple[str, ...], panel: PricePanel, now: datetime) -> Holding | None:
    """What the assets earned while the book was held, by prices known at `now`; None before its period has ended."""
    later = Rebalance.objects.filter(
        round__tournament=book.round.tournament, round__number__gt=book.round.number, known_at__lte=now
    )
    following = later.order_by("round__number").values_list("known_at", flat=True).first()
    if following is None or (end := row_after(panel, following)) >= len(panel.dates_D):
        return None
    start, columns = row_after(panel, book.known_at), columns_by_name(panel, ids)
    return Holding(last_closes(panel, end)[columns] / last_closes(panel, start)[columns] - 1.0, end - start)


def columns_by_name(panel: PricePanel, ids: tuple[str, ...]) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Panel columns of assets by name."""
    place = {name: column for column, name in enumerate(panel.ids)}
    return np.array([place[name] for name in ids], dtype=np.intp)


def contributions(round: Round, target_N: Floats, now: datetime) -> dict[str, dict[str, float]]:
    """`contribution` and `mpc` by model of the sealed panel; nothing where no book can be solved again."""
    book = book_of(round)
    if book is None:
        return {}
    book.round, premises, panel_NM = round, premises_of(book), read_panel(round.panel_sha256)
    figures = {"mpc": _mpc(round, premises, panel_NM, target_N)}
    held = holding_of(book, premises.ids, known_prices(round.tournament, now), now)
    if held is not None:
        figures["contribution"] = _true(round, premises, panel_NM, held)
    return {
        name: {kind: float(values[j]) for kind, values in figures.items() if np.isfinite(values[j])}
        for j, name in enumerate(round.panel_models)
    }


def _true(round: Round, premises: Premises, panel_NM: Panel, held: Holding) -> Floats:
    weights = round.weights.filter(answers=True).values_list("weights", flat=True).get()  # not its explanation: long
    weights_M = np.array([weights.get(name, 0.0) for name in round.panel_models])
    try:
        solution = solve(premises.problem())
    except (NotConverged, Infeasible):  # the book was the cone solver's
        return np.full(len(weights_M), np.nan)
    return true_contributions(solution, premises, panel_NM, weights_M, held.returns_N, days=held.days)


def _mpc(round: Round, premises: Premises, panel_NM: Panel, target_N: Floats) -> Floats:
    """Neutral to what the book is neutral to: the market's level and the betas."""
    stakes_M = np.array([float(round.stakes.get(name, 0.0)) for name in round.panel_models])
    ones_N = np.ones(len(premises.ids))
    columns = [ones_N] if premises.beta_N is None else [ones_N, premises.beta_N]
    return portfolio_contributions(
        panel_NM, stakes_M, target_N, neutralizers_NK=orthonormal(np.column_stack(columns)), row_weights_N=ones_N
    )
