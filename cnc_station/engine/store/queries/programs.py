"""Stored programs: the list, and one with its text."""

from collections.abc import Sequence
from dataclasses import fields

from sqlalchemy import ColumnElement, Connection, func, select

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.nc.set_up import set_up
from cnc_station.engine.domain.text_gate import visible
from cnc_station.engine.store.schema import job, program
from cnc_station.engine.views import ProgramDetail, ProgramFinding, ProgramRow

_COLUMNS = tuple(column for column in program.c if column.name != "content")
_LONGEST_TOOL = 200  # characters of a tool's name in a comment
_COMPUTED = {"warnings", "jobs", "last_used_at"}
_AS_STORED = tuple(field.name for field in fields(ProgramRow) if field.name not in _COMPUTED)


def programs(connection: Connection, text: str = "") -> tuple[ProgramRow, ...]:
    """Programs whose name contains every word of `text` in any case; by name, newest revision
    first. Filtered here: databases lower letters by their own locale only."""
    words = text.lower().split()
    rows = _rows(connection, [])
    return tuple(row for row in rows if all(word in row.name.lower() for word in words))


def program_detail(connection: Connection, sha256: str) -> ProgramDetail | None:
    """A program with its text, its findings, and all revisions of its name."""
    found = connection.execute(select(program).where(program.c.sha256 == sha256)).one_or_none()
    if found is None:
        return None
    revisions = _rows(connection, [program.c.name == found.name])
    text = _decoded(found.content)
    wanted = set_up(text)
    return ProgramDetail(
        row=next(row for row in revisions if row.sha256 == sha256),
        text=text,
        findings=tuple(
            ProgramFinding(*finding) for finding in json_text.stored(found.findings, ())
        ),
        revisions=revisions,
        tools=tuple((number, visible(name, _LONGEST_TOOL)) for number, name in wanted.tools),
        work_offsets=wanted.work_offsets,
    )


def _rows(
    connection: Connection, conditions: Sequence[ColumnElement[bool]]
) -> tuple[ProgramRow, ...]:
    rows = connection.execute(
        select(*_COLUMNS)
        .where(*conditions)
        .order_by(func.lower(program.c.name), program.c.name, program.c.revision.desc())
    ).all()
    used = _use(connection, [row.sha256 for row in rows] if conditions else None)
    return tuple(
        ProgramRow(
            **{name: getattr(row, name) for name in _AS_STORED},
            warnings=len(json_text.stored(row.findings, ())),
            jobs=used.get(row.sha256, (0, None))[0],
            last_used_at=used.get(row.sha256, (0, None))[1],
        )
        for row in rows
    )


def _use(
    connection: Connection, programs: Sequence[str] | None
) -> dict[str, tuple[int, int | None]]:
    """By program: the number of its jobs, and when the last one that ran changed its state. Counted
    in the index alone; of each program the newest job that ran is read."""
    counts = (
        select(job.c.program, func.count().label("jobs"))
        .where(job.c.program.is_not(None))
        .group_by(job.c.program)
    )
    if programs is not None:
        counts = counts.where(job.c.program.in_(programs))
    used = counts.subquery("used")
    last = (
        select(job.c.state_since)
        .where(job.c.program == used.c.program, job.c.attempt > 0)
        .order_by(job.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(used.c.program, used.c.jobs, last.label("last"))
    return {row.program: (row.jobs, row.last) for row in connection.execute(query)}


def _decoded(content: bytes) -> str:
    """Programs come from many editors: UTF-8, otherwise one character per byte."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
