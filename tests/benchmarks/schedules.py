"""How late a schedule makes its job, told to the window, beside a bare timer and one commit."""

import asyncio
import datetime as dt
import sqlite3
import statistics
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import select, update

from cnc_station.engine.commands import CreateSchedule
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.notice import MISSED, Notice
from cnc_station.engine.domain.schedule import CatchUp, Overlap, Schedule
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.store import schema
from cnc_station.engine.store.database import Database
from cnc_station.engine.timing import now_ms
from tests.benchmarks.figures import Effort, Figure, compared, percentile
from tests.benchmarks.product import ME, started
from tests.benchmarks.shop import config, folder, url
from tests.until import until

SCHEDULES = 200
EVERY_MS = 25
SOON_MS = 500
MINUTE_MS = 60_000
BARE = "a timer and a commit"
JOB = JobSpec("tick", "mill")  # no machine takes it


def schedule_lateness(effort: Effort) -> list[Figure]:
    """Schedules one after the other, and all at once."""
    count = effort.of(SCHEDULES, at_least=20)
    apart, together, timers = [], [], []
    for _ in range(effort.repeats):
        apart.append(asyncio.run(_lateness(count, EVERY_MS)))
        together.append(asyncio.run(_lateness(count, 0)))
        timers.append(asyncio.run(_timers(count)))

    def typical(rounds: list[list[float]], share: float) -> float:
        return statistics.median(percentile(late, share) for late in rounds)

    bare = {share: typical(timers, share) for share in (0.5, 0.99)}
    return [
        *(
            compared(
                f"schedule lateness, p{round(share * 100)}",
                typical(apart, share),
                "ms",
                bare[share],
                BARE,
                at_most=most,
            )
            for share, most in ((0.5, 8.0), (0.99, 8.0))
        ),
        compared(
            "all schedules due at once, the last", typical(together, 1.0), "ms", bare[0.99], BARE
        ),
    ]


async def _lateness(count: int, apart_ms: int) -> list[float]:
    """The time from when each should fire until its job is told, in ms."""
    with folder() as path:
        async with started(config(path)) as engine:
            told: dict[int, float] = {}

            def hear(notice: Notice) -> None:
                told.update(dict.fromkeys(notice.jobs, time.time() * 1000))

            unsubscribe = engine.subscribe(hear)
            planned = await _prepare(engine, path, count, apart_ms)
            await until(lambda: len(told) >= count)
            unsubscribe()
        schedule_of = _schedules(path)
    return [at - planned[schedule_of[job_id]] for job_id, at in told.items()]


async def _prepare(
    engine: StationEngine, path: Path, count: int, apart_ms: int
) -> dict[int, float]:
    """Add schedules that were due at the last full minute, and let each fire at its own time."""
    due = now_ms() // MINUTE_MS * MINUTE_MS
    minute = dt.datetime.fromtimestamp(due / 1000, dt.UTC)
    rule = f"{minute:%M} {minute:%H} * * *"
    for number in range(count):
        spec = Schedule(f"daily {number}", rule, "UTC", JOB, CatchUp.ALL, Overlap.ALLOW)
        await engine.door(ME).execute(CreateSchedule(spec))
    begin, table = now_ms() + SOON_MS, schema.schedule
    planned = {number + 1: float(begin + number * apart_ms) for number in range(count)}
    with (
        closing(Database(url(path))) as database,
        closing(database.connect_writer()) as writer,
        writer.begin(),
    ):
        for schedule_id, at in planned.items():
            change = update(table).where(table.c.id == schedule_id)
            writer.execute(change.values(next_due=due, fires_at=round(at)))
    assert engine.supervisor is not None
    engine.supervisor.hear(MISSED)
    return planned


def _schedules(path: Path) -> dict[int, int]:
    """The schedule of each job."""
    query = select(schema.job.c.id, schema.job.c.schedule_id)
    with closing(Database(url(path))) as database:
        return {row.id: row.schedule_id for row in database.read(lambda c: c.execute(query).all())}


async def _timers(count: int) -> list[float]:
    """A timer of the loop, then one row that waits for the disk."""
    late = []
    with folder() as path, closing(sqlite3.connect(path / "bare.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE job (id INTEGER PRIMARY KEY, due REAL)")
        begin = time.time() * 1000 + EVERY_MS
        for number in range(count):
            at = begin + number * EVERY_MS
            await asyncio.sleep(max(0.0, at / 1000 - time.time()))
            db.execute("INSERT INTO job (due) VALUES (?)", (at,))
            late.append(time.time() * 1000 - at)
    return late
