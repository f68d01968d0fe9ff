"""`simulate_world` and `evaluate_selectors` on a bare machine: files in, files out, no server, clear refusals."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from regatta.environment import ROOT
from tournament.archive import read_archive
from tournament.selectors.registry import LIGHT, NAMES

SMALL = {"assets": 40, "models": 5, "rounds": 40, "seed": 6}
FIGURES = {
    "corr", "standard_error", "sharpe", "deflated_sharpe", "over_equal", "over_equal_standard_error",
    "over_equal_interval_95", "turnover", "effective_models", "train_seconds", "weigh_ms_p50", "weigh_ms_p95",
    "gains", "harm", "overfitting_gap", "expected_corr", "gap_share", "gap_share_standard_error",
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands") / "world"
    call_command("simulate_world", **SMALL, out=folder, stdout=StringIO())
    return folder


def bare(var: Path) -> dict[str, str]:
    """A shell's variables with nothing of the site's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "REGATTA_VAR": str(var), "OMP_NUM_THREADS": "1"}


def command(*arguments: object) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *map(str, arguments)]


def refusal(world: Path, out: Path, **options: object) -> str:
    with pytest.raises(CommandError) as caught:
        call_command("evaluate_selectors", str(world), out=out, **options, stdout=StringIO())
    assert caught.value.returncode == 2
    return str(caught.value)


def test_a_world_is_drawn_and_judged_without_any_server(tmp_path: Path) -> None:
    var, world, out = tmp_path / "var", tmp_path / "world", tmp_path / "study"
    draw = command("simulate_world", "--assets", 30, "--models", 4, "--rounds", 30, "--out", world)
    judge = command("evaluate_selectors", world, "--selectors", "ridge,hmm", "--warmup-rounds", 15, "--out", out)

    drawn = subprocess.run(draw, env=bare(var), cwd=tmp_path, capture_output=True, text=True, check=False)
    judged = subprocess.run(judge, env=bare(var), cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert drawn.stdout == f"{world}: 30 rounds, 4 models, 30 assets\n"
    assert (judged.returncode, judged.stderr) == (0, "")
    assert sorted(path.name for path in (out / "weights").iterdir()) == [
        "equal.parquet", "hmm.parquet", "ridge.parquet"]  # fmt: skip
    assert not (var / "postgres").exists()
    assert not (var / "redis").exists()


def test_a_machine_that_keeps_no_files_of_the_site_is_enough(world: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    judge = command("evaluate_selectors", world, "--selectors", "stake", "--out", tmp_path / "out")

    done = subprocess.run(
        [*judge, "--warmup-rounds", "30"], env=bare(tmp_path / "file" / "var"), capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_bad_input_ends_with_status_2_and_one_message(world: Path, tmp_path: Path) -> None:
    judge = command("evaluate_selectors", tmp_path / "nowhere", "--out", tmp_path / "out")

    done = subprocess.run(judge, env=bare(tmp_path / "var"), capture_output=True, text=True, check=False)

    message = f"CommandError: there is no archive folder {tmp_path / 'nowhere'}; name a folder with archive.toml\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)
    assert not (tmp_path / "out").exists()


def test_progress_is_shown_on_a_terminal(world: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    judge = command("evaluate_selectors", world, "--selectors", "stake", "--warmup-rounds", 30)

    done = subprocess.run(
        [*judge, "--out", str(tmp_path / "out")], env={**bare(tmp_path / "var"), "TERM": "xterm"}, stderr=theirs,
        stdout=subprocess.PIPE, check=False,
    )  # fmt: skip

    os.close(theirs)
    assert done.returncode == 0
    assert b"rounds weighed" in os.read(ours, 65536)


@pytest.mark.parametrize("name", ["score_predictions", "simulate_world", "evaluate_selectors", "make_archive"])
def test_help_shows_an_example_and_the_seed(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        command(name, "--help"), env=bare(tmp_path / "var"), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0
    assert f"Example: python manage.py {name} " in " ".join(done.stdout.split())
    assert "--seed" in done.stdout


def test_every_figure_of_every_selector_is_in_the_report(world: Path, tmp_path: Path) -> None:
    names = ",".join(LIGHT)

    call_command(
        "evaluate_selectors", str(world), selectors=names, warmup_rounds=20, out=tmp_path / "out", stdout=StringIO()
    )

    report = json.loads((tmp_path / "out/report.json").read_text())
    assert set(report["selectors"]) == set(LIGHT)
    assert all(set(figures) == FIGURES for figures in report["selectors"].values())
    assert 0 <= report["probability_of_backtest_overfitting"] <= 1
    assert set(report["attainable"]) >= {"equal", "informed_bayes", "regime_oracle"}
    assert "<svg" in (tmp_path / "out/report.html").read_text()


def test_an_archive_without_truth_has_no_share_of_a_gap(world: Path, tmp_path: Path) -> None:
    shutil.copytree(world, tmp_path / "real", ignore=shutil.ignore_patterns("truth"))

    call_command(
        "evaluate_selectors", str(tmp_path / "real"), selectors="ridge", warmup_rounds=20, out=tmp_path / "out",
        stdout=StringIO(),
    )  # fmt: skip

    report = json.loads((tmp_path / "out/report.json").read_text())
    assert "attainable" not in report
    assert set(report["selectors"]["ridge"]) == FIGURES - {"expected_corr", "gap_share", "gap_share_standard_error"}
    assert "attainable gap" not in (tmp_path / "out/report.html").read_text()


def test_trials_made_elsewhere_lower_the_deflated_sharpe(world: Path, tmp_path: Path) -> None:
    deflated = []
    for trials in (0, 500):
        out = tmp_path / str(trials)
        call_command(
            "evaluate_selectors", str(world), selectors="stake,ridge", warmup_rounds=15, trials=trials, out=out,
            stdout=StringIO(),
        )  # fmt: skip
        report = json.loads((out / "report.json").read_text())
        deflated.append(report["selectors"]["ridge"]["deflated_sharpe"])
        assert report["trials"] == 3 + trials

    assert deflated[1] < deflated[0]


def test_all_means_every_family(world: Path, tmp_path: Path) -> None:
    call_command("evaluate_selectors", str(world), warmup_rounds=38, out=tmp_path / "out", stdout=StringIO())

    assert {path.stem for path in (tmp_path / "out/weights").iterdir()} == set(NAMES)


def test_families_that_only_stood_in_are_named(world: Path, tmp_path: Path) -> None:
    told = StringIO()

    call_command(
        "evaluate_selectors", str(world), selectors="ridge,fforma,kernel,stake", warmup_rounds=20, out=tmp_path / "out",
        stdout=told,
    )  # fmt: skip

    assert json.loads((tmp_path / "out/report.json").read_text())["same_weights"] == [["ridge", "fforma", "kernel"]]
    for text in (told.getvalue(), (tmp_path / "out/report.html").read_text()):
        assert "one result and not 3: ridge, fforma, kernel." in text


def test_figures_that_do_not_exist_are_null(world: Path, tmp_path: Path) -> None:
    call_command(
        "evaluate_selectors", str(world), selectors="stake", warmup_rounds=38, out=tmp_path / "out", stdout=StringIO()
    )

    figures = json.loads((tmp_path / "out/report.json").read_text())
    assert figures["probability_of_backtest_overfitting"] is None
    assert figures["selectors"]["stake"]["deflated_sharpe"] is None


def test_one_scored_round_is_too_few(world: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="fewer than two rounds after the first 39"):
        call_command("evaluate_selectors", str(world), selectors="stake", warmup_rounds=39, out=tmp_path / "out")


def test_a_changed_future_leaves_the_written_weights_as_they_were(world: Path, tmp_path: Path) -> None:
    archive = read_archive(world)
    known = archive.resolves_at_R <= archive.opens_at_R[30]
    other = tmp_path / "other"
    call_command("simulate_world", **{**SMALL, "seed": 99}, out=other, stdout=StringIO())
    for row in range(40):
        name = f"{row + 1:05d}.parquet"
        if row <= 30:
            (other / "predictions" / name).write_bytes((world / "predictions" / name).read_bytes())
        if known[row]:
            (other / "targets" / name).write_bytes((world / "targets" / name).read_bytes())
    for table in ("context", "stakes"):
        ours, theirs = (pd.read_parquet(folder / f"{table}.parquet") for folder in (world, other))
        both = pd.concat([ours[ours["round"] <= 31], theirs[theirs["round"] > 31]])
        both.to_parquet(other / f"{table}.parquet", index=False)
    options = {"selectors": "trailing,greedy,fixed_share,jump,fforma", "warmup_rounds": 20, "stdout": StringIO()}

    call_command("evaluate_selectors", str(world), out=tmp_path / "before", **options)
    call_command("evaluate_selectors", str(other), out=tmp_path / "after", **options)

    for path in (tmp_path / "before/weights").iterdir():
        before, after = pd.read_parquet(path), pd.read_parquet(tmp_path / "after/weights" / path.name)
        pd.testing.assert_frame_equal(
            before[before["round"] <= 31], after[after["round"] <= 31], check_exact=True, obj=path.stem
        )


def test_an_unknown_selector_is_named_beside_every_other_fault(world: Path, tmp_path: Path) -> None:
    message = refusal(world, tmp_path / "out", selectors="ridge,oracle", warmup_rounds=40)

    assert message.startswith("2 faults:\n  - there is no selector 'oracle'; known: equal, stake,")
    assert "warm-up of 40 rounds in an archive of 40" in message


def test_a_bad_archive_is_refused_before_anything_is_written(world: Path, tmp_path: Path) -> None:
    assert "rounds.parquet is missing" in refusal(world / "truth", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_broken_truth_is_refused_before_anything_is_led(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(world, tmp_path / "spoiled")
    (tmp_path / "spoiled/truth/regimes.parquet").write_bytes(b"junk")
    monkeypatch.setattr("tournament.evaluation.study.walk_forward", lambda *_, **__: pytest.fail("led"))

    assert "truth/regimes.parquet cannot be read" in refusal(tmp_path / "spoiled", tmp_path / "out", warmup_rounds=20)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"out": "nowhere/gate.safetensors"}, "there is no folder"), ({"out": "."}, "a folder"),
        ({"out": "gate", "minutes": float("nan")}, "--minutes is nan"), ({"out": "gate", "steps": 0}, "--steps is 0"),
    ],
)  # fmt: skip
def test_a_pretraining_that_cannot_be_kept_is_refused_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], message: str
) -> None:
    monkeypatch.setattr("tournament.selectors.meta.pretraining.make_state", lambda *_: pytest.fail("begun"))

    with pytest.raises(CommandError, match=message) as caught:
        call_command("pretrain_selector", **{**options, "out": tmp_path / options["out"]})

    assert caught.value.returncode == 2


def test_results_are_never_written_over_files(world: Path) -> None:
    assert "already holds files" in refusal(world, world)
    with pytest.raises(CommandError, match="already holds files"):
        call_command("simulate_world", **SMALL, out=world)


def test_an_impossible_world_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"assets is 1; give 20 to 100000"):
        call_command("simulate_world", assets=1, out=tmp_path / "out")


@pytest.mark.parametrize("seed", ["-1", "x"])
def test_a_seed_that_is_none_is_refused(world: Path, tmp_path: Path, seed: str) -> None:
    with pytest.raises(CommandError, match="is no seed; give a whole number of 0 or more"):
        call_command("evaluate_selectors", str(world), f"--seed={seed}", f"--out={tmp_path / 'out'}")


def test_a_gpu_that_is_not_there_is_refused(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)

    message = refusal(world, tmp_path / "out", selectors="set_attention", device="cuda", warmup_rounds=20)

    assert message == "device is cuda, but torch finds no CUDA device; use auto or cpu"
