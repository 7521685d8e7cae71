"""The engine's rows on PostgreSQL by hand, many with each statement: what no station can avoid.

The engine's own schema, but no matching, no guards, no drivers, no answers, no signals. Whoever
calls opens and commits the transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

Client = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Runs:
    """A column each: the job and the machine of a run stand in its place."""

    ids: Sequence[int]
    jobs: Sequence[int]
    machines: Sequence[int]


def add_machines(client: Client, count: int) -> None:
    """Idle mills, from 1 on in a fresh database."""
    client.execute(_MACHINES, (count,))


def add_jobs(client: Client, count: int) -> None:
    """Waiting no-op jobs for them, from 1 on as well."""
    client.execute(_JOBS, (count,))


def take(client: Client, count: int) -> list[int]:
    """Lock the first so many jobs that wait for a mill; fewer where there are no more."""
    return [job for (job,) in client.execute(_TAKE, (count,))]


def add_runs(
    client: Client, state: str, jobs: Sequence[int], machines: Sequence[int]
) -> psycopg.Cursor[tuple[Any, ...]]:
    """The cursor holds their ids; in a pipeline they are not here yet."""
    return client.execute(_ADD_RUNS, (state, jobs, machines))


def assign(client: Client, count: int) -> Runs:
    """The first so many jobs to the machines from 1 on; fewer where there are no more."""
    jobs = take(client, count)
    machines = range(1, len(jobs) + 1)
    ids = [run for (run,) in add_runs(client, "assigned", jobs, list(machines))]
    runs = Runs(ids, jobs, list(machines))
    move(client, "assigned", ("assigned", "assigned"), runs)
    return runs


def move_runs(client: Client, state: str, runs: Runs) -> None:
    """The runs alone."""
    client.execute(_MOVE_RUNS, (state, runs.ids))


def move(client: Client, name: str, states: tuple[str, str], runs: Runs) -> None:
    """Their jobs and machines come to these states, with an event for each run."""
    job, machine = states
    client.execute(_MOVE_JOBS, (job, runs.jobs, runs.machines, runs.ids))
    client.execute(_MOVE_MACHINES, (machine, runs.jobs, runs.machines, runs.ids))
    record(client, name, states, runs)


def record(client: Client, name: str, states: tuple[str, str], runs: Runs) -> None:
    """The events alone."""
    client.execute(_EVENTS, (name, *states, runs.jobs, runs.machines, runs.ids))


_MACHINES = """INSERT INTO machine (version, name, machine_type, model, driver, max_complexity,
 materials, axes, operator_clears, settings, station, state, state_since, state_reason,
 maintenance_due, removed, runs_done, run_seconds, last_program, last_material)
 SELECT 1, 'M' || n, 'mill', '', 'simulator', 5, '[]', 3, false, '{}', 'bench', 'idle', 0, '',
 false, false, 0, 0.0, '', '' FROM generate_series(1, %s) n"""
_JOBS = """INSERT INTO job (version, trace_id, name, work_order, operation, tenant, machine_type,
 complexity, material, axes, priority, quantity, estimated_s, handler, payload, state, state_since,
 rank, not_before, blocked, token, attempt, failures, last_error, created_at, search)
 SELECT 1, md5(n::text), 'no-op', '', '', '', 'mill', 1, '', 1, 0, 1, 0.0, 'machine.program', '{}',
 'queued', 0, n, 0, false, 0, 0, 0, '', 0, 'no-op' FROM generate_series(1, %s) n"""
_TAKE = """SELECT id FROM job
 WHERE state = 'queued' AND pinned_machine_id IS NULL AND machine_type = 'mill'
 ORDER BY rank, id LIMIT %s FOR UPDATE SKIP LOCKED"""
_ADD_RUNS = """INSERT INTO run (job_id, machine_id, station, attempt, state, token, lease_until,
 assigned_at, error) SELECT j, m, 'bench', 1, %s, 1, 0, 0, ''
 FROM unnest(%s::bigint[], %s::bigint[]) x (j, m) RETURNING id"""
_MOVE_RUNS = "UPDATE run SET state = %s WHERE id = ANY(%s)"
_MOVE_JOBS = """UPDATE job SET state = %s, version = version + 1, machine_id = x.m, run_id = x.r
 FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) x (j, m, r) WHERE id = x.j"""
_MOVE_MACHINES = """UPDATE machine SET state = %s, version = version + 1, job_id = x.j,
 run_id = x.r FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) x (j, m, r) WHERE id = x.m"""
_EVENTS = """INSERT INTO event (at, type, job_state, machine_state, job_id, machine_id, run_id,
 actor, station, trace_id, reason) SELECT 0, %s, %s, %s, j, m, r, 'bench', 'bench', 'trace', ''
 FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) x (j, m, r)"""
