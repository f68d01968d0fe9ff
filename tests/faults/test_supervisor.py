"""The whole family of processes: killed children come back, and no promised job is lost."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from regatta.environment import ROOT
from regatta.jobs import flow
from regatta.jobs.models import Job

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def await_that(holds: Callable[[], object], seconds: float = 60.0) -> bool:
    """Whether it came to hold in time; the other processes have no event to wait on, so it is polled."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def site(process_environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """`manage.py serve` on the test's database, ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=process_environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "Serving on" in process.stdout.readline()
    yield process
    process.send_signal(signal.SIGINT)
    process.wait(60)


def children(parent: int) -> dict[int, str]:
    """Process id to command line of a process' living children."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(status[1]) == parent and status[0] != "Z":
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, IndexError):
            continue
    return found


def child(parent: int, mark: str) -> int:
    return next((pid for pid, command in children(parent).items() if mark in command), 0)


def test_killed_children_come_back_and_their_jobs_are_done(site: subprocess.Popen[str]) -> None:
    web, worker = child(site.pid, "granian"), child(site.pid, "io,score")

    os.kill(web, signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
    job = flow.enqueue("canary", "io", {"text": "still here"}, now=timezone.now())

    assert await_that(lambda: child(site.pid, "granian") not in (0, web))
    assert await_that(lambda: child(site.pid, "io,score") not in (0, worker))
    assert await_that(lambda: Job.objects.get(pk=job.pk).state == Job.State.DONE)


def test_an_interrupt_stops_every_child(site: subprocess.Popen[str]) -> None:
    family = children(site.pid)

    site.send_signal(signal.SIGINT)
    code = site.wait(60)

    assert code == 0
    assert len(family) == 5
    assert await_that(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), seconds=5)


def test_a_second_site_of_the_same_folder_is_refused(
    site: subprocess.Popen[str], process_environment: dict[str, str]
) -> None:
    command = [sys.executable, "manage.py", "serve", "--port", "1"]

    second = subprocess.run(command, cwd=ROOT, env=process_environment, capture_output=True, text=True, check=False)

    assert second.returncode != 0
    assert str(settings.REGATTA_VAR) in second.stderr
