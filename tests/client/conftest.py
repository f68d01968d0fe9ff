"""One site for the whole package: the real processes, on the tests' database."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from regatta.environment import ROOT
from regatta.rounds.models import Round
from tests.client import waters
from tests.conftest import environment_of_processes

OLDER = "2.24.0"


@dataclass(frozen=True, slots=True)
class Site:
    """Where the site answers, and the key of the contributor who asks."""

    url: str
    key: dict[str, str]
    day: str

    @property
    def graphql(self) -> str:
        """All that the client is told."""
        return f"{self.url}/graphql/"


@pytest.fixture(scope="package")
def site(
    django_db_setup: None, django_db_blocker: Any, redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:  # fmt: skip
    """`manage.py serve` over three sailed tournaments; swept away at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    numbers = ",".join(f"{number}={slug}" for number, slug in waters.SLUGS.items())
    folder = str(tmp_path_factory.mktemp("site"))  # tests side by side have a site each
    environment = environment_of_processes(redis_server) | {"REGATTA_NUMERAPI": numbers, "REGATTA_VAR": folder}
    with django_db_blocker.unblock():
        command = [sys.executable, "manage.py", "serve", "--port", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            key = waters.lay()
            assert process.stdout is not None
            assert "Serving on" in process.stdout.readline()
            opened = Round.objects.filter(status=Round.Status.OPEN, tournament__slug="classic").get()
            yield Site(f"http://127.0.0.1:{port}", key, opened.opens_at.date().isoformat())
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
            call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(scope="package")
def driven(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every public method of the client that is installed here answered, by `Class.method`."""
    return drive(sys.executable, site, tmp_path_factory.mktemp("driven"))


@pytest.fixture(scope="package")
def driven_by_older(
    site: Site, driven: dict[str, Any], older: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The same of the older client, after the newer one."""
    return drive(older, site, tmp_path_factory.mktemp("older"))


@pytest.fixture(scope="package")
def older() -> str:
    """The Python of an environment with the older client; made once and kept under var/.

    Only the client is installed there: what it imports is taken from the environment that runs the tests.
    """
    folder = ROOT / "var" / "clients" / f"numerapi-{OLDER}"
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)], check=True)
        pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "install"]
        done = subprocess.run([*pip, "--no-deps", f"numerapi=={OLDER}"], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"numerapi {OLDER} cannot be installed: {(done.stderr.splitlines() or ['no answer'])[-1]}")
        libraries = next((folder / "lib").glob("python*/site-packages"))
        here = next(path for path in sys.path if path.endswith("site-packages"))
        (libraries / "imports.pth").write_text(f"{here}\n")
        (folder / "made").touch()
    return str(python)


def drive(python: str, site: Site, folder: Path) -> dict[str, Any]:
    """Run the driver with that Python in a process of its own."""
    given = json.dumps({"url": site.graphql, "day": site.day, **site.key})
    command = [python, "-W", "ignore", str(Path(__file__).with_name("driver.py")), given]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))
