"""Hosting a model in a real browser: handed in by page, checked, and each page whole and open to everyone."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import Browser, expect

from regatta.jobs import flow
from regatta.rounds.models import Tournament
from tests.browser.test_pages_as_seen import DESK, PHONE, Visit, overflow, violations
from tests.hosting import files, trees
from workers.running import run_job

pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]
PICTURES = os.environ.get("PICTURES")


def run_sandbox(tournament: Tournament) -> None:
    """Do the jobs in a thread: what this test's own transaction holds, the site does not see."""

    def work() -> None:
        flow.run_all("sandbox", "this process", run_job, clock=tournament.now)
        connections.close_all()

    thread = threading.Thread(target=work)
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


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_model_is_handed_in_and_sails(
    chromium: Browser, site: str, sailed: Tournament, tmp_path: Path, size: dict[str, int]
) -> None:
    good, bad = tmp_path / "trees.txt", tmp_path / "tampered.onnx"
    good.write_bytes(files.trained_on(sailed))
    bad.write_bytes(trees.TAMPERED["node is its own child"])
    context = chromium.new_context(viewport=size)  # type: ignore[arg-type]
    visit = Visit(context.new_page(), site)
    page = visit.page
    visit.log_in()
    name = f"dinghy_{size['width']}"
    page.get_by_label("Tournament").select_option("Seas")
    page.locator("#id_name").fill(name)
    page.get_by_role("button", name="Open it").click()

    page.get_by_role("link", name="host a file").first.click()
    seen(visit, "empty")
    page.locator("input[type=file]").set_input_files(good)
    page.get_by_role("button", name="Send and check").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("is being checked")
    seen(visit, "waiting")
    run_sandbox(sailed)
    expect(page.get_by_role("heading", level=1)).to_contain_text("is good", timeout=10_000)
    expect(page.get_by_text("It sails")).to_be_visible()
    page.reload()
    page.get_by_text("Log", exact=True).last.click()
    expect(page.get_by_text("submitted and accepted")).to_be_visible()
    seen(visit, "good")

    page.get_by_role("link", name="Send another file").click()
    page.locator("input[type=file]").set_input_files(bad)
    page.get_by_role("button", name="Send and check").click()
    run_sandbox(sailed)
    expect(page.get_by_role("heading", level=1)).to_contain_text("was refused", timeout=10_000)
    seen(visit, "refused")
    visit.open(f"/accounts/models/{name}/hosted/")
    seen(visit, "versions")
    visit.open("/docs/hosted/")
    seen(visit, "docs")
    visit.open("/status/")
    seen(visit, "status")
    visit.open("/accounts/")
    seen(visit, "account")
    context.close()
