"""Endpoints of webhooks, and the list of deliveries."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, func, literal_column, or_, select

from cnc_station.engine import codec
from cnc_station.engine.domain.message_formats.base import Endpoint
from cnc_station.engine.domain.message_formats.options import FormatOptions, MessageFormat
from cnc_station.engine.domain.message_formats.present import shown_body
from cnc_station.engine.domain.webhooks import DeliveryContent
from cnc_station.engine.store.webhook_tables import dead, delivery, delivery_attempt, webhook
from cnc_station.engine.views.webhooks import (
    DeliveryAttempt,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryPage,
    DeliveryRow,
    DeliveryState,
    WebhookRow,
)

_CONTENT = tuple(f.name for f in fields(DeliveryContent))
_STORED = tuple(f.name for f in fields(DeliveryRow) if f.name not in {"url", "state"})
_ATTEMPT = tuple(f.name for f in fields(DeliveryAttempt) if not f.name.endswith("_headers"))
_OWN = frozenset({"events", "previous_until", "pending", "dead", "format", "options"})
_WEBHOOK = tuple(f.name for f in fields(WebhookRow) if f.name not in _OWN)


def endpoint_of(row: Row[Any], now: int) -> Endpoint:
    """Return where a station sends to, of a row of the table `webhook`."""
    both = row.previous_secret and (row.previous_until or 0) > now
    return Endpoint(
        row.id,
        row.url,
        (row.secret, row.previous_secret) if both else (row.secret,),
        MessageFormat(row.format),
        _options(row.options),
    )


def _options(stored: str) -> FormatOptions:
    """A webhook has none, and needs no time to read them."""
    return FormatOptions() if stored == "{}" else codec.load(FormatOptions, stored.encode())


def stored_endpoint(connection: Connection, now: int, webhook_id: int) -> Endpoint | None:
    """An endpoint with its secrets, for the station alone; None if there is no such endpoint."""
    query = select(webhook).where(webhook.c.id == webhook_id, ~webhook.c.removed)
    row = connection.execute(query).one_or_none()
    return None if row is None else endpoint_of(row, now)


def webhooks(connection: Connection, now: int) -> tuple[WebhookRow, ...]:
    """Every endpoint with its deliveries counted, in the order they were added."""
    counted = connection.execute(
        select(delivery.c.webhook_id, delivery.c.state, func.count().label("number"))
        .where(or_(dead, delivery.c.due_at.is_not(None)))
        .group_by(delivery.c.webhook_id, delivery.c.state)
    )
    counts: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for row in counted:
        counts[row.webhook_id][row.state] = row.number
    found = connection.execute(select(webhook).where(~webhook.c.removed).order_by(webhook.c.id))
    return tuple(
        WebhookRow(
            **{name: getattr(row, name) for name in _WEBHOOK},
            format=MessageFormat(row.format),
            options=_options(row.options),
            events=tuple(row.events.split()),
            previous_until=row.previous_until if (row.previous_until or 0) > now else None,
            pending=counts[row.id].get(DeliveryState.PENDING, 0),
            dead=counts[row.id].get(DeliveryState.DEAD, 0),
        )
        for row in found
    )


def conditions(chosen: DeliveryFilter) -> Sequence[ColumnElement[bool]]:
    """What a delivery must fulfil to be chosen."""
    columns: dict[str, Column[object]] = {
        "webhook_id": delivery.c.webhook_id,
        "job_id": delivery.c.job_id,
        "event": delivery.c.event,
    }
    wanted = [
        column == getattr(chosen, name)
        for name, column in columns.items()
        if getattr(chosen, name) is not None
    ]
    if chosen.states:
        # As literals: the partial index of the dead serves only a condition it can recognise.
        states: list[ColumnElement[str]] = [
            literal_column(f"'{state}'") for state in sorted(chosen.states)
        ]
        wanted.append(
            delivery.c.state == states[0] if len(states) == 1 else delivery.c.state.in_(states)
        )
    if chosen.since is not None:
        wanted.append(delivery.c.at >= chosen.since)
    if chosen.until is not None:
        wanted.append(delivery.c.at < chosen.until)
    return wanted


def deliveries(
    connection: Connection, chosen: DeliveryFilter, offset: int, limit: int
) -> DeliveryPage:
    """A page of the chosen deliveries, newest first."""
    where = conditions(chosen)
    total = connection.execute(
        select(func.count()).select_from(delivery).where(*where)
    ).scalar_one()
    rows = connection.execute(
        select(*(delivery.c[name] for name in _STORED), delivery.c.state, webhook.c.url)
        .join(webhook, webhook.c.id == delivery.c.webhook_id)
        .where(*where)
        .order_by(delivery.c.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return DeliveryPage(
        tuple(
            DeliveryRow(
                **{name: getattr(row, name) for name in _STORED},
                url=row.url,
                state=DeliveryState(row.state),
            )
            for row in rows
        ),
        offset,
        total,
    )


def delivery_detail(connection: Connection, delivery_id: int) -> DeliveryDetail | None:
    """A delivery with what is sent, and its attempts; None if there is no such delivery."""
    found = connection.execute(
        select(delivery, webhook.c.url, webhook.c.format, webhook.c.options)
        .join(webhook, webhook.c.id == delivery.c.webhook_id)
        .where(delivery.c.id == delivery_id)
    ).one_or_none()
    if found is None:
        return None
    content = DeliveryContent(**{name: getattr(found, name) for name in _CONTENT})
    endpoint = Endpoint(
        found.webhook_id, found.url, (), MessageFormat(found.format), _options(found.options)
    )
    attempts = connection.execute(
        select(delivery_attempt)
        .where(delivery_attempt.c.delivery_id == delivery_id)
        .order_by(delivery_attempt.c.at, delivery_attempt.c.id)
    )
    return DeliveryDetail(
        DeliveryRow(
            **{name: getattr(found, name) for name in _STORED},
            url=found.url,
            state=DeliveryState(found.state),
        ),
        shown_body(endpoint, content, found.key),
        tuple(
            DeliveryAttempt(
                **{name: getattr(row, name) for name in _ATTEMPT},
                request_headers=json.loads(row.request_headers),
                response_headers=json.loads(row.response_headers),
            )
            for row in attempts
        ),
    )
