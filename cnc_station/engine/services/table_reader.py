"""Read tables of jobs in processes of their own, which end with the reading or with the station."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any, TypeVar

from cnc_station.bundled import READ_TABLE, self_command, self_environment
from cnc_station.engine.domain.tables.table import Row, Table
from cnc_station.engine.services.table_child import TOO_MUCH
from cnc_station.engine.services.table_file import MAX_ROWS, MAX_TEXT, Unreadable

log = logging.getLogger(__name__)

T = TypeVar("T")
ReadTable = Callable[[bytes, Set[str]], Table]

AT_ONCE = 2
LONGEST_S = 120.0  # of a process that is not at work; see also `table_child.CPU_S`
_END_S = 1.0  # for a process that has closed its output
_LONGEST_LINE = 16 << 20
_MOST_BYTES = 8 * MAX_TEXT  # JSON writes a character in up to 6 bytes
KEPT_CELLS = 1_000_000  # of the last table, which is often read again with other columns
_KEPT_TEXT = 5_000_000  # characters of its different cells
_STOPPED = "The reading was stopped."
_BROKEN = "The table can't be read: its reader ended without an answer."


class TableReader:
    """Reads up to `AT_ONCE` tables at a time. A cancelled reading ends its process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="table")
        self._readings: list[_Reading] = []
        self._kept: tuple[bytes, Table] | None = None

    async def run(self, name: str, work: Callable[[ReadTable], T]) -> T:
        """Run `work` on a thread, with a function that reads a table and raises Unreadable. `name`
        is for `progress`."""
        reading = _Reading(name)
        self._readings.append(reading)

        def read(content: bytes, wanted: Set[str]) -> Table:
            return self._read(reading, content, wanted)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, read)
        finally:
            reading.stop(_STOPPED)
            self._readings.remove(reading)

    def progress(self, name: str) -> float | None:
        """Return the part of a table that is read, from 0 to 1; None if it is not being read."""
        return next((each.part for each in self._readings if each.name == name), None)

    def forget(self) -> None:
        """Free the memory of the last table."""
        self._kept = None

    def close(self) -> None:
        """End all readings and their threads."""
        for reading in tuple(self._readings):
            reading.stop(_STOPPED)
        self._threads.shutdown(cancel_futures=True)

    def _read(self, reading: "_Reading", content: bytes, wanted: Set[str]) -> Table:
        digest = sha256(content).digest()
        kept = self._kept
        if kept is not None and kept[0] == digest and wanted <= set(kept[1].columns):
            reading.part = 1.0
            return kept[1]
        table = reading.read(content, wanted)
        small = len(table.columns) * len(table.rows) <= KEPT_CELLS
        self._kept = (digest, table) if small and reading.text <= _KEPT_TEXT else None
        return table


class _Reading:
    """One table, and the process that reads it. `stop` is for any thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.part = 0.0
        self.text = 0  # characters of different cells
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped: str | None = None

    def stop(self, why: str) -> None:
        """End the process; the reading raises Unreadable with this sentence."""
        with self._lock:
            self._stopped = self._stopped or why
            if self._process is not None:
                self._process.kill()

    def read(self, content: bytes, wanted: Set[str]) -> Table:
        """Read a table. Raises Unreadable."""
        process = self._start()
        watch = threading.Timer(LONGEST_S, self.stop, [TOO_MUCH])
        watch.daemon = True
        watch.start()
        try:
            with contextlib.suppress(OSError):  # the process has ended: its answer tells why
                _send(process, content, wanted)
            table = self._receive(process)
            if table is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_END_S)
        finally:
            watch.cancel()
            self._end(process)
        if table is None:
            raise Unreadable(self._stopped or _why(process.returncode))
        return table

    def _start(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped is not None:
                raise Unreadable(self._stopped)
            self._process = subprocess.Popen(
                [*self_command(), READ_TABLE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self_environment(),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            return self._process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        self.part = 1.0
        with self._lock:
            self._process = None
            process.kill()
        assert process.stdin is not None
        assert process.stdout is not None
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        process.wait()

    def _receive(self, process: subprocess.Popen[bytes]) -> Table | None:
        """Return the table; None if the process ended before it was complete."""
        assert process.stdout is not None
        columns: tuple[str, ...] = ()
        notes: tuple[str, ...] = ()
        rows: list[Row] = []
        left = _MOST_BYTES
        cells_once: dict[str, str] = {}  # most cells of a long table are the same as others
        once = cells_once.setdefault
        while (line := process.stdout.readline(min(left, _LONGEST_LINE))).endswith(b"\n"):
            left -= len(line)
            told: Mapping[str, Any] = json.loads(line)
            if "refused" in told:
                raise Unreadable(told["refused"])
            if "end" in told:
                self.text = sum(map(len, cells_once))
                return Table(columns, tuple(rows), notes)
            self.part = told.get("part", self.part)
            columns = tuple(told.get("columns", columns))
            notes = tuple(told.get("notes", notes))
            rows += (Row(n, tuple(map(once, cells, cells))) for n, cells in told.get("rows", ()))
            if len(rows) > MAX_ROWS:
                break
        return None


def _send(process: subprocess.Popen[bytes], content: bytes, wanted: Set[str]) -> None:
    assert process.stdin is not None
    header = {"size": len(content), "wanted": sorted(wanted)}
    process.stdin.write(json.dumps(header).encode() + b"\n")
    process.stdin.write(content)
    process.stdin.flush()


def _why(code: int) -> str:
    if os.name == "posix" and code in {-signal.SIGXCPU, -signal.SIGKILL}:
        return TOO_MUCH
    log.error("the process that reads a table ended with %s", code)
    return _BROKEN
