"""Tournament archives: a folder that holds every round of a tournament, written and read round by round.

Shape suffixes: R rounds, N assets, M models, K context columns, F features. What a selector learns from an archive is
its `History`; panels are only needed to score blends exactly.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tournament.archive_checks import FORMAT, check_archive
from tournament.errors import BadArchive, Fault
from tournament.scoring.blend import linear_scores, model_correlations
from tournament.selectors.protocol import Floats, History, Times

TIMES = ("opens_at", "closes_at", "resolves_at")
MIN_RELATION = 0.8
"""Share of a round's assets that must have a target before the round counts as scored."""


@dataclass(frozen=True, slots=True)
class About:
    """What an archive is: `horizon_days` in trading days, `cadence` in words or days, `created` as ISO time."""

    name: str
    horizon_days: int
    cadence: str
    target: str
    created: str


@dataclass(frozen=True, slots=True)
class ArchivedRound:
    """One round: times are UTC, predictions float32 without any missing value, target None until it is resolved."""

    number: int
    opens_at: np.datetime64
    closes_at: np.datetime64
    resolves_at: np.datetime64
    ids: tuple[str, ...]
    models: tuple[str, ...]
    predictions_NM: NDArray[np.float32]
    target_N: Floats | None
    context_K: Floats
    context_known_at: np.datetime64
    stakes: Mapping[str, float] = field(default_factory=dict)
    features_NF: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Refuse shapes that do not meet. Raises BadArchive."""
        if self.predictions_NM.shape != (len(self.ids), len(self.models)):
            raise BadArchive(Fault("shape", f"round {self.number}: predictions are {self.predictions_NM.shape}, "
                                   f"expected {len(self.ids)} ids x {len(self.models)} models"))  # fmt: skip

    def target_or_nan(self) -> Floats:
        """The target, NaN where it is not known (N)."""
        return np.full(len(self.ids), np.nan) if self.target_N is None else self.target_N


@dataclass(frozen=True, slots=True)
class Archive:
    """A checked archive; panels stay on disk until a round is asked for."""

    folder: Path
    about: About
    rounds_R: NDArray[np.int64]
    opens_at_R: Times
    closes_at_R: Times
    resolves_at_R: Times
    models: tuple[str, ...]
    context_names: tuple[str, ...]
    context_RK: Floats
    context_known_at_R: Times
    stakes_RM: Floats

    def __len__(self) -> int:
        return len(self.rounds_R)

    def predictions(self, row: int) -> tuple[tuple[str, ...], tuple[str, ...], NDArray[np.float32]]:
        """Ids, models and predictions (N x M) of a round."""
        frame = pd.read_parquet(self._file("predictions", row))
        models = tuple(str(name) for name in frame.columns if name != "id")
        return tuple(frame["id"].astype(str)), models, frame[list(models)].to_numpy(np.float32)

    def targets(self, row: int) -> Mapping[str, float] | None:
        """Target by id; None when the round is not resolved."""
        path = self._file("targets", row)
        if not path.exists():
            return None
        frame = pd.read_parquet(path, columns=["id", "target"])
        return dict(zip(frame["id"].astype(str), frame["target"].astype(float), strict=True))

    def features(self, row: int) -> pd.DataFrame | None:
        """Features of a round by id, when the archive has them."""
        path = self._file("features", row)
        return pd.read_parquet(path) if path.exists() else None

    def round(self, row: int) -> ArchivedRound:
        """Everything of one round, the target aligned to the predictions' ids."""
        ids, models, predictions_NM = self.predictions(row)
        target = self.targets(row)
        aligned = None if target is None else np.array([target.get(name, np.nan) for name in ids])
        stakes = {name: float(stake) for name, stake in zip(self.models, self.stakes_RM[row], strict=True) if stake > 0}
        return ArchivedRound(
            int(self.rounds_R[row]), self.opens_at_R[row], self.closes_at_R[row], self.resolves_at_R[row],
            ids, models, predictions_NM, aligned, self.context_RK[row], self.context_known_at_R[row], stakes,
        )  # fmt: skip

    def rounds(self) -> Iterator[ArchivedRound]:
        """All rounds, oldest first, one in memory at a time."""
        return (self.round(row) for row in range(len(self)))

    def _file(self, kind: str, row: int) -> Path:
        return self.folder / kind / f"{self.rounds_R[row]:05d}.parquet"


def read_archive(folder: Path | str) -> Archive:
    """Open an archive and check all of it. Raises BadArchive with every fault found."""
    folder = Path(folder)
    models = check_archive(folder)
    about = tomllib.loads((folder / "archive.toml").read_text())
    rounds = pd.read_parquet(folder / "rounds.parquet").sort_values("round")
    context = pd.read_parquet(folder / "context.parquet").set_index("round").loc[rounds["round"]]
    names = tuple(name for name in context.columns if name != "known_at")
    numbers = rounds["round"].to_numpy(np.int64)
    opens_at_R, closes_at_R, resolves_at_R = (as_utc_seconds(rounds[name]) for name in TIMES)
    return Archive(
        folder=folder,
        about=_read_about(about),
        rounds_R=numbers,
        opens_at_R=opens_at_R,
        closes_at_R=closes_at_R,
        resolves_at_R=resolves_at_R,
        models=models,
        context_names=names,
        context_RK=context[list(names)].to_numpy(float),
        context_known_at_R=as_utc_seconds(context["known_at"]),
        stakes_RM=_read_stakes(folder, numbers, models),
    )


def _read_about(about: Mapping[str, object]) -> About:
    words = {name: str(about[name]) for name in ("name", "cadence", "target", "created")}
    return About(horizon_days=int(str(about["horizon_days"])), **words)


def as_utc_seconds(times: pd.Series) -> Times:
    """UTC seconds without a zone; times without a zone are taken as UTC."""
    return pd.to_datetime(times, utc=True, format="ISO8601").dt.tz_localize(None).to_numpy("datetime64[s]")


def _read_stakes(folder: Path, rounds_R: NDArray[np.int64], models: tuple[str, ...]) -> Floats:
    stakes_RM = np.zeros((len(rounds_R), len(models)))
    if not (folder / "stakes.parquet").exists():
        return stakes_RM
    frame = pd.read_parquet(folder / "stakes.parquet")
    frame = frame[frame["model"].astype(str).isin(models)]  # a model that staked and never submitted weighs nothing
    place = {name: column for column, name in enumerate(models)}
    columns = frame["model"].astype(str).map(place).to_numpy(int)
    stakes_RM[np.searchsorted(rounds_R, frame["round"].to_numpy(int)), columns] = frame["stake"].to_numpy(float)
    return stakes_RM


def write_archive(
    folder: Path | str,
    about: About,
    rounds: Iterable[ArchivedRound],
    *,
    context_names: tuple[str, ...],
    feature_names: tuple[str, ...] = (),
) -> None:
    """Write rounds as they come, one in memory at a time. Raises BadArchive when the folder already holds files."""
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadArchive(Fault("not_empty", f"{folder} already holds files", "name a new or empty folder"))
    for kind in ("predictions", "targets"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    heads: list[tuple[object, ...]] = []
    contexts: list[tuple[object, ...]] = []
    stakes: list[tuple[object, ...]] = []
    for one in rounds:
        _write_panels(folder, one, feature_names)
        heads.append((one.number, one.opens_at, one.closes_at, one.resolves_at))
        contexts.append((one.number, one.context_known_at, *map(float, one.context_K)))
        stakes += [(one.number, name, float(stake)) for name, stake in one.stakes.items()]
    _write_times(folder / "rounds.parquet", heads, ("round", *TIMES))
    _write_times(folder / "context.parquet", contexts, ("round", "known_at", *context_names))
    if stakes:
        _write_times(folder / "stakes.parquet", stakes, ("round", "model", "stake"))
    (folder / "archive.toml").write_text(_toml(about))


def _write_panels(folder: Path, one: ArchivedRound, feature_names: tuple[str, ...]) -> None:
    name, ids = f"{one.number:05d}.parquet", pa.array(one.ids, pa.string())
    columns = [pa.array(np.ascontiguousarray(column, np.float32)) for column in one.predictions_NM.T]
    pq.write_table(pa.table([ids, *columns], names=["id", *one.models]), folder / "predictions" / name)
    if one.target_N is not None:
        known = np.isfinite(one.target_N)
        table = pa.table({"id": ids.filter(pa.array(known)), "target": one.target_N[known]})
        pq.write_table(table, folder / "targets" / name)
    if one.features_NF is not None:
        (folder / "features").mkdir(exist_ok=True)
        columns = [pa.array(np.ascontiguousarray(column)) for column in one.features_NF.T]
        pq.write_table(pa.table([ids, *columns], names=["id", *feature_names]), folder / "features" / name)


def _write_times(path: Path, rows: list[tuple[object, ...]], names: tuple[str, ...]) -> None:
    frame = pd.DataFrame(rows, columns=list(names)).astype({"round": np.int32})
    for name in {*TIMES, "known_at"} & set(names):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    frame.to_parquet(path, index=False)


def _toml(about: About) -> str:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'

    return (
        f"format = {FORMAT}\nname = {quoted(about.name)}\nhorizon_days = {about.horizon_days}\n"
        f"cadence = {quoted(about.cadence)}\ntarget = {quoted(about.target)}\ncreated = {quoted(about.created)}\n"
    )


def history_from_archive(archive: Archive) -> History:
    """What selectors learn from an archive: scores and correlations of every round, known from `resolves_at` on."""
    return history_from_rounds(archive.rounds(), archive.context_names, archive.models)


def history_from_rounds(
    rounds: Iterable[ArchivedRound], context_names: tuple[str, ...], models: tuple[str, ...]
) -> History:
    """The same from any rounds (oldest first), one panel in memory at a time."""
    place = {name: column for column, name in enumerate(models)}
    heads, rows = [], []
    for one in rounds:
        heads.append(one)
        rows.append(_statistics(one, place))
        heads[-1] = _without_panels(one)
    return History(
        rounds_R=np.array([one.number for one in heads], dtype=np.int64), models=models,
        opens_at_R=np.array([one.opens_at for one in heads], dtype="datetime64[s]"),
        resolves_at_R=np.array([one.resolves_at for one in heads], dtype="datetime64[s]"),
        active_RM=np.array([row[0] for row in rows]), scores_RM=np.array([row[1] for row in rows]),
        correlations_RMM=np.array([row[2] for row in rows]),
        context_RK=np.array([one.context_K for one in heads], dtype=float).reshape(len(heads), -1),
        context_names=context_names,
        stakes_RM=np.array([[one.stakes.get(name, 0.0) for name in models] for one in heads]),
    )  # fmt: skip


def _statistics(one: ArchivedRound, place: Mapping[str, int]) -> tuple[NDArray[np.bool_], Floats, NDArray[np.float32]]:
    """Active mask, scores and correlations of a round, in the places of all models; NaN for absent ones."""
    columns = np.array([place[name] for name in one.models])
    active, scores = np.zeros(len(place), dtype=bool), np.full(len(place), np.nan)
    correlations = np.full((len(place), len(place)), np.nan, dtype=np.float32)
    active[columns] = True
    correlations[np.ix_(columns, columns)] = model_correlations(one.predictions_NM)
    target_N = one.target_or_nan()
    if np.isfinite(target_N).mean() >= MIN_RELATION:
        scores[columns] = linear_scores(one.predictions_NM, target_N)
    return active, scores, correlations


def _without_panels(one: ArchivedRound) -> ArchivedRound:
    empty = np.empty((0, len(one.models)), dtype=np.float32)
    return ArchivedRound(
        one.number, one.opens_at, one.closes_at, one.resolves_at, (), one.models, empty, None,
        one.context_K, one.context_known_at, one.stakes,
    )  # fmt: skip
