"""A training whose worker is killed with -9 is gone on with by another worker, to the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from regatta import artifacts
from regatta.ensemble.history import history
from regatta.ensemble.models import SelectorVersion, TrainingProgress
from regatta.environment import ROOT
from regatta.jobs import flow
from regatta.jobs.models import Job
from regatta.rounds.models import Tournament
from tests.flows import seas
from tournament.selectors.protocol import Budget
from tournament.selectors.registry import make
from workers import meta_training
from workers.progress import KeptProgress, forget_before

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

FAMILY = "set_attention"
ROUNDS = 48


def await_that(holds: Callable[[], object], seconds: float = 120.0) -> bool:
    """Whether it came to hold in time; the worker has no event to wait on, so it is polled."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def tournament() -> Tournament:
    """With enough resolved rounds for the networks, none trained yet."""
    made = seas.make(seas.prices(weeks=60), rounds=ROUNDS + 1, warmup_rounds=1000)
    seas.sail(made, ROUNDS)
    return made


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of queue gpu with the work waiting for it; killed at the end."""
    command = [sys.executable, "-m", "celery", "-A", "workers", "worker", "-Q", "gpu", "--pool", "solo", "-l", "ERROR"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        flow.wake("gpu")
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_training_goes_on_after_its_worker_was_killed(
    tournament: Tournament, process_environment: dict[str, str]
) -> None:
    now = tournament.now()
    payload = {"tournament": "seas", "through": ROUNDS, "now": now.isoformat()}
    job = flow.enqueue("train_selectors", "gpu", payload, now=timezone.now())

    with worker(process_environment) as first:
        assert await_that(TrainingProgress.objects.filter(family=FAMILY).exists)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    left = TrainingProgress.objects.get()
    assert not SelectorVersion.objects.filter(family=FAMILY).exists()
    assert artifacts.exists(left.state_sha256)

    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert flow.sweep(now=timezone.now()) == ["gpu"]
    with worker(process_environment):
        done = Job.objects.filter(pk=job.pk, state=Job.State.DONE)
        # a message may go down with the first worker; the sweep rings for waiting work every ten seconds
        assert any(await_that(done.exists, 10.0) or flow.wake("gpu") for _ in range(18))

    version = SelectorVersion.objects.get(family=FAMILY)
    undisturbed = make(FAMILY).meta_train([history(tournament, now)], Budget(seed=meta_training.SEED))
    assert version.config["resumed"] is True
    marked = replace(undisturbed, data=version.config["data"])
    assert artifacts.get(version.state_sha256) == marked.to_bytes()
    assert not TrainingProgress.objects.exists()
    assert not artifacts.exists(left.state_sha256)


def test_progress_is_replaced_and_let_go_of_when_the_training_has_ended() -> None:
    tournament = Tournament.objects.create(slug="pool", name="Pool", market="simulated")
    kept = KeptProgress(tournament, FAMILY, 7, "what it sees")

    kept.save(b"the first check")
    kept.save(b"the second check")
    found = KeptProgress(tournament, FAMILY, 7, "what it sees").load()
    name = TrainingProgress.objects.get().state_sha256
    kept.forget()

    assert found == b"the second check"
    assert not TrainingProgress.objects.exists()
    assert not artifacts.exists(name)


def test_progress_made_on_other_data_is_not_gone_on_from() -> None:
    tournament = Tournament.objects.create(slug="pool", name="Pool", market="simulated")
    KeptProgress(tournament, FAMILY, 7, "what it saw").save(b"some check")

    later = KeptProgress(tournament, FAMILY, 7, "what it sees now")

    assert later.load() is None
    assert not later.resumed


def test_a_training_does_not_fail_because_its_progress_cannot_be_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    tournament = Tournament.objects.create(slug="pool", name="Pool", market="simulated")
    kept = KeptProgress(tournament, FAMILY, 7, "what it sees")
    kept.save(b"the first check")

    with monkeypatch.context() as patch:
        patch.setattr(settings, "STORAGE_URL", "file:///proc/no/such/place")
        kept.save(b"the second check")

    assert kept.load() == b"the first check"


def test_what_a_training_that_was_given_up_left_is_removed_by_the_next() -> None:
    tournament = Tournament.objects.create(slug="pool", name="Pool", market="simulated")
    for through in (7, 9):
        KeptProgress(tournament, FAMILY, through, "data").save(f"checks through {through}".encode())
    names = dict(TrainingProgress.objects.values_list("trained_through", "state_sha256"))

    forget_before(tournament, 9)

    assert TrainingProgress.objects.get().trained_through == 9
    assert [artifacts.exists(names[through]) for through in (7, 9)] == [False, True]
