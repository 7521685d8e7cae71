"""A consistent copy of a database file while a station works on it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from cnc_station import private_files

_STEP = 500  # pages, 2 MB: the interpreter and the disk are given away between two steps
OnPart = Callable[[float], None]


def untold(_part: float) -> None:
    """Nobody is told how far the work is."""


def copy_database(source: Path, copy: Path, on_part: OnPart = untold) -> None:
    """Copy a database with its write-ahead log into a new private file, as it is at this moment.
    `on_part` is told the part done. Raises sqlite3.Error, OSError; an incomplete copy may remain.

    The snapshot is held over all steps: neither does the copy wait for the writer, nor the writer
    for the copy, nor does a write make the copy begin anew.
    """
    private_files.create_new(copy)
    address = f"{source.absolute().as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=10, isolation_level=None)) as opened,
        closing(sqlite3.connect(copy, isolation_level=None)) as target,
    ):
        opened.execute("PRAGMA query_only=ON")
        target.execute("PRAGMA synchronous=OFF")
        opened.execute("BEGIN")
        opened.execute("SELECT count(*) FROM sqlite_master").fetchone()

        def tell(_status: int, remaining: int, total: int) -> None:
            on_part(1 - remaining / total if total else 1.0)

        opened.backup(target, pages=_STEP, progress=tell)
        target.execute("PRAGMA journal_mode=DELETE")  # one file: no log beside it
