"""The stream of events from a cursor on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, ScalarSelect, Select, select

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.event_cursor import EventCursor
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.dialect import Dialect
from cnc_station.engine.store.schema import event, job, machine
from cnc_station.engine.store.tenants import WHOLE_SHOP
from cnc_station.engine.views.event_feed import EventFeed, FeedEvent

MOST_BEHIND = 10_000  # events
OLDEST_MS = 86_400_000
_MOST_AT_ONCE = 500
_before = event.alias("before")
_NEWEST = select(event.c.id, event.c.at).order_by(event.c.id.desc()).limit(1)


def _former(state: str, subject: str) -> ScalarSelect[Any]:
    """The state in the former event of the same job or machine."""
    return (
        select(_before.c[state])
        .where(_before.c[subject] == event.c[subject], _before.c.id < event.c.id)
        .where(_before.c[state].is_not(None))
        .order_by(_before.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )


_EVENTS: Select[Any] = (
    select(
        event.c.id,
        event.c.at,
        event.c.type,
        event.c.job_id,
        event.c.machine_id,
        event.c.job_state,
        event.c.machine_state,
        event.c.station,
        event.c.trace_id,
        job.c.tenant,
        machine.c.name.label("machine"),
        _former("job_state", "job_id").label("old_job_state"),
        _former("machine_state", "machine_id").label("old_machine_state"),
    )
    .join_from(event, job, job.c.id == event.c.job_id, isouter=True)
    .join(machine, machine.c.id == event.c.machine_id, isouter=True)
    .order_by(event.c.id)
)


def events_since(
    connection: Connection,
    dialect: Dialect,
    *,
    after: EventCursor | None,
    until: EventCursor | None = None,
    limit: int = _MOST_AT_ONCE,
) -> EventFeed:
    """The events after a cursor, at most `limit`; `until` is a later cursor at which to stop."""
    now = dialect.now(connection)
    if after is None:
        return _end(connection, dialect, now)
    batch = dialect.snapshot(connection)
    foreign = (after.seen is None) != (batch is None) or not _is_of_here(connection, after, now)
    if foreign or (batch and any(one and one.end > batch.end for one in (after.seen, after.batch))):
        return replace(_end(connection, dialect, now), too_old=True)
    goal = until.seen if until else batch
    base = replace(after, made_at=now, batch=after.batch or goal)
    last = base.batch == goal
    ids = dialect.unread_events(connection, base, until, MOST_BEHIND + 1)
    if len(ids) > MOST_BEHIND:
        return replace(_end(connection, dialect, now), too_old=True)
    page, more = ids[:limit], len(ids) > limit
    events = tuple(_read(connection, page))
    cursor = base if not events else base.past(events[-1].id, events[-1].at)
    if page:
        cursor = replace(cursor, after=page[-1])  # the last ones may be hidden from the reader
    if not more and base.batch is not None:
        cursor = replace(cursor, seen=base.batch, batch=None, after=0)
    return EventFeed(events, base, replace(cursor, skip=0), complete=last and not more)


def _end(connection: Connection, dialect: Dialect, now: int) -> EventFeed:
    snapshot = dialect.snapshot(connection)
    row = connection.execute(_NEWEST, execution_options=WHOLE_SHOP).one_or_none()
    event_id, at = (0, 0) if row is None else (row.id, row.at)
    after = 0 if snapshot else event_id
    cursor = EventCursor(now, event_id, at, after, snapshot)
    return EventFeed((), cursor, cursor)


def _is_of_here(connection: Connection, cursor: EventCursor, now: int) -> bool:
    """Whether the cursor is young, and its event is one of this database."""
    if abs(now - cursor.made_at) > OLDEST_MS:
        return False
    if not cursor.event_id:
        return True
    query = select(event.c.at).where(event.c.id == cursor.event_id)
    found: int | None = connection.execute(query, execution_options=WHOLE_SHOP).scalar()
    return found == cursor.event_at


def _read(connection: Connection, ids: Sequence[int]) -> Iterable[FeedEvent]:
    rows = connection.execute(_EVENTS.where(event.c.id.in_(ids))).all() if ids else ()
    gone = {row.job_id for row in rows if row.job_id is not None and row.tenant is None}
    tenants = _of_deleted(connection, gone) if gone else {}
    for row in rows:
        yield FeedEvent(
            row.id,
            row.at,
            row.type,
            row.job_id,
            row.machine_id,
            row.machine,
            tenants.get(row.job_id) if row.tenant is None else row.tenant,
            _state(row.job_state),
            _state(row.old_job_state),
            row.machine_state,
            row.old_machine_state if row.machine_state else None,
            row.station,
            row.trace_id,
        )


def _state(name: str | None) -> JobState | None:
    return JobState(name) if name else None


def _of_deleted(connection: Connection, jobs: Iterable[int]) -> dict[int, str]:
    """The tenants of deleted jobs, from the events of their deletion."""
    query = select(event.c.job_id, event.c.details).where(
        event.c.job_id.in_(sorted(jobs)), event.c.type == t.DELETED.name
    )
    found = {}
    for job_id, details in connection.execute(query):
        tenant = json_text.stored_object(details).get("tenant")
        if isinstance(tenant, str):
            found[job_id] = tenant
    return found
