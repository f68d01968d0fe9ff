"""Attempts to get out: each is made inside the sandbox, and must fail there."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import signal
import socket
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

CHUNK = bytes(1_000_000)
LIBC = ctypes.CDLL(None)
PTRACE_ATTACH = 16


def attempt(given: dict[str, Any], out: int) -> dict[str, Any]:
    """Try everything; `escaped` names what succeeded.

    `given`: `secret`, a readable file outside; `port`, where somebody listens; `forks`, `bytes` and `memory`: how many;
    or only `sleep`: seconds.
    """
    if "sleep" in given:
        time.sleep(given["sleep"])
        return {}
    attempts: dict[str, Callable[[], object]] = {
        "read a file outside": lambda: _read(given["secret"]),
        "write a file outside": lambda: _create(given["secret"] + ".new"),
        "list a folder": lambda: os.listdir("/"),
        "remove a file": lambda: os.unlink(given["secret"]),
        "open a socket": lambda: _connect(given["port"]),
        "open a local socket": lambda: socket.socket(socket.AF_UNIX).close(),
        f"start {given['forks']} processes": lambda: _fork(given["forks"]),
        "run a program": lambda: _run("/bin/true"),
        f"write {given['bytes']:,} bytes": lambda: _fill(out, given["bytes"]),
        f"take {given['memory']:,} bytes of memory": lambda: _take(given["memory"]),
        "signal its parent": lambda: os.kill(os.getppid(), 0),
        "read its parent's environment": lambda: _read(f"/proc/{os.getppid()}/environ"),
        "trace its parent": lambda: _trace(os.getppid()),
        "make memory executable": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
        "change its limits": lambda: _raise_limits(),
        "find a socket of its worker's": lambda: _find_socket(),
    }
    escaped = [name for name, deed in attempts.items() if _succeeds(deed)]
    return {"tried": list(attempts), "escaped": escaped, "environment": sorted(os.environ)}


def _succeeds(deed: Callable[[], object]) -> bool:
    try:
        deed()
    except (OSError, MemoryError, ValueError):
        return False
    return True


def _read(path: str) -> None:
    os.close(os.open(path, os.O_RDONLY))


def _create(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def _connect(port: int) -> None:
    with socket.socket() as asked:
        asked.connect(("127.0.0.1", port))


def _fork(count: int) -> None:
    """Start processes that wait, then end them; raises OSError when not one starts."""
    started = []
    try:
        for _ in range(count):
            child = os.fork()
            if child == 0:
                signal.pause()
                os._exit(0)
            started.append(child)
    except OSError:
        if not started:
            raise
    for child in started:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _run(program: str) -> None:
    os.waitpid(os.posix_spawn(program, [program], {}), 0)


def _fill(out: int, size: int) -> None:
    for _ in range(0, size, len(CHUNK)):
        os.write(out, CHUNK)


def _take(size: int) -> None:
    mmap.mmap(-1, size).close()


def _trace(process: int) -> None:
    if LIBC.ptrace(PTRACE_ATTACH, process, 0, 0):
        raise OSError
    os.waitpid(process, 0)  # attached: it has stopped; the end of this process lets it go


def _raise_limits() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**40, 2**40))


def _find_socket() -> None:
    """Raises OSError when none of the descriptors is a socket."""
    for place in range(64):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(place).st_mode):
                return
    raise OSError
