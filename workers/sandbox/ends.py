"""How a sandboxed process ended, told by whoever started it and watched its clock."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class End:
    """How a child ended."""

    code: int | None
    """Exit status, minus the signal; None: killed from outside when its time was over."""
    seconds: float
    cpu_seconds: float


def await_end(process: int, wall_seconds: float, kill: Callable[[int], None]) -> tuple[int | None, float]:
    """Wait for a child's end or for its time to be over, and `kill` what is left; code and CPU seconds of `End`."""
    watch = os.pidfd_open(process)
    try:
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        is_over = bool(poll.poll(wall_seconds * 1000))
    finally:
        os.close(watch)
        kill(process)
    _, status, used = os.wait4(process, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if is_over else None, used.ru_utime + used.ru_stime
