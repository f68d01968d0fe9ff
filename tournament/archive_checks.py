"""Everything that can be wrong with an archive, found in one pass over its files."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tournament.errors import BadArchive, Fault

FORMAT = 1
KEYS = {"name": str, "horizon_days": int, "cadence": object, "target": str, "created": object, "format": int}
MIN_OVERLAP = 0.8
"""Share of a round's predicted ids that its target must cover."""
SHOWN = 5
MAX_NAME = 80


def check_archive(folder: Path) -> tuple[str, ...]:
    """Names of all models, sorted. Raises BadArchive with every fault of every file."""
    if not folder.is_dir():
        raise BadArchive(Fault("no_folder", f"there is no archive folder {folder}", "name a folder with archive.toml"))
    faults = _about_faults(folder / "archive.toml")
    rounds = _read_table(folder / "rounds.parquet", ("round", "opens_at", "closes_at", "resolves_at"), faults)
    numbers: list[int] = []
    if rounds is not None:
        found = _round_faults(rounds)
        faults += found
        numbers = [] if any(fault.code == "round_number" for fault in found) else [int(n) for n in rounds["round"]]
    _check_context(folder / "context.parquet", rounds, numbers, faults)
    _check_stakes(folder / "stakes.parquet", numbers, faults)
    models = _check_panels(folder, numbers, faults)
    if faults:
        raise BadArchive(faults)
    return tuple(sorted(models))


def _about_faults(path: Path) -> list[Fault]:
    if not path.is_file():
        return [Fault("missing_file", "archive.toml is missing", "it names the archive and its format")]
    try:
        about = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [Fault("not_toml", f"archive.toml cannot be read: {error}", "write it as TOML, key = value")]
    faults = [
        Fault("missing_key", f"archive.toml has no {key}", f"expected keys: {', '.join(KEYS)}")
        for key in KEYS
        if key not in about
    ]
    faults += [
        Fault("key_type", f"archive.toml: {key} is {about[key]!r}", f"give a {kind.__name__}")
        for key, kind in KEYS.items()
        if key in about and (not isinstance(about[key], kind) or isinstance(about[key], bool))
    ]
    if isinstance(about.get("format"), int) and about["format"] != FORMAT:
        faults.append(Fault("unknown_format", f"archive.toml: format is {about['format']}", f"this reads {FORMAT}"))
    if isinstance(about.get("horizon_days"), int) and about["horizon_days"] < 1:
        faults.append(Fault("horizon", f"archive.toml: horizon_days is {about['horizon_days']}", "at least 1"))
    return faults


def _read_table(path: Path, needed: Sequence[str], faults: list[Fault]) -> pd.DataFrame | None:
    """The file as a frame, or None after noting why not."""
    table = _open(path, path.name, faults)
    if table is None:
        return None
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        faults.append(Fault("missing_column", f"{path.name} has no column {', '.join(missing)}",
                            f"expected columns: {', '.join(needed)}"))  # fmt: skip
        return None
    return table.to_pandas()


def _open(path: Path, label: str, faults: list[Fault]) -> pa.Table | None:
    if not path.is_file():
        faults.append(Fault("missing_file", f"{label} is missing"))
        return None
    try:
        names = pq.read_schema(path).names
        if len(set(names)) < len(names):
            faults.append(Fault("duplicate", f"{label} names a column twice", "name each column once"))
            return None
        return pq.read_table(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        faults.append(Fault("not_parquet", f"{label} is not a Parquet file: {str(error).splitlines()[0]}"))
        return None


def _round_faults(rounds: pd.DataFrame) -> list[Fault]:
    if not len(rounds):
        return [Fault("no_rounds", "rounds.parquet has no rows", "an archive has at least one round")]
    if not pd.api.types.is_integer_dtype(rounds["round"]) or (rounds["round"] < 0).any():
        return [Fault("round_number", "rounds.parquet: round is not a whole number of 0 or more", "write it as int32")]
    if rounds["round"].duplicated().any():
        again = rounds.loc[rounds["round"].duplicated(), "round"]
        return [Fault("round_number", "rounds.parquet names rounds twice", "one row a round", _shown(again))]
    times, faults = {}, []
    for name in ("opens_at", "closes_at", "resolves_at"):
        times[name] = _times(rounds[name])
        if times[name] is None or times[name].isna().any():
            faults.append(
                Fault("not_a_time", f"rounds.parquet: {name} holds values that are no time", "UTC timestamps")
            )
    return faults or _order_faults(rounds.assign(**times).sort_values("round"))


def _order_faults(rounds: pd.DataFrame) -> list[Fault]:
    """Times of a round in order, and rounds in order of opening."""
    faults = []
    for first, second in (("opens_at", "closes_at"), ("opens_at", "resolves_at"), ("closes_at", "resolves_at")):
        wrong = rounds.loc[rounds[second] < rounds[first], "round"]
        if len(wrong):
            words = f"{second.split('_')[0]} before it {first.split('_')[0]}"
            faults.append(Fault("time_order", f"rounds.parquet: {len(wrong)} rounds where the round {words}",
                                f"{first} must not be after {second}", _shown(wrong)))  # fmt: skip
    back = rounds.loc[rounds["opens_at"].diff() < pd.Timedelta(0), "round"]
    if len(back):
        faults.append(Fault("round_order", "rounds.parquet: rounds open before a round of lower number",
                            "number rounds by opens_at", _shown(back)))  # fmt: skip
    return faults


def _check_context(path: Path, rounds: pd.DataFrame | None, numbers: list[int], faults: list[Fault]) -> None:
    context = _read_table(path, ("round", "known_at"), faults)
    if context is None or rounds is None or not numbers:
        return
    if context["round"].duplicated().any():
        again = context.loc[context["round"].duplicated(), "round"]
        faults.append(Fault("duplicate", "context.parquet names rounds twice", "one row a round", _shown(again)))
        return
    missing = sorted(set(numbers) - set(context["round"]))
    if missing:
        faults.append(Fault("missing_round", f"context.parquet lacks {len(missing)} rounds", "", _shown(missing)))
    for name in context.columns.difference(["round", "known_at"]):
        if not pd.api.types.is_float_dtype(context[name]) or np.isinf(context[name].to_numpy(float)).any():
            faults.append(Fault("not_number", f"context.parquet: {name} is not a column of finite floats"))
    opens, known = _times(rounds["opens_at"]), _times(context["known_at"])
    if opens is None:
        return
    if known is None or known.isna().any():
        faults.append(Fault("not_a_time", "context.parquet: known_at holds values that are no time", "UTC timestamps"))
        return
    opened = context["round"].map(dict(zip(numbers, opens, strict=True)))
    late = context.loc[known > pd.to_datetime(opened, utc=True), "round"]
    if len(late):
        faults.append(Fault("look_ahead", f"context.parquet: {len(late)} rounds have a context known only after they "
                            "opened", "known_at must not be after opens_at", _shown(late)))  # fmt: skip


def _check_stakes(path: Path, numbers: list[int], faults: list[Fault]) -> None:
    if not path.exists():
        return
    stakes = _read_table(path, ("round", "model", "stake"), faults)
    if stakes is None or not numbers:
        return
    unknown = sorted(set(stakes["round"]) - set(numbers))
    if unknown:
        faults.append(Fault("unknown_round", f"stakes.parquet names {len(unknown)} rounds that rounds.parquet lacks",
                            "", _shown(unknown)))  # fmt: skip
    values = pd.to_numeric(stakes["stake"], errors="coerce").to_numpy(float)
    wrong = stakes.loc[~np.isfinite(values) | (values < 0), "model"]
    if len(wrong):
        faults.append(Fault("stake", f"stakes.parquet: {len(wrong)} stakes are missing, negative or not finite",
                            "give a number of 0 or more", _shown(wrong)))  # fmt: skip
    if stakes.duplicated(["round", "model"]).any():
        again = stakes.loc[stakes.duplicated(["round", "model"]), "model"]
        faults.append(Fault("duplicate", "stakes.parquet names a model twice in a round", "one row", _shown(again)))


def _check_panels(folder: Path, numbers: list[int], faults: list[Fault]) -> set[str]:
    names = {f"{number:05d}.parquet" for number in numbers}
    for kind in ("predictions", "targets", "features"):
        extra = sorted({path.name for path in (folder / kind).glob("*")} - names) if numbers else []
        if extra:
            found = f"{kind}/ holds {len(extra)} files of rounds that rounds.parquet lacks"
            faults.append(Fault("unknown_round", found, "name them like 00001.parquet", _shown(extra)))
    models: set[str] = set()
    features: set[tuple[str, ...]] = set()
    for name in sorted(names):
        label = f"predictions/{name}"
        table = _open(folder / label, label, faults)
        ids = _check_predictions(table, label, faults) if table is not None else None
        if table is not None:
            models |= set(table.column_names) - {"id"}
        if (folder / "targets" / name).exists():
            _check_target(folder / "targets" / name, f"targets/{name}", ids, faults)
        if (folder / "features" / name).exists():
            features.add(_check_features(folder / "features" / name, f"features/{name}", ids, faults))
    if len(features) > 1:
        found = f"features/ hold {len(features)} different sets of columns"
        faults.append(Fault("feature_names", found, "give every round the same features in the same order"))
    return models


def _check_predictions(table: pa.Table, label: str, faults: list[Fault]) -> pa.ChunkedArray | None:
    """The ids, or None when they cannot be used."""
    columns = [name for name in table.column_names if name != "id"]
    if not columns or not table.num_rows:
        faults.append(Fault("empty", f"{label} has {table.num_rows} rows and {len(columns)} models",
                            "a round has at least one of each"))  # fmt: skip
    wild = [name for name in columns if not _is_model_name(name)]
    if wild:
        faults.append(Fault("model_name", f"{label}: {len(wild)} models have names that are none",
                            f"up to {MAX_NAME} printable characters, without slashes", _shown(wild)))  # fmt: skip
    odd = [name for name in columns if not pa.types.is_floating(table.schema.field(name).type)]
    if odd:
        faults.append(Fault("not_number", f"{label}: {len(odd)} models are not floats", "write float32", _shown(odd)))
    holed = [name for name in columns if name not in odd and not _all_finite(table[name])]
    if holed:
        faults.append(Fault("null_prediction", f"{label}: {len(holed)} models have null, NaN or infinite predictions",
                            "leave the column out where the model did not submit", _shown(holed)))  # fmt: skip
    return _ids(table, label, faults)


def _check_target(path: Path, label: str, ids: pa.ChunkedArray | None, faults: list[Fault]) -> None:
    table = _open(path, label, faults)
    if table is None:
        return
    if "target" not in table.column_names:
        faults.append(Fault("missing_column", f"{label} has no column target", "expected columns: id, target"))
        return
    if not pa.types.is_floating(table["target"].type) or not _all_finite(table["target"]):
        faults.append(Fault("null_target", f"{label}: target holds values that are no finite float",
                            "leave the row out where the target is not known"))  # fmt: skip
    elif pc.count_distinct(table["target"]).as_py() < 2:
        faults.append(Fault("constant_target", f"{label}: every target is the same", "nothing can be scored on it"))
    own = _ids(table, label, faults)
    if own is None or ids is None or not len(ids):
        return
    covered = pc.sum(pc.is_in(ids, value_set=own.combine_chunks())).as_py() or 0
    if covered < MIN_OVERLAP * len(ids):
        faults.append(Fault("target_ids", f"{label} covers {covered} of the {len(ids)} predicted ids",
                            f"at least {MIN_OVERLAP:.0%} must have a target"))  # fmt: skip


def _check_features(path: Path, label: str, ids: pa.ChunkedArray | None, faults: list[Fault]) -> tuple[str, ...]:
    """Names of the features, in their order."""
    table = _open(path, label, faults)
    if table is None:
        return ()
    names = tuple(name for name in table.column_names if name != "id")
    numbers = [name for name in names if _is_number(table.schema.field(name).type)]
    odd = [name for name in names if name not in numbers]
    odd += [name for name in numbers if not _all_finite(table[name])]
    if odd:
        faults.append(Fault("feature", f"{label}: {len(odd)} features hold values that are no finite number",
                            "fill what is missing", _shown(odd)))  # fmt: skip
    own = _ids(table, label, faults)
    if own is not None and ids is not None:
        lacking = len(ids) - (pc.sum(pc.is_in(ids, value_set=own.combine_chunks())).as_py() or 0)
        if lacking:
            faults.append(Fault("feature_ids", f"{label} lacks {lacking} of the {len(ids)} predicted ids",
                                "give every predicted id its features"))  # fmt: skip
    return names


def _is_model_name(name: str) -> bool:
    """Whether it may go into file names, tables and pages."""
    plain = name.isprintable() and not set(name) & {"/", "\\"} and name == name.strip(" .")
    return plain and 0 < len(name) <= MAX_NAME


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _ids(table: pa.Table, label: str, faults: list[Fault]) -> pa.ChunkedArray | None:
    if "id" not in table.column_names:
        faults.append(Fault("missing_column", f"{label} has no column id", "the first column names the asset"))
        return None
    ids = table["id"].cast(pa.string()) if not pa.types.is_floating(table["id"].type) else table["id"]
    if ids.null_count or pa.types.is_floating(ids.type):
        faults.append(Fault("null_id", f"{label}: ids are missing or fractional", "give every row a text id"))
        return None
    if pc.count_distinct(ids).as_py() < len(ids):
        counts = pc.value_counts(ids).to_pylist()
        again = [one["values"] for one in counts if one["counts"] > 1]
        faults.append(Fault("duplicate_id", f"{label} names {len(again)} ids twice", "one row an id", _shown(again)))
        return None
    return ids


def _all_finite(column: pa.ChunkedArray) -> bool:
    return column.null_count == 0 and bool(np.isfinite(column.to_numpy()).all())


def _times(values: pd.Series) -> Any:
    """UTC times, or None when the column holds none."""
    if pd.api.types.is_numeric_dtype(values):
        return None
    try:
        return pd.to_datetime(values, utc=True, format="ISO8601")
    except (ValueError, TypeError):
        return None


def _shown(values: Any) -> tuple[str, ...]:
    shown = [str(value) for value in list(values)[:SHOWN]]
    return (*shown, "...") if len(values) > SHOWN else tuple(shown)
