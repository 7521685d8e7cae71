"""How soon another station begins a job, and how soon it hears what has changed."""

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

from redis.asyncio import Redis as Client

from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from tests.benchmarks.figures import Effort, Figure, compared, percentile, turns
from tests.benchmarks.fleet_bare_chain import chain_ms
from tests.benchmarks.fleet_listeners import BARE, listeners
from tests.benchmarks.fleet_station import station, working
from tests.benchmarks.product import no_op, submit
from tests.benchmarks.product_signals import notify, talking
from tests.tools.servers import Postgres, Redis

SUBMITTED = 100
SUBMITTED_WITHOUT = 20
NOTICES = 1_000
NOTICES_A_SECOND = 200
PROCESSES = 2
STATIONS_EACH = 5


def pick_up(effort: Effort) -> list[Figure]:
    """Submit at station A → its machine told to begin at station B, with nothing else to do.

    The baseline is what no two stations can avoid: `fleet_bare_chain`. Without Redis a station
    looks four times a second: its aim says that it misses none of these looks.
    """
    count = effort.of(SUBMITTED, at_least=10)
    with Postgres(durable=True) as server, Redis() as redis:
        bare, with_redis, without = turns(
            effort.repeats,
            lambda: _bare_chain(server, redis.url, count),
            lambda: asyncio.run(_pick_up(server, redis.url, count)),
            lambda: asyncio.run(_pick_up(server, "", effort.of(SUBMITTED_WITHOUT, at_least=5))),
        )
    return [
        compared(
            f"fleet: {name}, p{share}",
            _at(runs, share),
            "ms",
            _at(bare, share),
            "bare chain",
            at_most=most,
        )
        for name, runs, share, most in (
            ("pick-up at another station", with_redis, 50, 2.0),
            ("pick-up at another station", with_redis, 99, 2.5),
            ("pick-up without Redis", without, 99, 50.0),
        )
    ]


def _at(runs: Sequence[Sequence[float]], share: int) -> float:
    """The median over the runs of a percentile."""
    return statistics.median(percentile(run, share / 100) for run in runs)


def _bare_chain(server: Postgres, redis_url: str, count: int) -> list[float]:
    with server.new_database() as url:
        database = Database(url)
        bring_up_to_date(database)
        database.close()
        return chain_ms(url, redis_url, count)


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
                (job_id,) = await submit(office, [no_op("bracket")])
                told, at = await other.said()
                assert int(told) == job_id
                delays.append((int(at) - begun) / 1e6)
    return delays


def notices(effort: Effort) -> list[Figure]:
    """200 a second from one station to ten others."""
    with Redis() as redis:
        count = effort.of(NOTICES)
        bare, heard = turns(
            effort.repeats,
            lambda: asyncio.run(_notices(redis.url, count, "bare")),
            lambda: asyncio.run(_notices(redis.url, count, "stations")),
        )
    return [
        compared(
            "fleet: a change notice at 10 stations, p99",
            _at(heard, 99),
            "ms",
            _at(bare, 99),
            "bare client",
            at_most=15.0,
        )
    ]


async def _notices(redis_url: str, count: int, how: str) -> list[float]:
    async with AsyncExitStack() as stack:
        sender = await talking(redis_url)
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
                notify(sender, time.monotonic_ns())
        await asyncio.sleep(0.5)
    delays = [delay for each in heard for delay in each]
    assert len(delays) == count * PROCESSES * STATIONS_EACH, f"{len(delays)} heard"
    return delays
