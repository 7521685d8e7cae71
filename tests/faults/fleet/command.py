"""A command of shell.command: `command.py NOTES SECONDS [TROUBLE [MEGABYTES]]`.

It notes its begin with the key of its run, whether another command for the same job was there then,
and its end. It leaves a child that ignores SIGTERM in a session of its own. At the first attempt it
may make trouble:

- hangs: ignores SIGTERM and never ends.
- is killed: kills itself.
- kills its guard: the process that was to end it.
- forks: leaves many children more.
- floods: prints so many megabytes.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

MIB = 1024 * 1024
CHILDREN = 20


def _others(mark: bytes, own: int) -> bool:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == own:
            continue
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            dead = (folder / "stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
        except OSError:
            continue
        if mark in variables and not dead:
            return True
    return False


def _leave_a_child() -> None:
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)


def _hang() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    time.sleep(600)


def _fork() -> None:
    for _ in range(CHILDREN):
        _leave_a_child()


def _flood() -> None:
    for _ in range(int(sys.argv[4])):
        sys.stdout.buffer.write(b"x" * MIB)


TROUBLES: Mapping[str, Callable[[], None]] = {
    "hangs": _hang,
    "is killed": lambda: _kill(os.getpid()),
    "kills its guard": lambda: _kill(os.getppid()),
    "forks": _fork,
    "floods": _flood,
}


def main() -> None:
    notes, seconds, *trouble = sys.argv[1:4]
    file = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(what: str) -> None:
        names = ("CNC_JOB_ID", "CNC_RUN_ID", "CNC_IDEMPOTENCY_KEY")
        line = " ".join([*(os.environ[name] for name in names), what])
        os.write(file, f"{line}\n".encode())

    mark = f"CNC_TRACE_ID={os.environ['CNC_TRACE_ID']}".encode()
    note("beside" if _others(mark, os.getpid()) else "begin")
    _leave_a_child()
    time.sleep(float(seconds))
    if trouble and os.environ["CNC_ATTEMPT"] == "1":
        TROUBLES[trouble[0]]()
    note("end")


if __name__ == "__main__":
    main()
