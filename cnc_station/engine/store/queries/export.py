"""The job list as a file for a spreadsheet or a program."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from datetime import tzinfo
from typing import Any

from sqlalchemy import Connection

from cnc_station.engine.domain.csv_text import BOM, csv_lines
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.time_text import local
from cnc_station.engine.store.queries.context import STANDALONE, QueryContext
from cnc_station.engine.store.queries.job_list import ordered_ids
from cnc_station.engine.store.queries.job_rows import JobReader
from cnc_station.engine.store.schema import job
from cnc_station.engine.views import ExportPart, JobFilter, JobRow, JobsPart, Sort

PART = 1_000  # jobs
_AT_ONCE = 500
_COLUMNS = tuple(field.name for field in fields(JobRow))
_TIMES = frozenset(name for name in _COLUMNS if name.endswith("_at")) | {
    "state_since",
    "not_before",
}


def export(
    connection: Connection,
    chosen: JobFilter,
    order: Sequence[Sort],
    form: str,
    now: int,
    *,
    context: QueryContext = STANDALONE,
) -> bytes:
    """All chosen jobs in this order as `csv` or `json`, UTF-8. Raises InvalidInput.

    CSV is for people: times on the shop's clock, and an apostrophe before a text that a spreadsheet
    would read as a formula. JSON is for programs: unchanged values, times in ms.
    """
    pages = _pages(connection, chosen, order, JobReader(connection, now, context=context))
    if form == "csv":
        return b"".join(_csv(pages, context.zone, first=True))
    if form == "json":
        return b"".join(_json(pages))
    raise InvalidInput(FieldError("form", "csv or json"))


def export_part(
    connection: Connection,
    chosen: JobFilter,
    after: int,
    now: int,
    *,
    context: QueryContext = STANDALONE,
) -> ExportPart:
    """The next `PART` of the chosen jobs by their ids, as `export` writes them in CSV."""
    rows, last = _part(connection, chosen, after, JobReader(connection, now, context=context))
    pages = iter([rows] if rows else [])
    return ExportPart(b"".join(_csv(pages, context.zone, first=not after)), last)


def jobs_after(
    connection: Connection,
    chosen: JobFilter,
    after: int,
    now: int,
    *,
    context: QueryContext = STANDALONE,
) -> JobsPart:
    """The same jobs as rows, without their next step."""
    reader = JobReader(connection, now, context=context)
    return JobsPart(*_part(connection, chosen, after, reader, with_next=False))


def _part(
    connection: Connection,
    chosen: JobFilter,
    after: int,
    reader: JobReader,
    *,
    with_next: bool = True,
) -> tuple[tuple[JobRow, ...], int | None]:
    """The rows, and the id of the last one if others may follow."""
    chosen_ids = ordered_ids(chosen, (), reader.now).order_by(None).where(job.c.id > after)
    ids = list(connection.execute(chosen_ids.order_by(job.c.id).limit(PART)).scalars())
    return reader.rows(ids, with_next=with_next), ids[-1] if len(ids) == PART else None


def _pages(
    connection: Connection, chosen: JobFilter, order: Sequence[Sort], reader: JobReader
) -> Iterator[Sequence[JobRow]]:
    """Only the ids of the whole list are held in memory; rows are read by the page."""
    ids = list(connection.execute(ordered_ids(chosen, order, reader.now)).scalars())
    for start in range(0, len(ids), _AT_ONCE):
        yield reader.rows(ids[start : start + _AT_ONCE])


def _csv(pages: Iterator[Sequence[JobRow]], zone: tzinfo | None, *, first: bool) -> Iterator[bytes]:
    if first:
        yield BOM
        yield csv_lines([_COLUMNS])
    for page in pages:
        yield csv_lines([_cell(row, name, zone) for name in _COLUMNS] for row in page)


def _cell(row: JobRow, name: str, zone: tzinfo | None) -> object:
    value: Any = getattr(row, name)
    if name in _TIMES and value is not None:
        return local(value, zone).isoformat(sep=" ", timespec="seconds")
    return value


def _json(pages: Iterator[Sequence[JobRow]]) -> Iterator[bytes]:
    yield b"["
    between = "\n"
    for page in pages:
        for row in page:
            yield (between + json.dumps(asdict(row), ensure_ascii=False)).encode()
            between = ",\n"
    yield b"\n]\n"
