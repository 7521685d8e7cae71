"""One action on all jobs that match a filter: chosen by a reader, written batch by batch.

A reader counts them and looks for the next ones, so that a slow search does not keep the writer
busy. The writer checks each job again: one that no longer matches is left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    false,
    func,
    select,
    true,
)

from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.refusals import interrupted_refusal, unfit_refusal
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.edits import spec_of
from cnc_station.engine.store.queries.job_filters import conditions
from cnc_station.engine.store.queue_actions import ActOnJob, Before, act_on_rows
from cnc_station.engine.store.schema import job
from cnc_station.engine.store.transaction import StoreCommand, Tx
from cnc_station.engine.views import BulkCursor, JobFilter


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did to one job: as it was before, or why it was refused."""

    job_id: int
    before: Before | None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class ActOnMatching(StoreCommand[tuple[Done, ...]]):
    """Apply `action`, with its job left open, to those of the jobs `ids` that still match; answers
    in the order of the ids.

    `machine` is the one that they are pinned to; a job that it can't make is refused. `tenants`:
    only their jobs. An interrupted job is refused: somebody has to look at its part.
    """

    action: ActOnJob
    ids: tuple[int, ...]
    chosen: JobFilter
    since: int
    machine: MachineSpec | None = None
    tenants: frozenset[str] | None = None

    @classmethod
    def apply(
        cls, tx: Tx, commands: Sequence["ActOnMatching"]
    ) -> list[tuple[Done, ...] | Exception]:
        return [command.act(tx) for command in commands]

    def act(self, tx: Tx) -> tuple[Done, ...]:
        rows = {row.id: row for row in tx.connection.execute(self._locked()) if row.matches}
        refused = {row.id: why for row in rows.values() if (why := self._refusal(row))}
        act = self.action
        wanted = [
            ActOnJob(act.transition, job_id, act.actor, act.reason, act.values)
            for job_id in rows
            if job_id not in refused
        ]
        answers = dict(zip((w.job_id for w in wanted), act_on_rows(tx, wanted, rows), strict=True))
        return tuple(_done(i, refused.get(i) or answers[i]) for i in rows)

    def _locked(self) -> Select[Any]:
        """In the order of their ids, as every batch locks them. The filter is a case: an index on
        it would be slower than the ids."""
        terms = _matching(self.chosen, self.since)
        if self.tenants is not None:
            terms.append(job.c.tenant.in_(sorted(self.tenants)))
        matches = case((and_(*terms), true()), else_=false()).label("matches")
        return (
            select(job, matches).where(job.c.id.in_(self.ids)).order_by(job.c.id).with_for_update()
        )

    def _refusal(self, row: Row[Any]) -> str:
        if row.state == JobState.INTERRUPTED:
            return interrupted_refusal(row.name)
        if self.machine is None:
            return ""
        why = self.machine.capability.refusal(spec_of(row).need)
        return unfit_refusal(row.name, self.machine.name, why) if why else ""


def _done(job_id: int, found: str | Before | Exception) -> Done:
    return Done(job_id, found) if isinstance(found, Before) else Done(job_id, None, str(found))


def count_matching(connection: Connection, chosen: JobFilter, now: int) -> tuple[int, BulkCursor]:
    """Return how many jobs match, and the cursor before the first of them."""
    counts = select(func.count(), func.max(job.c.id), func.max(job.c.state_since))
    query = counts.select_from(job).where(*conditions(chosen, now, None))
    count, last, since = connection.execute(query).one()
    return count, BulkCursor(0, last or 0, max(now, since or 0))  # the clock may have been set back


def next_matching(
    connection: Connection, chosen: JobFilter, cursor: BulkCursor, limit: int
) -> tuple[int, ...]:
    """Return the ids of the next `limit` jobs that match."""
    between = (job.c.id > cursor.after) & (job.c.id <= cursor.last)
    query = select(job.c.id).where(between, *_matching(chosen, cursor.since))
    return tuple(connection.execute(query.order_by(job.c.id).limit(limit)).scalars())


def _matching(chosen: JobFilter, since: int) -> list[ColumnElement[bool]]:
    return [*conditions(chosen, since, ()), job.c.state_since <= since]
