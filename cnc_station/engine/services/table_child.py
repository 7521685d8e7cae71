"""The process that reads one table of jobs for a station, with little memory and little time.

The station writes a line of JSON and the file to its stdin, and reads lines of JSON from its
stdout: the columns, the rows in batches, and the end or a sentence. It ends with the station: its
stdin is closed then.
"""

import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from cnc_station.engine.domain.tables.table import Table
from cnc_station.engine.services.table_file import Unreadable, read_table

MEMORY = 400 * 1024 * 1024  # of addresses; about 280 MB can be filled
CPU_S = 40
HEADER_BYTES = 1_000_000
_BATCH, _BATCH_TEXT = 2_000, 200_000  # cells, and their characters: the station parses it at once
TOO_MUCH = (
    "The table needs more time or memory than a table may: save what matters as CSV, or import it "
    "in parts."
)


def main() -> int:
    """Read one table from stdin. Return the exit code."""
    _limit()
    with open(0, "rb", closefd=False) as told, open(1, "wb", closefd=False) as out:
        header = json.loads(told.readline(HEADER_BYTES))
        content = told.read(header["size"])
        threading.Thread(target=_end_with_station, daemon=True).start()
        try:
            for line in _answer(content, frozenset(header["wanted"]), out):
                _write(out, line)
        except Unreadable as error:
            _write(out, {"refused": str(error)})
        except MemoryError:
            _write(out, {"refused": TOO_MUCH})
    return 0


def _limit() -> None:
    sys.modules["numpy"] = None  # type: ignore[assignment] # openpyxl's guest: slow and large
    if os.name == "nt":
        return
    import resource  # noqa: PLC0415 - POSIX only

    for limit, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (value, value))


def _end_with_station() -> None:
    """Nothing more comes from the station: the next thing to be read is its end."""
    os.read(0, 1)
    os._exit(1)


def _answer(content: bytes, wanted: frozenset[str], out: BinaryIO) -> Iterator[Mapping[str, Any]]:
    table = read_table(content, wanted, lambda part: _write(out, {"part": round(part, 3)}))
    yield {"columns": table.columns, "notes": table.notes}
    yield from ({"rows": batch} for batch in _batches(table))
    yield {"end": True}


def _batches(table: Table) -> Iterator[Sequence[tuple[int, tuple[str, ...]]]]:
    batch: list[tuple[int, tuple[str, ...]]] = []
    cells = text = 0
    for row in table.rows:
        batch.append((row.number, row.cells))
        cells += len(row.cells)
        text += sum(map(len, row.cells))
        if cells >= _BATCH or text >= _BATCH_TEXT:
            yield batch
            batch, cells, text = [], 0, 0
    yield batch


def _write(out: BinaryIO, line: Mapping[str, Any]) -> None:
    out.write(json.dumps(line).encode() + b"\n")
    out.flush()
