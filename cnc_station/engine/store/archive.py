"""Write rows that are about to be deleted into CSV files: one for each table and month."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, select

from cnc_station import private_files
from cnc_station.engine.domain.csv_text import BOM, csv_lines
from cnc_station.engine.store.schema import program

_AT_ONCE = 500
_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT
_APPEND |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of the archive: the rows whose `key` is among the chosen ids."""

    name: str
    key: Column[Any]
    columns: tuple[Column[Any], ...]


def sheet(name: str, key: Column[Any], *, without: Iterable[str] = ()) -> Sheet:
    """Return the sheet of the key's table, with all columns except some."""
    left_out = frozenset(without)
    columns = tuple(column for column in key.table.c if column.name not in left_out)
    return Sheet(name, key, columns)


def write_sheets(
    connection: Connection, now: int, folder: Path, sheets: Sequence[Sheet], ids: Sequence[Any]
) -> None:
    """Append the rows of `ids` to the files of this month, and onto the disk. Programs become files
    of their own as well. Raises OSError; then no file has a part of these rows that a reader would
    take for all of them."""
    private_files.make_folder(folder)
    month = time.strftime("%Y-%m", time.gmtime(now / 1000))
    for one in sheets:
        query = select(*one.columns).where(one.key.in_(ids)).order_by(one.key)
        rows = connection.execution_options(yield_per=_AT_ONCE).execute(query)
        with closing(rows):
            _append(folder / f"{one.name}-{month}.csv", one.columns, rows.partitions(_AT_ONCE))
        if one.key.table is program:
            _write_programs(connection, folder / "programs", ids)


def _append(
    path: Path, columns: Sequence[Column[Any]], pages: Iterator[Sequence[Sequence[Any]]]
) -> None:
    times = [str(column.type) == "BIGINT" and _is_time(column.name) for column in columns]
    handle = os.open(path, _APPEND, private_files.FILE_MODE)
    with os.fdopen(handle, "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            if not size:
                _write(handle, BOM + csv_lines([[column.name for column in columns]]))
            elif not _ends_a_line(file, size):  # the computer was switched off in a row
                _write(handle, b"\r\n")
            for page in pages:
                _write(handle, csv_lines(_cells(row, times) for row in page))
            os.fsync(handle)
        except BaseException:
            os.ftruncate(handle, size)
            raise


def _write(handle: int, content: bytes) -> None:
    """Write all of it: a full disk takes a part first, and raises at the next attempt."""
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]


def _ends_a_line(file: Any, size: int) -> bool:
    file.seek(size - 1)
    return bool(file.read(1) == b"\n")


def _is_time(name: str) -> bool:
    return name == "at" or name.endswith(("_at", "_since", "_until")) or name == "not_before"


def _cells(row: Sequence[Any], times: Sequence[bool]) -> list[object]:
    return [
        _utc(value) if is_time and value is not None else value
        for value, is_time in zip(row, times, strict=True)
    ]


def _utc(ms: int) -> str:
    try:
        moment = time.gmtime(ms // 1000)
    except (OverflowError, ValueError, OSError):  # a clock that was wrong
        return str(ms)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}.{ms % 1000:03}Z"


def _write_programs(connection: Connection, folder: Path, ids: Sequence[Any]) -> None:
    private_files.make_folder(folder)
    query = select(program.c.sha256, program.c.content).where(program.c.sha256.in_(ids))
    for row in connection.execute(query):
        private_files.replace(folder / f"{row.sha256}.nc", row.content)
