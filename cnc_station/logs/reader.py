"""Reads the log files of a folder, of all stations that share it, merged by time.

Whatever stands in the files, memory stays bounded: they are read in blocks, from their ends or from
where they were left, and a line has a longest length.
"""

import heapq
import json
import logging
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from cnc_station.logs.file import SUFFIX, series_of
from cnc_station.logs.lines import timestamp

MOST_LINE = 256 * 1024  # bytes; a traceback fits
MOST_AT_ONCE = 1024 * 1024  # bytes of a file that is followed
_BLOCK = 256 * 1024
_UNSORTED_S = 600  # a file's lines are in the order of writing, which is nearly that of their times
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_FLAGS |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class LogLine(NamedTuple):
    """One line, as far as it can be read: `fields` are what its JSON says."""

    timestamp: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which lines are wanted; `since` as in `timestamp`, `level` as in `logging`."""

    job_id: int | None = None
    trace_id: str | None = None
    station: str | None = None
    since: str = ""
    level: int = logging.NOTSET

    def may_match(self, raw: bytes) -> bool:
        """Whether a line is worth parsing: most are not, and parsing takes ten times as long."""
        if self.job_id is not None and b"%d" % self.job_id not in raw:
            return False
        if self.trace_id is not None and _PLAIN.fullmatch(self.trace_id):
            return self.trace_id.encode() in raw
        return not any(text in raw for text in _too_low(self.level))

    def matches(self, line: LogLine) -> bool:
        found = line.fields
        if line.timestamp < self.since:
            return False
        if self.job_id is not None and found.get("job_id") != self.job_id:
            return False
        if self.trace_id is not None and found.get("trace_id") != self.trace_id:
            return False
        if self.station and str(found.get("station")).casefold() != self.station.casefold():
            return False
        return self.level <= level_of(found)


@cache
def _too_low(level: int) -> tuple[bytes, ...]:
    """Return the fields of lower levels as stations write them; no text can contain them."""
    names = [name for name, known in logging.getLevelNamesMapping().items() if known < level]
    return tuple(f'"level":"{name.lower()}"'.encode() for name in names)


def level_of(fields: dict[str, Any]) -> int:
    """Return the level of a line as `logging` has it; that of information for an unknown one."""
    known = logging.getLevelNamesMapping()
    return known.get(str(fields.get("level")).upper(), logging.INFO)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    key: tuple[int, int]  # the same after it was renamed
    size: int
    changed_at: float


class LogFolder:
    """The files of a folder at this moment, and what is appended to them afterwards.

    `unreadable` counts the lines that are no log lines, `refused` names the files that cannot be
    opened, with the reason.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.unreadable = 0
        self.refused: dict[str, str] = {}
        self._first = self._files()
        self._read: dict[tuple[int, int], int] = {}
        for file in self._first:
            with self._opened(file) as opened:
                self._read[file.key] = _whole_lines(opened, file.size) if opened else file.size

    def newest(self, chosen: LogFilter) -> Iterator[LogLine]:
        """Yield the wanted lines that were there at first, the newest first."""
        files = sorted(self._first, key=lambda file: series_of(file.path.name))
        series = [
            self._series(list(group), chosen)
            for _, group in groupby(files, key=lambda file: series_of(file.path.name)[0])
        ]
        yield from heapq.merge(*series, key=lambda line: line.timestamp, reverse=True)

    def new(self, chosen: LogFilter) -> list[LogLine]:
        """Return the wanted lines that have been appended since the last call, by time."""
        found: list[LogLine] = []
        for file in self._files():
            begun = self._read.get(file.key, 0)
            if file.size < begun:  # another program has emptied it
                begun = 0
            if file.size == begun:
                self._read[file.key] = begun
                continue
            with self._opened(file) as opened:
                if opened is None:
                    continue
                opened.seek(begun)
                content = opened.read(MOST_AT_ONCE)
            end = content.rfind(b"\n") + 1
            if not end and len(content) == MOST_AT_ONCE:
                end = len(content)  # no line is so long
            self._read[file.key] = begun + end
            found += self._wanted(iter(content[:end].split(b"\n")), chosen)
        return sorted(found, key=lambda line: line.timestamp)

    def _files(self) -> list[_File]:
        found = []
        try:
            for entry in os.scandir(self._folder):
                if entry.name.endswith(SUFFIX) and entry.is_file(follow_symlinks=False):
                    status = Path(entry.path).stat()  # on Windows that of an entry has no number
                    key = (status.st_dev, status.st_ino)
                    found.append(_File(Path(entry.path), key, status.st_size, status.st_mtime))
        except OSError as error:
            self.refused[str(self._folder)] = error.strerror or str(error)
        return found

    @contextmanager
    def _opened(self, file: _File) -> Iterator[BinaryIO | None]:
        """Open a file, also under the name that it has got meanwhile; None if that fails."""
        opened = self._open(file.path, file.key)
        if opened is None:
            moved = [other.path for other in self._files() if other.key == file.key]
            opened = self._open(moved[0], file.key) if moved else None
        if opened is None:
            yield None
            return
        with opened:
            yield opened

    def _open(self, path: Path, key: tuple[int, int]) -> BinaryIO | None:
        """Open an ordinary file, unless another one stands in its place by now."""
        try:
            handle = os.open(path, _FLAGS)
        except OSError as error:
            self.refused[str(path)] = error.strerror or str(error)
            return None
        status = os.fstat(handle)
        if stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) == key:
            return os.fdopen(handle, "rb")
        os.close(handle)
        return None

    def _series(self, files: list[_File], chosen: LogFilter) -> Iterator[LogLine]:
        """Yield the wanted lines of a station's files, given from the oldest on, newest first."""
        for file in reversed(files):
            if _is_before(file.changed_at, chosen.since):
                return
            with self._opened(file) as opened:
                if opened is None:
                    continue
                size = self._read[file.key]
                yield from self._wanted(_backwards(opened, size), chosen)

    def _wanted(self, lines: Iterator[bytes], chosen: LogFilter) -> Iterator[LogLine]:
        for raw in lines:
            if not raw or not chosen.may_match(raw):
                continue
            line = _parsed(raw)
            if line is None:
                self.unreadable += 1
            elif chosen.matches(line):
                yield line


def _is_before(changed_at: float, since: str) -> bool:
    """Whether a file was written for the last time before anything wanted."""
    return bool(since) and timestamp(round((changed_at + _UNSORTED_S) * 1000)) < since


def _parsed(raw: bytes) -> LogLine | None:
    if len(raw) >= MOST_LINE:
        return None
    try:
        fields = json.loads(raw)
        at = fields["timestamp"]
        return LogLine(at, fields) if _TIMESTAMP.fullmatch(at) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _whole_lines(file: BinaryIO, size: int) -> int:
    """Return how much of a file is whole lines: a station may be writing the last one."""
    begun = max(0, size - MOST_LINE)
    file.seek(begun)
    end = file.read(size - begun).rfind(b"\n")
    return begun + end + 1 if end >= 0 or not begun else size


def _backwards(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the lines from the last to the first. One that is too long lacks its beginning."""
    rest = b""
    while size > 0:
        begun = max(0, size - _BLOCK)
        file.seek(begun)
        first, *lines = (file.read(size - begun) + rest).split(b"\n")
        yield from reversed(lines)
        rest, size = first[-MOST_LINE:], begun
    yield rest
