"""Jobs per second through the whole engine, beside a bare sqlite3 writer and huey on SQLite.

All three wait for the disk at every commit. The bare writer stores the rows that the engine
stores (jobs with all their columns, runs, four events a job, two unique indexes) in transactions
of the size of a full fleet, and does nothing else: no matching, no guards, no drivers, no answers.
"""

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cnc_station.config import Config
from cnc_station.engine.domain.event import Actor
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from cnc_station.engine.views import JobFilter
from tests.benchmarks.figures import Figure, compared, median_of, median_of_async

ME = Actor("benchmark")
MACHINES = 200
JOBS = 6_000
SUBMITTERS = 64
HUEY_TASKS = 1_500


@contextmanager
def folder() -> Iterator[Path]:
    """On the disk that the shop's database would be on, not in memory."""
    with tempfile.TemporaryDirectory(prefix="cnc-bench-", dir=Path.home()) as name:
        yield Path(name)


def config(path: Path) -> Config:
    """A station that waits for the disk."""
    return Config(data_folder=path, database_url=f"sqlite:///{path / 'bench.db'}", station="bench")


async def add_fleet(engine: StationEngine, count: int) -> None:
    """Mills that take anything."""
    for number in range(count):
        await engine.add_machine(
            MachineSpec(f"M{number:04}", "mill", capability=Capability("mill")), ME
        )


async def _engine_rate() -> float:
    with folder() as path:
        engine = StationEngine(config(path))
        await engine.start()
        try:
            await add_fleet(engine, MACHINES)
            begun = time.perf_counter()
            await asyncio.gather(*(_submit(engine, JOBS // SUBMITTERS) for _ in range(SUBMITTERS)))
            await _drained(engine, JOBS // SUBMITTERS * SUBMITTERS)
            return JOBS / (time.perf_counter() - begun)
        finally:
            await engine.stop()


async def _submit(engine: StationEngine, count: int) -> None:
    for _ in range(count):
        await engine.submit([JobSpec("no-op", "mill", estimated_s=0.0)], ME)


async def _drained(engine: StationEngine, count: int) -> None:
    """Woken by the change stream, not by a clock; counts once the stream falls quiet."""
    while True:
        counts = await engine.job_counts(JobFilter())
        if counts.by_state.get(JobState.COMPLETED, 0) == count:
            return
        await asyncio.sleep(0.05)


def _bare_rate() -> float:
    """The same rows in the same schema, by prepared statements alone."""
    with folder() as path:
        bring_up_to_date(Database(f"sqlite:///{path / 'bare.db'}"))
        with closing(sqlite3.connect(path / "bare.db", isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            for number in range(MACHINES):
                db.execute(_MACHINE, (number + 1, f"M{number:04}"))
            begun = time.perf_counter()
            for first in range(1, JOBS + 1, SUBMITTERS):
                _bare_create(db, range(first, min(first + SUBMITTERS, JOBS + 1)))
            for first in range(1, JOBS + 1, MACHINES):
                _bare_run(db, range(first, min(first + MACHINES, JOBS + 1)))
            return JOBS / (time.perf_counter() - begun)


_MACHINE = """INSERT INTO machine (id, version, name, machine_type, model, driver, max_complexity,
 materials, axes, operator_clears, settings, station, state, state_since, state_reason,
 maintenance_due, removed, runs_done, run_seconds, last_program, last_material)
 VALUES (?, 1, ?, 'mill', '', 'simulator', 5, '[]', 3, 0, '{}', 'bench', 'idle', 0, '', 0, 0, 0,
 0.0, '', '')"""
_JOB = """INSERT INTO job (id, version, trace_id, name, work_order, operation, tenant, machine_type,
 complexity, material, axes, priority, quantity, estimated_s, handler, payload, state, state_since,
 rank, not_before, blocked, token, attempt, failures, last_error, created_at, search)
 VALUES (?, 1, ?, 'no-op', '', '', '', 'mill', 1, '', 1, 0, 1, 0.0, 'machine.program', '{}',
 'queued', ?, ?, ?, 0, 0, 0, 0, '', ?, 'no-op')"""
_EVENT = """INSERT INTO event (at, type, job_id, run_id, machine_id, job_state, run_state,
 machine_state, actor, station, trace_id, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'benchmark',
 'bench', ?, '')"""
_RUN = """INSERT INTO run (id, job_id, machine_id, station, attempt, state, token, lease_until,
 assigned_at, error) VALUES (?, ?, ?, 'bench', 1, 'assigned', 1, ?, ?, '')"""


def _bare_create(db: sqlite3.Connection, ids: range) -> None:
    now = time.time_ns() // 1_000_000
    db.execute("BEGIN IMMEDIATE")
    db.executemany(_JOB, [(i, uuid.uuid4().hex, now, now + i / 1000, now, now) for i in ids])
    db.executemany(
        _EVENT, [(now, "created", i, None, None, "queued", None, None, "trace") for i in ids]
    )
    db.execute("COMMIT")


def _bare_run(db: sqlite3.Connection, ids: range) -> None:
    pairs = [(job_id, machine_id) for machine_id, job_id in enumerate(ids, start=1)]
    for name, job, run, machine in (
        ("assigned", "assigned", "assigned", "assigned"),
        ("started", "running", "running", "running"),
        ("completed", "completed", "succeeded", "idle"),
    ):
        now = time.time_ns() // 1_000_000
        db.execute("BEGIN IMMEDIATE")
        if name == "assigned":
            db.executemany(_RUN, [(j, j, m, now, now) for j, m in pairs])
        else:
            db.executemany("UPDATE run SET state = ? WHERE id = ?", [(run, j) for j, _ in pairs])
        db.executemany(
            "UPDATE job SET state = ?, state_since = ?, version = version + 1, finished_at = ?, "
            "machine_id = ?, run_id = ? WHERE id = ?",
            [(job, now, now if job == "completed" else None, m, j, j) for j, m in pairs],
        )
        db.executemany(
            "UPDATE machine SET state = ?, state_since = ?, version = version + 1, job_id = ?, "
            "run_id = ? WHERE id = ?",
            [(machine, now, j, j, m) for j, m in pairs],
        )
        db.executemany(_EVENT, [(now, name, j, j, m, job, run, machine, "trace") for j, m in pairs])
        db.execute("COMMIT")


def _huey_rate() -> float:
    """huey with its SQLite storage and fsync on: enqueue, then drain with one worker thread."""
    with folder() as path:
        done = subprocess.run(
            [sys.executable, "-c", _HUEY, str(path / "huey.db"), str(HUEY_TASKS)],
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


def throughput(repeats: int) -> list[Figure]:
    """The engine against both."""
    engine = median_of_async(repeats, _engine_rate)
    bare = median_of(repeats, _bare_rate)
    huey = median_of(repeats, _huey_rate)
    return [
        compared("engine jobs/s vs bare writer", engine, "jobs/s", bare, "bare", at_least=0.6),
        compared("engine jobs/s vs huey", engine, "jobs/s", huey, "huey", at_least=2.0),
    ]
