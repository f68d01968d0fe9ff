"""System calls that a model may make: to compute, to wait and to write to files that are open already.

All others fail with EPERM, among them whatever opens a file or a socket, starts a process or thread, traces, signals or
maps executable memory. Source: Linux, Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

from workers.sandbox.limits import SandboxFault

LIBC = ctypes.CDLL(None, use_errno=True)
SET_MODE_FILTER, ALL_THREADS = 1, 1
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
LOAD, EQUALS, AT_LEAST, HAS_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
"""BPF: load a word, jump if equal, if at least, if any bit is set; return."""
NUMBER_AT, MACHINE_AT, PROTECTION_AT = 0, 4, 32
"""Where struct seccomp_data holds the call's number, the machine, and the third argument."""
PROT_EXEC = 4
X32 = 0x40000000


@dataclass(frozen=True, slots=True)
class Machine:
    """Numbers of one architecture."""

    mark: int
    seccomp: int
    mapping: tuple[int, ...]
    """mmap and mprotect, which may not make memory executable."""
    allowed: tuple[int, ...]


# read write close fstat lseek munmap brk rt_sigaction rt_sigprocmask rt_sigreturn pread64 pwrite64 readv writev
# sched_yield mremap madvise nanosleep getpid exit gettimeofday getrusage sysinfo times getuid getgid geteuid getegid
# sigaltstack gettid futex sched_getaffinity restart_syscall clock_gettime clock_getres clock_nanosleep exit_group
# set_robust_list getcpu getrandom membarrier rseq
MACHINES = {
    "x86_64": Machine(
        0xC000003E, 317, (9, 10),
        (0, 1, 3, 5, 8, 11, 12, 13, 14, 15, 17, 18, 19, 20, 24, 25, 28, 35, 39, 60, 96, 98, 99, 100, 102, 104, 107, 108,
         131, 186, 202, 204, 219, 228, 229, 230, 231, 273, 309, 318, 324, 334),
    ),
    "aarch64": Machine(
        0xC00000B7, 277, (222, 226),
        (63, 64, 57, 80, 62, 215, 214, 134, 135, 139, 67, 68, 65, 66, 124, 216, 233, 101, 172, 93, 169, 165, 179, 153,
         174, 176, 175, 177, 132, 178, 98, 123, 128, 113, 114, 115, 94, 99, 168, 278, 283, 293),
    ),
}  # fmt: skip


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def machine() -> Machine:
    """This machine's numbers. Raises SandboxFault for one that is not known."""
    name = platform.machine()
    if name not in MACHINES:
        raise SandboxFault(f"no filter of system calls is known for {name}; known: {', '.join(MACHINES)}")
    return MACHINES[name]


def confine() -> None:
    """Filter every call of this process from now on; needs no_new_privs. Raises SandboxFault."""
    program = _program(machine())
    buffer = ctypes.create_string_buffer(program, len(program))
    given = _Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    if LIBC.syscall(machine().seccomp, SET_MODE_FILTER, ALL_THREADS, ctypes.byref(given)):
        raise SandboxFault(f"seccomp: {os.strerror(ctypes.get_errno())}")


def _program(of: Machine) -> bytes:
    """The filter: another machine's calls kill, those allowed pass, mappings pass unless executable, others fail."""
    steps = [
        (LOAD, 0, 0, MACHINE_AT), (EQUALS, 1, 0, of.mark), (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER_AT), (AT_LEAST, 0, 1, X32), (RETURN, 0, 0, KILL),
    ]  # fmt: skip
    for number in of.allowed:
        steps += [(EQUALS, 0, 1, number), (RETURN, 0, 0, ALLOW)]
    first, second = of.mapping
    steps += [
        (EQUALS, 2, 0, first), (EQUALS, 1, 0, second), (RETURN, 0, 0, REFUSE),
        (LOAD, 0, 0, PROTECTION_AT), (HAS_BITS, 0, 1, PROT_EXEC), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW),
    ]  # fmt: skip
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
