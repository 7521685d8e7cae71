"""Delete what has been kept for as long as the retention settings say, a bounded number at once."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, exists, select

from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.store.alert_tables import alert, alert_message, alert_step
from cnc_station.engine.store.firing_statements import is_waiting
from cnc_station.engine.store.queries.schedule_rows import LAST_RUNS
from cnc_station.engine.store.schema import dependency, event, job, run, schedule, schedule_firing
from cnc_station.engine.store.transaction import OneByOne, Tx
from cnc_station.engine.store.webhook_tables import delivery, delivery_attempt

MOST_AT_ONCE = 200
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class DeleteFinishedJobs(OneByOne[int]):
    """Delete the oldest jobs that were finished more than `days` ago, with their runs, events and
    ended deliveries.
    Returns their number: less than `MOST_AT_ONCE` if none is left. A job for which an unfinished
    one waits is kept."""

    days: int

    def write(self, tx: Tx) -> int:
        before = tx.now - self.days * _DAY_MS
        query = (
            select(job.c.id, job.c.tenant)
            .where(job.c.finished_at < before, ~_has_open_successor())
            .order_by(job.c.finished_at)
            .limit(MOST_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        found = tx.connection.execute(query).all()
        ids = [row.id for row in found]
        _delete_deliveries(tx, delivery.c.job_id.in_(ids) & delivery.c.ended_at.is_not(None))
        of_others = dependency.c.predecessor_id.in_(ids)
        for statement in (
            delete(dependency).where(dependency.c.job_id.in_(ids) | of_others),
            delete(event).where(event.c.job_id.in_(ids)),
            delete(run).where(run.c.job_id.in_(ids)),
            delete(job).where(job.c.id.in_(ids)),
        ):
            tx.connection.execute(statement)
        for row in found:
            tx.notify(Topic.JOB_EXPIRED, job_id=row.id, tenant=row.tenant)
        return len(ids)


@dataclass(frozen=True, slots=True)
class DeleteEndedRuns(OneByOne[int]):
    """Delete the oldest runs that ended more than `days` ago, with their output; the events stay.
    Returns their number. The last run of an unfinished job is kept."""

    days: int

    def write(self, tx: Tx) -> int:
        before = tx.now - self.days * _DAY_MS
        last = exists().where(job.c.run_id == run.c.id, job.c.finished_at.is_(None))
        query = (
            select(run.c.id, run.c.job_id)
            .where(run.c.ended_at < before, ~last)
            .order_by(run.c.ended_at)
            .limit(MOST_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        found = tx.connection.execute(query).all()
        tx.connection.execute(delete(run).where(run.c.id.in_([row.id for row in found])))
        for job_id in {row.job_id for row in found}:
            tx.notify(Topic.JOB_EXPIRED, job_id=job_id)
        return len(found)


@dataclass(frozen=True, slots=True)
class DeleteEndedDeliveries(OneByOne[int]):
    """Delete the oldest deliveries that ended more than `days` ago, with their attempts. Returns
    their number."""

    days: int

    def write(self, tx: Tx) -> int:
        query = (
            select(delivery.c.id)
            .where(delivery.c.ended_at < tx.now - self.days * _DAY_MS)
            .order_by(delivery.c.id)
            .limit(MOST_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        ids = tx.connection.execute(query).scalars().all()
        _delete_deliveries(tx, delivery.c.id.in_(ids))
        return len(ids)


@dataclass(frozen=True, slots=True)
class DeleteEndedAlerts(OneByOne[int]):
    """Delete the oldest alerts that ended more than `days` ago, with what was told of them. Returns
    their number. One whose end is still to be told is kept."""

    days: int

    def write(self, tx: Tx) -> int:
        before = tx.now - self.days * _DAY_MS
        untold = exists().where(alert_step.c.alert_id == alert.c.id, ~alert_step.c.done)
        query = (
            select(alert.c.id)
            .where(alert.c.ended_at < before, ~untold)
            .order_by(alert.c.ended_at)
            .limit(MOST_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        ids = tx.connection.execute(query).scalars().all()
        tests = alert_message.c.alert_id.is_(None) & (alert_message.c.at < before)
        tx.connection.execute(delete(alert_message).where(tests))
        for table in (alert_message, alert_step):
            tx.connection.execute(delete(table).where(table.c.alert_id.in_(ids)))
        tx.connection.execute(delete(alert).where(alert.c.id.in_(ids)))
        if ids:
            tx.notify(Topic.ALERTS_CHANGED)
        return len(ids)


@dataclass(frozen=True, slots=True)
class DeleteOldFirings(OneByOne[int]):
    """Delete the oldest due times of schedules that were handled more than `days` ago. Returns
    their number.

    Kept: those that the list of schedules shows, those that wait or whose job is not finished, and
    those from the next time of their schedule on, which keep a due time from being fired again
    after the clock was set back.
    """

    days: int

    def write(self, tx: Tx) -> int:
        before = tx.now - self.days * _DAY_MS
        firing, newer = schedule_firing.c, schedule_firing.alias("newer").c
        first_shown = (
            select(newer.due_at)
            .where(newer.schedule_id == schedule.c.id)
            .order_by(newer.due_at.desc())
            .offset(LAST_RUNS - 1)
            .limit(1)
            .scalar_subquery()
        )
        query = (
            select(firing.id)
            .join(schedule, schedule.c.id == firing.schedule_id)
            .where(firing.due_at < before, firing.fired_at < before)
            .where(firing.due_at < first_shown, ~is_waiting)
            .where(schedule.c.next_due.is_(None) | (firing.due_at < schedule.c.next_due))
            .where(~exists().where(job.c.id == firing.job_id, job.c.finished_at.is_(None)))
            .order_by(firing.id)
            .limit(MOST_AT_ONCE)
            .with_for_update(skip_locked=True, of=schedule_firing)
        )
        ids = tx.connection.execute(query).scalars().all()
        tx.connection.execute(delete(schedule_firing).where(firing.id.in_(ids)))
        return len(ids)


def _delete_deliveries(tx: Tx, chosen: ColumnElement[bool]) -> None:
    ids = select(delivery.c.id).where(chosen)
    tx.connection.execute(delete(delivery_attempt).where(delivery_attempt.c.delivery_id.in_(ids)))
    tx.connection.execute(delete(delivery).where(chosen))


def _has_open_successor() -> ColumnElement[bool]:
    successor = job.alias("successor")
    return (
        exists()
        .where(dependency.c.predecessor_id == job.c.id)
        .where(successor.c.id == dependency.c.job_id, successor.c.finished_at.is_(None))
        .correlate(job)
    )
