"""Look at a SQLite file before a station opens it: nothing may be written to a damaged one.

The look is bounded. Header and log are always checked, the pages and then the indexes as far as
`LOOK_S` reaches: `doctor` checks all of a large file.
"""

import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from cnc_station.engine.domain.errors import Unavailable

LOOK_S = 2.0
_MAGIC = b"SQLite format 3\x00"
_HEADER = 100  # bytes, of the file
_PAGE_SIZES = {512 << power for power in range(8)}
_LOG_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_LOG_HEADER, _FRAME_HEADER = 32, 24
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PRIMARY = 0xFF  # the general error in SQLite's extended codes
_OPCODES = 1_000  # between two looks at the clock


def check_file(path: Path) -> None:
    """Raise Unavailable with what to do if a file is damaged or not a database. A missing or empty
    one is fine. Writes nothing into it."""
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise Unavailable(f"{path} is a folder, not a database file.")
        if not stat.S_ISREG(found.st_mode):
            raise Unavailable(f"{path} is a device or a pipe, not a database file.")
        if not found.st_size:
            return
        with path.open("rb") as file:
            header = file.read(_HEADER)
        log = _log_of(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise Unavailable(f"{path} can't be used: {error.strerror}.") from error
    if header[:16] != _MAGIC:
        raise Unavailable(
            f"{path} is not a CNC Station database, or it is damaged. It was left as it is: "
            f"{_remedy(path)}"
        )
    fault = _header_fault(header, found.st_size, log) or _content_fault(path)
    if fault:
        raise damaged(path, fault)


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


def _log_of(path: Path) -> bytes | None:
    """Return the header of the write-ahead log, if it has content."""
    log = path.with_name(f"{path.name}-wal")
    if not log.is_file() or log.stat().st_size < _LOG_HEADER + _FRAME_HEADER:
        return None  # one that ends earlier never contained a commit
    with log.open("rb") as file:
        return file.read(_LOG_HEADER)


def _header_fault(header: bytes, size: int, log: bytes | None) -> str:
    """Return what is wrong with the headers; "" if nothing. Only without a log must the file be
    complete: a checkpoint that was cut off is made again from the log."""
    if len(header) < _HEADER:
        return "it is cut short"
    page = int.from_bytes(header[16:18], "big")
    page = 65_536 if page == 1 else page
    versions = {*header[18:20]} <= {1, 2}
    if page not in _PAGE_SIZES or not versions or header[21:24] != b"\x40\x20\x20":
        return "its first page is not valid"
    if log is not None:
        fits = log[:4] in _LOG_MAGIC and int.from_bytes(log[8:12], "big") == page
        return "" if fits else "its write-ahead log is not valid"
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
