"""The tournament's files as the server reads them: ids, features and eras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tournament.errors import BadInput, Fault
from tournament.scoring.diagnostics import KnownEras, feature_columns, known_eras
from workers.sandbox.runner import Work, of_rounds


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A round's live file: ids (N), and what a model is asked."""

    ids: tuple[str, ...]
    work: Work


def read_bytes(path: Path) -> bytes:
    """A file whole. Raises BadInput when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(Fault("no_file", f"{path} cannot be read: {error.strerror}", "give a file's path")) from None


def keep_bytes(data: bytes, path: Path) -> None:
    """Write a file. Raises BadInput when it cannot be written."""
    try:
        path.write_bytes(data)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise BadInput(Fault("no_place", message, "give a path in a folder that there is")) from None


def keep_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table by the path's ending, CSV or Parquet. Raises BadInput for another one, or no place for it."""
    match path.suffix:
        case ".csv":
            keep_bytes(frame.to_csv(index=False).encode(), path)
        case ".parquet":
            keep_bytes(frame.to_parquet(index=False), path)
        case _:
            message = f"{path} ends neither in .csv nor in .parquet"
            raise BadInput(Fault("wrong_ending", message, "the ending says what is written"))


def read_live(path: Path) -> LiveFile:
    """A live file. Raises BadInput."""
    frame = _table(path)
    names = feature_columns(frame)
    if "id" not in frame.columns or not names:
        raise BadInput(Fault("no_live_file", f"{path} has no ids or no features", "give a live file of the tournament"))
    return LiveFile(tuple(map(str, frame["id"])), of_rounds(_bins(frame, names, path), names))


def read_validation(path: Path) -> tuple[KnownEras, Work]:
    """The validation file as what predictions are scored on, and as what a model is asked. Raises BadInput."""
    frame = _table(path)
    names = feature_columns(frame)
    if not {"era", "target"} <= set(frame.columns) or not names:
        message = f"{path} has no column era or target, or no features"
        raise BadInput(Fault("no_validation", message, "give the tournament's validation.parquet"))
    _bins(frame, names, path)
    known = known_eras(frame)
    return known, Work(known.features_NF, names, known.ends_E)


def _table(path: Path) -> pd.DataFrame:
    """A Parquet or CSV file by its ending."""
    read_bytes(path)
    try:
        return pd.read_csv(path, dtype={"era": str}) if path.suffix == ".csv" else pd.read_parquet(path)
    except (ValueError, OSError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInput(Fault("broken_file", f"{path} cannot be read: {said}", "download it again")) from None


def _bins(frame: pd.DataFrame, names: tuple[str, ...], path: Path) -> np.ndarray:
    try:
        return frame[list(names)].to_numpy(np.int8)
    except (ValueError, TypeError):
        message = f"{path} has features that are no whole numbers"
        raise BadInput(Fault("feature_type", message, "give the file as it was downloaded")) from None
