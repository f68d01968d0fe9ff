"""The command `regatta`: what it says, and by what it ends."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor

from regatta.environment import ROOT
from regatta_client import running
from regatta_client.command import main
from regatta_client.rows import read_live
from tests.hosting import files
from tournament.hosted.ranking import as_predictions
from workers.sandbox import runner

NAMES = ["momentum_12_1", "volatility_12", "value", "size", "noise"]
Say = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small tournament's files, and models of it."""
    made = tmp_path_factory.mktemp("kit")
    rows, target = files.drawn(400)
    frame = pd.DataFrame(rows.astype(np.int8), columns=NAMES)
    frame.insert(0, "id", [f"n{place:03d}" for place in range(400)])
    frame.insert(1, "era", np.repeat(["0001", "0002", "0003", "0004"], 100))
    frame.iloc[:100].to_parquet(made / "live.parquet")
    frame.assign(target=pd.Series(target).rank(pct=True)).to_parquet(made / "validation.parquet")
    (made / "features.json").write_text(json.dumps({"features": NAMES}))
    files.booster(rows, target).save_model(made / "mine.txt")
    forest = RandomForestRegressor(5, max_depth=3).fit(frame[NAMES[:3]], target)
    joblib.dump(forest, made / "forest.joblib")
    return made


@pytest.fixture
def say(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """What the command says to such words, as JSON, and its status."""
    monkeypatch.chdir(folder)

    def asked(*words: str) -> tuple[int, dict[str, Any]]:
        with pytest.raises(SystemExit) as end:
            main([*words, "--json"])
        return int(end.value.code or 0), json.loads(capsys.readouterr().out)

    return asked


def test_a_run_is_what_the_server_would_submit(say: Say, folder: Path) -> None:
    status, told = say("run", "mine.txt", "--live", "live.parquet", "--out", "mine.parquet")

    work = read_live(folder / "live.parquet").work
    expected = as_predictions(runner.run((folder / "mine.txt").read_bytes(), work).values)
    assert (status, told["good"], told["rows"]) == (0, True, 100)
    assert pd.read_parquet(folder / "mine.parquet")["prediction"].tolist() == expected.tolist()
    assert say("check", "predictions", "mine.parquet", "--live", "live.parquet")[0] == 0


def test_without_a_sandbox_the_answer_has_the_same_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, work = (folder / "mine.txt").read_bytes(), read_live(folder / "live.parquet").work
    held = running.run(data, work)
    monkeypatch.setattr(runner, "is_offered", lambda: False)

    free = running.run(data, work)

    assert free.values.tobytes() == held.values.tobytes()
    assert (free.level, "seccomp" in held.level) == (running.NO_SANDBOX, True)


def test_a_good_model_is_told_with_its_figures(say: Say) -> None:
    status, told = say("check", "model", "mine.txt", "--validation", "validation.parquet")

    assert (status, told["about"]) == (0, "LightGBM, 12 trees")
    assert told["summary"]["corr_mean"] > 0.3
    assert [era["era"] for era in told["eras"]] == [1, 2, 3, 4]


def test_every_fault_of_predictions_is_told(say: Say, folder: Path) -> None:
    (folder / "bad.csv").write_text("id,prediction\nn000,7\nnobody,0.5\n")

    status, told = say("check", "predictions", "bad.csv", "--live", "live.parquet")

    codes = {fault["code"] for fault in told["faults"]}
    assert (status, told["good"]) == (1, False)
    assert len(codes) >= 3


def test_a_pickle_is_refused_with_the_command_that_converts_it_and_it_does(say: Say) -> None:
    refused, told = say("check", "model", "forest.joblib", "--validation", "validation.parquet")
    named = re.search(r"`regatta (convert [^`]+)`", told["faults"][0]["hint"])
    assert named is not None
    words = named[1].replace("model.", "forest.").split()

    status, made = say(*words, "--features", "features.json")
    checked, _ = say("check", "model", "forest.onnx", "--validation", "validation.parquet")

    assert (refused, status, checked) == (1, 0, 0)
    assert (made["reads"], made["by_name"]) == (3, True)


@pytest.mark.parametrize(
    "words",
    [
        ("run", "nowhere.txt", "--live", "live.parquet", "--out", "x.csv"),
        ("run", "mine.txt", "--live", "features.json", "--out", "x.csv"),
        ("check", "model", "mine.txt", "--validation", "live.parquet"),
        ("run", "mine.txt", "--live", "live.parquet", "--out", "nowhere/x.csv"),
        ("run", "mine.txt", "--live", "live.parquet", "--out", "nowhere/x.parquet"),
        ("run", "mine.txt", "--live", "live.parquet", "--out", "x.txt"),
        ("convert", "mine.txt", "--out", "x.onnx"),
        ("convert", "forest.joblib", "--out", "nowhere/x.onnx"),
    ],
)
def test_a_wrong_call_ends_by_2_and_one_fault(words: tuple[str, ...], say: Say) -> None:
    status, told = say(*words)

    assert (status, len(told["faults"])) == (2, 1)
    assert told["faults"][0]["hint"]


@pytest.mark.parametrize(
    "words", [[], ["check"], ["check", "predictions"], ["check", "model"], ["run"], ["convert"]], ids=" ".join
)
def test_help_has_an_example(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*words, "--help"])

    shown = capsys.readouterr().out
    assert end.value.code == 0
    assert "example:\n  regatta" in shown
    assert "exit status" in shown


@pytest.mark.parametrize("page", ["docs/client.md", "client/README.md"])
def test_the_lines_of_the_docs_lead_from_a_model_to_good_predictions(page: str, folder: Path, say: Say) -> None:
    lines = [line for line in (ROOT / page).read_text().splitlines() if re.match(r"regatta (convert|check|run) ", line)]

    ends = [say(*shlex.split(line)[1:])[0] for line in lines]

    assert [line.split()[1] for line in lines] == ["convert", "check", "run", "check"]
    assert ends == [0, 0, 0, 0]


def test_the_wheel_stands_alone(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for part in ("client", "tournament", "workers"):
        shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "wheel", "--no-deps"]
    build = [*pip, "--no-build-isolation", "-w", str(tmp_path), str(source / "client")]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")

    code = "import sys, tournament, regatta_client.command as c; print(tournament.__file__); c.main(sys.argv[1:])"
    words = ["check", "model", str(folder / "mine.txt"), "--validation", str(folder / "validation.parquet"), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site"), "PATH": "/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    place, told = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert Path(place).is_relative_to(tmp_path / "site")
    assert json.loads(told)["good"]
