"""Jobs per second through the engine on PostgreSQL, beside pgqueuer and a bare loop.

All of them drain the same number of waiting no-op jobs from the same server, which waits for the
disk at every commit. The bare loop stores the rows that the engine stores, for a full fleet in each
transaction, and does nothing else: no matching, no guards, no drivers, no answers, no signals.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from cnc_station.servers import Postgres, Redis
from tests.benchmarks.figures import Effort, Figure, compared, in_turn
from tests.benchmarks.fleet_bare import Client, add_jobs, add_machines, assign, move, move_runs
from tests.benchmarks.fleet_station import ME, cpu_s, station, working

MACHINES = 200
JOBS = 6_000
NO_OP = JobSpec("no-op", "mill", estimated_s=0.0)


async def drained(url: str, count: int) -> None:
    """Returns when so many jobs are completed. Looks from outside, and seldom while many are left:
    each look reads them all, and the server would do that instead of what is measured."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as looking:
        while True:
            cursor = await looking.execute("SELECT count(*) FROM job WHERE state = 'completed'")
            (done,) = await cursor.fetchone() or (0,)
            if done >= count:
                return
            left_s = (loop.time() - begun) * (count / max(done, 1) - 1)
            await asyncio.sleep(min(max(0.01, left_s / 2), 1.0))


async def _engine_rate(server: Postgres, jobs: int) -> float:
    with server.new_database() as url:
        async with working("bench", url, machines=MACHINES) as engine:
            await engine.submit([NO_OP] * jobs, ME)
            begun = time.perf_counter()
            await drained(url, jobs)
            return jobs / (time.perf_counter() - begun)


def _bare_rate(server: Postgres, jobs: int) -> float:
    with server.new_database() as url:
        bring_up_to_date(Database(url))
        with psycopg.connect(url, autocommit=True) as client:
            add_machines(client, MACHINES)
            add_jobs(client, jobs)
            begun = time.perf_counter()
            while _bare_round(client):
                pass
            return jobs / (time.perf_counter() - begun)


def _bare_round(client: Client) -> int:
    """A full fleet is given jobs, starts them and completes them: three commits."""
    with client.transaction():
        runs = assign(client, MACHINES)
    for name, run, job, machine in (
        ("started", "running", "running", "running"),
        ("completed", "succeeded", "completed", "idle"),
    ):
        with client.transaction():
            move_runs(client, run, runs)
            move(client, name, (job, machine), runs)
    return len(runs.ids)


def _pgqueuer_rate(server: Postgres, jobs: int) -> float:
    """As its own benchmark does it: asyncpg under uvloop, and batches of a full fleet."""
    with server.new_database() as url:
        done = subprocess.run(
            [sys.executable, "-c", _PGQUEUER, url, str(jobs), str(MACHINES)],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        return float(done.stdout.strip())


_PGQUEUER = """
import sys, time, asyncpg, uvloop
from pgqueuer import AsyncpgDriver, PgQueuer
from pgqueuer.domain.types import QueueExecutionMode
async def main(url, count, batch):
    app = PgQueuer(AsyncpgDriver(await asyncpg.connect(url)))
    await app.queries.install()
    await app.queries.enqueue(["nothing"] * count, [None] * count, [0] * count)
    @app.entrypoint("nothing")
    async def nothing(job):
        pass
    begun = time.perf_counter()
    await app.qm.run(batch_size=batch, mode=QueueExecutionMode.drain)
    print(count / (time.perf_counter() - begun))
uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


def peers(effort: Effort) -> list[Figure]:
    """One station against both."""
    jobs = effort.of(JOBS)
    with Postgres(durable=True) as server:
        engine, bare, pgqueuer = in_turn(
            effort.repeats,
            lambda: asyncio.run(_engine_rate(server, jobs)),
            partial(_bare_rate, server, jobs),
            partial(_pgqueuer_rate, server, jobs),
        )
    name = "fleet: engine jobs/s vs"
    return [
        compared(f"{name} pgqueuer", engine, "jobs/s", pgqueuer, "pgqueuer", at_least=1.0),
        compared(f"{name} bare loop", engine, "jobs/s", bare, "bare loop", at_least=0.5),
    ]


@dataclass(frozen=True, slots=True)
class Drain:
    """What it took. CPU in ms for each job: of the stations, and of the database's processes."""

    rate: float
    stations_ms: float
    server_ms: float


async def _stations_drain(server: Postgres, redis: Redis, count: int, jobs: int) -> Drain:
    """So many processes share the machines; the jobs come from one more, which has none."""
    redis.clear()
    with server.new_database() as url:
        async with AsyncExitStack() as stack:
            stations = [
                await stack.enter_async_context(
                    station(f"S{number}", url, redis.url, MACHINES // count)
                )
                for number in range(count)
            ]
            office = await stack.enter_async_context(working("office", url, redis.url))
            before, server_before = sum(s.cpu_s() for s in stations), _server_cpu_s(server)
            await office.submit([NO_OP] * jobs, ME)
            begun = time.perf_counter()
            await drained(url, jobs)
            rate = jobs / (time.perf_counter() - begun)
            used = sum(s.cpu_s() for s in stations) - before
            return Drain(
                rate, used / jobs * 1000, (_server_cpu_s(server) - server_before) / jobs * 1000
            )


def _server_cpu_s(server: Postgres) -> float:
    """The main process and all that it has begun; it counts those that have ended."""
    used = 0.0
    for child in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):  # ended just now
            used += cpu_s(int(child))
    return used + cpu_s(server.pid)


def stations(effort: Effort) -> list[Figure]:
    """1, 2 and 4 of them on the same 200 machines."""
    figures = []
    first: Drain | None = None
    jobs = effort.of(JOBS)
    with Postgres(durable=True) as server, Redis() as redis:
        for count in (1, 2, 4):
            drains = [
                asyncio.run(_stations_drain(server, redis, count, jobs))
                for _ in range(effort.repeats)
            ]
            one = Drain(
                statistics.median(d.rate for d in drains),
                statistics.median(d.stations_ms for d in drains),
                statistics.median(d.server_ms for d in drains),
            )
            first = first or one
            name = f"fleet: {count} station{'s' if count > 1 else ''}"
            figures += [
                compared(f"{name}, jobs/s", one.rate, "jobs/s", first.rate, "1 station"),
                compared(f"{name}, CPU", one.stations_ms, "ms/job", first.stations_ms, "1 station"),
                compared(
                    f"{name}, database CPU", one.server_ms, "ms/job", first.server_ms, "1 station"
                ),
            ]
    return figures
