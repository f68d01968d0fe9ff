"""The sandbox holds: nothing gets out, the clock is watched, and whose fault an end was is told right."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.hosting import graphs
from tournament.errors import BadModel
from workers import tasks
from workers.sandbox import child, landlock, room, seccomp, verdict
from workers.sandbox.limits import Limits, SandboxFault
from workers.sandbox.runner import SETTINGS, End, judge, of_rounds, run
from workers.sandbox.verdict import Verdict

FREE = """
import json, os, sys
from workers.sandbox import escape
out = os.open("values", os.O_WRONLY | os.O_CREAT, 0o600)
print(json.dumps(escape.attempt(json.loads(sys.argv[1]), out)))
"""


def test_no_attempt_to_escape_succeeds() -> None:
    found = verdict.try_to_escape()

    assert found.escaped == ()
    assert len(found.tried) >= 18
    assert found.is_safe
    assert "seccomp" in found.level


@pytest.mark.skipif(not shutil.which("bwrap"), reason="NO BUBBLEWRAP: install it to test the sandbox within its room")
def test_bubblewrap_is_used_where_it_works() -> None:
    found = verdict.try_to_escape()

    assert found.is_safe, found
    assert found.level.startswith("bubblewrap")
    assert len(run(graphs.GOOD, of_rounds(np.zeros((10, 5)), list("abcde"))).values) == 10


def test_bubblewrap_that_does_not_work_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that forbids namespaces."""
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    room._works.cache_clear()

    command = room.enclosed(["program"], tmp_path, {})

    room._works.cache_clear()
    assert command == ["program"]


def test_every_attempt_succeeds_where_nothing_holds_it(tmp_path: Path) -> None:
    """Without this, attempts that can only fail would call any sandbox safe."""
    secret = tmp_path / "secret"
    secret.write_text("found")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        given = {"secret": str(secret), "port": listening.getsockname()[1], "forks": 20, "bytes": 2_000_000,
                 "memory": 50_000_000}  # fmt: skip
        # a shell between: the attempts trace and signal their parent
        command = ["sh", "-c", '"$@"; true', "sh", sys.executable, "-c", FREE, json.dumps(given)]
        done = subprocess.run(
            command, cwd=tmp_path, env=SETTINGS, stdin=listening, capture_output=True, text=True, check=True
        )  # fmt: skip

    told = json.loads(done.stdout)
    assert set(told["tried"]) - set(told["escaped"]) <= {"trace its parent"}


def test_a_kernel_without_landlock_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)

    with pytest.raises(SandboxFault, match=r"Linux 5\.13"):
        landlock.confine()


def test_a_machine_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "vax")

    with pytest.raises(SandboxFault, match="vax"):
        seccomp.machine()


def test_what_cannot_be_tried_is_not_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Verdict:
        raise SandboxFault("this kernel offers no Landlock")

    monkeypatch.setattr(verdict, "try_to_escape", refuse)
    verdict.verdict.cache_clear()

    found = verdict.verdict()

    verdict.verdict.cache_clear()
    assert not found.is_safe
    assert found.reason == "this kernel offers no Landlock"


@pytest.mark.parametrize(
    ("found", "ran"),
    [
        (Verdict("Landlock 7, seccomp", ("a", "b")), ["sandbox"]),
        (Verdict("Landlock 7, seccomp", ("a", "b"), ("a",)), []),
        (Verdict("none", reason="no Landlock"), []),
        (Verdict("none"), []),
    ],
)
def test_only_a_safe_worker_takes_untrusted_jobs(
    monkeypatch: pytest.MonkeyPatch, found: Verdict, ran: list[str]
) -> None:
    taken: list[str] = []
    monkeypatch.setattr(tasks, "verdict", lambda: found)
    monkeypatch.setattr(tasks.flow, "run_all", lambda queue, *_, **__: taken.append(queue))

    tasks.run_jobs("sandbox")

    assert taken == ran


def test_other_queues_need_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    monkeypatch.setattr(tasks, "verdict", lambda: Verdict("none"))
    monkeypatch.setattr(tasks.flow, "run_all", lambda queue, *_, **__: taken.append(queue))

    tasks.run_jobs("score")

    assert taken == ["score"]


def test_a_model_gets_no_more_memory_than_it_may_have() -> None:
    wide = graphs.data([graphs.node("Expand", "b s", "z"), graphs.node("ReduceSum", "z", "r", keepdims=0),
                        graphs.node("Gemm", "x w r")],
                       [graphs.WEIGHT, graphs.BIAS, graphs.tensor("s", [1_000_000_000], np.int64)])  # fmt: skip

    with pytest.raises(BadModel, match=r"memory|alloc"):
        run(wide, of_rounds(np.zeros((10, 5)), list("abcde")), Limits(memory_bytes=1_500_000_000))


def test_nothing_of_a_run_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    run(graphs.GOOD, of_rounds(np.zeros((10, 5)), list("abcde")))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("end", "fault", "said"),
    [
        (End(-11, 0.3, 0.2), BadModel, "crashed its library"),
        (End(-6, 0.3, 0.2), BadModel, "crashed its library"),
        (End(-24, 60.0, 60.0), BadModel, "used up its CPU time"),
        (End(None, 120.0, 110.0), BadModel, "did not end within 120 s"),
        (End(None, 120.0, 3.0), SandboxFault, "too busy"),
        (End(-9, 1.0, 0.5), SandboxFault, "ended by -9"),
        (End(1, 1.0, 0.5), SandboxFault, "no space left"),
        (End(0, 1.0, 0.5), SandboxFault, "said nothing"),
    ],
)
def test_whose_fault_an_end_was(tmp_path: Path, end: End, fault: type[Exception], said: str) -> None:
    (tmp_path / "error").write_text("no space left")

    with pytest.raises(fault, match=said):
        judge(tmp_path, end, Limits())


@pytest.mark.parametrize("text", ["", "[]", "7", '{"a": ', "\x00\x01", "{" * 70_000])
def test_what_cannot_be_read_is_not_believed(tmp_path: Path, text: str) -> None:
    (tmp_path / child.SAID).write_text(text)

    with pytest.raises(SandboxFault, match="said nothing that can be read"):
        judge(tmp_path, End(0, 1.0, 0.5), Limits())
