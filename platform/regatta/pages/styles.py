"""Which styles the book's returns came from: predicted, realised, through time and by regime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import OuterRef, Subquery, Sum
from django.utils.safestring import SafeString

from regatta.charts.cells import spark
from regatta.charts.figure import Chart
from regatta.charts.lines import Curve, lines
from regatta.charts.numbers import plain
from regatta.ensemble.models import RegimeState
from regatta.portfolios.models import BookAttribution, NavPoint
from regatta.rounds.models import Tournament
from tournament.portfolio.attribution import SPECIFIC

ROLLING = 26
"""Periods of a rolling sum: half a year of weeks."""
Floats = np.ndarray


@dataclass(frozen=True, slots=True)
class Periods:
    """Attributed periods, oldest first. P periods, S styles with what is specific as the last."""

    days: list[str]
    names: tuple[str, ...]
    exposure_PS: Floats
    predicted_PS: Floats
    realised_PS: Floats
    risk_PS: Floats
    cost_P: Floats
    regimes: list[str | None]

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.days)


@dataclass(frozen=True, slots=True)
class StyleRow:
    """One style: exposure and share of risk now, and basis points a period that were predicted and realised."""

    name: str
    exposure: float | None
    risk: float
    predicted: float
    realised: float
    error: float | None
    curve: SafeString


@dataclass(frozen=True, slots=True)
class RegimeRow:
    """Mean basis points a period in one regime: by style, of costs, and net with its standard error."""

    regime: str
    count: int
    parts: tuple[float, ...]
    cost: float
    net: float
    error: float | None


def periods(tournament: Tournament) -> Periods:
    """Every attributed period whose styles are the newest one's."""
    own = (
        NavPoint.objects.filter(round=OuterRef("nav__round")).values("round").annotate(paid=Sum("cost")).values("paid")
    )
    found = BookAttribution.objects.filter(nav__tournament=tournament).annotate(cost=Subquery(own))
    found = found.select_related("nav").order_by("nav__date")
    rows = list(found)
    names = tuple(rows[-1].names) if rows else ()
    rows = [row for row in rows if tuple(row.names) == names]
    states = RegimeState.objects.filter(round__tournament=tournament).values_list("round_id", "names", "label")
    told = {pk: known[label] for pk, known, label in states}
    table = {
        name: np.array([getattr(row, name) for row in rows]) for name in ("exposure", "predicted", "realised", "risk")
    }
    cost_P, regimes = np.array([row.cost for row in rows]), [told.get(row.nav.round_id) for row in rows]
    return Periods(
        [f"{row.nav.date:%Y-%m-%d}" for row in rows], names, table["exposure"], table["predicted"], table["realised"],
        table["risk"], cost_P, regimes,
    )  # fmt: skip


def style_rows(found: Periods) -> list[StyleRow]:
    """The styles in their order, what is specific last."""
    if not found:
        return []
    rolled_PS = _rolled(found.realised_PS)
    return [
        StyleRow(
            name, None if name == SPECIFIC else float(found.exposure_PS[-1, s]), float(found.risk_PS[-1, s]),
            1e4 * float(found.predicted_PS[:, s].mean()), 1e4 * float(found.realised_PS[:, s].mean()),
            _error(1e4 * found.realised_PS[:, s]), spark(list(map(float, rolled_PS[:, s]))),
        )
        for s, name in enumerate(found.names)
    ]  # fmt: skip


def draw_styles(found: Periods) -> Chart:
    """Rolling sums of what all styles together and what is specific brought, before costs."""
    if not found:
        return lines([], [], title="", caption="")
    rolled_PS = 100 * _rolled(found.realised_PS)
    styles, specific = rolled_PS[:, :-1].sum(axis=1), rolled_PS[:, -1]
    curves = [
        Curve("specific", list(map(float, specific))),
        Curve("styles", list(map(float, styles)), "var(--edge)"),
        Curve("costs", list(map(float, -100 * _rolled(found.cost_P[:, None])[:, 0])), "var(--bad)"),
    ]
    return lines(
        found.days, curves, title="Did it earn by styles or by picking?", zero=True, ribbon=found.regimes,
        caption=f"sum of the last {ROLLING} periods, % of value", write=lambda value: plain(value, 1),
        precise=lambda value: plain(value, 2),
    )  # fmt: skip


def styles_by_regime(found: Periods) -> list[RegimeRow]:
    """Means by the regime told at the opening of the period's round, best net return first."""
    rows = []
    for regime in sorted({name for name in found.regimes if name is not None}):
        inside = np.array([name == regime for name in found.regimes])
        net_P = 1e4 * (found.realised_PS[inside].sum(axis=1) - found.cost_P[inside])
        means = 1e4 * found.realised_PS[inside].mean(axis=0)
        cost = -1e4 * float(found.cost_P[inside].mean())
        rows.append(
            RegimeRow(regime, int(inside.sum()), tuple(map(float, means)), cost, float(net_P.mean()), _error(net_P))
        )
    return sorted(rows, key=lambda row: -row.net)


def _rolled(values_PS: Floats) -> Floats:
    """Sums over the last `ROLLING` periods, fewer at the beginning."""
    summed = np.cumsum(values_PS, axis=0)
    return np.asarray(summed - np.vstack([np.zeros((min(ROLLING, len(summed)), summed.shape[1])), summed[:-ROLLING]]))


def _error(values: Sequence[float] | Floats) -> float | None:
    """Standard error of the mean of periods that do not overlap."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
