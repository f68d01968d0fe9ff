"""A tournament's meta-model as a signal: its archived rounds blended by a selector's weights. N assets, M models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tournament.archive import Archive, read_archive
from tournament.errors import BadInput, Fault, counted
from tournament.portfolio.risk import Floats
from tournament.scoring.blend import blend
from tournament.tables import not_numbers, read_table, repeated


def meta_model_signals(archive: Path, weights: Path | None) -> pd.DataFrame:
    """date, id, signal of every round: dated by the day on which it closed, when all its predictions were in.

    `weights` is what `evaluate_selectors` wrote for one selector (round, model, weight): rounds before its warm-up
    have no signal. Without, models weigh alike. Raises BadInput with every fault of both.
    """
    faults: list[Fault] = []
    read, table = None, None
    try:
        read = read_archive(archive)
    except BadInput as error:
        faults += error.faults
    try:
        table = None if weights is None else _read_weights(weights)
    except BadInput as error:
        faults += error.faults
    if read is not None and table is not None and not set(table["round"]) & set(read.rounds_R.tolist()):
        message = f"{weights.name if weights else ''} has no round of {archive.name}"
        faults.append(Fault("no_common_round", message, "give the weights made of this archive"))
    if faults or read is None:
        raise BadInput(faults)
    frames = [frame for row in range(len(read)) if (frame := _round_signal(read, row, table)) is not None]
    return pd.concat(frames, ignore_index=True)


def at_next_close(frame: pd.DataFrame, dates_T: NDArray[np.datetime64]) -> pd.DataFrame:
    """Signals dated by the first day of the markets from their own on; of two rounds on one day the later counts."""
    rows = np.searchsorted(dates_T, frame["date"].to_numpy("datetime64[D]"))
    inside = rows < len(dates_T)
    frame = frame[inside].assign(date=pd.to_datetime(dates_T[rows[inside]]))
    return frame.drop_duplicates(["date", "id"], keep="last")


def _round_signal(archive: Archive, row: int, table: pd.DataFrame | None) -> pd.DataFrame | None:
    """The blend of one round; None where no weight is given for it."""
    ids, models, predictions_NM = archive.predictions(row)
    weights_M = np.ones(len(models))
    if table is not None:
        given = table[table["round"] == archive.rounds_R[row]].set_index("model")["weight"]
        weights_M = given.reindex(list(models)).fillna(0.0).to_numpy(float)
    if not weights_M.sum() > 0:
        return None
    signal_N: Floats = blend(predictions_NM, weights_M)
    return pd.DataFrame({"date": pd.Timestamp(archive.closes_at_R[row]).normalize(), "id": ids, "signal": signal_N})


def _read_weights(path: Path) -> pd.DataFrame:
    frame = read_table(path, needs=("round", "model", "weight"))
    faults = not_numbers(frame, ["round", "weight"], path.name) + repeated(frame, ["round", "model"], path.name)
    if not faults and not (np.isfinite(frame["weight"]) & (frame["weight"] >= 0)).all():
        wrong = int((~(np.isfinite(frame["weight"]) & (frame["weight"] >= 0))).sum())
        found = f"{path.name}: {counted(wrong, 'weight is', 'weights are')} not a number of zero or more"
        faults.append(Fault("bad_weight", found, "write it by evaluate_selectors"))
    if faults:
        raise BadInput(faults)
    return frame.assign(model=frame["model"].astype(str))
