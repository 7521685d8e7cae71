"""Receivers that fail, hang, redirect, close, flood or are gone."""

import asyncio
import itertools
from dataclasses import replace

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import (
    EditWebhook,
    ReplayDeliveries,
    ReplayMatchingDeliveries,
)
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.webhooks import WebhookSpec
from cnc_station.engine.door import Door
from cnc_station.engine.queries import ListWebhooks
from cnc_station.engine.views.webhooks import (
    DeliveryFilter,
    DeliveryRow,
    DeliveryState,
    WebhookRow,
)
from tests.engine.conftest import Station
from tests.engine.hooks import COMPLETED, delay, deliveries, detail, listen, receiver
from tests.engine.receiver import Reply, answering, raw_server
from tests.until import until

DEAD, DELIVERED, PENDING = DeliveryState.DEAD, DeliveryState.DELIVERED, DeliveryState.PENDING


async def test_a_failing_receiver_is_tried_four_times_then_the_delivery_is_dead(
    station: Station, quick: Config
) -> None:
    floor = await station(quick)
    async with receiver(lambda _: 500) as hook:
        await listen(floor.door, hook.url)
        await delay(floor.door)
        (row,) = await until(lambda: deliveries(floor.door, DEAD))
        assert len(hook.received) == 4
        assert len({received.headers["X-Delivery-Id"] for received in hook.received}) == 1
        assert len({received.body for received in hook.received}) == 1
        logged = await detail(floor.door, row.id)
        assert [attempt.status for attempt in logged.attempts] == [500] * 4
        assert row.last_error == "The receiver answered 500."
        assert row.due_at is not None
        assert row.due_at - row.at > 3_500_000, "the next one comes in an hour"
        (endpoint,) = await floor.door.ask(ListWebhooks())
        assert (endpoint.pending, endpoint.dead) == (0, 1)
        hook.status = lambda _: 200
        chosen = DeliveryFilter(states=frozenset({DEAD}))
        step = await floor.door.execute(ReplayMatchingDeliveries(chosen, 1))
        assert [answer.applied for answer in step.answers] == [True]
        await until(lambda: deliveries(floor.door, DELIVERED))
        assert hook.received[-1].headers["X-Delivery-Id"] == row.key


async def test_the_pauses_are_one_two_and_four_seconds(station: Station) -> None:
    floor = await station()
    async with receiver(lambda number: 503 if number < 4 else 204) as hook:
        await listen(floor.door, hook.url)
        await delay(floor.door)
        (row,) = await until(lambda: deliveries(floor.door, DELIVERED))
    times = [attempt.at / 1000 for attempt in (await detail(floor.door, row.id)).attempts]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    for pause, wanted in zip(pauses, (1.0, 2.0, 4.0), strict=True):
        assert wanted <= pause < wanted * 1.2 + 1.5


async def test_without_hourly_tries_a_dead_delivery_waits_for_a_person(
    station: Station, quick: Config
) -> None:
    floor = await station(replace(quick, webhook_hourly_tries=0))
    async with receiver(lambda _: 500) as hook:
        await listen(floor.door, hook.url)
        await delay(floor.door)
        (row,) = await until(lambda: deliveries(floor.door, DEAD))
    assert row.due_at is None
    assert row.ended_at is not None


async def test_one_endpoint_that_hangs_delays_no_other(station: Station, config: Config) -> None:
    floor = await station(replace(config, webhook_timeout_s=60.0, webhook_concurrency=2))
    async with receiver(lambda _: None) as hanging, receiver() as good:
        await listen(floor.door, hanging.url)
        await listen(floor.door, good.url)
        for _ in range(20):
            await delay(floor.door)
        await until(lambda: len(good.received) == 20)
        await until(lambda: len(hanging.received) == 2)


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest", "http://127.0.0.1:1/"])
async def test_a_redirect_is_a_failure_and_is_not_followed(
    station: Station, quick: Config, target: str
) -> None:
    floor = await station(quick)
    async with raw_server(answering("302 Found", b"", f"Location: {target}")) as url:
        await listen(floor.door, url)
        await delay(floor.door)
        (row,) = await until(lambda: deliveries(floor.door, DEAD))
    assert row.last_error == "The receiver answered 302. A redirect is not followed."


async def test_a_metadata_address_is_never_dialled(station: Station, quick: Config) -> None:
    floor = await station(quick)
    await listen(floor.door, "http://169.254.169.254/latest/meta-data")
    await delay(floor.door)
    (row,) = await until(lambda: deliveries(floor.door, DEAD))
    assert "not allowed: it is link-local" in row.last_error


async def _close(_head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _hang(_head: bytes, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("reply", "words"), [(_close, "closed the connection"), (_hang, "no complete answer within")]
)
async def test_a_receiver_that_closes_or_hangs_is_a_logged_failure(
    station: Station,
    quick: Config,
    reply: Reply,
    words: str,
) -> None:
    floor = await station(quick)
    async with raw_server(reply) as url:
        await listen(floor.door, url)
        await delay(floor.door)
        (row,) = await until(lambda: deliveries(floor.door, DEAD))
    attempts = (await detail(floor.door, row.id)).attempts
    assert len(attempts) == 4
    assert all(words in attempt.error and attempt.status is None for attempt in attempts)


async def test_a_huge_answer_is_logged_by_its_beginning(station: Station, quick: Config) -> None:
    async def flood(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 524288000\r\n\r\n")
        for _ in range(8_000):
            writer.write(b"\x00x" * 32_768)
            await writer.drain()

    floor = await station(quick)
    async with raw_server(flood) as url:
        await listen(floor.door, url)
        await delay(floor.door)
        (row,) = await until(lambda: deliveries(floor.door, DELIVERED))
    (attempt,) = (await detail(floor.door, row.id)).attempts
    assert (len(attempt.response), attempt.truncated) == (16 * 1024, True)


async def test_a_receiver_that_is_gone_for_good_disables_its_endpoint(
    station: Station, quick: Config
) -> None:
    floor = await station(quick)
    async with receiver(lambda _: 410) as hook:
        webhook_id, _ = await listen(floor.door, hook.url)
        await delay(floor.door)
        endpoint = await until(lambda: disabled(floor.door))
        assert endpoint is not None
        assert endpoint.disabled_reason == "The receiver answered 410: it is gone for good."
        job_id = await delay(floor.door)
        await floor.comes_to(job_id, JobState.COMPLETED)
        assert len(await deliveries(floor.door)) == 1
        hook.status = lambda _: 200
        await floor.door.execute(EditWebhook(webhook_id, WebhookSpec(hook.url, COMPLETED)))
        (answer,) = await floor.door.execute(ReplayDeliveries([1]))
        assert answer.applied
        await until(lambda: deliveries(floor.door, DELIVERED))


async def disabled(door: Door) -> WebhookRow | None:
    rows = await door.ask(ListWebhooks())
    return next((row for row in rows if not row.enabled), None)


async def test_a_receiver_that_died_gets_what_it_missed_when_it_is_back(station: Station) -> None:
    floor = await station()
    async with receiver() as hook:
        await listen(floor.door, hook.url)
    job_id = await delay(floor.door)
    (row,) = await until(lambda: failed_once(floor.door))
    assert "No connection to 127.0.0.1" in row.last_error
    async with receiver(port=int(hook.url.split(":")[2].partition("/")[0])) as back:
        await until(lambda: deliveries(floor.door, DELIVERED))
        assert back.jobs == [job_id]


async def failed_once(door: Door) -> list[DeliveryRow]:
    return [row for row in await deliveries(door, PENDING) if row.tries]
