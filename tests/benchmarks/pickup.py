"""How soon a job that is handed to an idle station runs, with the window open."""

import asyncio
import sqlite3
import statistics
import time
from contextlib import closing

from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.engine import StationEngine
from cnc_station.loop import run
from tests.benchmarks.figures import Effort, Figure, limited, percentile
from tests.benchmarks.shop import fill, folder
from tests.benchmarks.window import ME, station

MACHINES = 12
JOBS = 150
PAUSE_S = 0.03
COMMITS = 3  # created, assigned, started


async def _waits(count: int) -> list[float]:
    """Milliseconds from handing in to the notice that it runs, one job after the other."""
    with folder() as path:
        fill(path, 0, MACHINES, one_type=True)
        async with station(path) as shop:
            return [await _one(shop.engine) for _ in range(count)]


async def _one(engine: StationEngine) -> float:
    """Ends when the machine is idle again, and the window has had time to show it."""
    notices: list[float] = []
    done = asyncio.Event()

    def hear(notice: Notice) -> None:
        if notice.jobs:
            notices.append(time.perf_counter())
        if len(notices) == COMMITS + 1:
            done.set()

    forget = engine.subscribe(hear)
    begun = time.perf_counter()
    await engine.submit([JobSpec("quick", "mill", estimated_s=PAUSE_S)], ME)
    await done.wait()
    forget()
    await asyncio.sleep(PAUSE_S)
    return (notices[COMMITS - 1] - begun) * 1000


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
    return waits


def pickup(effort: Effort) -> list[Figure]:
    """Medians of what each repeat found."""
    ours, bare = [], []
    for _ in range(effort.repeats):
        ours.append(run(_waits(effort.of(JOBS))))
        bare.append(_bare_waits(effort.of(JOBS)))
    return [
        limited(
            f"submit → running, p{round(share * 100)}",
            statistics.median(percentile(waits, share) for waits in ours),
            "ms",
            statistics.median(percentile(waits, share) for waits in bare),
            "three commits",
            at_most=most,
        )
        for share, most in ((0.5, 5.0), (0.99, 20.0))
    ]
