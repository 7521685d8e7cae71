"""Delete jobs, runs, events and programs after the days of the retention settings.

What is deleted is found by a reader. The writer gets the ids of a few, checks each condition again,
and deletes them in statements of bounded size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, select

from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.domain.transitions import DELETED
from cnc_station.engine.store.archive import Sheet, sheet
from cnc_station.engine.store.attachment_tables import attachment
from cnc_station.engine.store.attachments import delete_attachments, delete_of_programs
from cnc_station.engine.store.run_figures import keep_figures
from cnc_station.engine.store.schema import (
    dependency,
    doubtful_program,
    event,
    job,
    machine,
    of_no_job,
    program,
    run,
    schedule,
)
from cnc_station.engine.store.transaction import OneByOne, Tx
from cnc_station.engine.store.webhook_tables import delivery, delivery_attempt

MOST_AT_ONCE = 200
MOST_EVENTS = 1_000  # of a transaction; a job with more of them goes in several

ATTEMPTS_SHEET = Sheet(
    "delivery-attempts",
    delivery_attempt.c.delivery_id,
    tuple(
        delivery_attempt.c[name]
        for name in ("delivery_id", "at", "station", "url", "status", "error", "duration_s")
    ),
)
_RUN_SECRETS = ("token", "lease_until")


class Removed(NamedTuple):
    """How many subjects were deleted, and whether anything was: a large one goes in pieces."""

    subjects: int
    anything: bool


@dataclass(frozen=True, slots=True)
class DeleteExpired(OneByOne[Removed]):
    """Delete those of `ids` that were done before `before` (ms) and that nothing needs.

    `sheets` are the tables that an archive gets. Repeating it does no harm, so that it needs no
    proof of leadership.
    """

    before: int
    ids: tuple[Any, ...]
    sheets: ClassVar[tuple[Sheet, ...]] = ()

    @classmethod
    def expired(cls, before: int) -> Select[Any]:
        """Select the ids of what may be deleted, the oldest first, by an index."""
        raise NotImplementedError

    @classmethod
    def find(cls, connection: Connection, before: int, most: int) -> tuple[Any, ...]:
        """Return the ids of the oldest, at most `most`."""
        return tuple(connection.execute(cls.expired(before).limit(most)).scalars())

    def lock(self, tx: Tx, key: ColumnElement[Any]) -> Sequence[Any]:
        """Return those that still may be deleted, locked."""
        query = self.expired(self.before).where(key.in_(self.ids))
        query = query.with_for_update(skip_locked=True, of=key.table)
        return tx.connection.execute(query).scalars().all()


class DeleteFinishedJobs(DeleteExpired):
    """Jobs that were finished so long ago, with their events, deliveries, attachments and runs,
    of which the figures stay. A job for which an unfinished one waits is kept."""

    __slots__ = ()
    sheets = (
        sheet("jobs", job.c.id, without=("search", "token", "rank")),
        sheet("runs", run.c.job_id, without=_RUN_SECRETS),
        sheet("events", event.c.job_id),
        sheet("deliveries", delivery.c.job_id, without=("token", "due_at", "payload")),
        sheet("attachments", attachment.c.job_id),
    )

    @classmethod
    def expired(cls, before: int) -> Select[Any]:
        return (
            select(job.c.id)
            .where(job.c.finished_at < before, ~_has_open_successor())
            .order_by(job.c.finished_at)
        )

    def write(self, tx: Tx) -> Removed:
        ids = self.lock(tx, job.c.id)
        if _delete_events(tx, event.c.job_id.in_(ids)):
            return Removed(0, anything=True)
        delete_deliveries(tx, delivery.c.job_id.in_(ids) & delivery.c.ended_at.is_not(None))
        keep_figures(tx.connection, run.c.job_id.in_(ids))
        tenants = select(job.c.id, job.c.tenant).where(job.c.id.in_(ids))
        found = tx.connection.execute(tenants).all()
        of_others = dependency.c.predecessor_id.in_(ids)
        delete_attachments(tx, attachment.c.job_id.in_(ids))
        for statement in (
            delete(dependency).where(dependency.c.job_id.in_(ids) | of_others),
            delete(run).where(run.c.job_id.in_(ids)),
            delete(job).where(job.c.id.in_(ids)),
        ):
            tx.connection.execute(statement)
        for row in found:
            tx.notify(Topic.JOB_EXPIRED, job_id=row.id, tenant=row.tenant)
        return Removed(len(found), bool(found))


class DeleteEndedRuns(DeleteExpired):
    """Runs that ended so long ago, with their output; their figures and events stay. Those of an
    unfinished job are kept."""

    __slots__ = ()
    sheets = (sheet("runs", run.c.id, without=_RUN_SECRETS),)

    @classmethod
    def expired(cls, before: int) -> Select[Any]:
        is_open = exists().where(job.c.id == run.c.job_id, job.c.finished_at.is_(None))
        return select(run.c.id).where(run.c.ended_at < before, ~is_open).order_by(run.c.ended_at)

    def write(self, tx: Tx) -> Removed:
        ids = self.lock(tx, run.c.id)
        of_jobs = select(run.c.job_id).where(run.c.id.in_(ids)).distinct()
        jobs = tx.connection.execute(of_jobs).scalars().all()
        keep_figures(tx.connection, run.c.id.in_(ids))
        tx.connection.execute(delete(run).where(run.c.id.in_(ids)))
        for job_id in jobs:
            tx.notify(Topic.JOB_EXPIRED, job_id=job_id)
        return Removed(len(ids), bool(ids))


class DeleteOldEvents(DeleteExpired):
    """Events of machines, stations, programs and settings, and of jobs that a person deleted.

    The last event of a machine before that time is kept: it tells in which state the machine was
    from then on.
    """

    __slots__ = ()
    sheets = (sheet("events", event.c.id),)

    @classmethod
    def expired(cls, before: int) -> Select[Any]:
        newer = event.alias("newer")
        superseded = exists().where(
            newer.c.machine_id == event.c.machine_id,
            newer.c.id > event.c.id,
            newer.c.at < before,
            newer.c.machine_state.is_not(None),
        )
        kept = event.c.machine_state.is_(None) | superseded
        return select(event.c.id).where(event.c.at < before, of_no_job, kept).order_by(event.c.at)

    def write(self, tx: Tx) -> Removed:
        ids = self.lock(tx, event.c.id)
        deleted = select(event.c.job_id).where(event.c.id.in_(ids), event.c.type == DELETED.name)
        jobs = tx.connection.execute(deleted).scalars().all()
        if _delete_events(tx, event.c.job_id.in_(jobs) & event.c.id.not_in(ids)):
            return Removed(0, anything=True)
        tx.connection.execute(delete(event).where(event.c.id.in_(ids)))
        return Removed(len(ids), bool(ids))


class DeleteUnusedPrograms(DeleteExpired):
    """Programs that were added so long ago and that no job, no schedule and no machine names. The
    newest revision of a name is kept as long as an older one is: its number is not given twice."""

    __slots__ = ()
    sheets = (sheet("programs", program.c.sha256, without=("content",)),)

    @classmethod
    def expired(cls, before: int) -> Select[Any]:
        other = program.alias("other")
        same_name = other.c.name == program.c.name
        newest = ~exists().where(same_name, other.c.revision > program.c.revision)
        older = exists().where(same_name, other.c.revision < program.c.revision)
        loaded = machine.c.last_program == program.c.sha256
        return (
            select(program.c.sha256)
            .where(program.c.added_at < before)
            .where(~exists().where(job.c.program == program.c.sha256))
            .where(~exists().where(schedule.c.job.contains(program.c.sha256)))
            .where(~exists().where(loaded, ~machine.c.removed))
            .where(~(newest & older))
            .order_by(program.c.added_at)
        )

    def write(self, tx: Tx) -> Removed:
        """Lock, then check again: a job may have been created for one before it was locked."""
        locked = tuple(self.lock(tx, program.c.sha256))
        unused = self.expired(self.before).where(program.c.sha256.in_(locked))
        ids = tx.connection.execute(unused).scalars().all()
        own = select(program.c.name).where(program.c.sha256.in_(ids)).distinct()
        names = tx.connection.execute(own).scalars().all()
        tx.connection.execute(delete(program).where(program.c.sha256.in_(ids)))
        doubts = doubtful_program.c.sha256.in_(ids)
        tx.connection.execute(delete(doubtful_program).where(doubts))
        if ids:
            delete_of_programs(tx, names)
            tx.notify(Topic.PROGRAMS_EXPIRED)
        return Removed(len(ids), bool(ids))


def delete_deliveries(tx: Tx, chosen: ColumnElement[bool]) -> None:
    """Delete deliveries with their attempts."""
    ids = select(delivery.c.id).where(chosen)
    tx.connection.execute(delete(delivery_attempt).where(delivery_attempt.c.delivery_id.in_(ids)))
    tx.connection.execute(delete(delivery).where(chosen))


def _delete_events(tx: Tx, chosen: ColumnElement[bool]) -> bool:
    """Delete a bounded number of events. Return whether more may be left."""
    ids = select(event.c.id).where(chosen).order_by(event.c.job_id, event.c.id).limit(MOST_EVENTS)
    deleted = tx.connection.execute(delete(event).where(event.c.id.in_(ids))).rowcount
    return deleted >= MOST_EVENTS


def _has_open_successor() -> ColumnElement[bool]:
    successor = job.alias("successor")
    return (
        exists()
        .where(dependency.c.predecessor_id == job.c.id)
        .where(successor.c.id == dependency.c.job_id, successor.c.finished_at.is_(None))
        .correlate(job)
    )
