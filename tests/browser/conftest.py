"""A browser, and the site served to it from this process."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections
from playwright.sync_api import Browser, sync_playwright

from regatta.rounds.models import Tournament
from tests.browser.chromium import SWITCHES, find_or_install
from tests.web.conftest import sailed as sailed


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Leave no connection of this thread behind, which would keep the tests' database from being dropped."""
        super().process_request_thread(request, client_address)
        connections.close_all()


class _Silent(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing between the dots of the tests."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; CI must have one, elsewhere the tests that need it are skipped loudly."""
    # playwright's loop lives in this thread, beside which Django would refuse to ask the database
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        path = find_or_install(playwright)
        if path is None and os.environ.get("CI"):
            pytest.fail("no Chromium was found and none could be installed; browser tests must run in CI")
        if path is None:
            pytest.skip("NO BROWSER: install Chromium (apt-get install chromium) to test pages as people see them")
        browser = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(sailed: Tournament) -> Iterator[str]:
    """Address of the site with a sailed tournament."""
    server = make_server("127.0.0.1", 0, StaticFilesHandler(get_wsgi_application()), _Server, _Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
