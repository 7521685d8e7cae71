"""What is written once for each idempotency key, with the key in the same transaction."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import func, select

from cnc_station.engine.domain.errors import Conflict, InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.schedule import Overlap
from cnc_station.engine.once import RequestKey, StoredReply
from cnc_station.engine.store import schema
from cnc_station.engine.store.jobs import CreateJobs
from cnc_station.engine.store.once import (
    DeleteExpiredKeys,
    OnceOnly,
    StoreReply,
    Written,
    stored_reply,
)
from cnc_station.engine.store.schedules import TriggerSchedule
from tests.store.schedules import create
from tests.store.shop import Shop

DAY_S = 86_400
BRACKET = JobSpec("bracket", "mill")
REQUEST = RequestKey("key 1", "a" * 64)
REPLY = StoredReply(201, {"Location": "/jobs/1"}, b'{"id":1}')


def once(
    *specs: JobSpec, principal: str = "anna", request: RequestKey = REQUEST
) -> OnceOnly[tuple[int, ...]]:
    return OnceOnly(CreateJobs(specs or (BRACKET,), principal), principal, request)


def counted(shop: Shop, table: str) -> int:
    query = select(func.count()).select_from(schema.metadata.tables[table])
    count: int = shop.database.read(lambda connection: connection.execute(query).scalar_one())
    return count


def reply(shop: Shop, request: RequestKey = REQUEST) -> StoredReply | None:
    look = partial(stored_reply, now=shop.clock.ms, principal="anna", request=request)
    found: StoredReply | None = shop.database.read(look)
    return found


async def test_a_key_creates_once_and_then_answers_the_same_ids(shop: Shop) -> None:
    first = await shop.write(once(BRACKET, BRACKET))
    assert first == Written(first.result, replayed=False)
    assert await shop.write(once(BRACKET, BRACKET)) == Written(first.result, replayed=True)
    other = await shop.write(once(principal="ben"))
    assert not other.replayed
    assert not set(other.result) & set(first.result)
    assert counted(shop, "job") == 3


async def test_a_key_that_was_used_for_another_request_is_refused(shop: Shop) -> None:
    await shop.write(once())
    changed = replace(REQUEST, request_hash="b" * 64)
    with pytest.raises(InvalidInput, match="Idempotency-Key: was used for another request"):
        await shop.write(once(request=changed))
    with pytest.raises(InvalidInput, match="Idempotency-Key"):
        reply(shop, changed)
    assert counted(shop, "job") == 1


async def test_what_fails_leaves_its_key_free(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="pinned_machine_id"):
        await shop.write(once(replace(BRACKET, pinned_machine_id=99)))
    schedule_id = await create(shop, overlap=Overlap.SKIP)
    trigger = TriggerSchedule(schedule_id, "anna")
    await shop.write(trigger)
    with pytest.raises(Conflict, match="not over yet"):
        await shop.write(OnceOnly(trigger, "anna", REQUEST))
    assert counted(shop, "idempotency_key") == 0
    assert not (await shop.write(once())).replayed


@pytest.mark.parametrize("with_refused", [False, True], ids=["alone", "with a refused one"])
async def test_many_keys_share_a_transaction_and_none_of_them_takes_anothers_jobs(
    shop: Shop,
    with_refused: bool,
) -> None:
    keys = [RequestKey(f"key {number % 10}", "a" * 64) for number in range(20)]
    wrong = once(replace(BRACKET, pinned_machine_id=99), request=RequestKey("wrong", "a" * 64))
    refused = [asyncio.ensure_future(shop.write(wrong))] if with_refused else []
    plain = asyncio.ensure_future(shop.create(BRACKET))
    made = await asyncio.gather(*(shop.write(once(request=key)) for key in keys))
    assert len(await plain) == 1
    for one in refused:
        with pytest.raises(InvalidInput):
            await one
    assert len({one.result for one in made}) == 10
    assert sum(not one.replayed for one in made) == 10
    assert counted(shop, "job") == 11


async def test_the_first_reply_of_a_key_is_kept_for_a_day(shop: Shop) -> None:
    (job_id,) = (await shop.write(once())).result
    assert reply(shop) is None
    await shop.write(StoreReply("anna", REQUEST, REPLY))
    await shop.write(StoreReply("anna", REQUEST, replace(REPLY, body=b"later")))
    assert reply(shop) == REPLY
    shop.later(DAY_S - 1)
    assert reply(shop) == REPLY
    assert (await shop.write(once())).replayed
    shop.later(1)
    assert reply(shop) is None
    again = await shop.write(once(request=replace(REQUEST, request_hash="b" * 64)))
    assert (again.replayed, again.result == (job_id,)) == (False, False)
    assert reply(shop, replace(REQUEST, request_hash="b" * 64)) is None


async def test_expired_keys_are_deleted_by_new_ones_and_by_the_clean_up(shop: Shop) -> None:
    for number in range(30):
        await shop.write(once(request=RequestKey(f"old {number}", "a" * 64)))
    shop.later(DAY_S)
    await shop.write(once())
    assert counted(shop, "idempotency_key") == 31
    await shop.write(StoreReply("anna", REQUEST, REPLY))
    assert counted(shop, "idempotency_key") == 11
    assert await shop.write(DeleteExpiredKeys(200)) == 10
    assert reply(shop) == REPLY
