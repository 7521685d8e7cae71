"""Stored programs: the list, and one with its text."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Engine, func, select

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.nc.encoding import decoded
from cnc_station.engine.domain.nc.set_up import set_up
from cnc_station.engine.domain.text_gate import visible
from cnc_station.engine.store.schema import job, program
from cnc_station.engine.store.tenants import is_limited
from cnc_station.engine.views import ProgramDetail, ProgramFinding, ProgramRow

_COLUMNS = tuple(column for column in program.c if column.name != "content")
_LONGEST_TOOL = 200  # characters of a tool's name in a comment
MANY = 20_000  # jobs with programs, which are counted within 10 ms
FRESH_S = 60.0
_COMPUTED = {"warnings", "jobs", "last_used_at"}
_AS_STORED = tuple(field.name for field in fields(ProgramRow) if field.name not in _COMPUTED)


@dataclass(frozen=True, slots=True)
class _Counted:
    """The jobs by program up to `last_id`, as counted at `counted_at`."""

    last_id: int
    counted_at: float
    by_program: Counter[str]


_counted: WeakKeyDictionary[Engine, _Counted] = WeakKeyDictionary()


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
    text = decoded(found.content)
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
    """By program: the number of its jobs, and when the last one that ran changed its state. Of each
    program only its newest job that ran is read."""
    if programs is None:
        jobs: Mapping[str, int] = job_counts_by_program(connection)
    else:
        jobs = _jobs_of(connection, job.c.program.in_(programs))
    last = (
        select(job.c.state_since)
        .where(job.c.program == program.c.sha256, job.c.attempt > 0)
        .order_by(job.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(program.c.sha256, last.label("last"))
    if programs is not None:
        query = query.where(program.c.sha256.in_(programs))
    return {row.sha256: (jobs.get(row.sha256, 0), row.last) for row in connection.execute(query)}


def job_counts_by_program(connection: Connection) -> Mapping[str, int]:
    """The number of jobs of each program that has any. Of many jobs, the older ones are counted at
    most once a minute: two million take a second. So long it may go unnoticed that one expired or
    got another program."""
    limited = is_limited(connection)
    known = None if limited else _counted.get(connection.engine)
    if known is None or known.counted_at + FRESH_S < time.monotonic():
        last_id = connection.execute(select(func.max(job.c.id))).scalar() or 0
        by_program = _jobs_of(connection, job.c.program.is_not(None))
        known = _Counted(last_id, time.monotonic(), by_program)
        if not limited and by_program.total() >= MANY:
            _counted[connection.engine] = known
        return by_program
    return known.by_program + _jobs_of(connection, job.c.id > known.last_id)


def _jobs_of(connection: Connection, chosen: ColumnElement[bool]) -> Counter[str]:
    # Grouped by an expression: the newer jobs are found by their ids, not among those of a program.
    name = func.coalesce(job.c.program, "").label("name")
    query = select(name, func.count().label("jobs")).where(chosen).group_by(name)
    return Counter({row.name: row.jobs for row in connection.execute(query) if row.name})
