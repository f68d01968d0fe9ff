"""Every line of code that the docs show is run against the real site, as a newcomer would run it."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from django.test import Client

from regatta.environment import ROOT
from regatta.pages.guide import PAGES
from regatta.rounds.models import Tournament
from regatta.stakes.models import Entry
from regatta.submissions.models import Submission
from tests.client.conftest import Site
from tests.client.test_numerapi import sail
from tests.hosting.test_docs import WRITTEN

pytestmark = pytest.mark.slow
SHELL_PAGES = ("start", "points", "api")
PASSWORD = "fair-winds-and-following-seas"


@pytest.fixture(scope="module")
def round_is_open(site: Site) -> None:
    """The classic tournament stands in an open round, whatever was sailed before."""
    tournament = Tournament.objects.get(slug="classic")
    if not tournament.rounds.filter(status="OPEN").exists():
        sail(tournament, tournament.rounds.filter(status="SCHEDULED").earliest("opens_at").opens_at)


def blocks(site: Site, page: str) -> list[str]:
    """The lines of a page of the docs, block by block."""
    text = requests.get(f"{site.url}/docs/{page}/", timeout=10).text
    return [html.unescape(found) for found in re.findall(r"<pre[^>]*>(.*?)</pre>", text, flags=re.DOTALL)]


def sign_up(site: Site, username: str, model: str) -> None:
    """A contributor with a slot in the classic tournament and the password that the docs show."""
    rest, person = f"{site.url}/api/v1", {"username": username, "password": PASSWORD}
    requests.post(f"{rest}/accounts/", json=person | {"email": f"{username}@example.org"}, timeout=10)
    key = requests.post(f"{rest}/keys/", json=person, timeout=10).json()
    token = {"Authorization": f"Token {key['public_id']}${key['secret']}"}
    requests.post(f"{rest}/models/", json={"tournament": "classic", "name": model}, headers=token, timeout=10)


def python(lines: str, folder: Path, **surroundings: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", lines]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | surroundings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.django_db
def test_no_page_shows_lines_that_nothing_runs(client: Client) -> None:
    counts = {page: client.get(f"/docs/{page}/").content.decode().count("<pre") for page in PAGES}

    assert {page for page, count in counts.items() if count} == {*SHELL_PAGES, "client", "hosted", "files"}
    assert counts["hosted"] == len(WRITTEN), "run by tests/hosting/test_docs.py"
    assert counts["client"] == 6, "five are run by test_numerapi.py; the first installs what tests/kit/ builds"
    assert counts["files"] == 1, "an example of a file"


@pytest.mark.skipif(not shutil.which("curl"), reason="NO CURL: install it to run the lines of the first steps")
def test_the_first_steps_end_with_a_counted_submission_and_points_at_stake(
    site: Site, round_is_open: None, tmp_path: Path
) -> None:
    said = [block for page in SHELL_PAGES for block in blocks(site, page)]
    lines = [block for block in said if "numerapi" not in block and not block.startswith("{")]
    answer = next(json.loads(block) for block in said if block.startswith("{"))
    (tmp_path / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "python3").chmod(0o755)
    surroundings = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        ["bash", "-ec", "\necho\n".join(lines)], cwd=tmp_path, env=surroundings, capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    sent = Submission.objects.get(model__name="first_light")
    assert (sent.status, sent.model.owner.username, sent.source) == ("ACCEPTED", "newcomer", "api"), done.stdout
    moved = Entry.objects.filter(account__model=sent.model).values_list("amount", flat=True)
    assert [float(amount) for amount in moved.order_by("pk")] == [25.0, -10.0]
    told = [json.loads(line) for line in done.stdout.splitlines() if '"not_found"' in line]
    assert [{**one, "error": {**one["error"], "message": ""}} for one in told] == [
        {**answer, "error": {**answer["error"], "message": ""}}
    ]


def test_the_lines_for_numerapi_find_round_files_and_models(site: Site, round_is_open: None, tmp_path: Path) -> None:
    lines = next(block for block in blocks(site, "api") if "numerapi" in block)

    told = python(
        lines, tmp_path, NUMERAI_PUBLIC_ID=site.key["public_id"], NUMERAI_SECRET_KEY=site.key["secret"]
    )  # fmt: skip

    assert "adas_classic" in told
    assert "v1.0/train.parquet" in told


def test_the_readme_takes_part_by_plain_http(site: Site, round_is_open: None, tmp_path: Path) -> None:
    sign_up(site, "dora", "doras_boat")
    lines = next(
        block
        for block in re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
        if "import requests" in block
    )
    for shown, here in {
        "http://127.0.0.1:8000": site.url, '"amara"': '"dora"', "/simulated/": "/classic/",
        "kelpie_simulated": "doras_boat", "# requests.post": "print(requests.post",
    }.items():  # fmt: skip
        assert shown in lines, shown
        lines = lines.replace(shown, here)
    predict = (
        "import pandas\nlive = pandas.read_parquet(live)\nlive['prediction'] = live['momentum_12_1'].rank(pct=True)\n"
    )
    predict += "live[['id', 'prediction']].to_csv('mine.csv', index=False)"
    lines = re.sub(r"# \.\.\. predict.*", lambda _: predict, lines).rstrip().removesuffix(")") + "))"

    assert "'status': 'ACCEPTED'" in python(lines, tmp_path)
