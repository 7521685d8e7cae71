"""A shop's endpoints for the pictures: one that works, one that fails, one that is gone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cnc_station.engine.commands import CreateWebhook, SubmitJobs, TestWebhook
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.webhooks import WebhookEvent, WebhookSpec
from cnc_station.engine.door import Door
from cnc_station.engine.queries import CountDeliveries
from cnc_station.engine.views.webhooks import DeliveryState
from tests.engine.hooks import receiver
from tests.until import until

_EVENTS = (WebhookEvent.COMPLETED, WebhookEvent.MOVED_TO_DLQ)


@asynccontextmanager
async def endpoints(door: Door) -> AsyncIterator[None]:
    """Endpoints with deliveries, until the pictures are taken."""
    async with receiver() as erp, receiver(lambda _: 500) as quality:
        made = await door.execute(CreateWebhook(WebhookSpec(erp.url, tuple(WebhookEvent))))
        await door.execute(CreateWebhook(WebhookSpec(quality.url, _EVENTS, "acme")))
        off = WebhookSpec("https://old-erp.example/hooks", _EVENTS, None, False)
        await door.execute(CreateWebhook(off))
        report = JobSpec("Measuring report", handler="test.echo", payload={"bore": 22.04})
        acme = JobSpec("Measuring report", handler="test.echo", tenant="acme")
        await door.execute(SubmitJobs([report, acme]))
        await door.execute(TestWebhook(made.id))

        async def one_is_dead() -> bool:
            return (await door.ask(CountDeliveries())).by_state[DeliveryState.DEAD] > 0

        await until(one_is_dead, timeout=60)
        yield
