"""What the HTTP API costs a station whose window is open, and how much it answers.

Twenty machines are at work and ten thousand jobs wait. The lag is that of the window's loop, and of
the loop of the drivers and the API. Clients are in processes of their own.
"""

import asyncio
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cnc_station.loop import run
from tests.benchmarks.api_client import Heard, ask
from tests.benchmarks.figures import Effort, Figure, compared
from tests.benchmarks.product import drivers_loop
from tests.benchmarks.shop import fill, folder
from tests.benchmarks.window import station
from tests.tools.lag import LagProbe
from tests.tools.servers import free_port

T = TypeVar("T")

MACHINES = 20
JOBS = 10_000
RATE = 50.0
CLIENTS = 8
SECONDS = 10.0
SETTLE_S = 3.0
FRAME_MS = 16.0
LIST = "/jobs?limit=20"
MIX = (LIST, "/jobs/7", "/jobs?status=pending&sort=-priority&limit=20", "/machines", "/jobs/stats")

Lags = tuple[float, float]  # ms at p99: of the window's loop, of the drivers' loop


@dataclass(frozen=True, slots=True)
class Round:
    """What one repeat found: lags without requests, at `RATE` and with clients flat out; what the
    clients heard, and what they heard from the bare handler."""

    idle: Lags
    steady: Lags
    flat: Lags
    heard_steady: Heard
    heard_flat: Heard
    heard_bare: Heard


async def _measure(jobs: int, seconds: float) -> Round:
    with folder() as path, drivers_loop() as found:
        fill(path, jobs, MACHINES, one_type=True, quantity=1, estimated_s=5.0)
        async with station(path, charts=False, api_port=(port := free_port())):
            url = f"http://127.0.0.1:{port}/api/v1"
            await asyncio.sleep(SETTLE_S)
            idle, _ = await _lags(found[0], asyncio.sleep(seconds))
            steady, at_rate = await _lags(found[0], ask(url, MIX, CLIENTS, seconds, RATE))
            flat, flat_out = await _lags(found[0], ask(url, (LIST,), CLIENTS, seconds))
        with _bare(path / "station.db") as address:
            bare = await ask(address, ("/jobs",), CLIENTS, seconds)
    for heard in (at_rate, flat_out, bare):
        if heard.worst != 200:
            raise AssertionError(f"not all were answered: {heard}")
    return Round(idle, steady, flat, at_rate, flat_out, bare)


async def _lags(loop: asyncio.AbstractEventLoop, work: Awaitable[T]) -> tuple[Lags, T]:
    """The lag of both loops while something is done."""
    there = LagProbe()
    loop.call_soon_threadsafe(there.__enter__)
    with LagProbe() as here:
        found = await work
    loop.call_soon_threadsafe(there.__exit__, None, None, None)
    return (here.percentile(0.99) * 1000, there.percentile(0.99) * 1000), found


@contextmanager
def _bare(database: Path) -> Iterator[str]:
    """The bare handler in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.api_bare", str(database)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


def api(effort: Effort) -> list[Figure]:
    """Medians of what each repeat found."""
    seconds = max(1.0, SECONDS * effort.share)
    rounds = [run(_measure(effort.of(JOBS), seconds)) for _ in range(effort.repeats)]

    def median(value: Callable[[Round], float]) -> float:
        return statistics.median(map(value, rounds))

    figures = []
    for at, name in enumerate(("window's loop", "drivers' loop")):
        idle = median(lambda one: one.idle[at])  # noqa: B023 - called in this round
        steady = median(lambda one: one.steady[at])  # noqa: B023 - likewise
        flat = median(lambda one: one.flat[at])  # noqa: B023 - likewise
        lag = f"lag p99 of the {name}"
        figures += [
            compared(f"{lag}, 50 requests/s", steady, "ms", idle, "no requests", at_most=2.0),
            compared(
                f"{lag}, 50 requests/s, of a frame", steady, "ms", FRAME_MS, "16 ms", at_most=1.0
            ),
            compared(f"{lag}, 8 clients flat out", flat, "ms", idle, "no requests"),
        ]
    ours, bare = median(lambda one: one.heard_flat.per_s), median(lambda one: one.heard_bare.per_s)
    p99, p50 = median(lambda one: one.heard_steady.p99), median(lambda one: one.heard_steady.p50)
    return [
        *figures,
        compared("lists of 20 jobs, flat out", ours, "lists/s", bare, "bare handler"),
        compared("answer at 50 requests/s, p99", p99, "ms", p50, "its p50"),
    ]
