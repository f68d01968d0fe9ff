"""From a price panel to what contributors download: eras, files and ids that do not reveal the asset.

Shape suffixes: D dates, N assets, E eras, F features. A live file is made from the panel as known at its era, so it
cannot read the future; ids are keyed hashes of (era, asset), so rows cannot be followed through time.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tournament.errors import BadPanel, Fault
from tournament.markets.features import FEATURES, bin_features, feature_cube
from tournament.markets.panel import Floats, PricePanel
from tournament.markets.quality import FIRST_ROW, LEAST_ERAS
from tournament.markets.targets import bin_target, forward_returns, neutral_returns, rank_target
from tournament.rules import Rules

MIN_HISTORY = 252
"""Trading days that an asset must have been priced before it enters the universe."""


@dataclass(frozen=True, slots=True)
class CrossSection:
    """The universe of one era: rows sorted by id, so that their order tells nothing."""

    era: str
    ids: tuple[str, ...]
    columns: NDArray[np.intp]
    features_NF: NDArray[np.int8]
    feature_names: tuple[str, ...]

    def frame(self) -> pd.DataFrame:
        """The live file: id, era and features."""
        return _frame(self.ids, self.era, self.features_NF, self.feature_names)


def era_rows(panel: PricePanel, rules: Rules) -> NDArray[np.intp]:
    """Rows of the panel on which an era is taken, a cadence apart. Raises BadPanel when there is none."""
    if len(panel.dates_D) <= FIRST_ROW:
        message = f"{len(panel.dates_D)} dates; the first era needs {FIRST_ROW} dates before it"
        raise BadPanel(Fault("short_history", message, "give a longer panel"))
    return np.arange(FIRST_ROW, len(panel.dates_D), rules.cadence_days)


def era_label(number: int) -> str:
    """Eras are counted from 0001."""
    return f"{number + 1:04d}"


def asset_id(key: bytes, era: str, asset: str) -> str:
    """An id that only the holder of the key can lead back to the asset."""
    return "n" + hashlib.blake2b(f"{era}/{asset}".encode(), key=key, digest_size=6).hexdigest()


EXPOSURE_DAYS = 600
"""Days before an era that its target's exposures may look back over: more than twice what the longest reads."""


def present(panel: PricePanel, rows_E: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether an asset is in the universe of an era: priced that day and long enough before (E x N)."""
    known = np.isfinite(panel.close_DN)
    if len(rows_E) == 1:
        return known[rows_E] & (known[: rows_E[0] + 1].sum(axis=0) >= MIN_HISTORY)
    history = np.cumsum(known, axis=0)
    return known[rows_E] & (history[rows_E] >= MIN_HISTORY)


def cross_section(panel: PricePanel, row: int, era: str, key: bytes) -> CrossSection:
    """The universe and features of one era, from the panel up to its row only."""
    known = panel.rows(slice(max(0, row - 1_300), row + 1))  # five years: the longest feature looks back three
    last = np.array([len(known.dates_D) - 1])
    universe = present(panel, np.array([row]))[0]
    names, raw = feature_cube(known, last)
    features = bin_features(raw, universe[None])[0]
    columns = np.flatnonzero(universe)
    ids = np.array([asset_id(key, era, panel.ids[column]) for column in columns])
    order = np.argsort(ids)
    return CrossSection(era, tuple(ids[order]), columns[order], features[columns[order]], names)


def targets(panel: PricePanel, rows_E: NDArray[np.intp], rules: Rules) -> dict[str, Floats]:
    """Main target (neutral, five bins) and plain rank target of each era (E x N); NaN: not in it, or not yet known."""
    raw = forward_returns(panel, rows_E, horizon=rules.horizon_days, lag=rules.lag_days)
    raw = np.where(present(panel, rows_E), raw, np.nan)
    return {"target": bin_target(neutral_returns(raw, panel, rows_E)), "target_rank": rank_target(raw)}


def partial_target(panel: PricePanel, row: int, rules: Rules, days: int) -> Floats:
    """The main target of one era after only `days` days of its returns (N)."""
    universe = present(panel, np.array([row]))
    first = max(0, row - EXPOSURE_DAYS)
    near = panel.rows(slice(first, row + rules.lag_days + rules.horizon_days + 1))
    rows = np.array([row - first])
    raw = forward_returns(near, rows, horizon=rules.horizon_days, lag=rules.lag_days, partial_days=days)
    return bin_target(neutral_returns(np.where(universe, raw, np.nan), near, rows))[0]


def history_frames(panel: PricePanel, rules: Rules, key: bytes, cut: int) -> dict[str, pd.DataFrame]:
    """Train and validation files from the panel up to row `cut`; only eras whose targets were known by then.

    The newest fifth of the eras is the validation set, after an embargo of the target's length.
    """
    known = panel.rows(slice(0, cut + 1))
    rows = era_rows(known, rules)
    resolved = rows[rows + rules.lag_days + rules.horizon_days <= cut]
    if len(resolved) < LEAST_ERAS:
        message = f"{len(resolved)} resolved eras before the first round; at least {LEAST_ERAS} are needed"
        raise BadPanel(Fault("short_history", message, "give a longer panel or fewer rounds"))
    split = len(resolved) * 4 // 5
    purge = rules.overlap_rounds + rules.embargo_rounds
    parts = {"train": np.arange(0, split - purge), "validation": np.arange(split, len(resolved))}
    return {name: _history(known, resolved, eras, rules, key) for name, eras in parts.items()}


def features_json(names: tuple[str, ...]) -> bytes:
    """The description of the features: names, groups and targets."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(FEATURES[name][0], []).append(name)
    description = {"features": list(names), "groups": groups, "targets": ["target", "target_rank"], "missing_bin": 2}
    return json.dumps(description, indent=1).encode()


def example_predictions(section: CrossSection, train: pd.DataFrame) -> pd.DataFrame:
    """An honest starter: the features' correlations with the target in the train file, as a linear score."""
    known = train[train["target"].notna()]
    features = known[list(section.feature_names)].to_numpy(float) - 2.0
    payoff = features.T @ (known["target"].to_numpy(float) - 0.5) / len(known)
    score = (section.features_NF.astype(float) - 2.0) @ payoff
    ranks = (np.argsort(np.argsort(score, kind="stable"), kind="stable") + 0.5) / len(score)
    return pd.DataFrame({"id": section.ids, "prediction": ranks})


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """A frame as Parquet; the same frame gives the same bytes."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


def _history(
    panel: PricePanel, rows_E: NDArray[np.intp], eras: NDArray[np.intp], rules: Rules, key: bytes
) -> pd.DataFrame:
    rows = rows_E[eras]
    universe = present(panel, rows)
    names, raw = feature_cube(panel, rows)
    features = bin_features(raw, universe)
    known = targets(panel, rows, rules)
    frames = []
    for place, era in enumerate(eras):
        columns = np.flatnonzero(universe[place])
        label = era_label(int(era))
        ids = np.array([asset_id(key, label, panel.ids[column]) for column in columns])
        order = np.argsort(ids)
        frame = _frame(tuple(ids[order]), label, features[place, columns[order]], names)
        for name, values in known.items():
            frame[name] = values[place, columns[order]].astype(np.float32)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _frame(ids: tuple[str, ...], era: str, features: NDArray[np.int8], names: tuple[str, ...]) -> pd.DataFrame:
    columns: dict[str, Any] = {"id": list(ids), "era": era}
    return pd.DataFrame(columns | {name: features[:, place] for place, name in enumerate(names)})
