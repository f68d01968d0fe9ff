"""The worker's end of a fork server: a sandboxed run without the half second in which libraries load."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

from tournament.hosted.formats import Format
from workers.sandbox import child, fork_server, room
from workers.sandbox.ends import End
from workers.sandbox.limits import SandboxFault
from workers.sandbox.runner import SETTINGS, kill_group, tail

START_SECONDS, GRACE_SECONDS = 60.0, 10.0
RUNS = 500
"""After so many a server is renewed, so that children do not share their places in memory for ever."""


class ForkServer:
    """The server of one format, started at its first job and again when it is gone."""

    def __init__(self, form: Format) -> None:
        self.form, self.runs = form, 0
        self._process: subprocess.Popen[bytes] | None = None
        self._asked: socket.socket | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        atexit.register(self.stop)

    def start(self, folder: Path, wall_seconds: float) -> End:
        """Run a forked child on the job in the folder. Raises SandboxFault when there is no server to fork it."""
        if self._process is None or self._process.poll() is not None or self.runs >= RUNS:
            self._renew()
        self.runs, began = self.runs + 1, time.monotonic()
        files = [*child.opened(folder), os.open(folder / "error", child.FRESH, 0o600)]
        try:
            socket.send_fds(self._socket, [str(wall_seconds).encode()], files)
            code, cpu_seconds = json.loads(self._received(wall_seconds + GRACE_SECONDS))
        except (OSError, ValueError) as error:
            self.stop()
            raise SandboxFault(f"the fork server of {self.form} is gone: {error}") from None
        finally:
            for file in files:
                os.close(file)
        return End(code, time.monotonic() - began, cpu_seconds)

    def stop(self) -> None:
        """End the server and whatever it has forked; it is started again when it is asked."""
        if self._process is not None:
            kill_group(self._process.pid)
            self._process.wait()
        if self._asked is not None:
            self._asked.close()
        if self._folder is not None:
            self._folder.cleanup()
        self._process = self._asked = self._folder = None

    def _renew(self) -> None:
        self.stop()
        self._folder, self.runs = tempfile.TemporaryDirectory(prefix="regatta-sandbox-"), 0
        folder = Path(self._folder.name)
        self._asked, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-s", "-P", "-B", "-m", fork_server.__name__, self.form]
        with theirs, (folder / "error").open("wb") as error:
            self._process = subprocess.Popen(
                room.enclosed(command, folder, SETTINGS), cwd=folder, env=SETTINGS, stdin=theirs.fileno(), stdout=error,
                stderr=error, start_new_session=True,
            )  # fmt: skip
        try:
            if self._received(START_SECONDS) != fork_server.READY:
                raise OSError("it hung up")
        except OSError as error:
            told = tail(folder / "error")
            self.stop()
            raise SandboxFault(f"the fork server of {self.form} did not start: {error}; {told}") from None

    @property
    def _socket(self) -> socket.socket:
        if self._asked is None:
            raise SandboxFault(f"the fork server of {self.form} was stopped")
        return self._asked

    def _received(self, seconds: float) -> bytes:
        self._socket.settimeout(seconds)
        return self._socket.recv(fork_server.MAX_MESSAGE)


@lru_cache(maxsize=len(Format))
def fork_server_of(form: Format) -> ForkServer:
    """This process's server of a format."""
    return ForkServer(form)
