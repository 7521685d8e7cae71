"""How soon another station begins a job, and how soon it hears what has changed."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import psycopg
from redis.asyncio import Redis as Client

from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.signals.base import Hearing
from cnc_station.engine.signals.redis import RedisSignals
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from cnc_station.engine.views import Changes
from cnc_station.servers import Postgres, Redis
from tests.benchmarks.figures import Effort, Figure, limited, percentile
from tests.benchmarks.fleet_listeners import BARE, listeners
from tests.benchmarks.fleet_station import ME, station, working

SUBMITTED = 100
SUBMITTED_WITHOUT = 20
NOTICES = 1_000
NOTICES_A_SECOND = 200
PROCESSES = 2
STATIONS_EACH = 5


def pick_up(effort: Effort) -> list[Figure]:
    """Submit at station A → its machine told to begin at station B, with nothing else to do.

    The baseline is what no station can avoid: three commits in a row (the job is in, it is
    assigned, it runs), each with one small row, by a bare client.
    """
    with Postgres(durable=True) as server, Redis() as redis:
        bare = _each(effort, lambda: _three_commits(server, SUBMITTED))
        with_redis = _each(
            effort, lambda: _pick_up(server, redis.url, max(20, effort.of(SUBMITTED)))
        )
        without = _each(effort, lambda: _pick_up(server, "", SUBMITTED_WITHOUT))
    against = "three commits"
    return [
        limited(
            f"fleet: pick-up at another station, p{share}",
            _at(with_redis, share),
            "ms",
            _at(bare, share),
            against,
            at_most=most,
        )
        for share, most in ((50, 5.0), (99, 25.0))
    ] + [
        limited(
            "fleet: pick-up without Redis, p99",
            _at(without, 99),
            "ms",
            _at(bare, 99),
            against,
            at_most=1000.0,
        )
    ]


def _each(effort: Effort, measure: Callable[[], Awaitable[list[float]]]) -> list[list[float]]:
    async def once() -> list[float]:
        return await measure()

    return [asyncio.run(once()) for _ in range(effort.repeats)]


def _at(runs: Sequence[Sequence[float]], share: int) -> float:
    """The median over the runs of a percentile."""
    return statistics.median(percentile(run, share / 100) for run in runs)


async def _three_commits(server: Postgres, count: int) -> list[float]:
    delays = []
    with server.new_database() as url:
        database = Database(url)
        bring_up_to_date(database)
        database.close()
        async with await psycopg.AsyncConnection.connect(url) as connection:
            for _ in range(count):
                begun = time.perf_counter()
                for name in ("created", "assigned", "started"):
                    await connection.execute(_EVENT, (name,))
                    await connection.commit()
                delays.append((time.perf_counter() - begun) * 1000)
    return delays


_EVENT = """INSERT INTO event (at, type, actor, station, trace_id, reason)
 VALUES (0, %s, 'bench', 'bench', '', '')"""


async def _pick_up(server: Postgres, redis_url: str, count: int) -> list[float]:
    """A job at a time, at moments of no pattern, each when the one before is long done."""
    delays = []
    with server.new_database() as url:
        async with (
            working("A", url, redis_url) as office,
            station("B", url, redis_url, 1, stamp=True) as other,
        ):
            for _ in range(count):
                await asyncio.sleep(random.uniform(0.1, 0.2))
                begun = time.monotonic_ns()
                (job_id,) = await office.submit([JobSpec("bracket", "mill", estimated_s=0.0)], ME)
                told, at = await other.said()
                assert int(told) == job_id
                delays.append((int(at) - begun) / 1e6)
    return delays


def notices(effort: Effort) -> list[Figure]:
    """200 a second from one station to ten others."""
    with Redis() as redis:
        count = effort.of(NOTICES)
        bare = _each(effort, lambda: _notices(redis.url, count, "bare"))
        heard = _each(effort, lambda: _notices(redis.url, count, "stations"))
    return [
        limited(
            "fleet: a change notice at 10 stations, p99",
            _at(heard, 99),
            "ms",
            _at(bare, 99),
            "bare client",
            at_most=100.0,
        )
    ]


async def _notices(redis_url: str, count: int, how: str) -> list[float]:
    async with AsyncExitStack() as stack:
        sender = RedisSignals(redis_url)
        await sender.start(Hearing(lambda: None, lambda _: None, lambda _: None, lambda: None))
        stack.push_async_callback(sender.stop)
        client = await stack.enter_async_context(Client.from_url(redis_url))
        heard = [
            await stack.enter_async_context(listeners(redis_url, STATIONS_EACH, how))
            for _ in range(PROCESSES)
        ]
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in range(count):
            await asyncio.sleep(begun + number / NOTICES_A_SECOND - loop.time())
            if how == "bare":
                await client.publish(BARE, time.monotonic_ns())
            else:
                sender.tell(Changes(jobs=frozenset({time.monotonic_ns()})))
        await asyncio.sleep(0.5)
    delays = [delay for each in heard for delay in each]
    assert len(delays) == count * PROCESSES * STATIONS_EACH, f"{len(delays)} heard"
    return delays
