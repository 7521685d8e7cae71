"""Limits are exact, however many stations ask at once, and no account feels another's."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from itertools import cycle

import pytest

from cnc_station.engine.domain.accounts import Account, Proof
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import InvalidInput, LimitReached
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.limits import RUN, Limits, Rate
from cnc_station.engine.domain.principal import Actor, Role
from cnc_station.engine.once import RequestKey
from cnc_station.engine.store.accounts import CreateAccount
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.jobs import CreateJobs
from cnc_station.engine.store.limits import CountAttempts, CreateWithinLimits, active_jobs
from cnc_station.engine.store.once import OnceOnly
from tests.store.shop import Shop

RATE = Limits(create=Rate(10, 60))
ACTIVE = Limits(active=5)
SPEC = JobSpec("bracket", "mill", estimated_s=1.0)


def creation(account: int, limits: Limits, count: int = 1) -> CreateWithinLimits:
    create = CreateJobs((SPEC,) * count, Actor("ann", "operator", "http 192.0.2.7", account))
    return CreateWithinLimits(create, account, limits)


async def account(shop: Shop, name: str) -> int:
    hashes = {Proof.PASSWORD: "not looked at"}
    created: int = await shop.write(CreateAccount(Account(name, Role.OPERATOR), hashes, "boss"))
    return created


async def outcomes(shops: Sequence[Shop], wanted: CreateWithinLimits, count: int) -> Counter[str]:
    """Ask at all stations at once; return how many were created and how many refused."""
    turns = cycle(shops)
    answers = await asyncio.gather(
        *(next(turns).write(wanted) for _ in range(count)), return_exceptions=True
    )
    return Counter(
        answer.limit if isinstance(answer, LimitReached) else "created"
        for answer in answers
        if isinstance(answer, LimitReached | tuple)
    )


@pytest.fixture
async def stations(emptied_on_postgres: Callable[[], Database]) -> AsyncIterator[list[Shop]]:
    """Three stations of one fleet."""
    first = emptied_on_postgres()
    url = first.url.render_as_string(hide_password=False)
    databases = [first, *(Database(url, synchronous="OFF") for _ in range(2))]
    shops = [Shop(database, name) for database, name in zip(databases, "ABC", strict=True)]
    for shop in shops:
        await shop.writer.start()
    yield shops
    assert shops[0].broken() == []
    for shop in shops:
        await shop.writer.stop()
        shop.database.close()


@pytest.mark.parametrize("rounds", [4, pytest.param(1_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("limits", "allowed"), [(RATE, 10), (ACTIVE, 5)])
async def test_of_one_more_at_three_stations_at_once_exactly_the_allowed_pass(
    stations: list[Shop], limits: Limits, allowed: int, rounds: int
) -> None:
    for number in range(rounds):
        ann = await account(stations[0], f"ann {number}")
        found = await outcomes(stations, creation(ann, limits), allowed + 1)
        assert found["created"] == allowed, found
        assert found.total() == allowed + 1


@pytest.mark.parametrize("rounds", [4, pytest.param(1_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("limits", "allowed"), [(RATE, 10), (ACTIVE, 5)])
async def test_at_one_station_as_well(
    shop: Shop, limits: Limits, allowed: int, rounds: int
) -> None:
    ben = await account(shop, "ben")
    for number in range(rounds):
        ann = await account(shop, f"ann {number}")
        found = await outcomes([shop], creation(ann, limits), allowed + 1)
        assert found["created"] == allowed
    assert (await outcomes([shop], creation(ben, limits), 1))["created"] == 1


async def test_the_window_slides_and_says_when_the_next_one_passes(shop: Shop) -> None:
    ann = await account(shop, "ann")
    for _ in range(10):
        await shop.write(creation(ann, RATE))
        shop.clock.ms += 1_000
    with pytest.raises(LimitReached) as reached:
        await shop.write(creation(ann, RATE))
    assert reached.value.retry_after_s == 50
    shop.clock.ms += 49_999
    with pytest.raises(LimitReached):
        await shop.write(creation(ann, RATE))
    shop.clock.ms += 1
    await shop.write(creation(ann, RATE))
    with pytest.raises(LimitReached) as reached:
        await shop.write(creation(ann, RATE, count=3))
    assert reached.value.retry_after_s == 3


async def test_each_job_of_a_bulk_counts_and_all_or_none_are_created(shop: Shop) -> None:
    ann = await account(shop, "ann")
    await shop.write(creation(ann, RATE, count=8))
    with pytest.raises(LimitReached):
        await shop.write(creation(ann, RATE, count=3))
    assert shop.database.read(partial(active_jobs, account_id=ann)) == 8
    await shop.write(creation(ann, RATE, count=2))


async def test_an_attempt_that_fails_counts_and_a_refused_one_does_not(shop: Shop) -> None:
    ann = await account(shop, "ann")
    wrong = CreateJobs((JobSpec("bracket", "mill", after=(99,)),), Actor("ann", account=ann))
    with pytest.raises(InvalidInput):
        await shop.write(CreateWithinLimits(wrong, ann, RATE))
    assert (await outcomes([shop], creation(ann, RATE), 12))["created"] == 9
    shop.clock.ms += 60_000
    assert (await outcomes([shop], creation(ann, RATE), 1))["created"] == 1


async def test_a_job_that_ended_makes_room_for_another(shop: Shop) -> None:
    ann = await account(shop, "ann")
    ids = await shop.write(creation(ann, ACTIVE, count=5))
    with pytest.raises(LimitReached) as reached:
        await shop.write(creation(ann, ACTIVE))
    assert (reached.value.count, reached.value.retry_after_s) == (5, None)
    await shop.act(JobAction.CANCEL, ids[0])
    await shop.write(creation(ann, ACTIVE))


async def test_a_replayed_request_does_not_count(shop: Shop) -> None:
    ann = await account(shop, "ann")
    once = OnceOnly(creation(ann, RATE), "account 1", RequestKey("key", "0" * 64))
    for _ in range(20):
        await shop.write(once)
    assert (await outcomes([shop], creation(ann, RATE), 12))["created"] == 9


async def test_jobs_put_first_count_against_a_limit_of_their_own(shop: Shop) -> None:
    ann = await account(shop, "ann")
    await shop.write(CountAttempts(ann, RUN, Rate(100, 900), 100))
    with pytest.raises(LimitReached, match="100/15min"):
        await shop.write(CountAttempts(ann, RUN, Rate(100, 900), 1))
    await shop.write(creation(ann, RATE))
