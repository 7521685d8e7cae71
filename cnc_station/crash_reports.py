"""Reports of crashes, in the data folder: of Python, and of a library in C.

While the program runs, its report is a file with a locked handle. `faulthandler` writes into it if
a fault ends the process; a clean end removes it. The next start finishes the reports of processes
that are gone: one with more than its head tells of a crash, and gets the last lines of the log.
"""

import contextlib
import faulthandler
import logging
import os
import platform
import re
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from cnc_station import __version__, private_files
from cnc_station.config import Config
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.logs.file import file_name

FOLDER = "crashes"
MOST_KEPT = 20
_RUNNING, _LEFT = ".running", ".txt"
_NAME = re.compile(r"crash-[0-9]{8}-[0-9]{6}-[0-9]+\.txt")
_END_OF_HEAD = "----\n"
_LOG_BYTES = 20_000
_MOST_BYTES = 4_000_000
_OPEN = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class CrashReport:
    """The report of this process. `previous` are those of earlier ones that crashed and were not
    told of yet. Without a folder that can be written there is none, and the program works."""

    def __init__(self, config: Config) -> None:
        self.previous: tuple[Path, ...] = ()
        self._path: Path | None = None
        self._handle: int | None = None
        folder = config.data_folder / FOLDER
        with contextlib.suppress(OSError):
            private_files.make_folder(folder)
            self.previous = _take_up(folder, config.logs / file_name(config.station))
            self._begin(folder, config.station)

    def _begin(self, folder: Path, station: str) -> None:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        path = folder / f"crash-{stamp}-{os.getpid()}{_RUNNING}"
        private_files.create_new(path)
        self._path, self._handle = path, os.open(path, _OPEN)
        _lock(self._handle)
        os.write(self._handle, _head(station).encode())
        faulthandler.enable(self._handle, all_threads=True)

    def note(self, text: str) -> None:
        """Write what ends the program. Never raises: it may be called while memory is damaged."""
        if self._handle is not None:
            with contextlib.suppress(OSError):
                os.write(self._handle, text.encode("utf-8", "backslashreplace") + b"\n")

    def close(self) -> None:
        """Remove the report: the program ends in order."""
        if self._handle is None or self._path is None:
            return
        faulthandler.disable()
        os.close(self._handle)
        self._handle = None
        with contextlib.suppress(OSError):
            self._path.unlink()

    def __enter__(self) -> "CrashReport":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Keep the report of a bug. Refusals and interrupts are in order."""
        expected = (CncStationError, KeyboardInterrupt, SystemExit, BrokenPipeError)
        if kind is None or issubclass(kind, expected):
            self.close()
            return
        self.note("".join(traceback.format_exception(kind, error, trace)))


class LastWords(logging.Handler):
    """Notes critical records, after which Qt ends the process: the log may come too late."""

    def __init__(self, report: CrashReport) -> None:
        super().__init__(logging.CRITICAL)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):
            self._report.note(record.getMessage())


def crash_of(report: Path) -> str:
    """Return the first line that tells what happened; "" if the report can't be read."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        _, _, body = (
            (private_files.read_regular(report, _MOST_BYTES) or b"")
            .decode()
            .partition(_END_OF_HEAD)
        )
        lines = [line.strip() for line in body.splitlines() if line.strip()]
        if lines and lines[0].startswith("Traceback"):
            lines = [line.strip() for line in body.partition("\n\n")[0].splitlines()[-1:]]
        return lines[0] if lines else ""
    return ""


def reports(config: Config) -> list[Path]:
    """Return the reports of crashes, the oldest first."""
    try:
        found = (config.data_folder / FOLDER).iterdir()
        return sorted(path for path in found if _NAME.fullmatch(path.name))
    except OSError:
        return []


def _head(station: str) -> str:
    return (
        f"CNC Station {__version__}, station {station}\n"
        f"Python {platform.python_version()} on {platform.platform()}\n"
        f"process {os.getpid()}, {threading.active_count()} threads, started "
        f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC, {Path(sys.argv[0]).name}\n"
        f"{_END_OF_HEAD}"
    )


def _take_up(folder: Path, log: Path) -> tuple[Path, ...]:
    """Finish the reports of processes that are gone. Return those that tell of a crash."""
    found = []
    for path in sorted(folder.glob(f"crash-*{_RUNNING}")):
        with contextlib.suppress(OSError):
            if (report := _finished(path, log)) is not None:
                found.append(report)
    kept = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    for path in kept[:-MOST_KEPT]:
        path.unlink(missing_ok=True)
    return tuple(found)


def _finished(path: Path, log: Path) -> Path | None:
    """Return the finished report; None if its process works, or was killed or switched off."""
    handle = os.open(path, _OPEN)
    try:
        if not _lock(handle):
            return None
        body = os.read(handle, _MOST_BYTES).partition(_END_OF_HEAD.encode())[2]
        if body.strip():
            os.lseek(handle, 0, os.SEEK_END)
            os.write(handle, b"\n\nThe last lines of the log:\n" + _tail(log))
    finally:
        os.close(handle)
    if not body.strip():
        path.unlink()
        return None
    return path.rename(path.with_suffix(_LEFT))


def _tail(log: Path) -> bytes:
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LOG_BYTES))
            return file.read(_LOG_BYTES).partition(b"\n")[2] if size > _LOG_BYTES else file.read()
    except OSError:
        return b"(there is none)\n"


def _lock(handle: int) -> bool:
    """Lock a report as long as its process lives. Return whether nobody else holds it."""
    if not private_files.POSIX:
        import msvcrt  # noqa: PLC0415 - Windows only

        try:
            os.lseek(handle, 1 << 30, os.SEEK_SET)  # beyond its end: others may read it
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True
    import fcntl  # noqa: PLC0415 - POSIX only

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def told_of(previous: tuple[Path, ...]) -> Iterator[str]:
    """Yield a line for the log for each crash."""
    for report in previous:
        yield f"CNC Station crashed before ({crash_of(report)}): see {report}"
