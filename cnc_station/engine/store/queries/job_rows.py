"""Job rows with their names and their next step in words."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, false, func, select

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.job import is_automation
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.waiting import Predecessor, QueueStatus, next_words
from cnc_station.engine.store.claims import ServedJobs
from cnc_station.engine.store.queries.context import STANDALONE, QueryContext
from cnc_station.engine.store.queries.job_filters import updated_at
from cnc_station.engine.store.queries.shop_snapshots import (
    ShopSnapshots,
    need,
    paused_by,
    predecessors,
)
from cnc_station.engine.store.schema import doubtful_program, job, machine, program, run
from cnc_station.engine.views import JobRow

_AT_ONCE = 500
_ROUNDING_S = 1.0
# The time was taken from a program whose time is not certain.
_same_time = func.abs(job.c.estimated_s - program.c.duration_s) < _ROUNDING_S
_doubtful = func.coalesce(doubtful_program.c.sha256.is_not(None) & _same_time, false())
_COLUMNS = (
    *(column for column in job.c if column.name not in {"payload", "search"}),
    program.c.name.label("program_name"),
    program.c.revision.label("program_revision"),
    machine.c.name.label("machine_name"),
    run.c.started_at,
    run.c.ended_at,
    updated_at.label("updated_at"),
    _doubtful.label("doubtful"),
)
_ROWS = (  # with the last run of each
    select(*_COLUMNS)
    .join_from(job, program, program.c.sha256 == job.c.program, isouter=True)
    .join(doubtful_program, doubtful_program.c.sha256 == job.c.program, isouter=True)
    .join(machine, machine.c.id == job.c.machine_id, isouter=True)
    .join(run, (run.c.job_id == job.c.id) & (run.c.attempt == job.c.attempt), isouter=True)
)
_COMPUTED = {"state", "machine", "program_name", "late", "next", "run_duration_ms"}
_AS_STORED = tuple(field.name for field in fields(JobRow) if field.name not in _COMPUTED)
_PLACES = {column.name: place for place, column in enumerate(_COLUMNS)}
_stored = itemgetter(*(_PLACES[name] for name in _AS_STORED))  # by place: twice as fast as by name


class JobReader:
    """Reads job rows by id, with the next step of each from one snapshot of the shop.

    The number of statements depends on the number of machine types, not of rows.
    """

    def __init__(
        self, connection: Connection, now: int, *, context: QueryContext = STANDALONE
    ) -> None:
        self._connection = connection
        self.now = now
        self._context = context
        self._installed = {one.handler for one in context.served}
        self._narrowed = {o.handler: o.field for o in context.served if o.field is not None}

    @cached_property
    def around(self) -> ShopSnapshots:
        """The shop around the jobs, read when it is first asked for."""
        return ShopSnapshots(self._connection, self.now, self._context)

    def rows(self, ids: Sequence[int], *, with_next: bool = True) -> tuple[JobRow, ...]:
        """These jobs in the given order, without deleted ones. The next steps cost more than all
        the rest."""
        found: dict[int, JobRow] = {}
        for start in range(0, len(ids), _AT_ONCE):
            query = _ROWS.where(job.c.id.in_(ids[start : start + _AT_ONCE]))
            rows = self._connection.execute(query).all()
            steps = self._next_steps(rows) if with_next else {}
            for row in rows:
                found[row.id] = _job_row(row, self.now, steps.get(row.id, ""))
        return tuple(found[job_id] for job_id in ids if job_id in found)

    def _next_steps(self, rows: Sequence[Row[Any]]) -> Mapping[int, str]:
        """The next steps of jobs in words, by their ids."""
        shop = self.around.shop({row.machine_type for row in rows if row.state == JobState.QUEUED})
        before = predecessors(self._connection, [row for row in rows if row.blocked])
        paused = [row.id for row in rows if row.state == JobState.PAUSED]
        who = paused_by(self._connection, paused)
        refused = self._not_allowed(rows)
        return {
            row.id: next_words(
                self._status(
                    row, before.get(row.id, ()), who.get(row.id, ""), refused.get(row.id, "")
                ),
                shop,
            )
            for row in rows
        }

    def _not_allowed(self, rows: Sequence[Row[Any]]) -> Mapping[int, str]:
        """What waiting jobs ask for and this station does not allow, by their ids."""
        asking = {
            row.id: (row.handler, self._narrowed[row.handler])
            for row in rows
            if row.state == JobState.QUEUED and row.handler in self._narrowed
        }
        if not asking:
            return {}
        query = select(job.c.id, job.c.payload).where(job.c.id.in_(asking))
        wanted = {
            job_id: ServedJobs(handler, field, str(json_text.stored_object(payload).get(field)))
            for job_id, payload in self._connection.execute(query)
            for handler, field in (asking[job_id],)
        }
        return {
            job_id: str(one.value)
            for job_id, one in wanted.items()
            if one not in self._context.served
        }

    def _status(
        self, row: Row[Any], before: Sequence[Predecessor], who: str, not_allowed: str
    ) -> QueueStatus:
        automation = is_automation(row.handler)
        return QueueStatus(
            id=row.id,
            state=JobState(row.state),
            since=row.state_since,
            need=need(row),
            retry_limit=self._context.retry.limit(row.retry_limit, automation=automation),
            failures=row.failures,
            last_error=row.last_error,
            not_before=row.not_before,
            blocked=row.blocked,
            pinned_machine_id=row.pinned_machine_id,
            automation=automation,
            installed=row.handler in self._installed,
            not_allowed=not_allowed,
            machine=_machine(row),
            finished_at=row.finished_at,
            paused_by=who,
            set_up=self.around.sets_up(row.machine_id),
            predecessors=before,
        )


def _machine(row: Row[Any]) -> str:
    return row.handler if is_automation(row.handler) else row.machine_name or ""


def _job_row(row: Row[Any], now: int, step: str) -> JobRow:
    begun, ended = row.started_at, row.ended_at
    return JobRow(
        **dict(zip(_AS_STORED, _stored(row), strict=True)),
        state=JobState(row.state),
        machine=_machine(row),
        program_name=row.program_name or "",
        late=row.due_at is not None and row.finished_at is None and row.due_at < now,
        next=step,
        run_duration_ms=None if begun is None or ended is None else ended - begun,
    )
