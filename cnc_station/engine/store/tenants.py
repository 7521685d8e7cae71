"""Reads for a principal that sees the jobs of some tenants only.

Every statement that reads jobs, their runs, events or webhooks is rewritten before it is executed,
so that no query can forget the filter. A query that needs the whole queue, such as a forecast,
marks its statement with `WHOLE_SHOP`; nothing of the other tenants' jobs may reach a view.
"""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import (
    Alias,
    Column,
    Connection,
    FromClause,
    Subquery,
    Table,
    event,
    false,
    or_,
    select,
)
from sqlalchemy.sql import visitors

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.alerts import OF_THE_SHOP
from cnc_station.engine.domain.audit import ABOUT_PEOPLE
from cnc_station.engine.domain.notice import ABOUT_SCHEDULES
from cnc_station.engine.store import schema
from cnc_station.engine.store.alert_tables import alert, alert_message, alert_rule
from cnc_station.engine.store.attachment_tables import (
    attachment,
    attachment_content,
    set_up_sheet,
)
from cnc_station.engine.store.webhook_tables import delivery, delivery_attempt, webhook

T = TypeVar("T")
Read = Callable[[Connection], T]

WHOLE_SHOP = {"whole_shop": True}
_LIMITED = "limited_to_tenants"
# Whose events name no job.
_OF_A_TENANT = sorted(
    ABOUT_SCHEDULES
    | {
        t.SET_UP_SHEET_CHANGED.name,
        t.ALERT_ACKNOWLEDGED.name,
        t.ALERT_ESCALATED.name,
        t.ALERT_RULES_CHANGED.name,
    }
)
# These, and those that tell of other tenants' endpoints, people and settings.
_UNSEEN = sorted({*_OF_A_TENANT, *ABOUT_PEOPLE, t.WEBHOOKS_CHANGED.name, t.SETTINGS_CHANGED.name})


def for_tenants(read: Read[T], tenants: frozenset[str]) -> Read[T]:
    """Limit a read to the jobs of these tenants."""

    def limited(connection: Connection) -> T:
        def rewrite(
            _connection: Connection, statement: Any, multiparams: Any, params: Any, options: Any
        ) -> tuple[Any, Any, Any]:
            if not (options | statement.get_execution_options()).get("whole_shop"):
                statement = _limit(statement, tenants)
            return statement, multiparams, params

        event.listen(connection, "before_execute", rewrite, retval=True)
        connection.execution_options(**{_LIMITED: True})
        return read(connection)

    return limited


def is_limited(connection: Connection) -> bool:
    """Whether this connection sees the jobs of some tenants only."""
    return bool(connection.get_execution_options().get(_LIMITED))


def _limit(statement: Any, tenants: frozenset[str]) -> Any:
    subqueries: dict[str, Subquery] = {}

    def replaced(table: FromClause) -> Subquery | None:
        """Return the subquery that replaces a table or an alias of one."""
        origin = table.element if isinstance(table, Alias) else table
        if not isinstance(origin, Table) or (where := _condition(origin, tenants)) is None:
            return None
        name = str(getattr(table, "name", ""))
        if name not in subqueries:
            subqueries[name] = select(origin).where(where).subquery(name)
        return subqueries[name]

    def replacement(element: Any, **_: Any) -> Any:
        if isinstance(element, Column) and element.table is not None:
            other = replaced(element.table)
            return None if other is None else other.c[element.key]
        return replaced(element) if isinstance(element, Table | Alias) else None

    return visitors.replacement_traverse(statement, {}, replacement)


def _condition(table: Table, tenants: frozenset[str]) -> Any:
    own = schema.job.c.tenant.in_(sorted(tenants))
    if table is schema.job:
        return own
    if table is schema.schedule:
        return schema.schedule.c.tenant.in_(sorted(tenants))
    jobs = select(schema.job.c.id).where(own)
    if table is schema.run:
        return schema.run.c.job_id.in_(jobs)
    if table is schema.event:
        of_shop = schema.event.c.job_id.is_(None) & schema.event.c.type.not_in(_UNSEEN)
        return or_(of_shop, schema.event.c.job_id.in_(jobs), _is_deletion(sorted(tenants)))
    of_set_ups = _of_set_ups(table, jobs)
    if of_set_ups is not None:
        return of_set_ups
    of_alerts = _of_alerts(table, sorted(tenants))
    return _of_webhooks(table, sorted(tenants)) if of_alerts is None else of_alerts


def _of_set_ups(table: Table, jobs: Any) -> Any:
    """What people attach to a program or write for it may come from any tenant: it is hidden."""
    if table is set_up_sheet:
        return false()
    if table is attachment:
        return attachment.c.job_id.in_(jobs)
    if table is attachment_content:
        own = select(attachment.c.sha256).where(attachment.c.job_id.in_(jobs))
        return attachment_content.c.sha256.in_(own)
    return None


def _is_deletion(tenants: list[str]) -> Any:
    """The job of such an event is gone: it stores the tenant, in `queue_actions`."""
    details = [json.dumps({"tenant": tenant}) for tenant in tenants]
    return (schema.event.c.type == t.DELETED.name) & schema.event.c.details.in_(details)


def _of_alerts(table: Table, tenants: list[str]) -> Any:
    """Everybody sees the alerts of machines and stations, as the machines themselves."""
    if table is alert_rule:
        return alert_rule.c.tenant.in_(tenants)
    seen = alert.c.tenant.in_(tenants) | alert.c.kind.in_(OF_THE_SHOP)
    if table is alert:
        return seen
    if table is alert_message:
        of_alert = alert_message.c.alert_id.in_(select(alert.c.id).where(seen))
        return of_alert | alert_message.c.tenant.in_(tenants)
    return None


def _of_webhooks(table: Table, tenants: list[str]) -> Any:
    """An endpoint for all tenants is hidden, with what it was sent: others' data is there too."""
    if table is webhook:
        return webhook.c.tenant.in_(tenants)
    endpoints = select(webhook.c.id).where(webhook.c.tenant.in_(tenants))
    own = delivery.c.webhook_id.in_(endpoints)
    if table is delivery:
        return own
    if table is delivery_attempt:
        return delivery_attempt.c.delivery_id.in_(select(delivery.c.id).where(own))
    return None


def visible_jobs(connection: Connection, ids: frozenset[int]) -> frozenset[int]:
    """Return those of these jobs that the reader may see."""
    query = select(schema.job.c.id).where(schema.job.c.id.in_(sorted(ids)))
    return frozenset(connection.execute(query).scalars())
