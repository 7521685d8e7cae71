"""One action on all jobs of a filter: how fast it is, and how long others wait beside it."""

import asyncio
import sqlite3
import statistics
import time
from contextlib import closing
from functools import partial

from cnc_station.engine.door import Door
from tests.benchmarks.figures import Effort, Figure, compared, in_turn, percentile
from tests.benchmarks.product import (
    change_all,
    is_completed,
    no_op,
    paused_rate,
    running,
    starts,
    submit,
)
from tests.benchmarks.shop import config, fill, folder
from tests.until import until

JOBS = 20_000
BATCH = 500
MACHINES = 12
WAITS = 60
PAUSE_S = 0.03
KIND = "lathe"  # which no machine takes


def bulk(effort: Effort) -> list[Figure]:
    """Its rate beside a bare loop, and pick-up beside it."""
    jobs, waits = effort.of(JOBS, at_least=1_000), effort.of(WAITS, at_least=10)
    ours, bare = in_turn(effort.repeats, partial(_rate, jobs), partial(_bare_rate, jobs))
    beside, alone = [], []
    for _ in range(effort.repeats):
        beside.append(asyncio.run(_waits(waits, jobs, changing=True)))
        alone.append(asyncio.run(_waits(waits, jobs, changing=False)))
    figures = [
        compared("pause all that match", ours, "jobs/s", bare, "UPDATE + INSERT", at_least=0.12)
    ]
    for share, most in ((0.5, 8.0), (0.99, 6.0)):
        value, base = (
            statistics.median(percentile(found, share) for found in rounds)
            for rounds in (beside, alone)
        )
        name = f"submit → running beside it, p{round(share * 100)}"
        figures.append(compared(name, value, "ms", base, "nothing beside", at_most=most))
    return figures


def _rate(jobs: int) -> float:
    """Jobs per second, without services."""
    with folder() as path:
        fill(path, jobs, 0, machine_type=KIND, state="queued", finished_at=None)
        return asyncio.run(paused_rate(config(path), KIND, jobs))


def _bare_rate(jobs: int) -> float:
    """The rows of the same by hand: a guarded update and an event for each job."""
    with folder() as path:
        fill(path, jobs, 0, machine_type=KIND, state="queued", finished_at=None)
        with closing(sqlite3.connect(path / "station.db", isolation_level=None)) as db:
            for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                db.execute(f"PRAGMA {setting}")
            begun = time.perf_counter()
            for first in range(0, jobs, BATCH):
                now = time.time_ns() // 1_000_000
                db.execute("BEGIN IMMEDIATE")
                for (job_id,) in db.execute(_NEXT, (first, BATCH)).fetchall():
                    if db.execute(_PAUSE, (now, job_id)).rowcount != 1:
                        raise AssertionError(f"job {job_id} was refused")
                    db.execute(_EVENT, (now, job_id))
                db.execute("COMMIT")
            return jobs / (time.perf_counter() - begun)


_NEXT = "SELECT id FROM job WHERE id > ? AND machine_type = 'lathe' ORDER BY id LIMIT ?"
_PAUSE = """UPDATE job SET state = 'paused', state_since = ?, version = version + 1
 WHERE id = ? AND state = 'queued'"""
_EVENT = """INSERT INTO event (at, type, job_id, job_state, actor, station, trace_id, reason)
 VALUES (?, 'paused', ?, 'paused', 'benchmark', 'bench', 'trace', '')"""


async def _waits(count: int, jobs: int, *, changing: bool) -> list[float]:
    """Milliseconds from handing in to the start of its machine, one job after the other, while all
    jobs of another kind are paused and resumed again and again."""
    with folder() as path:
        values = {"machine_type": KIND, "state": "queued", "finished_at": None}
        fill(path, jobs, MACHINES, one_type=True, **values)
        begun: dict[int, float] = {}

        def told(job_id: int) -> None:
            begun[job_id] = time.perf_counter()

        with starts(told):
            async with running(config(path)) as door:
                beside = asyncio.create_task(change_all(door, KIND, jobs)) if changing else None
                found = [await _one(door, begun) for _ in range(count)]
                if beside is not None:
                    beside.cancel()
                    await asyncio.gather(beside, return_exceptions=True)
                return found


async def _one(door: Door, begun: dict[int, float]) -> float:
    handed_in = time.perf_counter()
    (job_id,) = await submit(door, [no_op("quick", PAUSE_S)])
    await until(partial(is_completed, door, job_id))
    await asyncio.sleep(PAUSE_S)
    return (begun[job_id] - handed_in) * 1000
