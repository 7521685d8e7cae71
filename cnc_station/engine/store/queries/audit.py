"""The audit: the events that people and programs caused, newest first."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from cnc_station.engine.domain.audit import OF_KIND, AuditKind
from cnc_station.engine.store.queries.history import event_of
from cnc_station.engine.store.schema import event, job, machine
from cnc_station.engine.views import job_title
from cnc_station.engine.views.audit import AuditEntry, AuditFilter

MOST = 1_000
# Not `IS NULL`: SQLite would then read all events without a job by another index, and sort them.
_NO_JOB = func.coalesce(event.c.job_id, 0) == 0
_NO_MACHINE = func.coalesce(event.c.machine_id, 0) == 0


def audit_trail(
    connection: Connection, chosen: AuditFilter, before: int | None, limit: int
) -> tuple[AuditEntry, ...]:
    """Return the entries that match, of events with an id below `before`."""
    query = (
        select(event, job.c.name, job.c.operation, machine.c.name.label("machine"))
        .join_from(event, job, job.c.id == event.c.job_id, isouter=True)
        .join(machine, machine.c.id == event.c.machine_id, isouter=True)
        .where(event.c.origin.is_not(None), *_conditions(chosen))
        .order_by(event.c.id.desc())
        .limit(max(1, min(limit, MOST)))
    )
    if before is not None:
        query = query.where(event.c.id < before)
    return tuple(_entry(row) for row in connection.execute(query))


def _conditions(chosen: AuditFilter) -> Iterator[ColumnElement[bool]]:
    if chosen.person is not None:
        acted_for = event.c.actor.endswith(f" for {chosen.person}", autoescape=True)
        permitted = event.c.actor.startswith(f"{chosen.person} for ", autoescape=True)
        yield or_(event.c.actor == chosen.person, acted_for, permitted)
    if chosen.since is not None:
        yield event.c.at >= chosen.since
    if chosen.kind is not None:
        yield _is_of(chosen.kind)


def _is_of(kind: AuditKind) -> ColumnElement[bool]:
    if kind is AuditKind.JOBS:
        return event.c.job_id.is_not(None)
    if kind is AuditKind.MACHINES:
        return _NO_JOB & event.c.machine_id.is_not(None)
    if kind in OF_KIND:
        return event.c.type.in_(sorted(OF_KIND[kind]))
    others = sorted(frozenset().union(*OF_KIND.values()))
    neither = _NO_JOB & _NO_MACHINE
    return neither & event.c.type.not_in(others)


def _entry(row: Row[Any]) -> AuditEntry:
    found = event_of(row)
    title = job_title(row.name, row.operation) if row.name is not None else ""
    return AuditEntry(found, title or row.machine or "")
