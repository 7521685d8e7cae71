"""The bare writer: the rows of the engine by hand, as a careful programmer would write them.

The engine's own schema and every column, four events a job, transactions of the size of the
fleet, foreign keys, and every step guarded by the state that it leaves, its answer read. It knows
beforehand what will happen: no queue to match, no drivers, nobody to answer.
"""

import json
import sqlite3
import time
import uuid
from contextlib import closing

from tests.benchmarks.shop import fill, folder


def bare_rate(jobs: int, machines: int, together: int) -> float:
    """Jobs per second, `together` of them created in one transaction."""
    with folder() as path:
        fill(path, 0, machines)
        with closing(sqlite3.connect(path / "station.db", isolation_level=None)) as db:
            for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                db.execute(f"PRAGMA {setting}")
            begun = time.perf_counter()
            for first in range(1, jobs + 1, together):
                _create(db, range(first, min(first + together, jobs + 1)))
            for first in range(1, jobs + 1, machines):
                _run(db, range(first, min(first + machines, jobs + 1)))
            return jobs / (time.perf_counter() - begun)


_JOB = """INSERT INTO job (id, version, trace_id, name, work_order, operation, tenant, machine_type,
 complexity, material, axes, priority, quantity, estimated_s, handler, payload, state, state_since,
 rank, not_before, blocked, token, attempt, failures, last_error, created_at, search)
 VALUES (?, 1, ?, 'no-op', '', '', '', 'mill', 1, '', 1, 0, 1, 0.0, 'machine.program', '{}',
 'queued', ?, ?, ?, 0, 0, 0, 0, '', ?, 'no-op')"""
_EVENT = """INSERT INTO event (at, type, job_id, run_id, machine_id, job_state, run_state,
 machine_state, actor, station, trace_id, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'benchmark',
 'bench', ?, '')"""
_NEW_RUN = """INSERT INTO run (id, job_id, machine_id, station, attempt, state, token, lease_until,
 assigned_at, error) VALUES (?, ?, ?, 'bench', 1, 'assigned', 1, ?, ?, '')"""


def bare_round(db: sqlite3.Connection, machines: int) -> None:
    """The first so many jobs that wait are given to the machines 1, 2, 3 …: all of them with one
    statement for each table, which takes half the time of a statement for each row."""
    now = time.time_ns() // 1_000_000
    db.execute("BEGIN IMMEDIATE")
    (last,) = db.execute("SELECT coalesce(max(id), 0) FROM run").fetchone()
    jobs = db.execute(_FIRST, (machines,)).fetchall()
    runs = json.dumps([(job, n, last + n) for n, (job,) in enumerate(jobs, start=1)])
    for statement, values in (
        (_ASSIGN_JOBS, (now, runs)),
        (_ASSIGN_MACHINES, (now, runs)),
        (_NEW_RUNS, (now + 30_000, now, runs)),
        (_ASSIGNED, (now, runs)),
    ):
        if db.execute(statement, values).rowcount != machines:
            raise AssertionError(f"refused: {statement}")
    db.execute("COMMIT")


def _create(db: sqlite3.Connection, ids: range) -> None:
    now = time.time_ns() // 1_000_000
    db.execute("BEGIN IMMEDIATE")
    db.executemany(_JOB, [(i, uuid.uuid4().hex, now, now + i / 1000, now, now) for i in ids])
    db.executemany(
        _EVENT, [(now, "created", i, None, None, "queued", None, None, "trace") for i in ids]
    )
    db.execute("COMMIT")


def _run(db: sqlite3.Connection, ids: range) -> None:
    pairs = [(job_id, machine_id) for machine_id, job_id in enumerate(ids, start=1)]
    for name in ("assigned", "started", "completed"):
        now = time.time_ns() // 1_000_000
        db.execute("BEGIN IMMEDIATE")
        for job_id, machine_id in pairs:
            _STEPS[name](db, now, job_id, machine_id)
        db.execute("COMMIT")


def _assign(db: sqlite3.Connection, now: int, job: int, machine: int) -> None:
    _moved(db, _ASSIGN_JOB, (now, machine, job, job))
    _moved(db, _ASSIGN_MACHINE, (now, job, job, machine))
    db.execute(_NEW_RUN, (job, job, machine, now + 30_000, now))
    db.execute(_EVENT, (now, "assigned", job, job, machine, *["assigned"] * 3, "trace"))


def _start(db: sqlite3.Connection, now: int, job: int, machine: int) -> None:
    _moved(db, _START_RUN, (now, job))
    _moved(db, _START_JOB, (now, job, job))
    _moved(db, _START_MACHINE, (now, machine, job))
    db.execute(_EVENT, (now, "started", job, job, machine, *["running"] * 3, "trace"))


def _complete(db: sqlite3.Connection, now: int, job: int, machine: int) -> None:
    _moved(db, _END_RUN, (now, job))
    _moved(db, _END_JOB, (now, now, job, job))
    _moved(db, _END_MACHINE, (now, machine, job))
    states = ("completed", "succeeded", "idle")
    db.execute(_EVENT, (now, "completed", job, job, machine, *states, "trace"))


def _moved(db: sqlite3.Connection, statement: str, values: tuple[int, ...]) -> None:
    if len(db.execute(statement, values).fetchall()) != 1:
        raise AssertionError(f"refused: {statement}")


_STEPS = {"assigned": _assign, "started": _start, "completed": _complete}
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

_FIRST = """SELECT id FROM job
 WHERE state = 'queued' AND pinned_machine_id IS NULL AND machine_type = 'mill'
 ORDER BY rank, id LIMIT ?"""
_GIVEN = """(SELECT json_extract(value, '$[0]') AS j, json_extract(value, '$[1]') AS m,
 json_extract(value, '$[2]') AS r FROM json_each(?)) AS x"""
_ASSIGN_JOBS = f"""UPDATE job SET state = 'assigned', state_since = ?, version = version + 1,
 machine_id = m, run_id = r, token = token + 1, attempt = attempt + 1
 FROM {_GIVEN} WHERE id = j AND state = 'queued'"""
_ASSIGN_MACHINES = f"""UPDATE machine SET state = 'assigned', state_since = ?, state_reason = '',
 version = version + 1, job_id = j, run_id = r FROM {_GIVEN} WHERE id = m AND state = 'idle'"""
_NEW_RUNS = f"""INSERT INTO run (id, job_id, machine_id, station, attempt, state, token,
 lease_until, assigned_at, error) SELECT r, j, m, 'bench', 1, 'assigned', 1, ?, ?, ''
 FROM {_GIVEN}"""
_ASSIGNED = f"""INSERT INTO event (at, type, job_id, run_id, machine_id, job_state, run_state,
 machine_state, actor, station, trace_id, reason) SELECT ?, 'assigned', j, r, m, 'assigned',
 'assigned', 'assigned', 'benchmark', 'bench', 'trace', '' FROM {_GIVEN}"""
