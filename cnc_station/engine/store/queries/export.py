"""The job list as a file for a spreadsheet or a program."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, fields
from datetime import tzinfo
from typing import Any, TypeAlias

from sqlalchemy import Connection

from cnc_station.engine.domain.csv_text import BOM, csv_lines
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.time_text import local, rfc3339
from cnc_station.engine.store.queries.context import STANDALONE, QueryContext
from cnc_station.engine.store.queries.job_list import ordered_ids
from cnc_station.engine.store.queries.job_rows import JobReader
from cnc_station.engine.store.schema import job
from cnc_station.engine.views import ExportPart, JobFilter, JobRow, Sort

PART = 1_000  # jobs
_AT_ONCE = 500
_COLUMNS = tuple(field.name for field in fields(JobRow))
_TIMES = frozenset(name for name in _COLUMNS if name.endswith("_at")) | {
    "state_since",
    "not_before",
}

_Values: TypeAlias = Callable[[JobRow], dict[str, Any]]


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
    return b"".join(_written(pages, form, context, asdict, first=True, last=True))


def export_part(
    connection: Connection,
    chosen: JobFilter,
    form: str,
    after: int,
    now: int,
    *,
    context: QueryContext = STANDALONE,
) -> ExportPart:
    """The next `PART` of the chosen jobs by their ids, as `export` writes them, but in JSON with
    times in RFC 3339."""
    chosen_ids = ordered_ids(chosen, (), now).order_by(None).where(job.c.id > after)
    ids = list(connection.execute(chosen_ids.order_by(job.c.id).limit(PART)).scalars())
    last = len(ids) < PART
    rows = JobReader(connection, now, context=context).rows(ids)
    pages = iter([rows] if rows else [])
    pieces = _written(pages, form, context, _with_rfc3339, first=not after, last=last)
    return ExportPart(b"".join(pieces), None if last else ids[-1])


def _written(
    pages: Iterator[Sequence[JobRow]],
    form: str,
    context: QueryContext,
    values: _Values,
    *,
    first: bool,
    last: bool,
) -> Iterator[bytes]:
    """These pages of a file. `first`, `last`: it begins, it ends with them. `values`: those of a
    row in JSON."""
    if form == "csv":
        return _csv(pages, context.zone, first=first)
    if form == "json":
        return _json(pages, values, first=first, last=last)
    raise InvalidInput(FieldError("form", "csv or json"))


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


def _with_rfc3339(row: JobRow) -> dict[str, Any]:
    values = asdict(row)
    return values | {name: rfc3339(values[name]) for name in _TIMES}


def _json(
    pages: Iterator[Sequence[JobRow]], values: _Values, *, first: bool, last: bool
) -> Iterator[bytes]:
    if first:
        yield b"["
    between = "\n" if first else ",\n"
    for page in pages:
        for row in page:
            yield (between + json.dumps(values(row), ensure_ascii=False)).encode()
            between = ",\n"
    if last:
        yield b"\n]\n"
