"""What a contributor is told, in a real browser: duplicates, the inbox and its choices, webhooks and their log."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import Browser, expect

from regatta.jobs import flow
from regatta.notifications.models import Event
from regatta.notifications.telling import announce
from regatta.rounds.models import Tournament
from tests.browser.test_pages_as_seen import DESK, PHONE, Visit, overflow, violations
from tests.flows import seas
from tests.web.conftest import SAILED
from workers.running import run_job

pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]
PICTURES = os.environ.get("PICTURES")
OWN = ("kelpie", "kelpie_two")


def work(tournament: Tournament) -> None:
    """Tell of the open round in a thread: what this test's own transaction holds, the site does not see."""

    def run() -> None:
        announce(tournament.rounds.get(number=SAILED + 1), Event.OPENED)
        flow.run_all("io", "this process", run_job, clock=tournament.now)
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def seen(visit: Visit, name: str) -> None:
    """The page as it is now is whole."""
    if PICTURES:
        width = visit.page.evaluate("window.innerWidth")
        visit.page.screenshot(path=f"{PICTURES}/{name}-{width}.png", full_page=True)
    assert overflow(visit.page) <= 0, name
    assert violations(visit.page) == [], name
    assert visit.complaints == [], name


def send(visit: Visit, model: str, file: Path) -> None:
    page = visit.open(f"/submit/?model={model}")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Send and check").click()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_contributor_is_told(
    chromium: Browser, site: str, sailed: Tournament, tmp_path: Path, size: dict[str, int]
) -> None:
    good, bad = tmp_path / "mine.csv", tmp_path / "bad.csv"
    good.write_text(seas.predictions("kelpie", sailed.rounds.get(number=SAILED + 1)).to_csv(index=False))
    bad.write_text("id,prediction\nx,2\n")
    context = chromium.new_context(viewport=size)  # type: ignore[arg-type]
    visit = Visit(context.new_page(), site)
    page = visit.open("/accounts/login/")
    page.get_by_label("Username").fill("owner_of_kelpie")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Log in").click()

    for name in OWN:
        send(visit, name, good)
    expect(page.get_by_text("almost as kelpie_two does")).to_be_visible()
    seen(visit, "alike")

    visit.open("/models/kelpie/")
    page.get_by_role("button", name="Make experimental").click()
    expect(page.get_by_text("change this between rounds")).to_be_visible()
    seen(visit, "model")
    visit.open("/inbox/")
    page.get_by_label("A round opens").select_option("mail")
    page.get_by_role("button", name="Keep").click()
    visit.open("/accounts/")
    seen(visit, "account")
    page.get_by_label("Address").fill("https://hook.invalid/regatta")
    page.get_by_role("button", name="Make a webhook").click()
    page.get_by_text("Show the secret").click()
    expect(page.get_by_text("Nothing was sent yet")).to_be_visible()
    seen(visit, "webhook-empty")
    send(visit, "kelpie", bad)
    work(sailed)
    visit.open("/inbox/")
    expect(page.get_by_text("Your file for kelpie in round 13 was refused")).to_be_visible()
    expect(page.get_by_text("Round 13 of Seas is open")).to_be_visible()
    seen(visit, "inbox")
    visit.open("/accounts/")
    page.get_by_role("link", name="https://hook.invalid/regatta").first.click()
    seen(visit, "webhook")
    context.close()
