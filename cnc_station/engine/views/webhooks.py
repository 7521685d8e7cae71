"""Endpoints of webhooks, and what was delivered to them. No view contains a stored secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cnc_station.engine.domain.message_formats.options import FormatOptions, MessageFormat


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """An endpoint. `url` shows only the server of an address that is a secret. `disabled_reason`
    says why the station has disabled it by itself; `previous_until` until when the former secret is
    used too. `pending` and `dead` count its deliveries, `dead` without the tests. `last` is its
    newest delivery that was tried."""

    id: int
    format: MessageFormat
    url: str
    options: FormatOptions
    events: tuple[str, ...]
    tenant: str | None
    enabled: bool
    disabled_reason: str
    from_settings: bool
    previous_until: int | None
    created_at: int
    created_by: str
    pending: int
    dead: int
    last: "DeliveryRow | None" = None


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A new endpoint. A secret that was made for it is shown only here; None if the receiver made
    it, or if there is none."""

    id: int
    secret: str | None = field(repr=False)


class DeliveryState(StrEnum):
    """`DEAD`: its first four attempts failed. It may still be tried hourly, or be replayed."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery. `key` is its id at the receiver; `due_at` the next attempt, None if there is none
    planned; `tries` the attempts since it was queued or replayed."""

    id: int
    key: str
    webhook_id: int
    url: str
    event: str
    job_id: int | None
    tenant: str
    at: int
    state: DeliveryState
    due_at: int | None
    tries: int
    ended_at: int | None
    last_status: int | None
    last_error: str


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries; None and empty fields do not narrow. `since` is about when they were
    queued. Every word of `text` must occur in the event, the job's name or the error, in any case,
    or be the number of the job."""

    webhook_id: int | None = None
    job_id: int | None = None
    states: frozenset[DeliveryState] = frozenset()
    event: str | None = None
    since: int | None = None
    until: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """How many deliveries per state, and how many of them `ReplayDeliveries` can send again now."""

    by_state: Mapping[DeliveryState, int]
    replayable: int


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Some rows of a filtered list, newest first, and its total length."""

    rows: tuple[DeliveryRow, ...]
    offset: int
    total: int


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt. `status` is None if there was no answer; `error` then says why. `response` is
    the beginning of the answer, `truncated` if there was more."""

    at: int
    station: str
    url: str
    request_headers: Mapping[str, str]
    status: int | None
    response_headers: Mapping[str, str]
    response: str
    truncated: bool
    error: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class DeliveryDetail:
    """A delivery with the exact body that is sent, and its attempts, oldest first."""

    row: DeliveryRow
    body: str
    attempts: tuple[DeliveryAttempt, ...]
