"""A tournament's prices, cut at what was known: no flow sees a later row."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from regatta import artifacts
from regatta.rounds.models import DatasetFile, Round, Tournament
from tournament.markets.context import CONTEXT_NAMES
from tournament.markets.panel import PricePanel

PRICES, KEY, CONTEXT = "prices.npz", "ids.key", "context.parquet"
CLOSE_HOUR_UTC = 21
"""Prices of a trading day are known from this hour on."""
_HELD: ContextVar[dict[tuple[int, str], str] | None] = ContextVar("the files of a tick", default=None)


def known_prices(tournament: Tournament, now: datetime) -> PricePanel:
    """The panel of every close known at `now`."""
    return all_prices(tournament).until(_last_day(now))


def all_prices(tournament: Tournament) -> PricePanel:
    """Every close that is stored, also those a replay does not know yet: for publishing and appending alone."""
    return _panel(file_hash(tournament, PRICES))


def row_after(panel: PricePanel, now: datetime) -> int:
    """The panel's row of the first close that was not yet known at `now`: where a decision of `now` can be traded."""
    return int(np.searchsorted(panel.dates_D, _last_day(now), side="right"))


def _last_day(now: datetime) -> np.datetime64:
    return np.datetime64(now.date() if now.hour >= CLOSE_HOUR_UTC else now.date() - timedelta(days=1))


def row_of(panel: PricePanel, day: date) -> int:
    """The panel's row of a trading day."""
    return int(np.searchsorted(panel.dates_D, np.datetime64(day)))


def id_key(tournament: Tournament) -> bytes:
    """The key that turns assets into ids."""
    return artifacts.get(file_hash(tournament, KEY))


def file_hash(tournament: Tournament, name: str) -> str:
    """SHA-256 of one of the files of the newest dataset; asked anew each time, as a newer one may have come."""
    held = _HELD.get()
    if held is None:
        return _newest_hash(tournament, name)
    if (tournament.pk, name) not in held:
        held[tournament.pk, name] = _newest_hash(tournament, name)
    return held[tournament.pk, name]


@contextmanager
def same_files() -> Iterator[None]:
    """Inside, a file stays what it was when it was first asked for: one tick, one dataset, and one question."""
    token = _HELD.set({})
    try:
        yield
    finally:
        _HELD.reset(token)


def _newest_hash(tournament: Tournament, name: str) -> str:
    files = DatasetFile.objects.filter(dataset__tournament=tournament, name=name).order_by("-dataset_id")
    return files.values_list("sha256", flat=True)[0]


def pack(panel: PricePanel) -> bytes:
    """A panel as bytes."""
    arrays = {
        name: getattr(panel, name) for name in ("dates_D", "close_DN", "open_DN", "high_DN", "low_DN", "volume_DN")
    }
    kept = {name: values for name, values in arrays.items() if values is not None}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, ids=np.array(panel.ids), sectors=np.array(panel.sectors or ()), **kept)
    return buffer.getvalue()


@lru_cache(maxsize=4)
def _panel(sha256: str) -> PricePanel:
    with np.load(io.BytesIO(artifacts.get(sha256))) as stored:
        kept = {name: stored[name] for name in stored.files if name.endswith(("_D", "_DN"))}
        sectors = tuple(map(str, stored["sectors"])) or None
        return PricePanel(ids=tuple(map(str, stored["ids"])), sectors=sectors, **kept)


def earlier_contexts(tournament: Tournament) -> NDArray[np.float64] | None:
    """Contexts of the eras before the first round (P x K); None for a tournament that came without a dataset."""
    if not DatasetFile.objects.filter(dataset__tournament=tournament, name=CONTEXT).exists():
        return None
    return _contexts(file_hash(tournament, CONTEXT))


@lru_cache(maxsize=16)
def _contexts(sha256: str) -> NDArray[np.float64]:
    frame = pd.read_parquet(io.BytesIO(artifacts.get(sha256)))
    return frame.reindex(columns=list(CONTEXT_NAMES)).to_numpy(float)


@lru_cache(maxsize=256)
def live_ids(live_sha256: str) -> tuple[str, ...]:
    """Ids of a round's universe, in the order of its live file."""
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(artifacts.get(live_sha256)), columns=["id"])
    return tuple(table["id"].to_pylist())


def columns_of(round: Round, panel: PricePanel) -> NDArray[np.intp]:
    """Panel column of each row of a round's live file."""
    return _columns(id_key(round.tournament), round.era, panel.ids, round.live_sha256)


@lru_cache(maxsize=64)
def _columns(key: bytes, era: str, assets: tuple[str, ...], live_sha256: str) -> NDArray[np.intp]:
    from tournament.markets.dataset import asset_id

    column_of = {asset_id(key, era, asset): column for column, asset in enumerate(assets)}
    return np.array([column_of[name] for name in live_ids(live_sha256)], dtype=np.intp)
