"""Servers that stand still, as a computer does that swaps or whose disk hangs."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tools.servers import Server


@contextmanager
def standing_still(server: Server) -> Iterator[None]:
    """Stops all processes of a server with SIGSTOP; connections to it stay open."""
    pids = [server.pid]
    os.kill(server.pid, signal.SIGSTOP)  # first, so that it makes no more children
    try:
        for pid in _children(server.pid):
            os.kill(pid, signal.SIGSTOP)
            pids.append(pid)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    """A postmaster's backends: they are no group of their own."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in found for child in file.read_text().split()]
