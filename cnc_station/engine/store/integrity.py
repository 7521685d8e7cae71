"""Look at a SQLite file before a station opens it: nothing may be written to a damaged one.

The look is bounded. Header and log are always checked, the pages and then the indexes as far as
`LOOK_S` reaches: `doctor` checks all of a large file.
"""

import sqlite3
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from cnc_station.engine.domain.errors import Unavailable

LOOK_S = 0.5
_MAGIC = b"SQLite format 3\x00"
_HEADER = 100  # bytes, of the file
_PAGE_SIZES = {512 << power for power in range(8)}
_LOG_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_LOG_HEADER, _FRAME_HEADER, _INDEX_HEADER = 32, 24, 48
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PRIMARY = 0xFF  # the general error in SQLite's extended codes
_OPCODES = 1_000  # between two looks at the clock


def check_file(path: Path) -> None:
    """Raise Unavailable with what to do if a file is damaged or not a database. A missing or empty
    one is fine. Writes nothing into it."""
    try:
        check_kinds(path)
        with path.open("rb") as file:
            header = file.read(_HEADER)
        log = _log_of(path)
        journal = path.with_name(f"{path.name}-journal").exists()
        size = path.stat().st_size  # last: a station at work only makes it larger
    except FileNotFoundError:
        return
    except OSError as error:
        raise Unavailable(f"{path} can't be used: {error.strerror}.") from error
    if not header and log is None:
        return
    if header and header[:16] != _MAGIC:
        raise Unavailable(
            f"{path} is not a CNC Station database, or it is damaged. It was left as it is: "
            f"{_remedy(path)}"
        )
    fault = _header_fault(header, size, log, journal=journal) or _content_fault(path)
    if fault:
        raise damaged(path, fault)


def check_kinds(path: Path) -> None:
    """Raise Unavailable if a database, or a file that SQLite keeps beside it, is not an ordinary
    file: to open a pipe may block for ever. Raises OSError, also if the database is missing."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():  # an empty database made in its place would be taken for the shop's
            raise Unavailable(
                f"{path} is a link to {path.readlink()}, which does not exist. Is its disk there?"
            ) from None
        raise
    if stat.S_ISDIR(mode):
        raise Unavailable(f"{path} is a folder, not a database file.")
    if not stat.S_ISREG(mode):
        raise Unavailable(f"{path} is a device or a pipe, not a database file.")
    for ending in ("-wal", "-shm", "-journal"):
        beside = path.with_name(path.name + ending)
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(beside.lstat().st_mode):
                raise Unavailable(
                    f"{beside} is not an ordinary file, so {path.name} can't be used: move it away."
                )


def damaged(path: Path, fault: str) -> Unavailable:
    """Return the sentence for a damaged file."""
    return Unavailable(f"{path} is damaged: {fault}. It was left as it is: {_remedy(path)}")


def copies_of(path: Path) -> tuple[Path, ...]:
    """Return the copies beside a database, newest first."""
    found = [one for one in path.parent.glob("*") if _is_copy(one, path)]
    return tuple(sorted(found, key=lambda one: one.stat().st_mtime, reverse=True))


def _is_copy(candidate: Path, path: Path) -> bool:
    if not candidate.name.startswith(f"{path.name}.") or not candidate.is_file():
        return False
    with candidate.open("rb") as file:
        return file.read(16) == _MAGIC


def _remedy(path: Path) -> str:
    try:
        copies = copies_of(path)
    except OSError:
        copies = ()
    if not copies:
        return "restore a copy of it, or choose another file."
    return (
        f"move it and its {path.name}-wal and -shm away, then copy {copies[0].name} (the newest "
        "copy beside it) into its place, or choose another file."
    )


@dataclass(frozen=True, slots=True)
class _Log:
    """A write-ahead log: its header, its size, and the beginning of its index. The index lies in
    memory that outlives a killed process, and counts the frames that were on the disk."""

    header: bytes
    size: int
    index: bytes

    def fault(self, page: int) -> str:
        """Return what is wrong with it; "" if nothing. A header of zeros was never committed."""
        if not self.header.strip(b"\x00"):
            return ""
        if self.header[:4] not in _LOG_MAGIC or int.from_bytes(self.header[8:12], "big") != page:
            return "its write-ahead log is not valid"
        frames = self._counted_frames()
        complete = self.size >= _LOG_HEADER + frames * (_FRAME_HEADER + page)
        return "" if complete else "its write-ahead log is cut short"

    def _counted_frames(self) -> int:
        """Return the frames that the index counts; 0 if it is of another log or not complete."""
        one, two = self.index[:_INDEX_HEADER], self.index[_INDEX_HEADER : 2 * _INDEX_HEADER]
        whole = len(two) == _INDEX_HEADER and one == two and bool(one[12])
        same = whole and one[32:40] == self.header[16:24]  # the salts
        return int.from_bytes(one[16:20], sys.byteorder) if same else 0


def _log_of(path: Path) -> _Log | None:
    """Return the write-ahead log, if it has content. The index is read first, the size last: a
    station at work only makes it larger."""
    index, log = path.with_name(f"{path.name}-shm"), path.with_name(f"{path.name}-wal")
    beginning = b""
    if index.is_file():
        with index.open("rb") as file:
            beginning = file.read(2 * _INDEX_HEADER)
    if not log.is_file() or not log.stat().st_size:
        return None
    with log.open("rb") as file:
        header = file.read(_LOG_HEADER)
    return _Log(header.ljust(_LOG_HEADER, b"\x00"), log.stat().st_size, beginning)


def _header_fault(header: bytes, size: int, log: _Log | None, *, journal: bool) -> str:
    """Return what is wrong with the headers; "" if nothing. Only without a log or a journal must
    the file be complete: what was cut off is made again from them."""
    if len(header) < _HEADER:
        return "it is cut short" if header else "it is empty, but its write-ahead log is not"
    page = int.from_bytes(header[16:18], "big")
    page = 65_536 if page == 1 else page
    versions = {*header[18:20]} <= {1, 2}
    if page not in _PAGE_SIZES or not versions or header[21:24] != b"\x40\x20\x20":
        return "its first page is not valid"
    if log is not None:
        return log.fault(page)
    if journal:
        return ""
    pages = int.from_bytes(header[28:32], "big") if header[24:28] == header[92:96] else 0
    return "it is cut short" if size % page or size < pages * page else ""


def _content_fault(path: Path) -> str:
    """Return what SQLite finds wrong within the time; "" if nothing. A file that cannot be opened
    for reading is not judged here."""
    end = time.monotonic() + LOOK_S
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as opened:
            opened.set_progress_handler(lambda: time.monotonic() > end, _OPCODES)
            return next(_faults(opened), "")
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0)
        return "its content is not valid" if code & _PRIMARY in _DAMAGE else ""


def _faults(opened: sqlite3.Connection) -> Iterator[str]:
    for check in ("quick_check", "integrity_check"):
        for (found,) in opened.execute(f"PRAGMA {check}(1)"):
            if found != "ok":
                yield " ".join(str(found).removeprefix("*** in database main ***").split())
