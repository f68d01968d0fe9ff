"""Landlock: no file, no connection, no signal out of the sandbox, whatever the filter of system calls lets through.

Source: Linux, Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os

from workers.sandbox.limits import SandboxFault
from workers.sandbox.seccomp import LIBC

CREATE, RESTRICT = 444, 446
ASK_VERSION = 1
FILES = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
"""Rights to files that a version of Landlock knows."""
NETWORK_SINCE, SCOPES_SINCE = 4, 6
BIND_AND_CONNECT, SIGNALS_AND_SOCKETS = 0b11, 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


def version() -> int:
    """The kernel's version of Landlock; 0: it has none, or it is switched off."""
    return max(0, int(LIBC.syscall(CREATE, None, 0, ASK_VERSION)))


def confine() -> None:
    """Take from this process every right that the kernel's Landlock knows; needs no_new_privs. Raises SandboxFault."""
    known = version()
    if not known:
        raise SandboxFault("this kernel offers no Landlock (Linux 5.13 or newer with lsm=landlock is needed)")
    rules = _Ruleset(
        FILES[min(known, max(FILES))], BIND_AND_CONNECT if known >= NETWORK_SINCE else 0,
        SIGNALS_AND_SOCKETS if known >= SCOPES_SINCE else 0,
    )  # fmt: skip
    size = 8 * (1 + (known >= NETWORK_SINCE) + (known >= SCOPES_SINCE))
    ruleset = LIBC.syscall(CREATE, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    if ruleset < 0 or LIBC.syscall(RESTRICT, ruleset, 0):
        raise SandboxFault(f"Landlock: {os.strerror(ctypes.get_errno())}")
    os.close(ruleset)
