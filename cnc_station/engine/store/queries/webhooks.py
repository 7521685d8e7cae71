"""Endpoints of webhooks, and the list of deliveries."""

import json
from collections import defaultdict
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    case,
    func,
    literal_column,
    or_,
    select,
)

from cnc_station.engine import codec
from cnc_station.engine.domain.checks import MOST_ID
from cnc_station.engine.domain.message_formats.base import Endpoint
from cnc_station.engine.domain.message_formats.options import FormatOptions, MessageFormat
from cnc_station.engine.domain.message_formats.present import shown_body
from cnc_station.engine.domain.webhooks import TEST_EVENT, DeliveryContent
from cnc_station.engine.store.webhook_tables import dead, delivery, delivery_attempt, webhook
from cnc_station.engine.views import BulkCursor
from cnc_station.engine.views.webhooks import (
    DeliveryAttempt,
    DeliveryCounts,
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
_OWN = frozenset({"events", "previous_until", "pending", "dead", "last", "format", "options"})
_WEBHOOK = tuple(f.name for f in fields(WebhookRow) if f.name not in _OWN)
_COLUMNS = (*(delivery.c[name] for name in _STORED), delivery.c.state, webhook.c.url)
_ROWS: Select[Any] = select(*_COLUMNS).join_from(
    delivery, webhook, webhook.c.id == delivery.c.webhook_id
)
# No index has this order, so that few rows are found by the index of their state and then sorted.
_SORTED_ID = delivery.c.id + 0


def valid_secrets(connection: Connection, now: int) -> frozenset[str]:
    """The secrets that what is sent to programs is signed with now."""
    former = case((webhook.c.previous_until > now, webhook.c.previous_secret))
    query = select(webhook.c.secret, former).where(
        webhook.c.format == MessageFormat.WEBHOOK.value, ~webhook.c.removed
    )
    return frozenset(secret for row in connection.execute(query) for secret in row if secret)


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
        .where(or_(dead & (delivery.c.event != TEST_EVENT), delivery.c.due_at.is_not(None)))
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
            last=_last_tried(connection, row.id),
        )
        for row in found
    )


def _last_tried(connection: Connection, webhook_id: int) -> DeliveryRow | None:
    tried = or_(delivery.c.ended_at.is_not(None), dead)
    newest = _ROWS.where(delivery.c.webhook_id == webhook_id, tried)
    found = connection.execute(newest.order_by(delivery.c.id.desc()).limit(1)).one_or_none()
    return None if found is None else _row_of(found)


def _of_states(states: frozenset[DeliveryState]) -> list[ColumnElement[bool]]:
    """As literals, with the condition of an index: it serves only a statement that names it."""
    if not states:
        return []
    names: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in sorted(states)]
    if len(names) > 1:
        return [delivery.c.state.in_(names)]
    waits = [delivery.c.due_at.is_not(None)] if DeliveryState.PENDING in states else []
    return [delivery.c.state == names[0], *waits]


def conditions(chosen: DeliveryFilter) -> list[ColumnElement[bool]]:
    """What a delivery must fulfil to be chosen."""
    # The dead are few: their index finds them sooner than the one of their endpoint.
    few = chosen.states == {DeliveryState.DEAD}
    columns: dict[str, ColumnElement[Any]] = {
        "webhook_id": delivery.c.webhook_id + 0 if few else delivery.c.webhook_id,
        "job_id": delivery.c.job_id,
        "event": delivery.c.event,
    }
    wanted: list[ColumnElement[bool]] = [
        column == getattr(chosen, name)
        for name, column in columns.items()
        if getattr(chosen, name) is not None
    ]
    wanted += _of_states(chosen.states)
    if chosen.since is not None:
        wanted.append(delivery.c.at >= chosen.since)
    if chosen.until is not None:
        wanted.append(delivery.c.at < chosen.until)
    for word in chosen.text.split():
        texts = (delivery.c.event, delivery.c.name, delivery.c.last_error)
        found = [text.icontains(word, autoescape=True) for text in texts]
        if word.isascii() and word.isdecimal() and int(word) <= MOST_ID:
            found.append(delivery.c.job_id == int(word))
        wanted.append(or_(*found))
    return wanted


def replayable(tenants: frozenset[str] | None) -> list[ColumnElement[bool]]:
    """What a delivery must fulfil to be sent again, by a person who sees these tenants only."""
    endpoints = select(webhook.c.id).where(webhook.c.enabled, ~webhook.c.removed)
    where = [delivery.c.station.is_(None)]
    if tenants is not None:
        where.append(delivery.c.tenant.in_(sorted(tenants)))
        endpoints = endpoints.where(webhook.c.tenant.in_(sorted(tenants)))
    return [*where, delivery.c.webhook_id.in_(endpoints)]


def count_replayable(
    connection: Connection, chosen: DeliveryFilter, tenants: frozenset[str] | None
) -> tuple[int, BulkCursor]:
    """Return how many of the chosen deliveries can be sent again, and the cursor before the first
    of them."""
    counts = select(func.count(), func.max(delivery.c.id)).select_from(delivery)
    query = counts.where(*conditions(chosen), *replayable(tenants))
    count, last = connection.execute(query).one()
    return count, BulkCursor(0, last or 0, 0)


def next_replayable(
    connection: Connection,
    chosen: DeliveryFilter,
    tenants: frozenset[str] | None,
    cursor: BulkCursor,
    limit: int,
) -> tuple[int, ...]:
    """Return the ids of the next `limit` of these deliveries."""
    between = (delivery.c.id > cursor.after) & (delivery.c.id <= cursor.last)
    query = select(delivery.c.id).where(between, *conditions(chosen), *replayable(tenants))
    return tuple(connection.execute(query.order_by(delivery.c.id).limit(limit)).scalars())


def delivery_counts(
    connection: Connection, chosen: DeliveryFilter, tenants: frozenset[str] | None = None
) -> DeliveryCounts:
    """See `CountDeliveries`."""
    again = _count(connection, *conditions(chosen), *replayable(tenants))
    return DeliveryCounts(_by_state(connection, chosen), again)


def _by_state(connection: Connection, chosen: DeliveryFilter) -> dict[DeliveryState, int]:
    """Only the few that wait or are dead are looked at by their state: each has an index."""

    def count(*states: DeliveryState) -> int:
        return _count(connection, *conditions(replace(chosen, states=frozenset(states))))

    counts = {state: count(state) for state in (DeliveryState.PENDING, DeliveryState.DEAD)}
    others = count() - sum(counts.values())
    return {**counts, DeliveryState.DELIVERED: others}


def _count(connection: Connection, *where: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(delivery).where(*where)
    return connection.execute(query).scalar_one()


def deliveries(
    connection: Connection, chosen: DeliveryFilter, offset: int, limit: int
) -> DeliveryPage:
    """A page of the chosen deliveries, newest first."""
    counts = _by_state(connection, chosen)
    total = sum(counts[state] for state in chosen.states or counts)
    rare = chosen.states and DeliveryState.DELIVERED not in chosen.states
    order = _SORTED_ID if rare else delivery.c.id
    query = _ROWS.where(*conditions(chosen)).order_by(order.desc()).offset(offset).limit(limit)
    return DeliveryPage(tuple(map(_row_of, connection.execute(query))), offset, total)


def _row_of(found: Row[Any]) -> DeliveryRow:
    return DeliveryRow(
        **{name: getattr(found, name) for name in _STORED},
        url=found.url,
        state=DeliveryState(found.state),
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
        _row_of(found),
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
