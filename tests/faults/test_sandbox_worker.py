"""A served site has a worker that tried to escape, and hands it what contributors hand in."""

import subprocess

import pytest
from django.utils import timezone

from regatta.hosting.intake import take_in
from regatta.hosting.models import HostedModel, HostedRun, SandboxReport
from regatta.submissions.models import ContributedModel, Submission
from tests.faults.test_supervisor import await_that
from tests.faults.test_supervisor import site as site
from tests.flows import seas
from tests.hosting import files, trees

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_file_is_checked_and_run_by_the_sandbox_worker(site: subprocess.Popen[str]) -> None:
    tournament = seas.make(rounds=4)
    seas.advance(tournament, seas.first(tournament).opens_at)
    model = ContributedModel.objects.select_related("tournament", "owner").get(name="kelpie")

    for data in (trees.TAMPERED["node is its own child"], files.trained_on(tournament)):
        take_in(model, data, filename="mine", by=model.owner, now=timezone.now())

    assert await_that(lambda: HostedRun.objects.filter(state="SUCCESS").exists())
    assert list(HostedModel.objects.order_by("number").values_list("state", flat=True)) == ["FAILED", "SUCCESS"]
    assert Submission.objects.get(model=model).status == "ACCEPTED"
    report = SandboxReport.objects.get()
    assert report.is_safe, report.escaped or report.reason
    assert report.worker.startswith("sandbox@")
