"""`score_predictions`: the official library's values from files, and refusals that say what to do."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from numerai_tools import scoring as official

IDS = [f"n{row:04d}" for row in range(300)]


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, pd.DataFrame]:
    """Two eras of three models (one with ties), a meta-model, a benchmark and features; ids repeat over eras."""
    rng = np.random.default_rng(5)
    keys = pd.DataFrame({"id": IDS * 2, "era": ["0001"] * 300 + ["0002"] * 300})
    predictions = keys.assign(keel=rng.random(600), mast=rng.random(600).round(1), jib=rng.random(600))
    target = keys.assign(target=rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], 600))
    features = keys.assign(one=rng.integers(0, 5, 600) / 4, two=rng.integers(0, 5, 600) / 4)
    return {
        "predictions": predictions, "target": target, "features": features,
        "meta_model": keys.assign(prediction=rng.random(600)), "benchmark": keys.assign(prediction=rng.random(600)),
    }  # fmt: skip


def save(tables: dict[str, pd.DataFrame], folder: Path, ending: str = "parquet") -> dict[str, Path]:
    paths = {name: folder / f"{name}.{ending}" for name in tables}
    for name, table in tables.items():
        table.to_parquet(paths[name], index=False) if ending == "parquet" else table.to_csv(paths[name], index=False)
    return paths


def scores(tables: dict[str, pd.DataFrame], folder: Path, ending: str = "parquet") -> pd.DataFrame:
    out = folder / f"scores.{ending}"
    call_command("score_predictions", **save(tables, folder, ending), out=out, stdout=StringIO(), stderr=StringIO())
    return pd.read_parquet(out) if ending == "parquet" else pd.read_csv(out, dtype={"era": str})


def refusal(tables: dict[str, pd.DataFrame], folder: Path) -> str:
    with pytest.raises(CommandError) as caught:
        call_command("score_predictions", **save(tables, folder), stdout=StringIO())
    assert caught.value.returncode == 2
    return str(caught.value)


def era(tables: dict[str, pd.DataFrame], name: str, label: str = "0001") -> pd.DataFrame:
    table = tables[name]
    return table[table["era"] == label].set_index("id").drop(columns="era")


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_every_value_equals_the_official_one(tables: dict[str, pd.DataFrame], tmp_path: Path, ending: str) -> None:
    found = scores(tables, tmp_path, ending)

    panel, target, features = (era(tables, name, "0002") for name in ("predictions", "target", "features"))
    meta, benchmark = (era(tables, name, "0002")["prediction"] for name in ("meta_model", "benchmark"))
    here = found[found["era"] == "0002"].set_index("model")
    truth = {
        "corr": official.numerai_corr(panel, target["target"]),
        "mmc": official.correlation_contribution(panel, meta, target["target"]),
        "bmc": official.correlation_contribution(panel, benchmark, target["target"]),
        "fnc": official.feature_neutral_corr(panel, features, target["target"]),
        "max_feature_exposure": {m: official.max_feature_correlation(panel[m], features)[1] for m in panel},
    }
    assert list(found.columns) == ["era", "model", *truth]
    for name, values in truth.items():
        np.testing.assert_allclose(here[name], pd.Series(values)[here.index], rtol=0, atol=1e-9, err_msg=name)


def test_columns_appear_only_where_their_input_was_given(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    del tables["features"], tables["benchmark"]

    assert list(scores(tables, tmp_path).columns) == ["era", "model", "corr", "mmc"]


def test_ids_without_a_target_and_targets_without_a_prediction_are_left_out_as_officially(
    tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    tables["target"].loc[:30, "target"] = np.nan
    tables["predictions"] = tables["predictions"].drop(index=range(280, 300))

    found = scores(tables, tmp_path)

    panel, target, features = (era(tables, name) for name in ("predictions", "target", "features"))
    here = found[found["era"] == "0001"]
    truth = official.numerai_corr(panel, target["target"].dropna())
    neutral = official.feature_neutral_corr(panel, features.loc[panel.index], target["target"].dropna())
    np.testing.assert_allclose(here["corr"], truth, rtol=0, atol=1e-9)
    np.testing.assert_allclose(here["fnc"], neutral, rtol=0, atol=1e-9)


def test_a_meta_model_with_some_ids_less_scores_as_officially(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables["meta_model"] = tables["meta_model"].drop(index=range(40))

    found = scores(tables, tmp_path)

    panel, target, meta = (era(tables, name) for name in ("predictions", "target", "meta_model"))
    truth = official.correlation_contribution(panel, meta["prediction"], target["target"])
    np.testing.assert_allclose(found[found["era"] == "0001"]["mmc"], truth, rtol=0, atol=1e-9)


def test_a_meta_model_that_covers_too_little_gives_no_score(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables["meta_model"] = tables["meta_model"].drop(index=range(100))

    found = scores(tables, tmp_path)

    assert found.groupby("era")["mmc"].count().to_dict() == {"0001": 0, "0002": 3}


def test_one_bad_model_never_changes_anothers_score(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    alone = scores(tables, tmp_path)
    tables["predictions"]["jib"] = tables["predictions"]["jib"].where(np.arange(600) % 3 > 0)

    beside = scores(tables, tmp_path)

    others = alone["model"] != "jib"
    pd.testing.assert_frame_equal(alone[others], beside[others])
    assert beside.loc[~others, "corr"].isna().all()


def test_a_constant_model_has_no_score_and_a_warning_tells(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables["predictions"].loc[300:, "mast"] = 0.5
    said, out = StringIO(), tmp_path / "out.csv"

    call_command("score_predictions", **save(tables, tmp_path), out=out, stdout=StringIO(), stderr=said)

    assert "model mast has no score in 1 of 2 eras (0002): it is constant there" in said.getvalue()
    found = pd.read_csv(out, dtype={"era": str}).set_index(["era", "model"])
    assert found.loc[("0002", "mast")].isna().all()
    assert found.loc[("0001", "mast")].notna().all()


def warnings_of(tables: dict[str, pd.DataFrame], folder: Path) -> str:
    said, paths = StringIO(), save(tables, folder)
    call_command("score_predictions", **paths, out=folder / "out.csv", stdout=StringIO(), stderr=said)
    return said.getvalue()


def test_a_constant_target_takes_the_blame_itself(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables["target"].loc[300:, "target"] = 0.5

    said = warnings_of(tables, tmp_path)

    assert said.strip() == "warning: the target gives no score in 1 of 2 eras (0002): it is constant there"


def test_a_target_that_is_constant_everywhere_is_refused(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables["target"]["target"] = 0.5

    assert "the target is constant in every era" in refusal(tables, tmp_path)


@pytest.mark.parametrize(("name", "score"), [("meta_model", "mmc"), ("benchmark", "bmc")])
def test_a_constant_base_gives_no_contribution_and_is_named(
    tables: dict[str, pd.DataFrame], tmp_path: Path, name: str, score: str
) -> None:
    tables[name]["prediction"] = 0.5

    said = warnings_of(tables, tmp_path)

    assert said.strip() == f"warning: the {name} gives no {score} in 2 of 2 eras (0001): it is constant there"


def test_a_base_of_too_few_ids_is_named(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables["meta_model"] = tables["meta_model"].drop(index=range(100))

    said = warnings_of(tables, tmp_path)

    assert "model keel has no mmc in 1 of 2 eras (0001): it shares less than 80% of the ids with the meta_mod" in said


def test_features_that_explain_every_row_leave_nothing_to_score(
    tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    rng = np.random.default_rng(2)
    small = {name: table[:5] for name, table in tables.items()}
    wide = small["features"][["id", "era"]].assign(**{f"f{place}": rng.random(5) for place in range(10)})

    said = warnings_of(small | {"features": wide}, tmp_path)

    assert "model keel has no fnc in 1 of 1 eras (0001): the features explain it wholly there" in said
    assert pd.read_csv(tmp_path / "out.csv")["fnc"].isna().all()


@pytest.mark.parametrize("key", ["id", "era"])
def test_rows_without_a_key_are_refused(tables: dict[str, pd.DataFrame], tmp_path: Path, key: str) -> None:
    tables["predictions"].loc[[2, 5], key] = [None, " "]

    assert f"predictions: 2 rows have no {key} (row 3, row 6)" in refusal(tables, tmp_path)


def test_ids_that_tell_no_era_are_refused_as_strangers(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    unique = {name: table.assign(id=table["era"] + table["id"]) for name, table in tables.items()}
    strangers = unique["target"].drop(columns="era").assign(id="x" + unique["target"]["id"])

    assert "no id of target is among those of predictions" in refusal(unique | {"target": strangers}, tmp_path)


def test_columns_of_one_name_are_refused(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    paths = save(tables, tmp_path)
    twice = tmp_path / "twice.csv"
    twice.write_text("id,keel,keel\nn0000,0.1,0.2\n")

    with pytest.raises(CommandError, match=r"its columns repeat a name \(keel\)"):
        call_command("score_predictions", predictions=twice, target=paths["target"])


def test_the_ending_of_a_file_may_be_written_large(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    paths = save(tables, tmp_path, "csv")
    large = paths["predictions"].rename(tmp_path / "P.CSV")

    call_command("score_predictions", **paths | {"predictions": large}, out=tmp_path / "S.CSV", stdout=StringIO())

    assert len(pd.read_csv(tmp_path / "S.CSV")) == 6


@pytest.mark.parametrize("overlap", ["0", "-3", "two"])
def test_an_overlap_that_is_no_number_of_eras_is_refused(overlap: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="give a whole number of 1 or more"):
        call_command("score_predictions", "--predictions", "p.csv", "--target", "t.csv", "--overlap", overlap)


def test_without_an_era_all_rows_are_one(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    plain = {name: table[:300].drop(columns="era") for name, table in tables.items()}

    found = scores(plain, tmp_path)

    assert set(found["era"]) == {"all"}


def test_ids_tell_the_era_where_a_table_has_none(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    unique = {name: table.assign(id=table["era"] + table["id"]) for name, table in tables.items()}
    whole = scores(unique, tmp_path)

    told = scores(unique | {"predictions": unique["predictions"].drop(columns="era")}, tmp_path)

    pd.testing.assert_frame_equal(told, whole)


def test_the_summary_follows_from_the_scores(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    said = StringIO()
    only = {name: tables[name] for name in ("predictions", "target")}

    call_command("score_predictions", **save(only, tmp_path), stdout=said)

    table, summary = said.getvalue().split("Summary\n")
    corr = [float(line.split()[2]) for line in table.splitlines() if "keel" in line]
    row = next(line.split() for line in summary.splitlines() if "keel" in line)
    assert float(row[3]) == pytest.approx(np.mean(corr), abs=2e-6)
    assert float(row[4]) == pytest.approx(np.std(corr, ddof=1), abs=2e-6)


def test_repeated_rows_words_and_infinities_are_told_at_once(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables["predictions"] = pd.concat([tables["predictions"], tables["predictions"][:2]])
    tables["target"]["target"] = "high"
    tables["meta_model"].loc[3, "prediction"] = np.inf

    message = refusal(tables, tmp_path)

    assert message.startswith("3 faults:")
    assert "predictions: 2 rows repeat id and era (n0000 0001, n0001 0001); keep one each" in message
    assert "target: column 'target' holds" in message
    assert "meta_model: column 'prediction' holds infinite values" in message


def test_a_missing_column_is_named(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables["target"] = tables["target"].rename(columns={"target": "label"})

    assert "target.parquet has no column 'target'; found: id, era, label" in refusal(tables, tmp_path)


def test_other_ids_are_refused_with_examples(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables["predictions"]["id"] = "x" + tables["predictions"]["id"]
    del tables["features"]

    assert "no id of the predictions is among those of the target (xn0000" in refusal(tables, tmp_path)


def test_other_eras_are_refused(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables["target"]["era"] = "1" + tables["target"]["era"]
    del tables["features"]

    assert "no era has both predictions and targets" in refusal(tables, tmp_path)


def test_features_with_holes_are_refused(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables["features"] = tables["features"].drop(index=[4])
    tables["features"].loc[9, "two"] = np.nan

    message = refusal(tables, tmp_path)

    assert "features: 'two' has missing values" in message
    assert "features lack 1 of 600 predicted rows (n0004 0001)" in message


def test_a_target_without_any_value_is_refused(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables["target"]["target"] = np.nan

    assert "every target is missing" in refusal(tables, tmp_path)


def test_predictions_without_a_model_are_refused(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables["predictions"] = tables["predictions"][["id", "era"]]

    assert "predictions hold no model" in refusal(tables, tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.xlsx", b"x", "p.xlsx ends in '.xlsx'; expected .parquet or .csv"),
        ("p.parquet", b"PAR1 but not whole", "p.parquet cannot be read"),
        ("p.csv", b"id,keel\n", "p.csv has no rows"),
        ("p.csv", b"", "p.csv cannot be read"),
    ],
)
def test_unreadable_files_are_refused(
    tables: dict[str, pd.DataFrame], tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    paths = save(tables, tmp_path)
    (tmp_path / name).write_bytes(content)

    with pytest.raises(CommandError, match=message):
        call_command("score_predictions", predictions=tmp_path / name, target=paths["target"], stdout=StringIO())


def test_a_file_that_is_not_there_is_named(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    paths = save(tables, tmp_path)

    with pytest.raises(CommandError, match=r"there is no file .*gone\.csv"):
        call_command("score_predictions", predictions=tmp_path / "gone.csv", target=paths["target"])


def test_scores_are_not_written_into_a_folder_that_is_not_there(
    tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    paths = save(tables, tmp_path)

    with pytest.raises(CommandError, match="there is no folder"):
        call_command("score_predictions", **paths, out=tmp_path / "no" / "scores.csv", stdout=StringIO())
