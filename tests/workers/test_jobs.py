"""The Job row promises: claimed once, fenced, swept, done once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction

from regatta.jobs import flow
from regatta.jobs.models import Job
from tournament.errors import BadPredictions
from workers import running
from workers.handlers import HANDLERS

NOW = datetime(2026, 1, 5, 18, tzinfo=UTC)
LATER = NOW + flow.LEASE + timedelta(seconds=1)
pytestmark = pytest.mark.django_db


def promise(**fields: object) -> Job:
    return Job.objects.create(kind="canary", queue="io", payload={"text": "tweet"}, created_at=NOW, **fields)


def take(now: datetime = NOW, worker: str = "first") -> Job:
    job = flow.claim("io", worker, now=now)
    assert job is not None
    return job


def test_a_claimed_job_is_not_claimed_again() -> None:
    promise()

    assert flow.claim("io", "first", now=NOW) is not None
    assert flow.claim("io", "second", now=NOW) is None


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_claim_two_jobs() -> None:
    promise()
    promise()
    rival = connections.create_connection("default")

    with transaction.atomic():
        mine = flow.claim("io", "first", now=NOW)
        with rival.cursor() as cursor:
            cursor.execute("SELECT id FROM jobs_job WHERE state = 'QUEUED' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED")
            theirs = cursor.fetchone()[0]
    rival.close()

    assert mine is not None
    assert mine.pk != theirs


@pytest.mark.django_db(transaction=True)
def test_a_job_that_another_transaction_holds_is_skipped_not_awaited() -> None:
    promise()
    rival = connections.create_connection("default")
    rival.set_autocommit(False)
    with rival.cursor() as cursor:
        cursor.execute("SELECT id FROM jobs_job FOR UPDATE")

    claimed = flow.claim("io", "second", now=NOW)
    rival.rollback()
    rival.close()

    assert claimed is None


def test_jobs_of_another_queue_are_left_alone() -> None:
    promise()

    assert flow.claim("gpu", "first", now=NOW) is None


def test_a_job_whose_lease_ended_is_taken_over() -> None:
    promise()
    first = take()

    second = take(LATER, "second")

    assert second.pk == first.pk
    assert second.attempt == 2


def test_a_worker_that_lost_its_lease_cannot_finish() -> None:
    promise()
    lost = take()
    current = take(LATER, "second")

    assert flow.finish(lost, {"who": "first"}, now=LATER) is False
    assert flow.finish(current, {"who": "second"}, now=LATER) is True
    assert Job.objects.get().result == {"who": "second"}


def test_finishing_twice_has_one_effect() -> None:
    promise()
    job = take()

    assert flow.finish(job, {"n": 1}, now=NOW) is True
    assert flow.finish(job, {"n": 2}, now=NOW) is False
    assert Job.objects.get().result == {"n": 1}


def test_a_heartbeat_keeps_the_lease() -> None:
    promise()
    job = take()

    flow.heartbeat(job, now=LATER - timedelta(seconds=2))

    assert flow.claim("io", "second", now=LATER) is None


def test_a_worker_that_lost_its_lease_has_no_heartbeat() -> None:
    promise()
    lost = take()
    take(LATER, "second")

    assert flow.heartbeat(lost, now=LATER) is False


def test_the_sweep_requeues_what_lost_its_worker() -> None:
    promise()
    take()

    assert flow.sweep(now=LATER) == ["io"]
    assert Job.objects.get().state == Job.State.QUEUED


def test_the_sweep_leaves_living_jobs_alone() -> None:
    promise()
    take()

    assert flow.sweep(now=NOW) == []
    assert Job.objects.get().state == Job.State.RUNNING


def test_a_poison_job_ends_as_the_platforms_fault() -> None:
    promise(max_attempts=1)
    take()

    flow.sweep(now=LATER)

    job = Job.objects.get()
    assert (job.state, job.fault) == (Job.State.FAILED, Job.Fault.PLATFORM)


def test_a_job_that_waited_past_its_deadline_fails() -> None:
    promise(deadline_at=NOW)

    flow.sweep(now=LATER)

    assert Job.objects.get().state == Job.State.FAILED


def test_the_same_key_promises_once() -> None:
    first = flow.enqueue("canary", "io", {"n": 1}, now=NOW, key="round 7: seal")
    second = flow.enqueue("canary", "io", {"n": 2}, now=NOW, key="round 7: seal")

    assert first.pk == second.pk
    assert Job.objects.get().payload == {"n": 1}


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_only_after_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(flow, "wake", rung.append)

    with transaction.atomic():
        flow.enqueue("canary", "io", {}, now=NOW)
        before = list(rung)

    assert before == []
    assert rung == ["io"]


def test_a_job_runs_to_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    promise()

    running.run_job(take())

    job = Job.objects.get()
    assert job.state == Job.State.DONE
    assert job.result["text"] == "tweet"


def test_what_the_tournament_refuses_is_the_users_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(payload: dict[str, object]) -> None:
        raise BadPredictions("12 ids are missing")

    monkeypatch.setitem(HANDLERS, "canary", refuse)
    promise()

    running.run_job(take())

    job = Job.objects.get()
    assert (job.state, job.fault, job.reason) == (Job.State.FAILED, Job.Fault.USER, "12 ids are missing")


def test_a_crash_is_tried_again_until_the_attempts_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(payload: dict[str, object]) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(HANDLERS, "canary", crash)
    promise(max_attempts=2)

    ran = flow.run_all("io", "first", running.run_job, clock=lambda: NOW)

    job = Job.objects.get()
    assert ran == 2
    assert (job.state, job.fault) == (Job.State.FAILED, Job.Fault.PLATFORM)
    assert "ZeroDivisionError" in job.detail


def test_an_unknown_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Job.objects.create(kind="juggle", queue="io", max_attempts=1)

    running.run_job(take())

    assert "juggle" in Job.objects.get().detail


@pytest.mark.django_db(transaction=True)
def test_a_running_job_keeps_its_lease_from_a_thread() -> None:
    promise()
    job = take()
    start = Job.objects.get().lease_until

    with running.beating(job, seconds=0.01):
        prolonged = _wait_for_another_lease(start)

    assert prolonged
    assert connection.is_usable()


def _wait_for_another_lease(start: datetime | None) -> bool:
    """Poll the row (the beat comes from another connection) for at most some thousand looks."""
    return any(Job.objects.get().lease_until != start for _ in range(5000))
