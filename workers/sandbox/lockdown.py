"""The door that closes behind a sandboxed process: from here on it can only compute and write to what it holds open."""

from __future__ import annotations

import os
import signal

from workers.sandbox import landlock, seccomp
from workers.sandbox.limits import NOBODY, Limits, SandboxFault

PARENT_DEATH_SIGNAL, DUMPABLE, NO_NEW_PRIVILEGES = 1, 4, 38
OWN_ROOM = "REGATTA_OWN_ROOM"
"""Set where bubblewrap has given the process namespaces of its own."""


def lock() -> None:
    """Close the door. Raises SandboxFault when it does not close; what is open or loaded stays so."""
    if len(os.listdir("/proc/self/task")) != 1:
        raise SandboxFault("a library has started threads, which Landlock would not bind")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    Limits.forbid_processes()
    die_with_parent()
    _set(DUMPABLE, 0)
    _set(NO_NEW_PRIVILEGES, 1)
    if landlock.version() or OWN_ROOM not in os.environ:
        landlock.confine()
    seccomp.confine()


def level() -> str:
    """What holds a sandbox here, in words: `Landlock 7, seccomp`."""
    parts = ["bubblewrap"] if OWN_ROOM in os.environ else []
    parts += [f"Landlock {landlock.version()}"] if landlock.version() else []
    return ", ".join([*parts, "seccomp"])


def die_with_parent() -> None:
    """Ask the kernel to kill this process with its parent; forgotten when it changes its user."""
    _set(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _set(option: int, value: int) -> None:
    if seccomp.LIBC.prctl(option, value, 0, 0, 0):
        raise SandboxFault(f"prctl {option} was refused")
