"""Deliveries in the database: queued with their events, claimed, and recorded by their claimant."""

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.message_formats.options import MessageFormat
from cnc_station.engine.domain.messages import message_of
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.webhooks import WebhookEvent, WebhookSpec
from cnc_station.engine.store.deliveries import (
    DEAD,
    DELIVERED,
    ClaimDeliveries,
    ClaimedDelivery,
    DueEndpoint,
    RecordAttempt,
    due_endpoints,
)
from cnc_station.engine.store.jobs import CreateJobs
from cnc_station.engine.store.queries.webhooks import deliveries, delivery_detail
from cnc_station.engine.store.schema import machine
from cnc_station.engine.store.transaction import OneByOne, Tx
from cnc_station.engine.store.webhook_listeners import PENDING
from cnc_station.engine.store.webhooks import CreateWebhook, DeleteWebhook, EditWebhook
from cnc_station.engine.views.webhooks import DeliveryFilter, DeliveryRow
from tests.store.shop import Shop

LEASE_MS = 10_000
SPEC = WebhookSpec("http://127.0.0.1/", (WebhookEvent.CREATED,))


async def listening(shop: Shop, spec: WebhookSpec = SPEC) -> int:
    return await shop.write(CreateWebhook(spec, "a secret", "anna"))


async def claim(shop: Shop, webhook_id: int, most: int = 100) -> tuple[ClaimedDelivery, ...]:
    return await shop.write(ClaimDeliveries({webhook_id: most}, LEASE_MS))


def record(claimed: ClaimedDelivery, state: str, pause_s: float | None = None) -> RecordAttempt:
    return RecordAttempt(
        *(claimed.id, claimed.token, state, pause_s, "url", {"a": "b"}),
        *(None, {}, "", False, "no answer", 0.1),
    )


def rows(shop: Shop) -> list[DeliveryRow]:
    found: Any = shop.database.read(
        partial(deliveries, chosen=DeliveryFilter(), offset=0, limit=1000)
    )
    return list(found.rows)


async def test_a_claim_holds_a_delivery_until_its_end(shop: Shop) -> None:
    webhook_id = await listening(shop)
    job_id = await shop.job(payload={"a": 1})
    (claimed,) = await claim(shop, webhook_id)
    assert (claimed.content.job_id, claimed.content.payload) == (job_id, '{"a": 1}')
    assert await claim(shop, webhook_id) == ()
    shop.clock.ms += LEASE_MS
    (again,) = await claim(shop, webhook_id)
    assert (again.id, again.key, again.token) == (claimed.id, claimed.key, claimed.token + 1)


async def test_an_endpoint_is_due_by_its_own_deliveries_and_while_it_is_enabled(
    shop: Shop,
) -> None:
    first = await listening(shop)
    await shop.job()
    (claimed,) = await claim(shop, first)
    await shop.write(record(claimed, PENDING, 30.0))
    second = await listening(shop)
    third = await listening(shop, replace(SPEC, events=(WebhookEvent.COMPLETED,)))
    await shop.job()
    assert due(shop).keys() == {first, second}
    await claim(shop, first)
    assert 0 < due(shop)[first] <= LEASE_MS / 1000
    assert due(shop)[second] <= 0
    await shop.write(EditWebhook(second, replace(SPEC, enabled=False), None, "anna"))
    assert due(shop).keys() == {first}
    assert await shop.write(ClaimDeliveries({second: 9, third: 9}, LEASE_MS)) == ()


def due(shop: Shop) -> dict[int, float]:
    """In how many seconds each endpoint has something to be sent."""
    found: dict[int, DueEndpoint] = shop.database.read(
        lambda connection: due_endpoints(connection, shop.clock.ms)
    )
    return {webhook_id: one.seconds for webhook_id, one in found.items()}


async def test_a_stale_token_only_adds_to_the_list_of_attempts(shop: Shop) -> None:
    webhook_id = await listening(shop)
    await shop.job()
    (late,) = await claim(shop, webhook_id)
    shop.clock.ms += LEASE_MS
    (current,) = await claim(shop, webhook_id)
    await shop.write(record(current, DELIVERED))
    await shop.write(record(late, DEAD, 0.0))
    (row,) = rows(shop)
    assert (row.state, row.due_at, row.tries) == (DELIVERED, None, 1)
    detail: Any = shop.database.read(partial(delivery_detail, delivery_id=row.id))
    assert len(detail.attempts) == 2


async def test_what_is_tried_again_is_due_after_its_pause(shop: Shop) -> None:
    webhook_id = await listening(shop)
    await shop.job()
    (claimed,) = await claim(shop, webhook_id)
    await shop.write(record(claimed, "pending", 2.0))
    look = partial(due_endpoints, now=shop.clock.ms)
    assert shop.database.read(look) == {webhook_id: DueEndpoint(MessageFormat.WEBHOOK, 2.0)}
    shop.clock.ms += 1_999
    assert await claim(shop, webhook_id) == ()
    shop.clock.ms += 1
    (again,) = await claim(shop, webhook_id)
    assert again.tries == 1


async def test_a_delivery_is_there_if_and_only_if_its_event_is(shop: Shop) -> None:
    await listening(shop)
    wrong = JobSpec("bracket", "mill", program="0" * 64)
    with pytest.raises(InvalidInput):
        await shop.write(CreateJobs((wrong,), "anna"))
    assert rows(shop) == []
    await shop.job()
    assert len(rows(shop)) == 1


async def test_each_endpoint_of_many_gets_each_event_of_one_transaction(shop: Shop) -> None:
    endpoints = [await listening(shop) for _ in range(3)]
    await listening(shop, replace(SPEC, tenant="acme"))
    ids = await shop.create(*(JobSpec(f"job {number}", "mill") for number in range(100)))
    assert sorted((row.webhook_id, row.job_id) for row in rows(shop)) == sorted(
        (webhook_id, job_id) for webhook_id in endpoints for job_id in ids
    )


async def test_an_override_by_a_person_is_told_with_the_status_it_leads_to(shop: Shop) -> None:
    await listening(shop, replace(SPEC, events=(WebhookEvent.CANCELLED, WebhookEvent.CREATED)))
    job_id = await shop.job()
    await shop.override(job_id, JobState.CANCELLED)
    assert [row.event for row in rows(shop)] == ["job:cancelled", "job:created"]
    detail: Any = shop.database.read(partial(delivery_detail, delivery_id=rows(shop)[0].id))
    assert '"status":"cancelled"' in detail.body


async def test_a_failed_run_is_told_with_its_machine_and_its_reason(shop: Shop) -> None:
    events = (WebhookEvent.FAILED, WebhookEvent.COMPLETED)
    webhook_id = await listening(shop, replace(SPEC, events=events))
    job_id = await shop.job()
    machine_id = await shop.machine()
    await shop.run_to(t.FAILED_FINAL, await shop.claim_one(), reason="Spindle overload")
    (claimed,) = await claim(shop, webhook_id)
    name = shop.row(machine, machine_id).name
    told = message_of(claimed.content)
    assert told.title == f"Job {claimed.content.name} (#{job_id}) failed on {name}"
    assert (told.text, told.machine) == ("Spindle overload", name)


@dataclass(frozen=True, slots=True)
class _DeleteThenFail(OneByOne[None]):
    """Deletes an endpoint in a transaction with an event, which is then undone."""

    webhook_id: int
    job_id: int

    def write(self, tx: Tx) -> None:
        DeleteWebhook(self.webhook_id, "anna").write(tx)
        tx.record(t.CREATED, actor="anna", job_id=self.job_id, job_state=JobState.QUEUED)
        tx.complete()
        raise RuntimeError("a bug")


async def test_an_endpoint_whose_deletion_was_undone_is_still_heard(shop: Shop) -> None:
    webhook_id = await listening(shop)
    job_id = await shop.job()
    with pytest.raises(RuntimeError):
        await shop.write(_DeleteThenFail(webhook_id, job_id))
    await shop.job()
    assert len(rows(shop)) == 2


async def test_one_that_fails_in_a_shared_transaction_hides_no_endpoint_from_the_others(
    shop: Shop,
) -> None:
    webhook_id = await listening(shop)
    job_id = await shop.job()
    failing = asyncio.ensure_future(shop.write(_DeleteThenFail(webhook_id, job_id)))
    created = asyncio.ensure_future(shop.job())  # in the same turn
    with pytest.raises(RuntimeError):
        await failing
    await created
    assert len(rows(shop)) == 2
