"""Everything of a site on one machine: embedded servers, web server, workers and beat, kept alive until told to stop.

Each child leads a session of its own and logs to var/log/<name>.log. A child that dies, by whatever signal, is started
again; what it was doing is a Job row whose lease runs out. The children die with the supervisor, even by kill -9.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO

from django.conf import settings

from regatta import embedded
from regatta.environment import ROOT, refuse_problems
from regatta.reachable import unreachable

GRACE_SECONDS = 10.0
WATCH_SECONDS = 0.5
PR_SET_PDEATHSIG = 1
NICE = {"sandbox": 5}
"""Children that give way to the others: a contributor's model must not slow down pages and rounds. At 10 a machine
busy with other work let a check of a second wait for minutes."""
_LIBC = ctypes.CDLL(None)
_KEPT_MEMORY = dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), str(64 << 20))
"""Tables of a thousand models come and go within milliseconds: given back to the system and asked for again each time,
their pages cost a round's weights up to a half more."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class SupervisorFault(RuntimeError):
    """The site cannot be started here; the message says what is in the way."""


@dataclass(slots=True)
class Child:
    """A process that is to run always, or `once` until it ends well, and the one that does so now."""

    name: str
    command: list[str]
    once: bool = False
    nice: int = 0
    done: bool = False
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started: float = 0.0
    starts: int = 0

    def is_due(self, now: float) -> bool:
        """Whether to start it (again): at once at first, later with pauses that grow to ten seconds."""
        pause = min(10.0, 0.25 * 2**self.failures) if self.failures else 0.0
        return self.process is None and not self.done and now >= self.started + pause


@dataclass
class Supervisor:
    """`with Supervisor(port=8000) as site: site.wait_until_ready(); site.run()`; needs the main thread."""

    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 6
    children: list[Child] = field(default_factory=list)

    def __enter__(self) -> Supervisor:
        refuse_problems(settings.ENVIRONMENT_PROBLEMS)
        refuse_problems(unreachable())
        self._stopping = threading.Event()
        # whoever stops the course half-way (a container, an init) sends SIGTERM: leave by the same door as Ctrl-C
        self._before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        self._lock = self._only_one()
        self._refuse_taken_port()
        self._ensure_embedded()
        manage("migrate", "--noinput", "--verbosity", "0")
        (settings.REGATTA_VAR / "static").mkdir(exist_ok=True)
        self.children = [Child(name, command, nice=NICE.get(name, 0)) for name, command in self._commands().items()]
        self.watch()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would leave the servers behind
        self.stop()
        signal.signal(signal.SIGTERM, self._before)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    @property
    def address(self) -> str:
        """Where people find the site."""
        return f"http://{self.host}:{self.port}"

    def run(self) -> None:
        """Watch until SIGTERM, Ctrl-C or `request_stop`."""
        previous = {
            name: signal.signal(name, lambda *_: self._stopping.set()) for name in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            while not self._stopping.wait(WATCH_SECONDS):
                self.watch()
        finally:
            for name, action in previous.items():
                signal.signal(name, action)

    def request_stop(self) -> None:
        """Make `run` return; from any thread."""
        self._stopping.set()

    def watch(self) -> None:
        """One round: bury the dead, start what is due, wake a database or broker that was killed."""
        now = time.monotonic()
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                child.done = child.once and child.process.returncode == 0
                _bury(child, now)
            if child.is_due(now):
                self._start(child, now)
        self._ensure_embedded()

    def wait_until_ready(self, seconds: float = 60.0) -> None:
        """Return when /readyz says yes. Raises SupervisorFault after `seconds`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.watch()
            try:
                with urllib.request.urlopen(f"{self.address}/readyz", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise SupervisorFault(f"the site was not ready within {seconds:.0f} s; see {settings.REGATTA_VAR / 'log'}")

    def stop(self) -> None:
        """Stop every child, kindly and then firmly, and at last the embedded servers."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            _kill_session(process)
            process.wait()
        self.children = []
        if settings.EMBEDDED_DATABASE or settings.EMBEDDED_REDIS:
            embedded.stop()
        self._lock.close()

    def _commands(self) -> dict[str, list[str]]:
        worker = [sys.executable, "-m", "celery", "-A", "workers", "worker", "--loglevel", "INFO", "--without-mingle"]
        return {
            "web": [sys.executable, "-m", "granian", "--interface", "wsgi", "regatta.wsgi:application", "--host",
                    self.host, "--port", str(self.port), "--workers", "1", "--blocking-threads", str(self.threads)],
            "worker": [*worker, "-Q", "io,score", "--concurrency", "2", "-n", "worker@%h"],
            "gpu": [*worker, "-Q", "gpu", "--pool", "solo", "-n", "gpu@%h"],
            "sandbox": [*worker, "-Q", "sandbox", "--pool", "solo", "-n", "sandbox@%h"],
            "beat": [sys.executable, "-m", "celery", "-A", "workers", "beat", "--loglevel", "INFO", "--pidfile", ""],
        }  # fmt: skip

    def _start(self, child: Child, now: float) -> None:
        with _log(child.name) as log:
            child.process = subprocess.Popen(
                child.command, cwd=ROOT, env=_surroundings(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=lambda: _before_program(child.nice),
            )  # fmt: skip
        child.started, child.starts = now, child.starts + 1

    def _ensure_embedded(self) -> None:
        if settings.EMBEDDED_DATABASE:
            embedded.ensure_postgres()
        if settings.EMBEDDED_REDIS:
            embedded.ensure_redis()

    def _only_one(self) -> IO[str]:
        settings.REGATTA_VAR.mkdir(parents=True, exist_ok=True)
        lock = (settings.REGATTA_VAR / "supervisor.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise SupervisorFault(
                f"a site runs already from {settings.REGATTA_VAR}; stop it or set REGATTA_VAR"
            ) from None
        return lock

    def _refuse_taken_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                self._lock.close()
                raise SupervisorFault(
                    f"{self.host}:{self.port} cannot be used ({error.strerror}); try --port"
                ) from None


def manage(*arguments: str) -> None:
    """Run a management command in a process of its own. Raises SupervisorFault with its last words."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=_surroundings(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SupervisorFault(
            f"manage.py {' '.join(arguments)} failed:\n{(done.stderr or done.stdout).strip()[-1500:]}"
        )


def _surroundings() -> dict[str, str]:
    paths = f"{ROOT / 'platform'}{os.pathsep}{ROOT}"
    settled = {"PYTHONPATH": paths, "REGATTA_VAR": str(settings.REGATTA_VAR), "PYTHONUNBUFFERED": "1"}
    return {**_ONE_THREAD, **_KEPT_MEMORY, **os.environ, **settled}


def _log(name: str) -> IO[bytes]:
    path: Path = settings.REGATTA_VAR / "log" / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > 10_000_000:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _bury(child: Child, now: float) -> None:
    """Kill what the dead child left behind (a web worker would keep the port) and note how long it lived."""
    if child.process is not None:
        _kill_session(child.process)
    child.failures = 0 if now - child.started > 10 else child.failures + 1
    child.process = None


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _before_program(nice: int) -> None:
    """In the child, before it becomes its program: ask the kernel for SIGTERM when the supervisor dies; give way."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    os.nice(nice)
