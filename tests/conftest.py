"""Servers for the whole run: started by the first test that needs one, stopped and swept away at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from regatta import embedded
from regatta.environment import ROOT
from tests.settings import FOLDER


def pytest_configure(config: pytest.Config) -> None:
    """Sweep what killed runs left behind."""
    if hasattr(config, "workerinput"):
        return
    for left in FOLDER.glob("*"):
        if left.name.isdigit() and not Path(f"/proc/{left.name}").exists():
            _clear(left)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers of this run and remove its folder."""
    if not hasattr(config, "workerinput"):
        _clear(Path(os.environ["REGATTA_VAR"]))


def _clear(folder: Path) -> None:
    environment = {**os.environ, "REGATTA_VAR": str(folder), "PYTHONPATH": str(ROOT / "platform")}
    if (folder / "embedded.lock").exists():
        subprocess.run([sys.executable, "-m", "regatta.embedded", "stop"], env=environment, check=False)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """At the end, part from the tests' database whatever process or thread of a test has not left it yet."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(scope="session")
def redis_server() -> str:
    """The address of this run's Redis, which answers."""
    if settings.EMBEDDED_REDIS:
        embedded.ensure_redis()
    return settings.CELERY_BROKER_URL


@pytest.fixture
def process_environment(transactional_db: Any, redis_server: str) -> dict[str, str]:
    """Variables for a process (a worker, a web server) that shall share the test's database and broker."""
    return environment_of_processes(redis_server)


def environment_of_processes(redis_server: str) -> dict[str, str]:
    """The same, for whoever looks after the database otherwise."""
    database = settings.DATABASES["default"]
    user = quote(database["USER"]) + (f":{quote(database['PASSWORD'])}" if database["PASSWORD"] else "")
    port = f":{database['PORT']}" if database["PORT"] else ""
    address = f"postgres://{user}@{quote(database['HOST'], safe='')}{port}/{database['NAME']}"
    return {
        **os.environ, "DATABASE_URL": address, "REDIS_URL": redis_server, "SECRET_KEY": settings.SECRET_KEY,
        "DJANGO_SETTINGS_MODULE": "regatta.settings", "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
        "STORAGE_URL": settings.STORAGE_URL,
    }  # fmt: skip
