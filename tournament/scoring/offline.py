"""Score tables of predictions from files: one row per era and model, and a summary per model.

Suffixes: N rows of an era, M models, R eras.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tournament.errors import BadInput, Fault
from tournament.scoring.panel import PanelScores, score_panel
from tournament.scoring.ranks import Floats
from tournament.scoring.reputation import standard_errors
from tournament.tables import not_numbers, repeated

KEYS = ("id", "era")
ONLY_ERA = "all"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The tables of one scoring run; `meta_model`, `benchmark` and `features` may be absent."""

    predictions: pd.DataFrame
    target: pd.DataFrame
    meta_model: pd.DataFrame | None = None
    benchmark: pd.DataFrame | None = None
    features: pd.DataFrame | None = None

    def named(self) -> dict[str, pd.DataFrame]:
        """The tables that were given, by name."""
        tables = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: table for name, table in tables.items() if table is not None}

    @property
    def models(self) -> list[str]:
        """Every column of the predictions that is not a key."""
        return [str(name) for name in self.predictions.columns if name not in KEYS]


def score_table(inputs: Inputs) -> pd.DataFrame:
    """era, model, corr and whichever of mmc, bmc, fnc, max_feature_exposure were asked for. Raises BadInput.

    A model without a score in an era (constant, or too many values missing) has a missing value there.
    """
    _check(inputs)
    columns = ["corr"]
    columns += ["mmc"] if inputs.meta_model is not None else []
    columns += ["bmc"] if inputs.benchmark is not None else []
    columns += ["fnc", "max_feature_exposure"] if inputs.features is not None else []
    frames = []
    for era, scores in _score_eras(inputs):
        values = {name: getattr(scores, name) for name in columns}
        frames.append(pd.DataFrame({"era": era, "model": inputs.models, **values}))
    return pd.concat(frames, ignore_index=True)


def summarize(table: pd.DataFrame, *, overlap: int = 1) -> pd.DataFrame:
    """Per model and score: eras, mean, its standard error, std, Sharpe per era and the largest drawdown of the sum.

    `overlap`: eras that one target spans; the standard error is Newey-West with that lag.
    """
    rows = []
    for score in [name for name in table.columns if name not in ("era", "model")]:
        wide = table.pivot(index="era", columns="model", values=score)
        values_RM = wide.to_numpy(float)
        errors = standard_errors(values_RM, overlap=overlap)
        for place, model in enumerate(wide.columns):
            rows.append(
                {"model": model, "score": score, **_moments(values_RM[:, place]), "standard_error": errors[place]}
            )
    return pd.DataFrame(rows)


def constant_models(predictions: pd.DataFrame, models: Sequence[str]) -> list[str]:
    """Models that say the same for every row."""
    return [name for name in models if predictions[name].nunique(dropna=True) <= 1]


def _moments(values_R: np.ndarray) -> dict[str, float]:
    known = values_R[np.isfinite(values_R)]
    if not len(known):
        return {"eras": 0, "mean": np.nan, "std": np.nan, "sharpe": np.nan, "max_drawdown": np.nan}
    spread = float(known.std(ddof=1)) if len(known) > 1 else np.nan
    path = np.concatenate([[0.0], np.cumsum(known)])
    drawdown = float((np.maximum.accumulate(path) - path).max())
    sharpe = float(known.mean()) / spread if spread and spread > 0 else np.nan
    return {"eras": len(known), "mean": float(known.mean()), "std": spread, "sharpe": sharpe, "max_drawdown": drawdown}


def _check(inputs: Inputs) -> None:
    faults: list[Fault] = []
    tables = inputs.named()
    with_era = [name for name, table in tables.items() if "era" in table]
    if with_era and len(with_era) < len(tables):
        without = sorted(set(tables) - set(with_era))
        faults.append(Fault("era", f"{with_era} have a column 'era' and {without} have none", "give it to all or none"))
    if not inputs.models:
        faults.append(Fault("no_model", "predictions hold no model", "add one column per model beside 'id'"))
    for name, table in tables.items():
        keys = [key for key in KEYS if key in table]
        faults += repeated(table, keys, name)
        faults += not_numbers(table, [column for column in table.columns if column not in KEYS], name)
    if not faults and not inputs.target["target"].notna().any():
        faults.append(Fault("no_target", "every target is missing", "give the target of at least one row"))
    if not faults and not inputs.predictions["id"].isin(inputs.target["id"]).any():
        examples = tuple(map(str, inputs.predictions["id"].head(3)))
        faults.append(Fault("no_common_id", "no id of the predictions is among those of the target", "", examples))
    if faults:
        raise BadInput(faults)


def _score_eras(inputs: Inputs) -> Iterator[tuple[str, PanelScores]]:
    """Scores of every era of the target, rows in the target's order."""
    parts = {name: _by_era(table) for name, table in inputs.named().items()}
    names = [] if inputs.features is None else [str(c) for c in inputs.features.columns if c not in KEYS]
    for era, target in parts["target"].items():
        target = target[target["target"].notna()]
        if not len(target) or era not in parts["predictions"]:
            continue
        ids = target["id"]
        others = {
            name: _aligned(parts[table].get(era), ids, columns)
            for name, table, columns in (
                ("meta_N", "meta_model", ["prediction"]),
                ("benchmark_N", "benchmark", ["prediction"]),
                ("features_NF", "features", names),
            )
            if table in parts
        }
        single = {name: values[:, 0] if name.endswith("_N") else values for name, values in others.items()}
        predictions_NM = _aligned(parts["predictions"][era], ids, inputs.models)
        yield era, score_panel(predictions_NM, target["target"].to_numpy(float), **single)


def _aligned(table: pd.DataFrame | None, ids: pd.Series, columns: Sequence[str]) -> Floats:
    """Columns of a table in the order of `ids`; NaN where it has no such row, or none of the era at all."""
    if table is None:
        return np.full((len(ids), len(columns)), np.nan)
    return np.asarray(table.set_index("id").reindex(ids)[list(columns)].to_numpy(float))


def _by_era(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    if "era" not in table:
        return {ONLY_ERA: table}
    return {str(era): part for era, part in table.groupby("era", sort=True)}
