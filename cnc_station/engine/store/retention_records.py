"""Delete deliveries, alerts and due times after the days of the retention settings."""

from typing import Any

from sqlalchemy import Select, delete, exists, select

from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.store.alert_tables import alert, alert_message, alert_step
from cnc_station.engine.store.archive import sheet
from cnc_station.engine.store.firing_statements import is_waiting
from cnc_station.engine.store.queries.schedule_rows import LAST_RUNS
from cnc_station.engine.store.retention import (
    ATTEMPTS_SHEET,
    MOST_AT_ONCE,
    DeleteExpired,
    Removed,
    delete_deliveries,
)
from cnc_station.engine.store.schema import job, schedule, schedule_firing
from cnc_station.engine.store.transaction import Tx
from cnc_station.engine.store.webhook_tables import delivery


class DeleteEndedDeliveries(DeleteExpired):
    """Deliveries that ended so long ago, with their attempts."""

    __slots__ = ()
    sheets = (
        sheet("deliveries", delivery.c.id, without=("token", "due_at", "payload")),
        ATTEMPTS_SHEET,
    )

    @classmethod
    def expired(cls, before: int) -> Select[Any]:
        return (
            select(delivery.c.id).where(delivery.c.ended_at < before).order_by(delivery.c.ended_at)
        )

    def write(self, tx: Tx) -> Removed:
        ids = self.lock(tx, delivery.c.id)
        delete_deliveries(tx, delivery.c.id.in_(ids))
        return Removed(len(ids), bool(ids))


class DeleteEndedAlerts(DeleteExpired):
    """Alerts that ended so long ago, with what was told of them, and messages of tests. One whose
    end is still to be told is kept."""

    __slots__ = ()
    sheets = (sheet("alerts", alert.c.id), sheet("alert-messages", alert_message.c.alert_id))

    @classmethod
    def expired(cls, before: int) -> Select[Any]:
        untold = exists().where(alert_step.c.alert_id == alert.c.id, ~alert_step.c.done)
        return (
            select(alert.c.id).where(alert.c.ended_at < before, ~untold).order_by(alert.c.ended_at)
        )

    def write(self, tx: Tx) -> Removed:
        ids = self.lock(tx, alert.c.id)
        of_tests = alert_message.c.alert_id.is_(None) & (alert_message.c.at < self.before)
        tests = select(alert_message.c.id).where(of_tests).limit(MOST_AT_ONCE)
        tx.connection.execute(delete(alert_message).where(alert_message.c.id.in_(tests)))
        for table in (alert_message, alert_step):
            tx.connection.execute(delete(table).where(table.c.alert_id.in_(ids)))
        tx.connection.execute(delete(alert).where(alert.c.id.in_(ids)))
        if ids:
            tx.notify(Topic.ALERTS_CHANGED)
        return Removed(len(ids), bool(ids))


class DeleteOldFirings(DeleteExpired):
    """Due times of schedules that were handled so long ago.

    Kept: those that the list of schedules shows, those that wait or whose job is not finished, and
    those from the next time of their schedule on, which keep a due time from being fired again
    after the clock was set back.
    """

    __slots__ = ()
    sheets = (sheet("schedule-times", schedule_firing.c.id),)

    @classmethod
    def expired(cls, before: int) -> Select[Any]:
        firing, newer = schedule_firing.c, schedule_firing.alias("newer").c
        first_shown = (
            select(newer.due_at)
            .where(newer.schedule_id == schedule.c.id)
            .order_by(newer.due_at.desc())
            .offset(LAST_RUNS - 1)
            .limit(1)
            .scalar_subquery()
        )
        return (
            select(firing.id)
            .join(schedule, schedule.c.id == firing.schedule_id)
            .where(firing.due_at < before, firing.fired_at < before)
            .where(firing.due_at < first_shown, ~is_waiting)
            .where(schedule.c.next_due.is_(None) | (firing.due_at < schedule.c.next_due))
            .where(~exists().where(job.c.id == firing.job_id, job.c.finished_at.is_(None)))
            .order_by(firing.schedule_id, firing.due_at)
        )

    def write(self, tx: Tx) -> Removed:
        ids = self.lock(tx, schedule_firing.c.id)
        tx.connection.execute(delete(schedule_firing).where(schedule_firing.c.id.in_(ids)))
        return Removed(len(ids), bool(ids))
