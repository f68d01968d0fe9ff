"""The unmodified numerapi against the real site: every public method, and the README's daily loop.

The site's own rows are read and changed outside any transaction: other processes are to see the changes.
"""

from __future__ import annotations

import html
import importlib.metadata
import inspect
import json
import os
import re
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numerapi
import pytest
import requests
from django.utils import timezone

from regatta.environment import ROOT
from regatta.hosting.models import HostedModel
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
    sail(round.tournament, round.resolves_at)
    told = run(site, tmp_path)

    score = Score.objects.get(model=sent.model, round=round, is_final=True)
    assert (sent.status, sent.source, sent.rows) == ("ACCEPTED", "numerapi", round.universe_size)
    assert f"{score.corr:.6f}" in told or f"{score.corr:.6e}" in told  # pandas picks the form by the column
    assert "adas_classic" in told


def test_the_starter_notebook_ends_with_a_submission_and_a_hosted_model(notebook: Path) -> None:
    round = Round.objects.get(tournament__slug="classic", status="OPEN")
    sent = Submission.objects.filter(model__name="adas_classic", round=round, source="numerapi").latest("pk")

    assert (sent.status, sent.filename) == ("ACCEPTED", "mine.csv")
    assert HostedModel.objects.filter(model=sent.model, filename="mine.txt").exists()


def test_the_lines_of_the_docs_do_as_they_say(site: Site, notebook: Path) -> None:
    page = requests.get(f"{site.url}/docs/client/", timeout=10).text
    lines = re.findall(r'<pre tabindex="0" data-lines="(python|shell)">(.*?)</pre>', page, flags=re.DOTALL)

    said = [run_lines(site, notebook, kind, html.unescape(text)) for kind, text in lines]

    assert len(said) == 5
    assert "adas_classic" in said[0]
    assert all("Good" in text or '"good": true' in text for text in (*said[1:3], said[4]))


@pytest.fixture(scope="module")
def notebook(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the starter notebook's cells were run, one after the other, in the next open round."""
    folder = tmp_path_factory.mktemp("notebook")
    tournament = Tournament.objects.get(slug="classic")
    sail(tournament, tournament.rounds.filter(status="SCHEDULED").earliest("opens_at").opens_at)
    cells = json.loads((ROOT / "platform/regatta/static/regatta/starter.ipynb").read_text())["cells"]
    run_lines(
        site, folder, "python", "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    )
    return folder


def run_lines(site: Site, folder: Path, kind: str, text: str) -> str:
    """What lines print that a contributor runs in a folder, with the kit and nothing but an address and a key."""
    program = folder / "bin" / "regatta"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m regatta_client "$@"\n')
    program.chmod(0o755)
    environment = {
        "NUMERAI_PUBLIC_ID": site.key["public_id"], "NUMERAI_SECRET_KEY": site.key["secret"], "REGATTA_URL": site.url,
        "PYTHONPATH": f"{ROOT / 'client' / 'src'}:{ROOT}", "PATH": f"{program.parent}:{os.environ['PATH']}",
    }  # fmt: skip
    command = [sys.executable, "-W", "ignore", "-c", text] if kind == "python" else ["sh", "-ec", text]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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


def sail(tournament: Tournament, at: datetime) -> None:
    """Set the replay's clock and let a worker do all that became due."""
    Tournament.objects.filter(pk=tournament.pk).update(clock_at=at)
    job = ask_advance(tournament, timezone.now())
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        job.refresh_from_db()
        if job.state in (Job.State.DONE, Job.State.FAILED):
            break
        time.sleep(0.2)
    assert job.state == Job.State.DONE, (job.state, job.detail)
