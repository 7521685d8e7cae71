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

from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from tests.benchmarks.figures import Effort, Figure, compared, in_turn
from tests.benchmarks.fleet_bare import Client, add_jobs, add_machines, assign, move, move_runs
from tests.benchmarks.fleet_station import cpu_s, station, working
from tests.benchmarks.product import no_op, submit
from tests.tools.servers import Postgres, Redis

MACHINES = 200
JOBS = 20_000
LOOK_S = 0.2


async def drained(url: str, count: int) -> float:
    """Jobs per second, once so many are completed: from the first claim to the last end, by the
    database's own clock, so that it does not matter how often is looked whether all are done."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as client:
        while True:
            cursor = await client.execute(_DONE)
            done, begun, ended = await cursor.fetchone() or (0, 0, 0)
            if done >= count:
                return 1000.0 * count / max(int(ended) - int(begun), 1)
            await asyncio.sleep(LOOK_S)


_DONE = """SELECT count(*), (SELECT min(assigned_at) FROM run), max(finished_at) FROM job
 WHERE state = 'completed'"""


async def _engine_rate(server: Postgres, jobs: int) -> float:
    with server.new_database() as url:
        async with working("bench", url, machines=MACHINES) as door:
            await submit(door, [no_op()] * jobs)
            return await drained(url, jobs)


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


def pgqueuer_rate(server: Postgres, jobs: int) -> float:
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
            partial(pgqueuer_rate, server, jobs),
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


async def _stations_drain(
    server: Postgres, redis: Redis, count: int, machines: int, jobs: int
) -> Drain:
    """So many processes share the machines; the jobs come from one more, which has none."""
    redis.clear()
    with server.new_database() as url:
        async with AsyncExitStack() as stack:
            stations = [
                await stack.enter_async_context(
                    station(f"S{number}", url, redis.url, machines // count)
                )
                for number in range(count)
            ]
            office = await stack.enter_async_context(working("office", url, redis.url))
            before, server_before = sum(s.cpu_s() for s in stations), _server_cpu_s(server)
            await submit(office, [no_op()] * jobs)
            rate = await drained(url, jobs)
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
    jobs, machines = effort.of(JOBS), effort.of(MACHINES, at_least=20)
    with Postgres(durable=True) as server, Redis() as redis:
        for count in (1, 2, 4):
            drains = [
                asyncio.run(_stations_drain(server, redis, count, machines, jobs))
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
