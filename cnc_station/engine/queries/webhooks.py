"""Queries about webhooks and their deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cnc_station.engine.queries.base import Query
from cnc_station.engine.views.webhooks import (
    DeliveryCounts,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryPage,
    WebhookRow,
)


@dataclass(frozen=True, slots=True)
class ListWebhooks(Query[tuple[WebhookRow, ...]]):
    """The endpoints, in the order they were added."""


@dataclass(frozen=True, slots=True)
class ListDeliveries(Query[DeliveryPage]):
    """A page of the deliveries that `chosen` selects, newest first."""

    chosen: DeliveryFilter = field(default_factory=DeliveryFilter)
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class CountDeliveries(Query[DeliveryCounts]):
    """Counts per state of the deliveries that `chosen` selects, its own `states` left out, and how
    many of those that it selects can be replayed."""

    chosen: DeliveryFilter = field(default_factory=DeliveryFilter)


@dataclass(frozen=True, slots=True)
class DeliveryById(Query[DeliveryDetail | None]):
    """A delivery with what is sent, and its attempts."""

    delivery_id: int


@dataclass(frozen=True, slots=True)
class VerifyWebhook(Query[bool]):
    """Whether a body with these headers was signed by one of the shop's endpoints, lately."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)
