"""What a run may use, and how a sandbox fails that is not the model's fault."""

from __future__ import annotations

import resource
from dataclasses import dataclass

NOBODY = 65_534
"""The user that a sandbox run by root becomes."""


class SandboxFault(RuntimeError):
    """The sandbox could not be made, or broke for a reason that is not the model's: the platform's fault."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of CPU and by the clock, bytes of address space and of each file written."""

    cpu_seconds: int = 60
    wall_seconds: float = 120.0
    memory_bytes: int = 3_000_000_000
    file_bytes: int = 16_000_000

    def impose(self) -> None:
        """Hold this process to them, for good; the clock is watched from outside."""
        sizes = {
            resource.RLIMIT_CPU: self.cpu_seconds, resource.RLIMIT_AS: self.memory_bytes,
            resource.RLIMIT_FSIZE: self.file_bytes, resource.RLIMIT_NOFILE: 64, resource.RLIMIT_CORE: 0,
            resource.RLIMIT_MEMLOCK: 0, resource.RLIMIT_MSGQUEUE: 0,
        }  # fmt: skip
        for kind, size in sizes.items():
            hard = size + 2 if kind == resource.RLIMIT_CPU else size  # SIGXCPU first, which tells; then SIGKILL
            resource.setrlimit(kind, (size, hard))

    @staticmethod
    def forbid_processes() -> None:
        """No further process or thread; root is not bound by this one, so privileges are dropped with it."""
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
