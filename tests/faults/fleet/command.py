"""A command of shell.command: `command.py NOTES SECONDS`.

It notes its begin and its end, and whether it began beside another command for the same job. It
leaves a child that ignores SIGTERM in a session of its own.
"""

import os
import signal
import sys
import time
from pathlib import Path


def _others(mark: bytes, own: frozenset[int]) -> bool:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) in own:
            continue
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            dead = (folder / "stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
        except OSError:
            continue
        if mark in variables and not dead:
            return True
    return False


def main() -> None:
    notes, seconds = sys.argv[1], float(sys.argv[2])
    file = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(what: str) -> None:
        line = f"{os.environ['CNC_JOB_ID']} {os.environ['CNC_RUN_ID']} {what}\n"
        os.write(file, line.encode())

    mark = f"CNC_TRACE_ID={os.environ['CNC_TRACE_ID']}".encode()
    note("beside" if _others(mark, frozenset({os.getpid()})) else "begin")
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    time.sleep(seconds)
    note("end")


if __name__ == "__main__":
    main()
