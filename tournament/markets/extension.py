"""A price panel goes on: new days are tied to the old ones, which stay as they are to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadPanel, Fault
from tournament.markets.panel import PricePanel

Floats = NDArray[np.float64]
LAYERS = ("close_DN", "open_DN", "high_DN", "low_DN", "volume_DN")
OVERLAP_DAYS = 60
"""How many known days are compared with the newer file."""
TOLERANCE = 1e-4
"""Daily returns that differ by more say that the files do not tell the same history: closes are rounded to cents."""


def extended(known: PricePanel, newer: PricePanel) -> PricePanel:
    """`known` with the days of `newer` that follow its last one.

    Adjusted prices are rescaled backwards after every dividend and split, so each asset of `newer` is scaled to meet
    its newest known close that both hold: no known price and no return changes. An asset that was unknown so far
    enters without a history. Raises BadPanel with every fault when `newer` does not hold the last known day, brings no
    later one, lacks a kind of price, or tells another history of the last days.
    """
    faults = [*_calendar_faults(known, newer)]
    if not faults:
        faults = [*_layer_faults(known, newer), *_history_faults(known, newer)]
    if faults:
        raise BadPanel(faults)
    ids = (*known.ids, *(name for name in newer.ids if name not in set(known.ids)))
    later = newer.rows(slice(int(np.searchsorted(newer.dates_D, known.dates_D[-1], side="right")), None))
    grown = {
        name: np.vstack([_widened(old, known.ids, ids), _widened(getattr(later, name), later.ids, ids)])
        for name in LAYERS
        if (old := getattr(known, name)) is not None
    }
    scale_N = _scale(known, newer, ids)
    for name in LAYERS[:-1]:
        if name in grown:
            grown[name][len(known.dates_D) :] *= scale_N
    dates = np.concatenate([known.dates_D, later.dates_D])
    return replace(known, dates_D=dates, ids=ids, sectors=_sectors(known, newer, ids), **grown)


def _calendar_faults(known: PricePanel, newer: PricePanel) -> Iterator[Fault]:
    last, span = known.dates_D[-1], f"{newer.dates_D[0]} to {newer.dates_D[-1]}"
    if last not in newer.dates_D:
        yield Fault("no_overlap", f"the file ({span}) lacks the last known day, {last}", "begin some weeks before it")
    elif newer.dates_D[-1] <= last:
        yield Fault("nothing_new", f"the file ({span}) holds no day after {last}", "give a newer one")


def _layer_faults(known: PricePanel, newer: PricePanel) -> Iterator[Fault]:
    for name in LAYERS:
        if getattr(known, name) is not None and getattr(newer, name) is None:
            column = name.removesuffix("_DN")
            yield Fault("missing_column", f"the known prices have '{column}', the file has not", f"add '{column}'")


def _history_faults(known: PricePanel, newer: PricePanel) -> Iterator[Fault]:
    """Days or returns of the overlap that differ."""
    first = max(newer.dates_D[0], known.dates_D[-OVERLAP_DAYS:][0])
    before, after = (_between(panel, first, known.dates_D[-1]) for panel in (known, newer))
    if not np.array_equal(before.dates_D, after.dates_D):
        odd = np.setxor1d(before.dates_D, after.dates_D)
        yield Fault("calendar", f"{len(odd)} days are in one history only", "give the same days", _named(odd))
        return
    common = [name for name in known.ids if name in set(newer.ids)]
    old, new = (np.diff(np.log(_columns(panel, common)), axis=0) for panel in (before, after))
    days, columns = np.nonzero(np.abs(old - new) > TOLERANCE)
    if len(days):
        message = f"{len(days)} returns of the last {len(before.dates_D)} known days differ from what is known"
        places = tuple(f"{common[j]} on {before.dates_D[d + 1]}" for d, j in zip(days[:3], columns[:3], strict=True))
        yield Fault("history_changed", message, "append to the tournament that these prices belong to", places)


def _scale(known: PricePanel, newer: PricePanel, ids: tuple[str, ...]) -> Floats:
    """What each asset's newer prices are multiplied by (N); 1 where the two never meet."""
    _, old_rows, new_rows = np.intersect1d(known.dates_D, newer.dates_D, return_indices=True)
    old = _widened(known.close_DN[old_rows], known.ids, ids)
    ratio = old / _widened(newer.close_DN[new_rows], newer.ids, ids)
    met = np.isfinite(ratio)
    newest_N = len(ratio) - 1 - met[::-1].argmax(axis=0)
    return np.where(met.any(axis=0), ratio[newest_N, np.arange(len(ids))], 1.0)


def _widened(values: Floats, have: tuple[str, ...], ids: tuple[str, ...]) -> Floats:
    """Columns in the order of `ids`, NaN where there is none."""
    place = {name: column for column, name in enumerate(have)}
    out = np.full((len(values), len(ids)), np.nan)
    kept = [column for column, name in enumerate(ids) if name in place]
    out[:, kept] = values[:, [place[ids[column]] for column in kept]]
    return out


def _sectors(known: PricePanel, newer: PricePanel, ids: tuple[str, ...]) -> tuple[str, ...] | None:
    if known.sectors is None:
        return None
    of = dict(zip(newer.ids, newer.sectors or (), strict=False)) | dict(zip(known.ids, known.sectors, strict=True))
    return tuple(of.get(name, "unknown") for name in ids)


def _between(panel: PricePanel, first: np.datetime64, last: np.datetime64) -> PricePanel:
    start, end = np.searchsorted(panel.dates_D, first), np.searchsorted(panel.dates_D, last, side="right")
    return panel.rows(slice(int(start), int(end)))


def _columns(panel: PricePanel, names: list[str]) -> Floats:
    return _widened(panel.close_DN, panel.ids, tuple(names))


def _named(days: NDArray[np.datetime64]) -> tuple[str, ...]:
    return tuple(str(day) for day in days[:3])
