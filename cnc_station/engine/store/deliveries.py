"""Deliveries: claimed by stations, tried, recorded, replayed.

A claim holds a delivery until a time, after which any station may claim it again. Its token proves
the right to record what came of it: a delivery is sent at least once, and counted once.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Text,
    Update,
    and_,
    bindparam,
    case,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from cnc_station.engine import codec
from cnc_station.engine.domain.alerts import AlertMessage
from cnc_station.engine.domain.message_formats.base import Endpoint
from cnc_station.engine.domain.message_formats.options import MessageFormat
from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.domain.transitions import WEBHOOKS_CHANGED
from cnc_station.engine.domain.webhooks import ALERT_EVENT, DeliveryContent
from cnc_station.engine.store.dialect import Dialect, packed
from cnc_station.engine.store.queries.webhooks import (
    conditions,
    endpoint_of,
    replayable,
)
from cnc_station.engine.store.schema import job
from cnc_station.engine.store.transaction import OneByOne, StoreCommand, Tx
from cnc_station.engine.store.webhook_listeners import PENDING
from cnc_station.engine.store.webhook_tables import delivery, delivery_attempt, webhook
from cnc_station.engine.views.webhooks import DeliveryFilter

DELIVERED, DEAD = "delivered", "dead"
_CONTENT = tuple(f.name for f in fields(DeliveryContent))


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that this station may send until its claim ends. `tries` of this round failed;
    `accepted` are the recipients of an e-mail that have it already."""

    id: int
    key: str
    token: int
    tries: int
    endpoint: Endpoint
    content: DeliveryContent
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimDeliveries(OneByOne[tuple[ClaimedDelivery, ...]]):
    """Claim what is due: of each endpoint at most as many as it has room for."""

    room: Mapping[int, int]
    lease_ms: int

    @property
    def touches(self) -> Sequence[tuple[str, int]]:
        return tuple(("webhook", webhook_id) for webhook_id in self.room)

    def write(self, tx: Tx) -> tuple[ClaimedDelivery, ...]:
        endpoints = _endpoints(tx, self.room)
        claimed: list[ClaimedDelivery] = []
        for webhook_id, endpoint in endpoints.items():
            rows = tx.connection.execute(
                _claim(),
                {
                    "webhook": webhook_id,
                    "most": self.room[webhook_id],
                    "now": tx.now,
                    "until": tx.now + self.lease_ms,
                    "by": tx.station,
                },
            )
            claimed += [
                ClaimedDelivery(
                    row.id,
                    row.key,
                    row.token,
                    row.tries,
                    endpoint,
                    DeliveryContent(**{name: getattr(row, name) for name in _CONTENT}),
                    tuple((row.accepted or "").split()),
                )
                for row in rows
            ]
        return tuple(claimed)


def _endpoints(tx: Tx, ids: Mapping[int, int]) -> dict[int, Endpoint]:
    rows = tx.connection.execute(
        select(webhook).where(webhook.c.id.in_(sorted(ids)), webhook.c.enabled, ~webhook.c.removed)
    )
    return {row.id: endpoint_of(row, tx.now) for row in rows}


@cache
def _claim() -> ReturningUpdate[Any]:
    due = (
        select(delivery.c.id)
        .where(
            delivery.c.webhook_id == bindparam("webhook"),
            delivery.c.due_at.is_not(None),
            delivery.c.due_at <= bindparam("now", type_=BigInteger),
        )
        .order_by(delivery.c.due_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(delivery)
        .where(delivery.c.id.in_(select(due.c.id)))
        .values(
            due_at=bindparam("until", type_=BigInteger),
            station=bindparam("by"),
            token=delivery.c.token + 1,
        )
        .returning(
            delivery.c.id,
            delivery.c.key,
            delivery.c.token,
            delivery.c.tries,
            delivery.c.accepted,
            *(delivery.c[name] for name in _CONTENT),
        )
    )


@dataclass(frozen=True, slots=True)
class RecordAttempt(StoreCommand[None]):
    """Record what came of one attempt. With `state` PENDING or DEAD and a `pause_s` it is tried
    again then. `accepted` are the recipients that have it by now. A stale token changes nothing but
    the list of attempts."""

    delivery_id: int
    token: int
    state: str
    pause_s: float | None
    url: str
    request_headers: Mapping[str, str]
    status: int | None
    response_headers: Mapping[str, str]
    response: str
    truncated: bool
    error: str
    duration_s: float
    accepted: Sequence[str] = ()

    @property
    def touches(self) -> Sequence[tuple[str, int]]:
        return (("delivery", self.delivery_id),)

    @classmethod
    def apply(cls, tx: Tx, commands: Sequence["RecordAttempt"]) -> list[Exception | None]:
        tx.dialect.insert(
            tx.connection, delivery_attempt, [_attempt_row(tx, command) for command in commands]
        )
        items = [
            [
                command.delivery_id,
                command.token,
                command.state,
                None if command.pause_s is None else tx.now + round(command.pause_s * 1000),
                command.status,
                command.error,
                " ".join(command.accepted) or None,
            ]
            for command in commands
        ]
        values = {"item": packed(items), "now": tx.now}
        tx.connection.execute(_record(tx.dialect), values)
        tx.notify(Topic.DELIVERIES_TRIED)
        return [None] * len(commands)


def _attempt_row(tx: Tx, command: RecordAttempt) -> dict[str, Any]:
    return {
        "delivery_id": command.delivery_id,
        "at": tx.now,
        "station": tx.station,
        "url": command.url,
        "request_headers": json.dumps(dict(command.request_headers)),
        "status": command.status,
        "response_headers": json.dumps(dict(command.response_headers)),
        "response": command.response,
        "truncated": command.truncated,
        "error": command.error,
        "duration_s": command.duration_s,
    }


@cache
def _record(dialect: Dialect) -> Update:
    item = dialect.items(
        "item",
        id=BigInteger,
        token=BigInteger,
        state=Text,
        due_at=BigInteger,
        status=BigInteger,
        error=Text,
        accepted=Text,
    )
    now = bindparam("now", type_=BigInteger)
    return (
        update(delivery)
        .where(delivery.c.id == item.c.id, delivery.c.token == item.c.token)
        .values(
            state=item.c.state,
            due_at=item.c.due_at,
            tries=delivery.c.tries + 1,
            station=None,
            ended_at=case((item.c.due_at.is_(None), now)),
            last_status=item.c.status,
            last_error=item.c.error,
            accepted=item.c.accepted,
        )
    )


@dataclass(frozen=True, slots=True)
class ReleaseDeliveries(OneByOne[None]):
    """At the start of a station: what it had claimed in its former life is due again."""

    def write(self, tx: Tx) -> None:
        tx.connection.execute(
            update(delivery)
            .where(delivery.c.station == tx.station, delivery.c.due_at.is_not(None))
            .values(station=None, due_at=tx.now)
        )


@dataclass(frozen=True, slots=True)
class QueueTest(OneByOne[int]):
    """Queue a delivery that is about no job; the answer is its id."""

    webhook_id: int
    key: str
    event: str

    def write(self, tx: Tx) -> int:
        return _queue(
            tx,
            key=self.key,
            webhook_id=self.webhook_id,
            event=self.event,
            tenant="",
            name="Test of CNC Station",
            status="completed",
            completed_at=tx.now,
            run_ms=0,
            payload="{}",
        )


def queue_alert_delivery(tx: Tx, webhook_id: int, message: AlertMessage) -> int | None:
    """Queue a message for an endpoint. Return the id of the delivery; None if the endpoint is
    disabled or was deleted: an alert is not kept for later. It keeps the trace of its job."""
    trace = select(job.c.trace_id).where(job.c.id == message.job_id).scalar_subquery()
    query = select(func.coalesce(trace, "")).where(
        webhook.c.id == webhook_id, webhook.c.enabled, ~webhook.c.removed
    )
    if (trace_id := tx.connection.execute(query).scalar()) is None:
        return None
    return _queue(
        tx,
        key=f"{uuid.uuid4().hex}-{webhook_id}",
        webhook_id=webhook_id,
        event=ALERT_EVENT,
        job_id=message.job_id,
        trace_id=trace_id,
        tenant=message.tenant or "",
        name=message.title,
        status=message.state.value,
        payload=codec.dump(AlertMessage, message).decode(),
        machine=message.machine,
    )


def _queue(tx: Tx, *, trace_id: str = "", **values: object) -> int:
    """Queue a delivery that tells no change of a job; the answer is its id."""
    (delivery_id,) = tx.dialect.reserve(tx.connection, delivery, 1)
    tx.connection.execute(
        insert(delivery).values(
            id=delivery_id,
            at=tx.now,
            state=PENDING,
            due_at=tx.now,
            tries=0,
            token=0,
            last_error="",
            priority=0,
            attempt=1,
            trace_id=trace_id,
            **values,
        )
    )
    tx.notify(Topic.DELIVERIES_QUEUED)
    return delivery_id


@dataclass(frozen=True, slots=True)
class DueEndpoint:
    """An endpoint with a delivery that is due in `seconds`, at most 0 if one is due now."""

    format: MessageFormat
    seconds: float


def due_endpoints(connection: Connection, now: int) -> dict[int, DueEndpoint]:
    """By id: the endpoints that have a delivery to be sent."""
    earliest = (
        select(func.min(delivery.c.due_at))
        .where(delivery.c.webhook_id == webhook.c.id, delivery.c.due_at.is_not(None))
        .scalar_subquery()
    )
    rows = connection.execute(
        select(webhook.c.id, webhook.c.format, earliest.label("due_at")).where(
            and_(webhook.c.enabled, ~webhook.c.removed)
        )
    )
    return {
        row.id: DueEndpoint(MessageFormat(row.format), (row.due_at - now) / 1000)
        for row in rows
        if row.due_at is not None
    }


@dataclass(frozen=True, slots=True)
class ReplayDeliveries(OneByOne[tuple[int, ...]]):
    """Queue those of these deliveries that are still `chosen` again as if they were new, without
    those that a station is sending. The answer are their ids, in order."""

    ids: Sequence[int]
    chosen: DeliveryFilter
    tenants: frozenset[str] | None
    actor: str

    def write(self, tx: Tx) -> tuple[int, ...]:
        where = [*conditions(self.chosen), *replayable(self.tenants)]
        where.append(delivery.c.id.in_(sorted(self.ids)))
        locked = select(delivery.c.id).where(*where).order_by(delivery.c.id).with_for_update()
        ids = tuple(tx.connection.execute(locked).scalars())
        item = tx.dialect.items("item", id=BigInteger)
        tx.connection.execute(
            update(delivery)
            .where(delivery.c.id.in_(select(item.c.id)))
            .values(state=PENDING, due_at=tx.now, tries=0, ended_at=None, accepted=None),
            {"item": packed([[delivery_id] for delivery_id in ids])},
        )
        if ids:
            reason = f"{len(ids):,} deliveries replayed"
            tx.record(WEBHOOKS_CHANGED, actor=self.actor, reason=reason)
            tx.notify(Topic.DELIVERIES_QUEUED)
        return ids
