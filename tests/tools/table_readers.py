"""Find the processes that read a table for a station."""

import os
import signal
from pathlib import Path

from tests.until import until


def readers(parent: int | None = None) -> list[int]:
    """Return the readers that `parent` has started; None is this process."""
    wanted = os.getpid() if parent is None else parent
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                argv = (entry / "cmdline").read_bytes().split(b"\0")
                above = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:  # it has ended meanwhile
                continue
            if b"read-table" in argv and int(above) == wanted:
                found.append(int(entry.name))
    return found


async def stopped_reader(parent: int | None = None) -> int:
    """Wait for the one reader of `parent`, and stop it: from then on it ends only if killed."""
    (pid,) = await until(lambda: readers(parent))
    os.kill(pid, signal.SIGSTOP)
    return int(pid)


def runs(pid: int) -> bool:
    """Return whether a process exists and has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
