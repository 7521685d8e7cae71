"""`doctor`: how large the database will be in five years. It is only read."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, text

from cnc_station import secrets
from cnc_station.cli.invocation import Call, Diagnosis
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.policies import Retention
from cnc_station.engine.store import migrate
from cnc_station.engine.store.database import Database
from cnc_station.engine.timing import now_ms

_SUBJECT = "growth"
_SPAN_DAYS = 30
_FIVE_YEARS = 5 * 365
_DAY_MS = 86_400_000
_SAMPLE = 500  # rows
_EMPTY_BYTES = 600_000  # a database without rows
_ENOUGH_BYTES = 200_000  # of rows, to tell what pages and indexes add to them
_USUAL_OVERHEAD = 2.5
_FIGURES_BYTES = 300  # of a row of `run_figures`, with its index

Ask = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class _Table:
    """What grows: the column of its time, and for how many days a row is kept (0: for ever)."""

    name: str
    time: str
    days: int


def growth(call: Call) -> Iterator[Diagnosis]:
    """Tell the size in five years, at the pace of the last 30 days and with these settings."""
    path = call.config.database_path
    if path is None:
        yield from _of_server(call)
    elif path.is_file():
        try:
            with closing(
                sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
            ) as opened:
                yield from _of_file(opened, path, call.config.retention)
        except sqlite3.Error:
            return  # the check of the database says why


def _of_file(opened: sqlite3.Connection, path: Path, retention: Retention) -> Iterator[Diagnosis]:
    def ask(query: str) -> float:
        return float(opened.execute(query).fetchone()[0] or 0)

    present = ask("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'")
    if not present or opened.execute("SELECT version_num FROM alembic_version").fetchone() != (
        migrate.REVISION,
    ):
        return
    tables = _tables(retention)
    stored = {one.name: _stored_bytes(opened, one.name) for one in tables}
    counts = {one.name: ask(f"SELECT count(*) FROM {one.name}") for one in tables}
    pages = ask("PRAGMA page_count") - ask("PRAGMA freelist_count")
    used = pages * ask("PRAGMA page_size")
    bare = sum(stored[name] * counts[name] for name in stored)
    overhead = _USUAL_OVERHEAD
    if bare > _ENOUGH_BYTES:
        overhead = max(1.0, (used - _EMPTY_BYTES) / bare)
    row_bytes = {name: size * overhead for name, size in stored.items()}
    size = path.stat().st_size
    found = _forecast(ask, tables, row_bytes, used, retention)
    yield from _told(found, ask, size, shutil.disk_usage(path.parent).free)


def _stored_bytes(opened: sqlite3.Connection, table: str) -> float:
    """Return the mean size of the newest rows, without pages and indexes."""
    columns = [row[1] for row in opened.execute(f"PRAGMA table_info({table})")]
    size = " + ".join(f"2 + coalesce(length(CAST({name} AS BLOB)), 0)" for name in columns)
    newest = f"SELECT * FROM {table} ORDER BY rowid DESC LIMIT {_SAMPLE}"
    return float(opened.execute(f"SELECT avg({size}) FROM ({newest})").fetchone()[0] or 0)


def _of_server(call: Call) -> Iterator[Diagnosis]:
    try:
        with closing(Database(secrets.database_address(call.config))) as opened:
            if migrate.look(opened).fit is migrate.Fit.CURRENT:
                yield from opened.read(partial(_in_server, retention=call.config.retention))
    except Unavailable:
        return  # the check of the database says why


def _in_server(connection: Connection, retention: Retention) -> list[Diagnosis]:
    def ask(query: str) -> float:
        return float(connection.execute(text(query)).scalar() or 0)

    tables = _tables(retention)
    row_bytes = {
        one.name: ask(
            f"SELECT pg_total_relation_size('{one.name}')::float8"
            f" / greatest(count(*), 100) FROM {one.name}"
        )
        for one in tables
    }
    used = ask("SELECT pg_database_size(current_database())")
    found = _forecast(ask, tables, row_bytes, used, retention)
    return list(_told(found, ask, used, None))


def _tables(retention: Retention) -> tuple[_Table, ...]:
    return (
        _Table("job", "created_at", retention.jobs_days),
        _Table("run", "assigned_at", retention.jobs_days),
        _Table("event", "at", retention.jobs_days),
        _Table("delivery", "at", retention.deliveries_days),
        _Table("delivery_attempt", "at", retention.deliveries_days),
        _Table("schedule_firing", "fired_at", retention.firings_days),
        _Table("alert", "raised_at", retention.alerts_days),
        _Table("program", "added_at", retention.programs_days),
    )


def _span_days(ask: Ask) -> float:
    """Return over how many days the pace is measured: a new shop has not worked for 30."""
    age = (now_ms() - (ask("SELECT min(at) FROM event") or now_ms())) / _DAY_MS
    return min(float(_SPAN_DAYS), max(1.0, age))


def _a_day(ask: Ask, table: str, column: str) -> float:
    since = now_ms() - _SPAN_DAYS * _DAY_MS
    return ask(f"SELECT count(*) FROM {table} WHERE {column} >= {since}") / _span_days(ask)


def _forecast(
    ask: Ask,
    tables: tuple[_Table, ...],
    row_bytes: dict[str, float],
    used: float,
    retention: Retention,
) -> float:
    """Return the bytes in five years. What is there now counts where it is kept for ever."""
    whole = 0.0
    for one in tables:
        pace = _a_day(ask, one.name, one.time)
        kept = min(one.days or _FIVE_YEARS, _FIVE_YEARS)
        whole += pace * kept * row_bytes[one.name]
        if not one.days:
            whole += ask(f"SELECT count(*) FROM {one.name}") * row_bytes[one.name]
    expired = max(0, _FIVE_YEARS - retention.jobs_days) if retention.jobs_days else 0
    whole += _a_day(ask, "run", "assigned_at") * expired * _FIGURES_BYTES
    whole += ask("SELECT count(*) FROM run_figures") * _FIGURES_BYTES
    # A file does not shrink: freed pages are used again.
    return max(whole + _EMPTY_BYTES, used)


def _told(found: float, ask: Ask, size: float, free: float | None) -> Iterator[Diagnosis]:
    jobs = _a_day(ask, "job", "created_at")
    said = (
        f"{jobs:,.1f} jobs a day in the last {_SPAN_DAYS} days: {_size(size)} now, at this pace "
        f"about {_size(found)} in five years"
    )
    if free is not None and found > size + free:
        remedy = "Lower the keep_…_days settings, or move the database to a larger disk."
        yield Diagnosis.warning(_SUBJECT, f"{said}, more than the disk has free", remedy)
    else:
        yield Diagnosis.good(_SUBJECT, said)


def _size(count: float) -> str:
    if count >= 1e9:
        return f"{count / 1e9:,.1f} GB"
    return f"{count / 1e6:,.1f} MB"
