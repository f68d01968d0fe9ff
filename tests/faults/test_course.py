"""The whole demonstration, cut short: every process of it killed once, and nothing lost by it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regatta.environment import ROOT

pytestmark = pytest.mark.slow

ROUNDS = 9
SECONDS = 900
DUMP = """
import json
from django.db.models import Sum
from regatta.ensemble.models import RoundWeights
from regatta.portfolios.models import NavPoint
from regatta.rounds.models import Round
from regatta.scores.models import Score
from regatta.stakes.models import Entry
of = ("round__tournament__slug", "round__number")
tables = (
    Score.objects.values_list(*of, "model__name", "day", "is_final", "corr", "mmc", "bmc", "fnc"),
    Round.objects.values_list("tournament__slug", "number", "status", "panel_sha256", "target_sha256"),
    RoundWeights.objects.values_list(*of, "family", "weights"),
    Entry.objects.values_list("account__kind", "account__owner__username", "account__model__name").annotate(
        Sum("amount")
    ),
    NavPoint.objects.values_list(*of, "date", "nav"),
)
print("DUMP" + json.dumps([sorted(map(list, rows), key=str) for rows in tables], default=str))
"""


def environment(var: Path) -> dict[str, str]:
    """An embedded course of its own folder."""
    dropped = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "STORAGE_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | {"REGATTA_VAR": str(var), "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}


def family(var: Path) -> dict[int, str]:
    """Process id to command line of every living process of a course."""
    mark, found = f"REGATTA_VAR={var}".encode(), {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            # a server that renames itself may have lost its environment, but it lives in the course's folder
            inside = (folder / "cwd").readlink().is_relative_to(var)
            if inside or mark in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = command
        except OSError:
            continue
    return found


def run_course(var: Path, disturb: Callable[[int, threading.Event], None] | None = None) -> Any:
    """Run a short course to its end, dump what it left, and stop its servers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    demo = [sys.executable, "manage.py", "demo", "--exit", "--id-key", "same"]
    command = [*demo, "--port", str(port), "--rounds", str(ROUNDS)]
    ended = threading.Event()
    course = subprocess.Popen(
        command, cwd=ROOT, env=environment(var), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )  # fmt: skip
    trouble = threading.Thread(target=disturb, args=(course.pid, ended)) if disturb else None
    if trouble:
        trouble.start()
    try:
        told, _ = course.communicate(timeout=SECONDS)
        assert course.returncode == 0, told
        shell = [sys.executable, "manage.py", "shell", "-c", DUMP]
        dump = subprocess.run(shell, cwd=ROOT, env=environment(var), capture_output=True, text=True, timeout=120)
        assert dump.returncode == 0, dump.stderr
        return json.loads(dump.stdout.partition("DUMP")[2])
    finally:
        ended.set()
        if trouble:
            trouble.join()
        for pid in family(var):
            os.kill(pid, signal.SIGKILL)


def kind_of(command: str) -> str:
    """Which of the course's processes it is; empty for what is not killed (its shells and the course itself)."""
    kinds = {
        "replay simulated": "replay", "contributors.fleet": "fleet", "granian": "web", "celery": "celery",
        "redis-server": "redis", "postgres": "postgres",
    }  # fmt: skip
    return next((kind for mark, kind in kinds.items() if mark in command), "")


def test_killing_every_process_once_changes_no_score(tmp_path: Path) -> None:
    killed: dict[str, int] = {}

    def kill_each_in_turn(course: int, ended: threading.Event) -> None:
        while not ended.wait(4.0):
            for pid, command in sorted(family(tmp_path / "troubled").items()):
                kind = kind_of(command)
                under_way = (tmp_path / "troubled/log/replay-simulated.log").exists()
                if pid != course and kind and kind not in killed and under_way:
                    os.kill(pid, signal.SIGKILL)
                    killed[kind] = pid
                    break

    calm = run_course(tmp_path / "calm")
    troubled = run_course(tmp_path / "troubled", kill_each_in_turn)

    assert set(killed) == {"replay", "fleet", "web", "celery", "redis", "postgres"}
    assert any(row[5] is not None for row in calm[0])
    for ours, theirs in zip(calm, troubled, strict=True):
        assert [row for row in theirs if row not in ours] == []
        assert [row for row in ours if row not in theirs] == []
        assert len(ours) == len(theirs)
