"""The unmodified numerapi against the real site: every public method, and the README's daily loop.

The site's own rows are read and changed outside any transaction: other processes are to see the changes.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numerapi
import pytest
from django.utils import timezone

from regatta.environment import ROOT
from regatta.jobs.models import Job
from regatta.rounds.models import Round, Tournament
from regatta.rounds.operations import ask_advance
from regatta.scores.models import Score
from regatta.submissions.models import Submission
from tests.client.conftest import OLDER, Site
from tests.client.truths import CHECKS, DOCUMENTED, Truth

pytestmark = pytest.mark.slow

NUMBERS = {"NumerAPI": 8, "SignalsAPI": 11, "CryptoAPI": 12}
PAIRS = [
    (kind, name)
    for kind in NUMBERS
    for name, _ in inspect.getmembers(getattr(numerapi, kind), inspect.isfunction)
    if not name.startswith("_")
]
README_SITE = "http://127.0.0.1:8000/graphql/"
SECONDS = 60.0


@pytest.mark.django_db
def test_the_client_is_the_one_that_is_meant() -> None:
    assert importlib.metadata.version("numerapi") == "3.1.1"
    assert len(PAIRS) == 132


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_a_method_tells_the_truth(kind: str, name: str, driven: dict[str, Any]) -> None:
    hold(kind, name, driven)


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_a_method_of_the_older_client_tells_the_truth(kind: str, name: str, driven_by_older: dict[str, Any]) -> None:
    hold(kind, name, driven_by_older)


def test_the_older_client_is_another_one_and_has_no_method_more(driven_by_older: dict[str, Any]) -> None:
    methods = {name for name in driven_by_older if "." in name}

    assert driven_by_older["version"] == OLDER
    assert f"numerapi-{OLDER}" in driven_by_older["lies_in"]
    assert methods == {f"{kind}.{name}" for kind, name in PAIRS}


@pytest.mark.django_db
def test_the_loop_is_short() -> None:
    assert len([line for line in loop_of_the_readme().splitlines() if line]) < 15


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
    assert f"{score.corr:.6f}" in told
    assert "adas_classic" in told


def hold(kind: str, name: str, driven: dict[str, Any]) -> None:
    """The answer against the database, or the error against its documented words."""
    answers = {key.partition(".")[2]: answer for key, answer in driven.items() if key.startswith(f"{kind}.")}
    if name in DOCUMENTED:
        assert answers[name].get("error", "").startswith(f"ValueError: {DOCUMENTED[name]}")
    else:
        assert "value" in answers[name], answers[name]
        CHECKS[name](answers[name]["value"], Truth(NUMBERS[kind], answers))


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
