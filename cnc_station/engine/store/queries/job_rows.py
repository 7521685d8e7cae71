"""Job rows with their names and their next step in words."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Row, select

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.job import is_automation
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.waiting import Predecessor, QueueStatus, ShopSnapshot, next_words
from cnc_station.engine.store.claims import ServedJobs
from cnc_station.engine.store.queries.context import STANDALONE, QueryContext
from cnc_station.engine.store.queries.shop_snapshots import (
    ShopSnapshots,
    need,
    paused_by,
    predecessors,
)
from cnc_station.engine.store.schema import job, program
from cnc_station.engine.views import JobRow

_AT_ONCE = 500
_COLUMNS = (
    *(column for column in job.c if column.name not in {"payload", "search"}),
    program.c.name.label("program_name"),
    program.c.revision.label("program_revision"),
)
_COMPUTED = {"state", "machine", "program_name", "late", "next"}
_AS_STORED = tuple(field.name for field in fields(JobRow) if field.name not in _COMPUTED)


class JobReader:
    """Reads job rows by id from one snapshot of the shop.

    The number of statements depends on the number of machine types, not of rows.
    """

    def __init__(
        self, connection: Connection, now: int, *, context: QueryContext = STANDALONE
    ) -> None:
        self.around = ShopSnapshots(connection, now, context)
        self._connection = connection
        self.now = now
        self._context = context
        self._installed = {one.handler for one in context.served}
        self._narrowed = {o.handler: o.field for o in context.served if o.field is not None}

    def rows(self, ids: Sequence[int]) -> tuple[JobRow, ...]:
        """These jobs in the given order, without deleted ones."""
        found: dict[int, JobRow] = {}
        for start in range(0, len(ids), _AT_ONCE):
            query = (
                select(*_COLUMNS)
                .join_from(job, program, program.c.sha256 == job.c.program, isouter=True)
                .where(job.c.id.in_(ids[start : start + _AT_ONCE]))
            )
            rows = self._connection.execute(query).all()
            shop = self.around.shop(
                {row.machine_type for row in rows if row.state == JobState.QUEUED}
            )
            before = predecessors(self._connection, [row for row in rows if row.blocked])
            paused = [row.id for row in rows if row.state == JobState.PAUSED]
            who = paused_by(self._connection, paused)
            refused = self._not_allowed(rows)
            for row in rows:
                found[row.id] = self._row(
                    row,
                    shop,
                    before.get(row.id, ()),
                    who.get(row.id, ""),
                    refused.get(row.id, ""),
                )
        return tuple(found[job_id] for job_id in ids if job_id in found)

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

    def _row(
        self,
        row: Row[Any],
        shop: ShopSnapshot,
        before: Sequence[Predecessor],
        who: str,
        not_allowed: str,
    ) -> JobRow:
        state = JobState(row.state)
        automation = is_automation(row.handler)
        machine = row.handler if automation else self.around.names.get(row.machine_id, "")
        standing = QueueStatus(
            id=row.id,
            state=state,
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
            machine=machine,
            finished_at=row.finished_at,
            paused_by=who,
            set_up=self.around.sets_up(row.machine_id),
            predecessors=before,
        )
        return JobRow(
            **{name: getattr(row, name) for name in _AS_STORED},
            state=state,
            machine=machine,
            program_name=row.program_name or "",
            late=row.due_at is not None and row.finished_at is None and row.due_at < self.now,
            next=next_words(standing, shop),
        )
