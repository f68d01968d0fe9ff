"""Score tables of predictions from files: one row per era and model, and a summary per model.

Suffixes: N rows of an era, M models, R eras.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tournament.errors import BadInput, Fault
from tournament.scoring.panel import MIN_OVERLAP, PanelScores, score_panel
from tournament.scoring.ranks import Floats
from tournament.scoring.reputation import standard_errors
from tournament.tables import not_numbers, repeated, without

KEYS = ("id", "era")
ONLY_ERA = "all"
CONSTANT, THIN = "it is constant there", f"it shares less than {MIN_OVERLAP:.0%} of the ids"


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


def with_eras(inputs: Inputs) -> Inputs:
    """The same tables with an era each, or none: where one lacks it, its ids tell. Raises BadInput when they cannot."""
    tables = inputs.named()
    faults = [
        fault for name, table in tables.items() for key in KEYS if key in table for fault in without(table, key, name)
    ]
    if faults:
        raise BadInput(faults)
    dated = {name: table for name, table in tables.items() if "era" in table}
    if not dated or len(dated) == len(tables):
        return inputs
    teller = "target" if "target" in dated else next(iter(dated))
    eras = dated[teller].set_index("id")["era"]
    if eras.index.has_duplicates:
        found = (
            f"{', '.join(sorted(set(tables) - set(dated)))} have no column 'era' and ids of {teller} repeat over eras"
        )
        raise BadInput(Fault("era", found, "add the column"))
    told = {
        name: table.assign(era=table["id"].map(eras)).dropna(subset="era")
        for name, table in tables.items()
        if name not in dated
    }
    strangers = [name for name, table in told.items() if table.empty]
    if strangers:
        found = f"no id of {' and '.join(strangers)} is among those of {teller}"
        raise BadInput(Fault("no_common_id", found, "compare the ids of the tables"))
    return replace(inputs, **told)


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
    if not frames:
        raise BadInput(Fault("no_common_era", "no era has both predictions and targets", "compare the names of eras"))
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


def unscored(inputs: Inputs, table: pd.DataFrame) -> list[str]:
    """One sentence for whatever leaves scores missing (the target, a model, a base), with the likely reason."""
    parts = {name: _by_era(one) for name, one in inputs.named().items()}
    blamed: dict[tuple[str, str], list[str]] = {}
    for era, rows in table.groupby("era", sort=False):
        here = {name: part.get(str(era)) for name, part in parts.items()}
        for blame in _blames(rows.set_index("model"), here):
            blamed.setdefault(blame, []).append(str(era))
    eras = table["era"].nunique()
    return [f"{who} in {len(found)} of {eras} eras ({found[0]}): {why}" for (who, why), found in blamed.items()]


def _blames(scores: pd.DataFrame, here: dict[str, pd.DataFrame | None]) -> Iterator[tuple[str, str]]:
    """Who leaves scores of one era missing, and why."""
    target, predictions = here["target"], here["predictions"]
    if target is None or target["target"].nunique() <= 1:
        yield "the target gives no score", CONSTANT
        return
    for model in scores.index[scores["corr"].isna()]:
        values = None if predictions is None else predictions[model]
        flat = values is not None and values.nunique() == 1
        yield f"model {model} has no score", CONSTANT if flat else f"{THIN} with the target"
    scored = scores[scores["corr"].notna()]
    for score, base in (("mmc", "meta_model"), ("bmc", "benchmark")):
        missing = list(scored.index[scored[score].isna()]) if score in scored else []
        table = here.get(base)
        if missing and (table is None or table["prediction"].nunique() <= 1):
            yield f"the {base} gives no {score}", "it has no values there" if table is None else CONSTANT
            continue
        for model in missing:
            yield f"model {model} has no {score}", f"{THIN} with the {base}"
    for model in scored.index[scored["fnc"].isna()] if "fnc" in scored else []:
        yield f"model {model} has no fnc", "the features explain it wholly there"


def _moments(values_R: Floats) -> dict[str, float]:
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
    if not inputs.models:
        faults.append(Fault("no_model", "predictions hold no model", "add one column per model beside 'id'"))
    for name, table in tables.items():
        keys = [key for key in KEYS if key in table]
        faults += repeated(table, keys, name)
        columns = [column for column in table.columns if column not in KEYS]
        faults += not_numbers(table, columns, name) or _infinite(table, columns, name)
    faults += [] if faults else _feature_faults(inputs)
    if not faults and not inputs.target["target"].notna().any():
        faults.append(Fault("no_target", "every target is missing", "give the target of at least one row"))
    if not faults and (_by_era_counts(inputs.target) <= 1).all():
        hint = "give a target that differs between ids"
        faults.append(Fault("constant_target", "the target is constant in every era", hint))
    if not faults and not inputs.predictions["id"].isin(inputs.target["id"]).any():
        examples = tuple(map(str, inputs.predictions["id"].head(3)))
        faults.append(Fault("no_common_id", "no id of the predictions is among those of the target", "", examples))
    if faults:
        raise BadInput(faults)


def _by_era_counts(target: pd.DataFrame) -> pd.Series:
    """How many different targets each era has; eras without any are left out."""
    known = target[target["target"].notna()]
    return known.groupby("era" if "era" in known else np.zeros(len(known)))["target"].nunique()


def _infinite(table: pd.DataFrame, columns: Sequence[str], name: str) -> list[Fault]:
    return [
        Fault("infinite", f"{name}: column '{column}' holds infinite values", "send finite values")
        for column in columns
        if np.isinf(table[column].to_numpy(float)).any()
    ]


def _feature_faults(inputs: Inputs) -> list[Fault]:
    """Features must be whole in every predicted row of their eras: nothing can be neutralized against a hole."""
    if inputs.features is None:
        return []
    names, keys = _feature_names(inputs), [key for key in KEYS if key in inputs.predictions]
    if not names:
        return [Fault("no_feature", "features hold no feature", "add one column per feature beside 'id'")]
    holed = [name for name in names if inputs.features[name].isna().any()]
    faults = [Fault("feature_hole", f"features: '{name}' has missing values", "fill it") for name in holed]
    asked = inputs.predictions[keys]
    if "era" in keys:
        asked = asked[asked["era"].astype(str).isin(set(inputs.features["era"].astype(str)))]
    lacking = asked[~pd.MultiIndex.from_frame(asked.astype(str)).isin(
        pd.MultiIndex.from_frame(inputs.features[keys].astype(str)))]  # fmt: skip
    if len(lacking):
        examples = tuple(" ".join(map(str, row)) for row in lacking.head(3).to_numpy())
        found = f"features lack {len(lacking)} of {len(asked)} predicted rows"
        faults.append(Fault("feature_rows", found, "give features for every predicted id", examples))
    return faults


def _score_eras(inputs: Inputs) -> Iterator[tuple[str, PanelScores]]:
    """Scores of every era that has predictions and targets, oldest name first."""
    parts = {name: _by_era(table) for name, table in inputs.named().items()}
    for era, predictions in parts["predictions"].items():
        target = parts["target"].get(era)
        if target is None or not target["target"].notna().any():
            continue
        # rows of either side count: a model that shares too few of them has no score
        ids = pd.Index(predictions["id"]).union(pd.Index(target.loc[target["target"].notna(), "id"]), sort=False)

        def rows(name: str, columns: Sequence[str], era: str = era, ids: pd.Index = ids) -> Floats | None:
            table = parts.get(name, {}).get(era)
            return None if table is None else table.set_index("id").reindex(ids)[list(columns)].to_numpy(float)

        yield era, _score_era(rows, inputs)


def _score_era(rows: Callable[[str, Sequence[str]], Floats | None], inputs: Inputs) -> PanelScores:
    predictions_NM, target_N1 = rows("predictions", inputs.models), rows("target", ["target"])
    if predictions_NM is None or target_N1 is None:
        return PanelScores.empty(len(inputs.models))
    target_N = target_N1[:, 0]
    features_NF = rows("features", _feature_names(inputs))
    scores = score_panel(predictions_NM, target_N, features_NF=features_NF)
    for name, values in (("meta_model", scores.mmc), ("benchmark", scores.bmc)):
        base_N1 = rows(name, ["prediction"])
        if base_N1 is not None:
            values[:] = _contribution(predictions_NM, target_N, base_N1[:, 0])
    return scores


def _contribution(predictions_NM: Floats, target_N: Floats, base_N: Floats) -> Floats:
    """Contribution beside a base on the rows that it has; no score (M) where it has less than 80 % of them."""
    known = np.isfinite(base_N)
    shared_M = (np.isfinite(predictions_NM) & known[:, None]).sum(axis=0)
    enough_M = shared_M >= MIN_OVERLAP * np.maximum(np.isfinite(predictions_NM).sum(axis=0), known.sum())
    values_M = score_panel(predictions_NM[known], target_N[known], meta_N=base_N[known]).mmc
    return np.where(enough_M, values_M, np.nan)


def _feature_names(inputs: Inputs) -> list[str]:
    return [] if inputs.features is None else [str(name) for name in inputs.features.columns if name not in KEYS]


def _by_era(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    if "era" not in table:
        return {ONLY_ERA: table}
    return {str(era): part for era, part in table.groupby("era", sort=True)}
