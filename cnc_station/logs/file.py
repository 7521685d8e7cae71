"""A station's log file: appended to, begun anew each day and before it is too large.

Several processes may append to one file: each write is whole lines, and a file that another process
has moved away is left. Former files are numbered: clocks are set back, numbers are not.
"""

import errno
import math
import os
import re
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from cnc_station import private_files

SUFFIX = ".jsonl"
PARTS = 10  # a file is begun anew at this share of what the log may take
_FORMER = re.compile(r"(.+)\.([0-9]{6,12})" + re.escape(SUFFIX))
_FLAGS = os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_DAY_S = 86_400


def file_name(station: str) -> str:
    """Return the name of a station's log file. Names that a file cannot have get a number."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", station).strip("_") or "station"
    if plain == station:
        return plain + SUFFIX
    number = sha256(station.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{plain[:60]}-{number}{SUFFIX}"


def series_of(name: str) -> tuple[str, float]:
    """Return what the files of one station have in common, and the number of this one; that of the
    present one is infinite."""
    found = _FORMER.fullmatch(name)
    return (found[1], int(found[2])) if found else (name.removesuffix(SUFFIX), math.inf)


class LogFile:
    """Takes at most `most_bytes`, its former files included; those are deleted after `keep_days`
    (0: never). Used by one thread."""

    def __init__(
        self,
        path: Path,
        most_bytes: int,
        keep_days: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self._most_bytes, self._keep_days, self._clock = most_bytes, keep_days, clock
        self._handle: int | None = None
        self._day = 0
        self._torn = False  # the last line may be half a one

    def write(self, lines: str) -> None:
        """Append whole lines. Raises OSError if they are not, or not all, written."""
        content = lines.encode("utf-8", "replace")
        handle = self._ready(len(content))
        if self._torn and self._ends_within_a_line(handle):
            content = b"\n" + content
        self._torn = True
        view = memoryview(content)
        while view:
            written = os.write(handle, view)
            view = view[written:]
        self._torn = False

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _ready(self, more: int) -> int:
        """Return the open file, a new one if the present one is full, of another day or gone."""
        today = int(self._clock() // _DAY_S)
        if self._handle is not None and not self._is_at_its_path(self._handle):
            self.close()
        handle = self._opened()
        size = os.fstat(handle).st_size
        if size and (size + more > self._most_bytes // PARTS or today != self._day):
            self.close()
            self._move_away()
            handle = self._opened()
        self._day = today
        return handle

    def _opened(self) -> int:
        if self._handle is None:
            private_files.make_folder(self.path.parent)
            private_files.create(self.path)
            handle = os.open(self.path, _FLAGS)
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                os.close(handle)
                raise OSError(errno.EINVAL, "is not an ordinary file", str(self.path))
            self._handle, self._day = handle, int(found.st_mtime // _DAY_S)
            self._torn = True
            self._delete_former()
        return self._handle

    def _is_at_its_path(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), self.path.stat())
        except OSError:
            return False

    def _ends_within_a_line(self, handle: int) -> bool:
        """Whether a full disk or the end of a process has cut the last line."""
        size = os.fstat(handle).st_size
        if not size:
            return False
        with self.path.open("rb") as file:
            file.seek(size - 1)
            return file.read(1) not in {b"\n", b""}

    def _move_away(self) -> None:
        """Give the full file the next number. If that fails, it grows on."""
        with suppress(OSError):
            number = max((int(number) for number, _ in self._former()), default=0) + 1
            self.path.rename(self.path.with_name(f"{self.path.stem}.{number:06}{SUFFIX}"))

    def _former(self) -> list[tuple[float, Path]]:
        names = [path.name for path in self.path.parent.iterdir() if path.suffix == SUFFIX]
        return sorted(
            (number, self.path.with_name(name))
            for name in names
            for station, number in [series_of(name)]
            if station == self.path.stem and number < math.inf
        )

    def _delete_former(self) -> None:
        """Delete the oldest files until the others have room beside a full one."""
        left = self._most_bytes - self._most_bytes // PARTS
        oldest = self._clock() - self._keep_days * _DAY_S if self._keep_days else 0.0
        with suppress(OSError):
            for _, path in reversed(self._former()):
                found = path.stat()
                left -= found.st_size
                if left < 0 or found.st_mtime < oldest:
                    path.unlink()
