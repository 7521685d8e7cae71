"""Nothing is lost when the station is killed in the middle of its deliveries."""

import asyncio
import random
from collections import defaultdict
from dataclasses import replace

from cnc_station.config import Config
from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.webhooks import WebhookEvent
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import ListDeliveries
from cnc_station.engine.views.webhooks import DeliveryFilter, DeliveryState
from tests.engine.hooks import Received, Receiver, environment, receiver, serving
from tests.until import until

JOBS = 1_000
KILLS = 8


def is_first_of_some(hook: Receiver) -> bool:
    """Whether the last request is the first of its delivery, for one delivery in ten."""
    last = hook.received[-1]
    key = last.headers["X-Delivery-Id"]
    some = last.content["jobId"] % 10 == 0
    return some and sum(r.headers["X-Delivery-Id"] == key for r in hook.received) == 1


def completed(hook: Receiver) -> list[Received]:
    """What came about completed jobs: a run that was cut off is told as failed."""
    return [r for r in hook.received if r.headers["X-Event"] == WebhookEvent.COMPLETED]


async def test_a_thousand_deliveries_survive_a_station_that_is_killed_again_and_again(
    config: Config,
) -> None:
    engine = StationEngine(config, services=False)
    await engine.start()
    specs = [
        JobSpec(f"job {n}", handler="test.delay", payload={"durationMs": 0}) for n in range(JOBS)
    ]
    jobs = await engine.local_door.execute(SubmitJobs(specs))
    await engine.stop()
    chance = random.Random(12)
    async with receiver() as hook:
        hook.status = lambda _: 500 if is_first_of_some(hook) else 200
        hook.takes_s = 0.02
        environ = {**environment(config), "CNC_WEBHOOK_URL": hook.url}
        for _ in range(KILLS):
            seen = len(hook.received)
            async with serving(environ):
                await until(lambda seen=seen: len(hook.received) > seen)  # type: ignore[misc]
                await asyncio.sleep(chance.uniform(0.0, 0.4))
        assert len({r.content["jobId"] for r in completed(hook)}) < JOBS, "killed in the middle"
        looking = StationEngine(replace(config, webhook_url=hook.url))
        await looking.start()
        about = DeliveryFilter(event=WebhookEvent.COMPLETED)
        ended = replace(about, states=frozenset({DeliveryState.DELIVERED}))

        async def all_delivered() -> bool:
            return (await looking.local_door.ask(ListDeliveries(ended))).total == JOBS

        await until(all_delivered, 120.0)
        assert (await looking.local_door.ask(ListDeliveries(about))).total == JOBS
        await looking.stop()
    keys: defaultdict[int, set[str]] = defaultdict(set)
    for received in completed(hook):
        keys[received.content["jobId"]].add(received.headers["X-Delivery-Id"])
    assert keys.keys() == set(jobs)
    assert all(len(of_job) == 1 for of_job in keys.values())
