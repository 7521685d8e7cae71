"""Endpoints that one station adds are heard by all, and all stations share the deliveries."""

import asyncio
from dataclasses import replace

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import DeleteWebhook, EditWebhook
from cnc_station.engine.domain.webhooks import WebhookEvent, WebhookSpec
from cnc_station.engine.engine import StationEngine, open_client
from cnc_station.engine.views.webhooks import DeliveryState
from tests.engine.hooks import (
    delay,
    deliveries,
    detail,
    environment,
    listen,
    receiver,
    serving,
)
from tests.until import until

CREATED = WebhookEvent.CREATED


@pytest.fixture
def shared(config: Config, shop_url: str) -> Config:
    return replace(config, database_url=shop_url)


async def test_no_station_commits_an_event_past_an_endpoint_that_another_has_added(
    shared: Config,
) -> None:
    """Without Redis, station A hears of the endpoint only later; its events are told anyway."""
    a, b = StationEngine(shared), await _client(shared, "B")
    await a.start()
    async with receiver() as hook:
        wanted: set[int] = set()
        for _ in range(5):
            busy = [asyncio.create_task(delay(a.local_door)) for _ in range(20)]
            webhook_id, _ = await listen(b.local_door, hook.url, CREATED)
            wanted.add(await delay(a.local_door))
            await asyncio.gather(*busy)
            await b.local_door.execute(DeleteWebhook(webhook_id))
            before = len(await deliveries(a.local_door))
            await delay(a.local_door)
            assert len(await deliveries(a.local_door)) == before
        told = {row.job_id for row in await deliveries(a.local_door)}
        assert wanted <= told
    await b.stop()
    await a.stop()


async def test_a_command_line_beside_a_station_adds_an_endpoint_to_its_file(config: Config) -> None:
    a = StationEngine(config)
    await a.start()
    async with receiver() as hook:
        await delay(a.local_door)
        beside = await open_client(config)
        webhook_id, _ = await listen(beside.local_door, hook.url, CREATED)
        job_id = await delay(a.local_door)
        (row,) = await deliveries(a.local_door)
        assert row.job_id == job_id
        off = WebhookSpec(hook.url, (CREATED,), enabled=False)
        await beside.local_door.execute(EditWebhook(webhook_id, off))
        await beside.stop()
        await delay(a.local_door)
        assert len(await deliveries(a.local_door)) == 1
    await a.stop()


async def test_stations_share_the_deliveries_and_send_each_once(shared: Config) -> None:
    stations = [StationEngine(replace(shared, station=name)) for name in ("A", "B", "C")]
    for station in stations:
        await station.start()
    door = stations[0].local_door
    async with receiver() as hook:
        hook.takes_s = 0.02
        await listen(door, hook.url, CREATED)
        jobs = [await delay(door) for _ in range(60)]

        async def all_delivered() -> bool:
            return len(await deliveries(door, DeliveryState.DELIVERED)) == len(jobs)

        await until(all_delivered)
        assert sorted(hook.jobs) == jobs
        rows = await deliveries(door)
        by = {(await detail(door, row.id)).attempts[0].station for row in rows}
    for station in stations:
        await station.stop()
    assert len(by) > 1


async def test_what_a_dead_station_had_claimed_is_sent_by_another_when_its_claim_ends(
    shared: Config,
) -> None:
    settings = {"CNC_WEBHOOK_TIMEOUT_S": "0.5"}
    living = StationEngine(replace(shared, station="B", webhook_timeout_s=0.5))
    first = await _client(shared, "C")
    async with receiver(lambda _: None) as hook:
        await listen(first.local_door, hook.url, CREATED)
        await delay(first.local_door)
        await first.stop()
        async with serving({**environment(shared), **settings}):
            await until(lambda: hook.received)
        hook.status = lambda _: 200
        await living.start()
        await until(lambda: deliveries(living.local_door, DeliveryState.DELIVERED))
        assert len({received.headers["X-Delivery-Id"] for received in hook.received}) == 1
    await living.stop()


async def test_what_a_stopped_station_was_sending_is_due_at_once(shared: Config) -> None:
    stopping = StationEngine(replace(shared, webhook_timeout_s=60.0))
    await stopping.start()
    async with receiver(lambda _: None) as hook:
        await listen(stopping.local_door, hook.url, CREATED)
        await delay(stopping.local_door)
        await until(lambda: hook.received)
        await stopping.stop()
        hook.status = lambda _: 200
        living = StationEngine(replace(shared, station="B", webhook_timeout_s=60.0))
        await living.start()
        await until(lambda: deliveries(living.local_door, DeliveryState.DELIVERED), 10.0)
        await living.stop()


async def _client(config: Config, station: str) -> StationEngine:
    return await open_client(replace(config, station=station))
