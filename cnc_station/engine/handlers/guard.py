"""Run one command for a station, and leave nothing of it running.

A process of its own between the station and the command, with the standard library only. Its first
line on stdin is the order (JSON). After it each byte is a sign of life of the station; `STOP` asks
for an orderly end: SIGTERM to the command's process group, and SIGKILL to everything after a grace.
If the station dies (the end of stdin), stands still or loses its lease (no sign of life for
`silence_s`), everything is killed at once: another station may start the same job.

"Everything" is all descendants: this process is their subreaper, so one that forks twice or makes a
session of its own is still found. They are also killed when the command itself has ended. If this
process is killed, so is the command, and the station kills the rest (`kill_marked`). The command
prints to stdout; what became of it is one line of JSON on stderr.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from typing import Any, NoReturn

STOP = b"T"
_SET_PDEATHSIG, _SET_CHILD_SUBREAPER, _SET_NO_NEW_PRIVS = 1, 36, 38
_NOTHING_STARTED = 127
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.002, 0.05
_CPU_WARNING_S = 5
_PIECE = 65_536


def main() -> None:
    """Read the order, run the command, report, exit."""
    _prctl(_SET_CHILD_SUBREAPER, 1)
    line, more = _first_line()
    order = json.loads(line)
    try:
        report = _Guard(order).run(more)
    except OSError as error:  # too many processes, for example
        report = {"error": error.strerror or str(error)}
    shutil.rmtree(order["folder"], ignore_errors=True)
    with contextlib.suppress(OSError):  # nobody is left to read it
        os.write(2, json.dumps(report).encode())


def _first_line() -> tuple[bytes, bytes]:
    """Return the order and what came with it. Exits if there is none."""
    data = b""
    while b"\n" not in data:
        piece = os.read(0, _PIECE)
        if not piece:
            raise SystemExit(1)
        data += piece
    line, _, more = data.partition(b"\n")
    return line, more


class _Guard:
    """One command. `_kill_at` is when everything is killed, by the monotonic clock."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._pid = 0
        self._kill_at = time.monotonic() + order["silence_s"]
        self._stopping = False
        self._report: dict[str, Any] = {}

    def run(self, more: bytes) -> dict[str, Any]:
        wake, woken = os.pipe()
        for end in (wake, woken):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for stops in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(stops, lambda *_: self._stop())
        self._start()
        if more:
            self._hear(more)
        while not self._report:
            left = self._kill_at - time.monotonic()
            if left <= 0:
                break
            ready, _, _ = select.select([0, wake], [], [], left)
            if wake in ready:
                os.read(wake, _PIECE)
                self._reap()
            if 0 in ready and not self._hear(os.read(0, _PIECE)):
                break
        self._kill_everything()
        return self._report

    def _start(self) -> None:
        failed, to_parent = os.pipe()  # closed by a successful exec
        guard = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            _become(self._order, guard, to_parent)
        os.close(to_parent)
        if why := os.read(failed, _PIECE):
            self._report = {"error": why.decode("utf-8", "replace")}
        os.close(failed)

    def _hear(self, data: bytes) -> bool:
        """Take note of a sign of life. Return whether the station is there."""
        if STOP in data:
            self._stop()
        elif data and not self._stopping:
            self._kill_at = time.monotonic() + self._order["silence_s"]
        return bool(data)

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        self._kill_at = time.monotonic() + self._order["grace_s"]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGTERM)

    def _reap(self) -> bool:
        """Collect what has ended. Return whether any child is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._pid and not self._report:
                code = os.waitstatus_to_exitcode(status)
                self._report = {"exit": code} if code >= 0 else {"signal": -code}

    def _kill_everything(self) -> None:
        pause = _FIRST_PAUSE_S
        while self._reap():
            for pid in _descendants():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)


def _become(order: dict[str, Any], guard: int, to_parent: int) -> NoReturn:
    """Become the command. Runs in the forked child."""
    try:
        os.setsid()
        _prctl(_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(_NOTHING_STARTED)
        _prctl(_SET_NO_NEW_PRIVS, 1)  # no child can get out of reach of our signals
        signal.set_wakeup_fd(-1)
        for usual in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(usual, signal.SIG_DFL)
        _limit(order["limits"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(1, 2)
        os.chdir(order["cwd"])
        os.execve(order["argv"][0], order["argv"], order["env"])
    except OSError as error:
        os.write(to_parent, (error.strerror or str(error)).encode())
    finally:
        os._exit(_NOTHING_STARTED)


def _limit(limits: dict[str, int]) -> None:
    import resource  # noqa: PLC0415 - the module around it is also loaded on Windows

    def limit(kind: int, soft: int, hard: int) -> None:
        _, highest = resource.getrlimit(kind)
        if highest != resource.RLIM_INFINITY:
            soft, hard = min(soft, highest), min(hard, highest)
        resource.setrlimit(kind, (soft, hard))

    cpu_s, processes = limits["cpu_s"], limits["processes"] + _own_threads()
    for kind, most in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_CORE, 0),
    ):
        limit(kind, most, most)
    limit(resource.RLIMIT_CPU, cpu_s, cpu_s + _CPU_WARNING_S)


def _own_threads() -> int:
    """How many threads this user has already: the limit of processes counts them all."""
    count, user = 0, os.getuid()
    for pid in _processes():
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}").st_uid == user:
                count += len(os.listdir(f"/proc/{pid}/task"))
    return count


def _processes() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _descendants() -> list[int]:
    children: dict[int, list[int]] = {}
    for pid in _processes():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
            parent = int(file.read().rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(pid)
    found, open_ends = [], [os.getpid()]
    while open_ends:
        below = children.get(open_ends.pop(), [])
        found += below
        open_ends += below
    return found


def kill_marked(mark: bytes) -> None:
    """Kill all processes with this variable in their environment: those of a killed guard."""
    pause = _FIRST_PAUSE_S
    while marked := [pid for pid in _processes() if _is_marked(pid, mark)]:
        for pid in marked:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def _is_marked(pid: int, mark: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return mark in file.read().split(b"\0")
    except OSError:
        return False


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


if __name__ == "__main__":
    main()
