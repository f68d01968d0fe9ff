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
from tests.client import waters
from tests.conftest import environment_of_processes


@dataclass(frozen=True, slots=True)
class Site:
    """Where the site answers, and the key of the contributor who asks."""

    url: str
    key: dict[str, str]


@pytest.fixture(scope="package")
def site(
    django_db_setup: None, django_db_blocker: Any, redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """`manage.py serve` over three sailed tournaments; swept away at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    numbers = ",".join(f"{number}={slug}" for number, slug in waters.SLUGS.items())
    environment = environment_of_processes(redis_server) | {"REGATTA_NUMERAPI": numbers}
    with django_db_blocker.unblock():
        key = waters.lay()
        command = [sys.executable, "manage.py", "serve", "--port", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            assert "Serving on" in process.stdout.readline()
            yield Site(f"http://127.0.0.1:{port}", key)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
            call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(scope="package")
def driven(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every public method of the client that is installed here answered, by `Class.method`."""
    return drive(sys.executable, site, tmp_path_factory.mktemp("driven"))


def drive(python: str, site: Site, folder: Path) -> dict[str, Any]:
    """Run the driver with that Python in a process of its own."""
    given = json.dumps({"url": f"{site.url}/graphql/", **site.key})
    driver = Path(__file__).with_name("driver.py")
    command = [python, "-W", "ignore", str(driver), given]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))
