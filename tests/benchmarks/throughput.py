"""Jobs per second through the whole engine, beside a bare sqlite3 writer and huey on SQLite.

All three wait for the disk at every commit. The bare writer is what a careful programmer writes
by hand for the same rows: the engine's own schema, every column, four events a job, transactions
of the size of the fleet, and every step guarded by the state that it leaves, its answer read. It
knows beforehand what will happen: no queue to match, no drivers, nobody to answer. huey gets its
best case: one process, one thread, nothing to poll for, no results kept; its figure, like the
others, runs from the first task handed in to the last one done.
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
from tests.benchmarks.figures import Figure, compared, in_turn

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
            return JOBS // SUBMITTERS * SUBMITTERS / (time.perf_counter() - begun)
        finally:
            await engine.stop()


async def _submit(engine: StationEngine, count: int) -> None:
    for _ in range(count):
        await engine.submit([JobSpec("no-op", "mill", estimated_s=0.0)], ME)


async def _drained(engine: StationEngine, count: int) -> None:
    """Until the last one is completed."""
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
            db.execute("PRAGMA foreign_keys=ON")
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
    for name in ("assigned", "started", "completed"):
        now = time.time_ns() // 1_000_000
        db.execute("BEGIN IMMEDIATE")
        for job_id, machine_id in pairs:
            _BARE_STEPS[name](db, now, job_id, machine_id)
        db.execute("COMMIT")


def _bare_assign(db: sqlite3.Connection, now: int, job: int, machine: int) -> None:
    _moved(db, _ASSIGN_JOB, (now, machine, job, job))
    _moved(db, _ASSIGN_MACHINE, (now, job, job, machine))
    db.execute(_RUN, (job, job, machine, now + 30_000, now))
    db.execute(_EVENT, (now, "assigned", job, job, machine, *["assigned"] * 3, "trace"))


def _bare_start(db: sqlite3.Connection, now: int, job: int, machine: int) -> None:
    _moved(db, _START_RUN, (now, job))
    _moved(db, _START_JOB, (now, job, job))
    _moved(db, _START_MACHINE, (now, machine, job))
    db.execute(_EVENT, (now, "started", job, job, machine, *["running"] * 3, "trace"))


def _bare_complete(db: sqlite3.Connection, now: int, job: int, machine: int) -> None:
    _moved(db, _END_RUN, (now, job))
    _moved(db, _END_JOB, (now, now, job, job))
    _moved(db, _END_MACHINE, (now, machine, job))
    states = ("completed", "succeeded", "idle")
    db.execute(_EVENT, (now, "completed", job, job, machine, *states, "trace"))


def _moved(db: sqlite3.Connection, statement: str, values: tuple[int, ...]) -> None:
    if len(db.execute(statement, values).fetchall()) != 1:
        raise AssertionError(f"refused: {statement}")


_BARE_STEPS = {"assigned": _bare_assign, "started": _bare_start, "completed": _bare_complete}
_ASSIGN_JOB = """UPDATE job SET state = 'assigned', state_since = ?, version = version + 1,
 machine_id = ?, run_id = ?, token = token + 1, attempt = attempt + 1
 WHERE id = ? AND state = 'queued' RETURNING trace_id"""
_ASSIGN_MACHINE = """UPDATE machine SET state = 'assigned', state_since = ?, state_reason = '',
 version = version + 1, job_id = ?, run_id = ? WHERE id = ? AND state = 'idle' RETURNING id"""
_START_RUN = """UPDATE run SET state = 'running', started_at = ?
 WHERE id = ? AND token = 1 AND state = 'assigned' RETURNING id"""
_START_JOB = """UPDATE job SET state = 'running', state_since = ?, version = version + 1
 WHERE id = ? AND run_id = ? AND state = 'assigned' RETURNING trace_id"""
_START_MACHINE = """UPDATE machine SET state = 'running', state_since = ?, version = version + 1
 WHERE id = ? AND run_id = ? AND state = 'assigned' RETURNING state"""
_END_RUN = """UPDATE run SET state = 'succeeded', ended_at = ?
 WHERE id = ? AND token = 1 AND state = 'running' RETURNING id"""
_END_JOB = """UPDATE job SET state = 'completed', state_since = ?, finished_at = ?,
 version = version + 1 WHERE id = ? AND run_id = ? AND state = 'running' RETURNING trace_id"""
_END_MACHINE = """UPDATE machine SET state = 'idle', state_since = ?, version = version + 1,
 job_id = NULL, run_id = NULL, runs_done = runs_done + 1
 WHERE id = ? AND run_id = ? AND state = 'running' RETURNING state"""


def _huey_rate() -> float:
    """huey with its SQLite storage and fsync on: hand in, then take out and execute."""
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
    engine, bare, huey = in_turn(
        repeats, lambda: asyncio.run(_engine_rate()), _bare_rate, _huey_rate
    )
    return [
        compared("engine jobs/s vs bare writer", engine, "jobs/s", bare, "bare", at_least=0.6),
        compared("engine jobs/s vs huey", engine, "jobs/s", huey, "huey", at_least=2.0),
    ]
