"""A fork server saves the loading of libraries and nothing of what holds a model."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.hosting import files, graphs, trees, weights
from tournament.errors import BadModel
from tournament.hosted.formats import Format
from workers.sandbox import forking
from workers.sandbox.forking import ForkServer
from workers.sandbox.limits import Limits, SandboxFault
from workers.sandbox.runner import of_rounds, run

FEATURES, _ = files.drawn(200)
WORK = of_rounds(FEATURES, ("Column_0", "Column_1", "Column_2", "Column_3", "Column_4"))


@pytest.fixture
def onnx() -> Iterator[ForkServer]:
    server = ForkServer(Format.ONNX)
    yield server
    server.stop()


def process_of(server: ForkServer) -> int:
    assert server._process is not None
    return server._process.pid


@pytest.mark.parametrize(
    ("form", "data"),
    [
        (Format.LIGHTGBM, files.booster(*files.drawn(300)).model_to_string().encode()),
        (Format.ONNX, graphs.network([5, 16, 8, 1])),
        (Format.SAFETENSORS, weights.GOOD),
    ],
)
def test_a_forked_child_answers_what_a_fresh_one_does(form: Format, data: bytes) -> None:
    server = ForkServer(form)

    forked = [run(data, WORK, start=server.start) for _ in range(2)]
    server.stop()

    fresh = run(data, WORK)
    assert {answer.values.tobytes() for answer in forked} == {fresh.values.tobytes()}
    assert {answer.level for answer in forked} == {fresh.level}


def test_models_of_others_leave_nothing_behind(onnx: ForkServer) -> None:
    first = run(graphs.GOOD, WORK, start=onnx.start)
    server = process_of(onnx)

    for name in ("an endless loop", "a bomb of memory", "data up the path"):
        with pytest.raises(BadModel):
            run(graphs.TAMPERED[name], WORK, start=onnx.start)

    assert run(graphs.GOOD, WORK, start=onnx.start).values.tobytes() == first.values.tobytes()
    assert process_of(onnx) == server, "the server forked all of them"
    assert len(os.listdir(f"/proc/{server}/fd")) <= 5, "it keeps no file of a job open"


def test_a_model_that_never_ends_is_ended_within_its_limits(onnx: ForkServer) -> None:
    with pytest.raises(BadModel, match="used up its CPU time"):
        run(graphs.slow(), WORK, Limits(cpu_seconds=1, wall_seconds=60.0), start=onnx.start)

    with pytest.raises((BadModel, SandboxFault), match=r"did not end within|too busy"):
        run(graphs.slow(), WORK, Limits(wall_seconds=0.5), start=onnx.start)

    assert run(graphs.GOOD, WORK, start=onnx.start).values.size == len(FEATURES)


def test_a_killed_server_is_started_again(onnx: ForkServer) -> None:
    run(graphs.GOOD, WORK, start=onnx.start)
    killed = process_of(onnx)
    os.kill(killed, signal.SIGKILL)
    os.waitid(os.P_PID, killed, os.WEXITED | os.WNOWAIT)

    run(graphs.GOOD, WORK, start=onnx.start)

    assert process_of(onnx) != killed


def test_a_server_is_renewed_after_many_runs(onnx: ForkServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forking, "RUNS", 1)
    run(graphs.GOOD, WORK, start=onnx.start)
    first = process_of(onnx)

    run(graphs.GOOD, WORK, start=onnx.start)

    assert process_of(onnx) != first


def test_a_server_that_cannot_start_is_the_platforms_fault(
    onnx: ForkServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(forking.SETTINGS, "PYTHONPATH", str(tmp_path))

    with pytest.raises(SandboxFault, match=r"did not start.*No module named"):
        run(graphs.GOOD, WORK, start=onnx.start)


def test_what_is_no_model_of_the_format_is_refused_by_the_child(onnx: ForkServer) -> None:
    with pytest.raises(BadModel):
        run(trees.TAMPERED["node is its own child"], WORK, start=onnx.start)

    assert np.isfinite(run(graphs.GOOD, WORK, start=onnx.start).values).all()
