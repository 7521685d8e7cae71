"""What webhooks cost: an event that no endpoint listens to, and jobs that each tell one."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.benchmarks.figures import Effort, Figure, compared, in_turn
from tests.benchmarks.product import delays, delivered, listen, running, submit, submitted_rate
from tests.benchmarks.product_store import look_ms
from tests.benchmarks.shop import config, fill, folder, url
from tests.benchmarks.throughput import HUEY_TASKS, huey_rate

EVENTS = 2_000
JOBS = 3_000


def _event_ms(events: int) -> float:
    """A transaction with one event, without an endpoint."""
    with folder() as path:
        fill(path, 0, 0, one_type=True)
        return 1000 / asyncio.run(submitted_rate(config(path), events))


def _look_ms(looks: int) -> float:
    """What the look for endpoints takes of it. Measured apart: on a busy computer the difference
    of two transactions says nothing."""
    with folder() as path:
        fill(path, 0, 0, one_type=True)
        return look_ms(url(path), looks)


async def _job_rate(jobs: int, *, told: bool) -> float:
    """Jobs without a machine per second, from the first handed in to the last one done and told."""
    with folder() as path, _receiver() as address:
        fill(path, 0, 0, one_type=True)
        async with running(config(path)) as engine:
            if told:
                await listen(engine, address)
            begun = time.perf_counter()
            await submit(engine, delays(jobs))
            await delivered(engine, jobs, told=told)
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
    [event] = in_turn(effort.repeats, partial(_event_ms, events))
    [look] = in_turn(effort.repeats, partial(_look_ms, 20 * events))
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
