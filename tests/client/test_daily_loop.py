"""The loop of the README, as it stands there: round open? download, train, upload; then scores and board."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from regatta.environment import ROOT
from regatta.jobs.models import Job
from regatta.rounds.models import Round, Tournament
from regatta.rounds.operations import ask_advance
from regatta.scores.models import Score
from regatta.submissions.models import Submission
from tests.client.conftest import Site

pytestmark = pytest.mark.slow
README_SITE = "http://127.0.0.1:8000/graphql/"
SECONDS = 60.0


def loop_of_the_readme() -> str:
    """The block of README that speaks of numerapi."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    return next(block for block in blocks if "numerapi" in block)


def run(site: Site, folder: Path) -> str:
    """What the loop prints, run by a contributor with nothing but an address and a key."""
    script = loop_of_the_readme()
    assert README_SITE in script
    keys = {"NUMERAI_PUBLIC_ID": site.key["public_id"], "NUMERAI_SECRET_KEY": site.key["secret"]}
    command = [sys.executable, "-W", "ignore", "-c", script.replace(README_SITE, site.graphql)]
    done = subprocess.run(command, cwd=folder, env=os.environ | keys, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sail_until_resolved(round: Round) -> None:
    """Set the replay's clock to the resolution and let a worker do all that became due."""
    Tournament.objects.filter(pk=round.tournament_id).update(clock_at=round.resolves_at)
    job = ask_advance(round.tournament, timezone.now())
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        job.refresh_from_db()
        if job.state in (Job.State.DONE, Job.State.FAILED):
            break
        time.sleep(0.2)
    assert job.state == Job.State.DONE, (job.state, job.detail)


@pytest.mark.django_db
def test_the_loop_is_short() -> None:
    assert len(loop_of_the_readme().splitlines()) < 15


def test_the_loop_ends_with_a_score_on_the_board(
    site: Site, driven: dict[str, Any], driven_by_older: dict[str, Any], tmp_path: Path
) -> None:
    round = Round.objects.select_related("tournament").get(tournament__slug="classic", status="OPEN")

    run(site, tmp_path)
    sent = Submission.objects.filter(model__name="adas_classic", round=round).latest("pk")
    sail_until_resolved(round)
    told = run(site, tmp_path)

    score = Score.objects.get(model=sent.model, round=round, is_final=True)
    assert (sent.status, sent.source, sent.rows) == ("ACCEPTED", "numerapi", round.universe_size)
    assert f"round {round.number}: corr {score.corr:+.4f}" in told
    assert "adas_classic" in told
