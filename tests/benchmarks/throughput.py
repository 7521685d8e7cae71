"""Jobs per second through the whole engine, beside a bare sqlite3 writer and huey on SQLite.

All three wait for the disk at every commit, and are measured from the first job handed in to the
last one done. huey gets its best case: one process, one thread, nothing to poll for, no results
kept.
"""

import asyncio
import subprocess
import sys
import time
from functools import partial

from cnc_station.engine.door import Door
from tests.benchmarks.bare import bare_rate
from tests.benchmarks.figures import Effort, Figure, compared, in_turn
from tests.benchmarks.product import completed, no_op, running, submit
from tests.benchmarks.shop import config, fill, folder

MACHINES = 200
JOBS = 6_400
SUBMITTERS = 64
HUEY_TASKS = 1_500


async def _engine_rate(jobs: int) -> float:
    each = jobs // SUBMITTERS
    with folder() as path:
        fill(path, 0, MACHINES, one_type=True)
        async with running(config(path)) as door:
            begun = time.perf_counter()
            await asyncio.gather(*(_submit(door, each) for _ in range(SUBMITTERS)))
            await _drained(door, each * SUBMITTERS)
            return each * SUBMITTERS / (time.perf_counter() - begun)


async def _submit(door: Door, count: int) -> None:
    for _ in range(count):
        await submit(door, [no_op()])


async def _drained(door: Door, count: int) -> None:
    """Until the last one is completed."""
    while True:
        if await completed(door) >= count:
            return
        await asyncio.sleep(0.05)


def huey_rate(tasks: int) -> float:
    """huey with its SQLite storage and fsync on: hand in, then take out and execute."""
    with folder() as path:
        done = subprocess.run(
            [sys.executable, "-c", _HUEY, str(path / "huey.db"), str(tasks)],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        return float(done.stdout.strip())


_HUEY = """
import sys, time
from huey import SqliteHuey
huey = SqliteHuey(filename=sys.argv[1], fsync=True, results=False)
@huey.task()
def nothing(): pass
count = int(sys.argv[2])
begun = time.perf_counter()
for _ in range(count):
    nothing()
while (task := huey.dequeue()) is not None:
    huey.execute(task)
print(count / (time.perf_counter() - begun))
"""


def throughput(effort: Effort) -> list[Figure]:
    """The engine against both."""
    jobs = effort.of(JOBS)
    engine, bare, huey = in_turn(
        effort.repeats,
        lambda: asyncio.run(_engine_rate(jobs)),
        partial(bare_rate, jobs, MACHINES, SUBMITTERS),
        partial(huey_rate, effort.of(HUEY_TASKS)),
    )
    return [
        compared("engine jobs/s vs bare writer", engine, "jobs/s", bare, "bare", at_least=0.6),
        compared("engine jobs/s vs huey", engine, "jobs/s", huey, "huey", at_least=2.0),
    ]
