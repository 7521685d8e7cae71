"""Events become deliveries, and deliveries reach receivers that behave or do not."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from cnc_station.config import Config
from cnc_station.engine.bulk import Bulk, BulkProgress
from cnc_station.engine.commands import (
    ActOnJobs,
    DeleteWebhook,
    ReplayDeliveries,
    ReplayMatchingDeliveries,
    RotateWebhookSecret,
    TestWebhook,
)
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Conflict, InvalidInput
from cnc_station.engine.domain.principal import Principal, Role
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.webhook_signature import verify
from cnc_station.engine.domain.webhooks import WebhookEvent, WebhookSpec
from cnc_station.engine.door import Door
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import DeliveryById, ListWebhooks
from cnc_station.engine.views.webhooks import DeliveryFilter, DeliveryState
from tests.engine.conftest import Station
from tests.engine.hooks import delay, deliveries, detail, listen, receiver
from tests.until import until

DEAD, DELIVERED, PENDING = DeliveryState.DEAD, DeliveryState.DELIVERED, DeliveryState.PENDING


async def test_a_completed_job_is_told_with_its_body_and_signatures(station: Station) -> None:
    floor = await station()
    async with receiver() as hook:
        _, secret = await listen(floor.door, hook.url)
        job_id = await delay(floor.door, {"10": 1, "9": 1.0}, priority=7, tenant="acme")
        await until(lambda: hook.received)
        (received,) = hook.received
        (row,) = await until(lambda: deliveries(floor.door, DELIVERED))
    content = received.content
    assert list(content) == [
        *("jobId", "name", "taskName", "priority", "status", "payload", "completedAt"),
        *("runDurationMs", "event", "attempt", "tenantId", "traceId"),
    ]
    assert (content["jobId"], content["name"], content["taskName"]) == (job_id, "wait", "wait")
    assert (content["priority"], content["status"]) == (7, "completed")
    assert (content["event"], content["attempt"]) == ("job:completed", 1)
    assert content["tenantId"] == "acme"
    assert content["runDurationMs"] >= 0
    assert content["completedAt"].endswith("Z")
    assert b'"payload":{"9":1,"10":1,"durationMs":0}' in received.body
    signature = hmac.new(secret.encode(), received.body, hashlib.sha256).hexdigest()
    assert received.headers["X-Signature"] == signature
    assert received.headers["X-Event"] == "job:completed"
    assert received.headers["X-Delivery-Id"] == row.key == received.headers["webhook-id"]
    del received.headers["X-Signature"]
    assert verify(secret, received.headers, received.body, time.time())
    logged = await detail(floor.door, row.id)
    (attempt,) = logged.attempts
    assert logged.body.encode() == received.body
    assert (attempt.url, attempt.status, attempt.response) == (hook.url, 200, "noted")
    assert attempt.request_headers["X-Signature"] == signature
    assert attempt.duration_s > 0


async def test_each_endpoint_hears_its_events_of_its_tenant(
    station: Station, quick: Config
) -> None:
    floor = await station(quick)
    async with receiver() as all_of_them, receiver() as own, receiver() as off:
        await listen(floor.door, all_of_them.url, *WebhookEvent)
        await listen(floor.door, own.url, WebhookEvent.FAILED, tenant="acme")
        await listen(floor.door, off.url, *WebhookEvent, enabled=False)
        failing = {"shouldFail": True}
        await delay(floor.door, failing, tenant="other", retry_limit=0)
        job_id = await delay(floor.door, failing, tenant="acme", retry_limit=1)
        await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
        await floor.door.execute(ActOnJobs(JobAction.DISCARD, [job_id], reason="scrap"))
        await until(lambda: len(await_of(all_of_them.jobs, job_id)) >= 9)
        await until(lambda: len(own.received) == 2)
        told = sorted(
            r.content["event"] for r in all_of_them.received if r.content["jobId"] == job_id
        )
        assert own.jobs == [job_id, job_id]
        assert sorted(r.content["attempt"] for r in own.received) == [1, 2]
        assert off.received == []
    assert told == sorted(
        [
            "job:created",
            *["job:status:updated"] * 5,
            *["job:failed"] * 2,
            "job:movedToDLQ",
            "job:cancelled",
        ]
    )


def await_of(jobs: list[int], job_id: int) -> list[int]:
    return [one for one in jobs if one == job_id]


async def test_both_secrets_sign_while_one_is_rotated(station: Station) -> None:
    floor = await station()
    async with receiver() as hook:
        webhook_id, old = await listen(floor.door, hook.url)
        new = (await floor.door.execute(RotateWebhookSecret(webhook_id))).secret
        assert new is not None
        await delay(floor.door)
        await until(lambda: hook.received)
        for secret in (old, new):
            first = hook.received[0]
            assert verify(secret, first.headers, first.body, time.time())
        await floor.door.execute(RotateWebhookSecret(webhook_id, "my own secret", 0.0))
        await delay(floor.door)
        await until(lambda: len(hook.received) == 2)
    second = hook.received[1]
    assert verify("my own secret", second.headers, second.body, time.time())
    assert not verify(new, second.headers, second.body, time.time())


async def test_a_test_is_sent_once_and_answers_what_came_of_it(station: Station) -> None:
    floor = await station()
    async with receiver(lambda _: 500) as hook:
        webhook_id, _ = await listen(floor.door, hook.url)
        found = await floor.door.execute(TestWebhook(webhook_id))
        assert (found.row.event, found.row.state) == ("webhook:test", DEAD)
        assert found.attempts[0].status == 500
        assert hook.received[0].content["jobId"] is None
        hook.status = lambda _: 200
        assert (await floor.door.execute(TestWebhook(webhook_id))).row.state is DELIVERED
    with pytest.raises(Conflict, match="no webhook 99"):
        await floor.door.execute(TestWebhook(99))


async def test_a_deleted_endpoint_hears_nothing_more(station: Station, quick: Config) -> None:
    floor = await station(quick)
    async with receiver() as hook:
        webhook_id, _ = await listen(floor.door, hook.url)
        await floor.door.execute(DeleteWebhook(webhook_id))
        job_id = await delay(floor.door)
        await floor.comes_to(job_id, JobState.COMPLETED)
        assert await deliveries(floor.door) == []
        assert await floor.door.ask(ListWebhooks()) == ()
        with pytest.raises(Conflict):
            await floor.door.execute(DeleteWebhook(webhook_id))


async def test_a_replay_by_filter_says_first_how_many(station: Station, quick: Config) -> None:
    floor = await station(quick)
    async with receiver() as hook:
        await listen(floor.door, hook.url)
        for _ in range(3):
            await delay(floor.door)
        await until(lambda: len(hook.received) == 3)
        await until(lambda: all_delivered(floor.door, 3))
        delivered = DeliveryFilter(states=frozenset({DELIVERED}))
        with pytest.raises(Conflict, match="3 deliveries can be replayed now, not 2"):
            await floor.door.execute(ReplayMatchingDeliveries(delivered, 2))
        with pytest.raises(InvalidInput):
            await floor.door.execute(ReplayMatchingDeliveries(DeliveryFilter(), 3))
        bulk, told = Bulk.matching(ReplayMatchingDeliveries(delivered, 3, limit=2)), []

        def tell(progress: BulkProgress) -> None:
            told.append(progress.done)
            if len(told) == 1:
                bulk.stop()

        stopped = await bulk.run(floor.door, tell)
        assert (stopped.done, stopped.stopped, told) == (2, True, [2])
        await until(lambda: len(hook.received) == 5)
        await until(lambda: all_delivered(floor.door, 3))
        rest = Bulk.matching(ReplayMatchingDeliveries(delivered, 3, limit=2))
        done = await rest.run(floor.door)
        assert (done.done, done.left_alone, done.complete) == (3, 0, True)
        await until(lambda: len(hook.received) == 8)


async def test_what_is_being_sent_or_goes_nowhere_is_not_replayed(
    station: Station, quick: Config
) -> None:
    floor = await station(quick)
    async with receiver() as hook:
        webhook_id, _ = await listen(floor.door, hook.url)
        await delay(floor.door)
        await until(lambda: all_delivered(floor.door, 1))
        await floor.door.execute(DeleteWebhook(webhook_id))
        (answer,) = await floor.door.execute(ReplayDeliveries([1]))
        assert answer.error.startswith("Delivery 1 can't be sent again: it is being sent, or")
        chosen = DeliveryFilter(webhook_id=webhook_id)
        with pytest.raises(Conflict, match="0 deliveries can be replayed"):
            await floor.door.execute(ReplayMatchingDeliveries(chosen, 1))


async def all_delivered(door: Door, count: int) -> bool:
    return len(await deliveries(door, DELIVERED)) == count


async def test_the_endpoint_of_the_settings_is_there_while_they_name_it(config: Config) -> None:
    async with receiver() as hook:
        named = replace(config, webhook_url=hook.url, webhook_secret="from the keyring")
        for start in (1, 2):  # the second finds it
            async with running(named) as door:
                (row,) = await until(lambda door=door: door.ask(ListWebhooks()))  # type: ignore[misc]
                assert (row.id, row.url, row.from_settings) == (1, hook.url, True)
                await delay(door)
                await until(lambda start=start: len(hook.received) == start)  # type: ignore[misc]
        last = hook.received[-1]
        assert verify("from the keyring", last.headers, last.body, time.time())
        async with running(config) as door:
            await until(lambda: without_endpoints(door))


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Door]:
    engine = StationEngine(config)
    await engine.start()
    try:
        yield engine.local_door
    finally:
        await engine.stop()


async def without_endpoints(door: Door) -> bool:
    return not await door.ask(ListWebhooks())


async def test_no_view_contains_a_secret(station: Station) -> None:
    floor = await station()
    async with receiver() as hook:
        webhook_id, secret = await listen(floor.door, hook.url)
        await floor.door.execute(TestWebhook(webhook_id))
        shown = repr(await floor.door.ask(ListWebhooks())) + repr(await detail(floor.door, 1))
        assert secret not in shown


@pytest.mark.parametrize(
    "spec",
    [
        WebhookSpec("ftp://host/x"),
        WebhookSpec("http://"),
        WebhookSpec("http://name:word@host/"),
        WebhookSpec("http://host:99999/"),
        WebhookSpec("http://ho\nst/"),
        WebhookSpec("http://host/", ("job:unknown",)),
        WebhookSpec("http://host/", ()),
    ],
)
def test_what_is_not_an_endpoint_is_refused(spec: WebhookSpec) -> None:
    with pytest.raises(InvalidInput):
        spec.validated()


async def test_a_tenant_sees_only_its_own_endpoints_and_deliveries(
    station: Station, quick: Config
) -> None:
    floor = await station(quick)
    async with receiver() as hook:
        await listen(floor.door, hook.url)
        await listen(floor.door, hook.url, tenant="acme")
        await delay(floor.door, tenant="acme")
        await delay(floor.door, tenant="other")
        await until(lambda: len(hook.received) == 3)
        await until(lambda: all_delivered(floor.door, 3))
        door = floor.engine.door(
            Principal("ann", frozenset({Role.ADMINISTRATOR}), frozenset({"acme"}))
        )
        assert [row.id for row in await door.ask(ListWebhooks())] == [2]
        (row,) = await deliveries(door)
        assert (row.webhook_id, row.tenant) == (2, "acme")
        for hidden in {1, 2, 3} - {row.id}:
            assert await door.ask(DeliveryById(hidden)) is None
        with pytest.raises(Conflict, match="no webhook 1"):
            await door.execute(RotateWebhookSecret(1))
        with pytest.raises(InvalidInput):
            await listen(door, hook.url)
        answers = await door.execute(ReplayDeliveries([1, 2, 3]))
        assert [one.id for one in answers if one.applied] == [row.id]
