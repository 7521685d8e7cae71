"""A shop's database of any size, filled without the engine: where the benchmarks begin."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, insert, literal_column, select, true

from cnc_station.config import Config
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from cnc_station.engine.store.schema import job, machine
from tests.benchmarks.product_store import STATION
from tests.store.rows import job_row, machine_row

MINUTE_MS = 60_000
SHIFT_MS = 8 * 60 * MINUTE_MS
_PATTERN = 1000
_PARTS = ("Bracket", "Flange", "Shaft", "Housing", "Plate", "Bush", "Manifold", "Lever")
_MATERIALS = ("steel", "aluminium", "brass", "stainless", "POM")
_TYPES = ("mill", "mill", "mill", "lathe", "drill")


@contextmanager
def folder() -> Iterator[Path]:
    """On the disk that the shop's database would be on, not in memory."""
    with tempfile.TemporaryDirectory(prefix="cnc-bench-", dir=Path.home()) as name:
        yield Path(name)


def config(path: Path) -> Config:
    """A station that waits for the disk."""
    return Config(data_folder=path, database_url=url(path), station=STATION)


def url(path: Path) -> str:
    """Where `fill` puts the shop of a folder."""
    return f"sqlite:///{path / 'station.db'}"


def fill(path: Path, jobs: int, machines: int, *, one_type: bool = False, **values: Any) -> None:
    """A shop in a folder; see `fill_database`."""
    fill_database(url(path), jobs, machines, one_type=one_type, **values)


def fill_database(
    where: str, jobs: int, machines: int, *, one_type: bool = False, **values: Any
) -> None:
    """A shop with so many machines, and jobs of which nine of ten wait and the others are done.

    `one_type`: all are for mills. `values` are columns that all jobs share.
    """
    database = Database(where, synchronous="OFF")
    bring_up_to_date(database)
    with closing(database.connect_writer()) as pen, pen.begin():
        types = ("mill",) if one_type else _TYPES
        kinds = [types[number % len(types)] for number in range(machines)]
        database.dialect.insert(
            pen, machine, [_machine(number, kind) for number, kind in enumerate(kinds)]
        )
        pattern = [_job(number, types, values) for number in range(min(jobs, _PATTERN))]
        database.dialect.insert(pen, job, pattern)
        _repeat(pen, job, jobs)
    database.close()


def _machine(number: int, machine_type: str) -> dict[str, Any]:
    return machine_row(name=f"M{number:04}", machine_type=machine_type, station=STATION)


def _job(number: int, types: tuple[str, ...], values: dict[str, Any]) -> dict[str, Any]:
    now = time.time_ns() // 1_000_000
    done = number % 10 == 9
    since = now - (number * 37 % 480) * MINUTE_MS
    row = {
        "name": f"{_PARTS[number % len(_PARTS)]} {number * 7919 % _PATTERN:03}",
        "work_order": f"WO-{number // 4:05}",
        "operation": f"op{10 * (1 + number % 4)}",
        "machine_type": types[number % len(types)],
        "complexity": 1 + number % 4,
        "material": _MATERIALS[number % len(_MATERIALS)],
        "priority": (10, 50, 90)[number % 3],
        "quantity": 1 + number % 25,
        "due_at": now + (number * 13 % 700) * 60 * MINUTE_MS,
        "state": "completed" if done else "queued",
        "finished_at": since if done else None,
        "state_since": since,
        "created_at": since - 60 * MINUTE_MS,
        "rank": float(since - number % 3 * 60 * MINUTE_MS),
    }
    return job_row(**row | values)


def _repeat(pen: Connection, table: Table, count: int) -> None:
    """Copy the pattern until there are enough rows; each copy came in a shift later. At one and
    the same time, the thousand jobs that are next would stand on a thousand pages."""
    copied = [c for c in table.c if c.name not in {"id", "rank"}]
    copies = -(-count // _PATTERN) - 1
    for first in range(1, copies + 1, _PATTERN):
        last = min(first + _PATTERN - 1, copies)
        numbers = select(table.c.id.label("n")).where(table.c.id.between(first, last)).subquery()
        rows = select(*copied, table.c.rank + numbers.c.n * SHIFT_MS + literal_column("0.5"))
        rows = rows.select_from(table.join(numbers, true()))
        rows = rows.where(table.c.id <= _PATTERN).order_by(numbers.c.n, table.c.id)
        rows = rows.limit(count - _PATTERN)
        pen.execute(insert(table).from_select([*(c.name for c in copied), "rank"], rows))
