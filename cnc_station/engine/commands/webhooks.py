"""Changes of webhooks and of their deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cnc_station.engine.commands.base import MOST_IN_BATCH, Command
from cnc_station.engine.domain.webhooks import WebhookSpec
from cnc_station.engine.views import Answer, BulkCursor, BulkStep
from cnc_station.engine.views.webhooks import DeliveryDetail, DeliveryFilter, NewWebhook


@dataclass(frozen=True, slots=True)
class CreateWebhook(Command[NewWebhook]):
    """Add an endpoint that gets the events from now on. Without a `secret` one is made; the answer
    is the only place where it is shown. Raises InvalidInput."""

    spec: WebhookSpec
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class EditWebhook(Command[None]):
    """Replace what an endpoint is; its secret stays. Raises InvalidInput, Conflict."""

    webhook_id: int
    spec: WebhookSpec


@dataclass(frozen=True, slots=True)
class DeleteWebhook(Command[None]):
    """Send nothing more to an endpoint; what was sent stays on record. Raises Conflict."""

    webhook_id: int


@dataclass(frozen=True, slots=True)
class RotateWebhookSecret(Command[NewWebhook]):
    """Give an endpoint a new secret. For `overlap_s` everything is signed with both."""

    webhook_id: int
    secret: str | None = field(default=None, repr=False)
    overlap_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class TestWebhook(Command[DeliveryDetail]):
    """Send a test to an endpoint once, and answer what came of it. Raises Conflict."""

    __test__ = False  # of no test runner

    webhook_id: int


@dataclass(frozen=True, slots=True)
class ReplayDeliveries(Command[tuple[Answer, ...]]):
    """Send these deliveries again; an answer for each, in order. Raises InvalidInput for too
    many."""

    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class ReplayMatchingDeliveries(Command[BulkStep]):
    """Send the deliveries that `chosen` selects again, batch by batch as `ActOnMatchingJobs` does;
    `expected_count` of them can be replayed now. Raises InvalidInput, Conflict."""

    chosen: DeliveryFilter
    expected_count: int
    cursor: BulkCursor | None = None
    limit: int = MOST_IN_BATCH
