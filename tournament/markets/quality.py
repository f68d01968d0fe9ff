"""What is wrong with a price panel: refused where a tournament would be false, flagged where a user should know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournament.markets.panel import Floats, PricePanel
from tournament.rules import Rules

OUTLIER = 0.6
"""A daily move beyond this, in fractions, is looked at twice."""
STALE_DAYS = 10
GAP_DAYS = 10
FIRST_ROW = 504
"""No era before this row: the longest trailing feature needs two years."""
LEAST_ERAS = 20
"""Eras with known targets that must lie before the first round."""
MIN_ASSETS = 10
SPLIT_RATIOS = np.array([2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 1.5])
REFUSE, FLAG = "refuse", "flag"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of defect with the places where it was found."""

    code: str
    severity: str
    message: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Everything found in a panel."""

    findings: tuple[Finding, ...]

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """What makes the panel unusable."""
        return tuple(finding for finding in self.findings if finding.severity == REFUSE)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the database and the data page."""
        return {"findings": [asdict(finding) for finding in self.findings]}


def least_dates(rules: Rules) -> int:
    """Dates before the first round: up to the first era, to the last of the least eras, and to its known target."""
    return FIRST_ROW + (LEAST_ERAS - 1) * rules.cadence_days + rules.lag_days + rules.horizon_days + 1


def inspect(panel: PricePanel, rules: Rules | None = None) -> QualityReport:
    """Look for short history, gaps, stale prices, splits, outliers, crossed ranges and survivorship."""
    returns_DN = daily_returns(panel.close_DN)
    findings = [
        *_size(panel, returns_DN, least_dates(rules or Rules())),
        *_gaps(panel),
        *_stale(panel),
        *_jumps(panel, returns_DN),
        *_ranges(panel),
    ]
    return QualityReport((*findings, *_survivorship(panel)))


def daily_returns(close_DN: Floats) -> Floats:
    """Simple returns (D x N); NaN on the first row and where either price is missing."""
    returns = np.full(close_DN.shape, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):  # a price of zero has no return; `inspect` refuses it
        returns[1:] = close_DN[1:] / close_DN[:-1] - 1.0
    return returns


def _size(panel: PricePanel, returns_DN: Floats, needed: int) -> Iterator[Finding]:
    dates, assets = panel.close_DN.shape
    if dates < needed:
        found = f"{dates} dates; {needed} are needed before the first round: {LEAST_ERAS} eras after {FIRST_ROW} dates"
        yield Finding("short_history", REFUSE, found)
    if assets < MIN_ASSETS:
        yield Finding("few_assets", REFUSE, f"{assets} assets; a cross-section needs at least {MIN_ASSETS}")
        return
    moving = (np.isfinite(returns_DN) & (returns_DN != 0)).any(axis=0).sum()
    if moving < MIN_ASSETS:
        found = f"{moving} of {assets} assets have a price that ever moves; at least {MIN_ASSETS} must"
        yield Finding("no_moves", REFUSE, found)


def _gaps(panel: PricePanel) -> Iterator[Finding]:
    known = ~np.isnan(panel.close_DN)
    lived = (np.cumsum(known, axis=0) > 0) & (np.cumsum(known[::-1], axis=0)[::-1] > 0)
    starts, columns = _runs(lived & ~known, GAP_DAYS)
    if len(starts):
        yield Finding("gaps", FLAG, f"{len(starts)} gaps of {GAP_DAYS} days or more", _places(panel, starts, columns))


def _stale(panel: PricePanel) -> Iterator[Finding]:
    same = np.zeros(panel.close_DN.shape, dtype=bool)
    same[1:] = panel.close_DN[1:] == panel.close_DN[:-1]
    starts, columns = _runs(same, STALE_DAYS)
    if len(starts):
        message = f"{len(starts)} times a price stood still for {STALE_DAYS} days or more"
        yield Finding("stale", FLAG, message, _places(panel, starts, columns))


def _jumps(panel: PricePanel, returns_DN: Floats) -> Iterator[Finding]:
    """Moves beyond the limit, told apart: unadjusted splits, vendor errors that reverse, and the rest."""
    with np.errstate(invalid="ignore"):
        far = (returns_DN > OUTLIER) | (returns_DN < -OUTLIER / (1 + OUTLIER))
    rows, columns = np.nonzero(far)
    if not len(rows):
        return
    ratio = 1.0 + returns_DN[rows, columns]
    size = np.maximum(ratio, 1.0 / ratio)
    split = (np.abs(size[:, None] / SPLIT_RATIOS - 1.0) < 0.02).any(axis=1)
    after = panel.close_DN[np.minimum(rows + 5, len(panel.dates_D) - 1), columns]
    reverses = np.abs(after / panel.close_DN[rows - 1, columns] - 1.0) < 0.2
    share = len(rows) / max(1, int(np.isfinite(returns_DN).sum()))
    kinds = (("reversed_jump", reverses, "jumps that reverse within a week (likely vendor errors)"),
             ("split", split & ~reverses, "jumps by a split's ratio (prices may not be adjusted)"),
             ("outlier", ~split & ~reverses, f"daily moves beyond {OUTLIER:.0%}"))  # fmt: skip
    for code, chosen, what in kinds:
        if chosen.any():
            severity = REFUSE if share > 1e-3 else FLAG
            yield Finding(code, severity, f"{chosen.sum()} {what}", _places(panel, rows[chosen], columns[chosen]))


def _ranges(panel: PricePanel) -> Iterator[Finding]:
    if panel.high_DN is None or panel.low_DN is None:
        return
    slack = 1e-2  # vendors round highs and lows more coarsely than closes
    with np.errstate(invalid="ignore"):
        crossed = (panel.high_DN * (1 + slack) < panel.close_DN) | (panel.low_DN * (1 - slack) > panel.close_DN)
    rows, columns = np.nonzero(crossed)
    if len(rows):
        message = f"{len(rows)} closes lie outside their day's low and high"
        yield Finding("crossed_range", FLAG, message, _places(panel, rows, columns))


def _survivorship(panel: PricePanel) -> Iterator[Finding]:
    ended = np.isnan(panel.close_DN[-5:]).all(axis=0)
    if not ended.any() and len(panel.dates_D) > 5 * 252:
        years = len(panel.dates_D) / 252
        message = (
            f"no asset ended in {years:.0f} years: the panel likely holds survivors only, so returns look too good"
        )
        yield Finding("survivorship", FLAG, message)


def _runs(flags_DN: NDArray[np.bool_], length: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Start row and column of each run of at least `length` True values."""
    padded = np.zeros((flags_DN.shape[0] + 2, flags_DN.shape[1]), dtype=np.int8)
    padded[1:-1] = flags_DN
    change = np.diff(padded, axis=0).T
    columns, starts = np.nonzero(change == 1)
    ends = np.nonzero(change == -1)[1]
    long = ends - starts >= length
    return starts[long], columns[long]


def _places(panel: PricePanel, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> tuple[str, ...]:
    return tuple(f"{panel.ids[n]} {panel.dates_D[d]}" for d, n in list(zip(rows, columns, strict=True))[:20])
