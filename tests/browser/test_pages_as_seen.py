"""Every page in a real browser, on a desk and on a phone: nothing breaks, nothing sticks out, everyone can use it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from regatta import artifacts
from regatta.accounts.models import User
from regatta.diagnostics import figuring
from regatta.diagnostics.validation import VALIDATION
from regatta.rounds.models import Tournament
from regatta.rounds.prices import file_hash
from regatta.submissions.models import ContributedModel
from tests.flows import seas

pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]
AXE = files("axe_playwright_python") / "axe.min.js"
PAGES = (
    "/", "/tournaments/seas/", "/tournaments/seas/data/", "/tournaments/seas/leaderboard/", "/models/kelpie/",
    "/rounds/5/?tournament=seas", "/rounds/13/?tournament=seas", "/meta-model/?tournament=seas",
    "/portfolio/?tournament=seas", "/portfolio/tear-sheet/?tournament=seas",
    "/status/", "/docs/", "/docs/api/", "/accounts/login/", "/accounts/signup/",
)  # fmt: skip
OWN_PAGES = ("/accounts/", "/submit/", "/diagnostics/")
DESK, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}
PASSWORD = "tide-and-wind-9"


class Visit:
    """A page with what its browser complained of."""

    def __init__(self, page: Page, site: str) -> None:
        self.page, self.site = page, site
        self.complaints: list[str] = []
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith((site, "data:")) else self.leave(asked.url))

    def leave(self, address: str) -> None:
        self.complaints.append(f"asked another host: {address}")

    def open(self, address: str) -> Page:
        answer = self.page.goto(self.site + address, wait_until="networkidle")
        assert answer is not None
        assert answer.status == 200
        return self.page

    def log_in(self) -> None:
        self.open("/accounts/login/")
        self.page.get_by_label("Username").fill("harbourmaster")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())  # not as a script of the page: its policy forbids scripts from elsewhere
    found = page.evaluate("axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes[0].html))")
    return list(found)


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def visit(request: pytest.FixtureRequest, chromium: Browser, site: str) -> Iterator[Visit]:
    context = chromium.new_context(viewport=request.param)
    yield Visit(context.new_page(), site)
    context.close()


@pytest.fixture
def desk(chromium: Browser, site: str) -> Iterator[Visit]:
    context = chromium.new_context(viewport=DESK)
    yield Visit(context.new_page(), site)
    context.close()


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_whole_and_open_to_everyone(visit: Visit, address: str) -> None:
    page = visit.open(address)

    assert overflow(page) <= 0
    assert violations(page) == []
    assert visit.complaints == []


def test_no_button_lies_over_what_it_copies(visit: Visit) -> None:
    page = visit.open("/docs/")

    over = page.evaluate("""[...document.querySelectorAll('.copied')].filter(one => {
        const words = document.createRange(), button = one.querySelector('.btn').getBoundingClientRect();
        words.selectNodeContents(one.querySelector('pre'));
        return [...words.getClientRects()].some(line => line.top < button.bottom && line.right > button.left);
    }).map(one => one.innerText)""")

    assert page.locator(".copied .btn").count() > 3
    assert over == []


@pytest.mark.parametrize("address", OWN_PAGES)
def test_an_own_page_is_whole_and_open_to_everyone(visit: Visit, address: str) -> None:
    visit.log_in()

    page = visit.open(address)

    assert overflow(page) <= 0
    assert violations(page) == []
    assert visit.complaints == []


@pytest.fixture(scope="module")
def diagnosis(sailed: Tournament, django_db_blocker: Any) -> int:
    """Key of one that is made; written before any test's transaction, so that the server sees it."""
    with django_db_blocker.unblock():
        owner, now = User.objects.get(username="harbourmaster"), timezone.now()
        model = ContributedModel.objects.create(tournament=sailed, owner=owner, name="office_boat")
        found = figuring.ask(model, validation_ranks(sailed), filename="val.csv", now=now)
        return figuring.make(found.pk, now).pk


def test_a_diagnosis_is_whole_and_open_to_everyone(visit: Visit, diagnosis: int) -> None:
    visit.log_in()

    page = visit.open(f"/diagnostics/{diagnosis}/")

    expect(page.locator(".chart .area").first).to_be_visible()
    assert overflow(page) <= 0
    assert violations(page) == []
    assert visit.complaints == []


def validation_ranks(tournament: Tournament) -> bytes:
    frame = pd.read_parquet(io.BytesIO(artifacts.get(file_hash(tournament, VALIDATION))))
    ranks = frame.groupby("era")["momentum_12_1"].rank(method="first") / 100
    return pd.DataFrame({"id": frame["id"], "prediction": ranks}).to_csv(index=False).encode()


def test_the_dark_scheme_keeps_its_contrast(chromium: Browser, site: str) -> None:
    context = chromium.new_context(viewport=DESK, color_scheme="dark")

    page = Visit(context.new_page(), site).open("/meta-model/?tournament=seas")

    assert violations(page) == []
    context.close()


def test_a_board_is_read_without_javascript(chromium: Browser, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()

    page.goto(f"{site}/tournaments/seas/leaderboard/")

    expect(page.get_by_role("link", name="undertow")).to_be_visible()
    context.close()


def test_a_chart_reads_exact_values_under_the_pointer(desk: Visit) -> None:
    page = desk.open("/meta-model/?tournament=seas")

    page.locator(".chart .area").first.hover()

    expect(page.locator(".reading:visible")).to_contain_text("kelpie")


def test_the_first_stop_of_the_keyboard_skips_to_the_content(desk: Visit) -> None:
    page = desk.open("/")

    page.keyboard.press("Tab")

    expect(page.locator(":focus")).to_have_text("Skip to content")


def test_a_stranger_is_in_the_tournament_within_one_visit(desk: Visit, sailed: Tournament, tmp_path: Path) -> None:
    round = sailed.rounds.get(number=13)
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    frame = seas.predictions("kelpie", round)
    frame.to_csv(good, index=False)
    frame[3:].assign(prediction=7.5).to_csv(bad, index=False)
    page = desk.open("/accounts/signup/")

    page.get_by_label("Username").fill("newcomer")
    page.get_by_label("Email").fill("newcomer@example.org")
    for place, field in enumerate(page.locator("input[type=password]").all()):
        field.fill(PASSWORD + "x" * (place >= 2))
    page.get_by_role("button", name="Sign up").click()
    page.get_by_label("Tournament").select_option("Seas")
    page.locator("#id_name").fill("dinghy")
    page.get_by_role("button", name="Open it").click()
    expect(page.get_by_role("status")).to_contain_text("dinghy is open")
    page.goto(f"{desk.site}/submit/?model=dinghy")
    page.locator("input[type=file]").set_input_files(bad)
    page.get_by_role("button", name="Send and check").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Your file has 2 faults")
    expect(page.locator(".faults")).to_contain_text("3 of 40 ids are missing")

    page.get_by_role("link", name="Choose another file").click()
    page.locator("input[type=file]").set_input_files(good)
    page.get_by_role("button", name="Send and check").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Your file is accepted")
    assert desk.complaints == []
