"""The Chromium that tests drive: the system's, else playwright's own, else the package manager's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 300
SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def find_or_install(playwright: Playwright) -> str | None:
    """Path of a Chromium; None when there is none and none can be installed here."""
    return _find(playwright) or (_install() and _find(playwright)) or None


def _find(playwright: Playwright) -> str | None:
    own = Path(playwright.chromium.executable_path)
    return next(filter(None, map(shutil.which, NAMES)), None) or (str(own) if own.exists() else None)


def _install() -> bool:
    """Try playwright's download, then, as root, the package manager; whether either went through."""
    ways = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.getuid() == 0 and shutil.which("apt-get"):
        ways += [["sh", "-c", "apt-get update -qq && apt-get install -qq -y chromium"]]
    return any(_goes_through(way) for way in ways)


def _goes_through(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
