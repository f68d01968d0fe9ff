"""A process that has loaded a format's library and waits: `python -m workers.sandbox.fork_server FORMAT`.

For each job it forks a child, which closes the door behind itself as any other does before it looks at the model. The
process that forks never reads a job's files, so what one child gets holds nothing of the job before. Jobs come over
the socket that is its standard input, each as seconds of the clock and the descriptors of its files; the answer says
how the child ended. It ends with its worker.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from typing import NoReturn

from tournament.hosted.formats import Format
from tournament.hosted.model import prepare
from workers.sandbox import child
from workers.sandbox.ends import await_end
from workers.sandbox.limits import SandboxFault
from workers.sandbox.lockdown import die_with_parent

READY = b"ready"
FILES = 6
"""The five of a job, and the one for what libraries complain of."""
MAX_MESSAGE = 64


def main(form: Format) -> None:
    """Answer jobs until the worker hangs up."""
    die_with_parent()
    prepare(form)
    if len(os.listdir("/proc/self/task")) != 1:
        raise SandboxFault(f"the library of {form} has started threads, which a fork would lose")
    nothing = os.open(os.devnull, os.O_RDONLY)
    with socket.socket(fileno=os.dup(0)) as asked:
        os.dup2(nothing, 0)
        asked.send(READY)
        while True:
            message, files, _, _ = socket.recv_fds(asked, MAX_MESSAGE, FILES)
            if not message:
                return
            asked.send(_run(files, float(message), asked))


def _run(files: list[int], wall_seconds: float, asked: socket.socket) -> bytes:
    """Fork a child for one job; how it ended."""
    process = os.fork()
    if process == 0:
        _be_child(files, asked)
    for file in files:
        os.close(file)
    return json.dumps(await_end(process, wall_seconds, _kill)).encode()


def _be_child(files: list[int], asked: socket.socket) -> NoReturn:
    """In the fork: let go of the socket, do the job, and end in any case."""
    code = 1
    try:
        asked.close()
        os.dup2(files[-1], 1)
        os.dup2(files[-1], 2)
        os.close(files[-1])
        die_with_parent()
        child.do(files[:-1])
        code = 0
    finally:
        if code:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


if __name__ == "__main__":
    main(Format(sys.argv[1]))
