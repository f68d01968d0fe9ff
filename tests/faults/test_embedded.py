"""Embedded servers come back after kill -9, with what was committed."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from regatta import embedded
from regatta.environment import ROOT


@pytest.fixture
def servers(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Servers of the test's own, beside those of the run."""
    folder = Path(os.environ["REGATTA_VAR"]) / "faults"
    monkeypatch.setenv("REGATTA_VAR", str(folder))
    monkeypatch.setenv("REGATTA_DURABLE", "1")
    embedded.start()
    yield folder
    embedded.stop()
    shutil.rmtree(folder, ignore_errors=True)


def postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text().split()[0])


def connect() -> psycopg.Connection:
    return psycopg.connect(embedded.database_url(), autocommit=True)


def test_commits_survive_the_killing_of_postgres(servers: Path) -> None:
    with connect() as session:
        session.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    killed = postmaster(servers)

    os.kill(killed, signal.SIGKILL)
    embedded.start()

    with connect() as session:
        assert session.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert postmaster(servers) != killed


def test_redis_comes_back_after_a_kill(servers: Path) -> None:
    client = embedded._redis()
    pid = client.info("server")["process_id"]
    client.close()

    os.kill(pid, signal.SIGKILL)
    embedded.start()

    assert embedded._redis().info("server")["process_id"] != pid


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(servers: Path) -> None:
    embedded.stop()
    lines = [str(os.getpid()), str(servers / "postgres"), "1", "5432", str(embedded.socket_folder()), "", "", "ready"]
    (servers / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")

    embedded.start()

    assert postmaster(servers) != os.getpid()


def test_half_a_cluster_of_a_killed_initdb_does_not_stop_the_start(servers: Path) -> None:
    embedded.stop()
    (servers / "postgres").rename(servers / "postgres.new")
    (servers / "postgres.new" / "global" / "pg_control").unlink()

    embedded.start()

    with connect() as session:
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_starting_twice_keeps_the_servers(servers: Path) -> None:
    before = postmaster(servers)

    embedded.start()

    assert postmaster(servers) == before


def test_a_folder_of_another_account_is_not_trusted(tmp_path: Path) -> None:
    link = tmp_path / "sockets"
    link.symlink_to(tmp_path)

    with pytest.raises(embedded.ServerFault, match="another account"):
        embedded._refuse_foreign(link)


def test_an_offline_command_starts_no_server(tmp_path: Path) -> None:
    environment = {**os.environ, "REGATTA_VAR": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "regatta.settings"}

    subprocess.run([sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, check=True, capture_output=True)

    assert not (tmp_path / "var" / "postgres").exists()
    assert not (tmp_path / "var" / "redis").exists()
