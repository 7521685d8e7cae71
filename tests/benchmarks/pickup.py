"""How soon a job that is handed to an idle station runs, with the window open."""

import asyncio
import sqlite3
import statistics
import time
from contextlib import closing
from functools import partial

from cnc_station.engine.door import Door
from cnc_station.loop import run
from tests.benchmarks.figures import Effort, Figure, compared, percentile
from tests.benchmarks.product import is_completed, no_op, starts, submit
from tests.benchmarks.shop import fill, folder
from tests.benchmarks.window import station
from tests.until import until

MACHINES = 12
JOBS = 150
PAUSE_S = 0.03


async def _waits(count: int) -> list[float]:
    """Milliseconds from handing in to the start of its machine, one job after the other."""
    with folder() as path:
        fill(path, 0, MACHINES, one_type=True)
        begun: dict[int, float] = {}

        def told(job_id: int) -> None:
            begun[job_id] = time.perf_counter()

        with starts(told):
            async with station(path) as shop:
                return [await _one(shop.door, begun) for _ in range(count)]


async def _one(door: Door, begun: dict[int, float]) -> float:
    """Ends when the job is completed, and the window has had time to show it."""
    handed_in = time.perf_counter()
    (job_id,) = await submit(door, [no_op("quick", PAUSE_S)])
    await until(partial(is_completed, door, job_id))
    await asyncio.sleep(PAUSE_S)
    return (begun[job_id] - handed_in) * 1000


def _bare_waits(count: int) -> list[float]:
    """Three commits of one small row each, waiting for the disk."""
    waits = []
    with folder() as path, closing(sqlite3.connect(path / "bare.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE job (id INTEGER PRIMARY KEY, state TEXT)")
        for _ in range(count):
            begun = time.perf_counter()
            for state in ("queued", "assigned", "running"):
                db.execute("INSERT INTO job (state) VALUES (?)", (state,))
            waits.append((time.perf_counter() - begun) * 1000)
            time.sleep(PAUSE_S)  # as the station does: what has rested answers later
    return waits


def pickup(effort: Effort) -> list[Figure]:
    """Medians of what each repeat found."""
    ours, bare = [], []
    count = effort.of(JOBS, at_least=20)
    for _ in range(effort.repeats):
        ours.append(run(_waits(count)))
        bare.append(_bare_waits(count))
    return [
        compared(
            f"submit → running, p{round(share * 100)}",
            statistics.median(percentile(waits, share) for waits in ours),
            "ms",
            statistics.median(percentile(waits, share) for waits in bare),
            "three commits",
            at_most=most,
        )
        for share, most in ((0.5, 3.0), (0.99, 4.0))
    ]
