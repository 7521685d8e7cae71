"""Alerts, what was told of them, and the rules."""

from typing import Any

from sqlalchemy import Connection, Row, Select, case, func, select

from cnc_station.engine import codec
from cnc_station.engine.domain.alert_rules import Channel
from cnc_station.engine.domain.alerts import AlertMessage, Severity, sentences
from cnc_station.engine.domain.webhooks import receiver_of
from cnc_station.engine.store.alert_messages import NO_ENDPOINT, newest_message
from cnc_station.engine.store.alert_rules import rule_of
from cnc_station.engine.store.alert_tables import alert, alert_message, alert_rule, alert_step
from cnc_station.engine.store.alerts import alert_of
from cnc_station.engine.store.schema import job
from cnc_station.engine.store.webhook_tables import webhook
from cnc_station.engine.views.alerts import (
    AlertPage,
    AlertRow,
    AlertRuleRow,
    AlertsToPresent,
    SentAlert,
)

MOST_OPEN = 1_000
MOST_MESSAGES = 200  # an older one is not worth presenting any more
_WORST_FIRST = case(
    {severity.value: -severity.rank for severity in Severity}, value=alert.c.severity
)


_WITH_JOBS = alert.join(job, job.c.id == alert.c.job_id, isouter=True)


def _alerts() -> Select[Any]:
    """The alerts; a job that the reader may not see is left out."""
    told = (
        select(func.sum(alert_step.c.sent))
        .where(alert_step.c.alert_id == alert.c.id)
        .scalar_subquery()
    )
    return select(
        alert, told.label("told"), job.c.id.label("seen_job"), job.c.tenant.label("seen_tenant")
    ).select_from(_WITH_JOBS)


def open_alerts(connection: Connection, now: int) -> tuple[AlertRow, ...]:
    """The open alerts, worst first, then oldest first."""
    query = (
        _alerts()
        .where(alert.c.ended_at.is_(None))
        .order_by(_WORST_FIRST, alert.c.since, alert.c.id)
        .limit(MOST_OPEN)
    )
    return tuple(_row(row, now) for row in connection.execute(query))


def all_alerts(
    connection: Connection,
    now: int,
    *,
    offset: int,
    limit: int,
    machine_id: int | None = None,
    job_id: int | None = None,
) -> AlertPage:
    """A page of all alerts, newest first."""
    query, count = _alerts(), select(func.count()).select_from(_WITH_JOBS)
    for column, value in ((alert.c.machine_id, machine_id), (job.c.id, job_id)):
        if value is not None:
            query, count = query.where(column == value), count.where(column == value)
    rows = connection.execute(query.order_by(alert.c.id.desc()).offset(offset).limit(limit))
    total = connection.execute(count).scalar_one()
    return AlertPage(tuple(_row(row, now) for row in rows), offset, total)


def _row(row: Row[Any], now: int) -> AlertRow:
    cause = alert_of(row).cause
    waited = max(0, (row.ended_at or now) - row.since)
    title, text = sentences(cause, waited)
    return AlertRow(
        id=row.id,
        kind=cause.kind,
        severity=cause.severity,
        title=title,
        text=text,
        args=cause.args,
        machine_id=row.machine_id,
        machine=cause.args.get("machine"),
        job_id=row.seen_job,
        tenant=row.tenant if row.job_id is None else row.seen_tenant,
        since=row.since,
        raised_at=row.raised_at,
        waited_s=waited / 1000,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        acknowledged_reason=row.acknowledged_reason,
        ended_at=row.ended_at,
        told=row.told or 0,
    )


def visible_alerts(connection: Connection, ids: frozenset[int]) -> frozenset[int]:
    """Those of these alerts that the reader may see."""
    query = select(alert.c.id).where(alert.c.id.in_(sorted(ids)))
    return frozenset(connection.execute(query).scalars())


def messages_of(connection: Connection, alert_id: int) -> tuple[SentAlert, ...]:
    """What was told of an alert, oldest first."""
    query = (
        select(alert_message)
        .where(alert_message.c.alert_id == alert_id)
        .order_by(alert_message.c.id)
    )
    return tuple(_message(row) for row in connection.execute(query))


def one_message(connection: Connection, message_id: int) -> SentAlert:
    """The message with this id."""
    query = select(alert_message).where(alert_message.c.id == message_id)
    return _message(connection.execute(query).one())


def to_present(connection: Connection, after: int | None) -> AlertsToPresent:
    """The messages after `after` for the station itself; without it only the last place."""
    if after is None:
        return AlertsToPresent(newest_message(connection), ())
    query = (
        select(alert_message)
        .where(alert_message.c.id > after, alert_message.c.channel != Channel.ENDPOINT.value)
        .order_by(alert_message.c.id.desc())
        .limit(MOST_MESSAGES)
    )
    found = tuple(_message(row) for row in reversed(connection.execute(query).all()))
    return AlertsToPresent(found[-1].id if found else after, found)


def _message(row: Row[Any]) -> SentAlert:
    return SentAlert(
        id=row.id,
        at=row.at,
        rule_id=row.rule_id,
        rule_name=row.rule_name,
        channel=Channel(row.channel),
        message=_text(row.message),
        sound=row.sound,
        delivery_id=row.delivery_id,
        error=row.error,
    )


def _text(stored: str) -> AlertMessage:
    return codec.load(AlertMessage, stored.encode())


def rules(connection: Connection) -> tuple[AlertRuleRow, ...]:
    """Every rule, in the order they were added."""
    endpoints = {
        row.id: row
        for row in connection.execute(
            select(webhook.c.id, webhook.c.url, webhook.c.enabled).where(~webhook.c.removed)
        )
    }
    found = []
    for row in connection.execute(select(alert_rule).order_by(alert_rule.c.id)):
        rule = rule_of(row)
        there = endpoints.get(rule.webhook_id)
        works = rule.channel is not Channel.ENDPOINT or (there is not None and there.enabled)
        found.append(
            AlertRuleRow(
                id=row.id,
                version=row.version,
                rule=rule,
                endpoint=None if there is None else receiver_of(there.url),
                fault="" if works else NO_ENDPOINT,
                created_at=row.created_at,
                created_by=row.created_by,
            )
        )
    return tuple(found)
