"""What webhooks cost: an event that no endpoint listens to, and jobs that each tell one."""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from cnc_station.engine.door import Door
from tests.benchmarks.figures import Effort, Figure, compared, in_turn
from tests.benchmarks.fleet_rates import pgqueuer_rate
from tests.benchmarks.fleet_station import working
from tests.benchmarks.product import delays, delivered, listen, running, submit
from tests.benchmarks.product_store import event_costs
from tests.benchmarks.shop import config, fill, folder, url
from tests.benchmarks.throughput import HUEY_TASKS, huey_rate
from tests.tools.servers import Postgres

EVENTS = 2_000
JOBS = 3_000
WORKERS = 100  # the most that the settings allow


def _event_costs(events: int) -> tuple[float, float]:
    with folder() as path:
        fill(path, 0, 0, one_type=True)
        return event_costs(url(path), events)


async def _job_rate(jobs: int, *, told: bool) -> float:
    with folder() as path:
        fill(path, 0, 0, one_type=True)
        async with running(replace(config(path), automation_workers=WORKERS)) as door:
            return await _rate_through(door, jobs, told=told)


async def _fleet_job_rate(server: Postgres, jobs: int) -> float:
    with server.new_database() as address:
        async with working("bench", address, workers=WORKERS) as door:
            return await _rate_through(door, jobs, told=True)


async def _rate_through(door: Door, jobs: int, *, told: bool) -> float:
    """Jobs without a machine per second, from the first handed in to the last one done and told."""
    with _receiver() as address:
        if told:
            await listen(door, address)
        begun = time.perf_counter()
        await submit(door, delays(jobs))
        await delivered(door, jobs, told=told)
        return jobs / (time.perf_counter() - begun)


@contextmanager
def _receiver() -> Iterator[str]:
    """A receiver in a process of its own that accepts everything."""
    with subprocess.Popen([sys.executable, "-c", _RECEIVER], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.kill()


_RECEIVER = """
import asyncio

class Accept(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def data_received(self, data):
        self.data += data
        head, end, rest = self.data.partition(b"\\r\\n\\r\\n")
        if end:
            length = int(head.lower().split(b"content-length:")[1].split(b"\\r\\n")[0])
            if len(rest) >= length:
                self.data = rest[length:]
                self.transport.write(b"HTTP/1.1 204 No Content\\r\\n\\r\\n")

async def main():
    server = await asyncio.get_running_loop().create_server(Accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


def webhooks(effort: Effort) -> list[Figure]:
    """Both, beside the same without webhooks, and huey."""
    events, jobs = effort.of(EVENTS), effort.of(JOBS)
    costs = [_event_costs(events) for _ in range(effort.repeats)]
    event, look = (statistics.median(values) for values in zip(*costs, strict=True))
    told, untold, huey = in_turn(
        effort.repeats,
        lambda: asyncio.run(_job_rate(jobs, told=True)),
        lambda: asyncio.run(_job_rate(jobs, told=False)),
        partial(huey_rate, effort.of(HUEY_TASKS)),
    )
    return [
        compared("an event, no endpoint", event, "ms", event - look, "no look", at_most=1.02),
        compared("automation jobs/s, all told", told, "jobs/s", untold, "none told"),
        compared("automation jobs/s, told", told, "jobs/s", huey, "huey"),
    ]


def fleet_webhooks(effort: Effort) -> list[Figure]:
    """Automation jobs on PostgreSQL, with all their events and each of them told to a receiver,
    beside pgqueuer, which stores no events and tells nobody."""
    jobs = effort.of(JOBS)
    with Postgres(durable=True) as server:
        told, pgqueuer = in_turn(
            effort.repeats,
            lambda: asyncio.run(_fleet_job_rate(server, jobs)),
            partial(pgqueuer_rate, server, jobs),
        )
    return [compared("automation jobs/s, told, fleet", told, "jobs/s", pgqueuer, "pgqueuer")]
