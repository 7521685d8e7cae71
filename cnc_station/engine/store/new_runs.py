"""New runs: the rows that a claim writes, and what the session of a run needs to know."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.matching import Match
from cnc_station.engine.store.claim_statements import FOR_MATCHING, job_statement, machine_statement
from cnc_station.engine.store.dialect import packed
from cnc_station.engine.store.schema import job, run
from cnc_station.engine.store.transaction import Tx
from cnc_station.engine.views import job_title

_MACHINE_TYPE = FOR_MATCHING.index(job.c.machine_type)
RUNS_AHEAD = 50  # run ids fetched in advance: saves most claims a query


class Claimed(NamedTuple):
    """A new run with everything that its session needs. `token` proves the right to write; `begun`:
    its start is already written. A tuple for speed, like the values of `matching`."""

    run_id: int
    token: int
    job_id: int
    machine_id: int | None
    name: str
    attempt: int
    failures: int
    retry_limit: int | None
    timeout_s: float | None
    complexity: int
    quantity: int
    estimated_s: float
    program: str
    material: str
    trace_id: str
    tenant: str = ""
    operator_starts: bool = False
    operator_clears: bool = False
    begun: bool = False
    machine_type: str = ""
    waited_s: float = 0.0  # from when it could be claimed to its claim
    parts_done: int = 0  # of a reattached run
    handler: str = ""  # of a run without a machine, with `payload` and `created_at` of its job
    payload: str = "{}"
    created_at: int = 0


def assign(
    tx: Tx,
    matches: Sequence[Match],
    rows: Mapping[int, Sequence[Any]],
    by_hand: Mapping[int, Sequence[bool]],
    lease_ms: int,
) -> tuple[Claimed, ...]:
    """Write the runs of these matches; their jobs and machines are locked by this transaction.

    `rows` are the job rows as the claim read them; `by_hand` tells for each machine whether its
    operator starts and clears it, and whether the run has begun.
    """
    run_ids = tx.dialect.reserve(tx.connection, run, len(matches), ahead=RUNS_AHEAD)
    claimed = []
    for run_id, (job_id, machine_id, _) in zip(run_ids, matches, strict=True):
        row = rows[job_id]
        name, operation, token, attempt, queued_at, *more = row[len(FOR_MATCHING) :]
        new = (run_id, token + 1, job_id, machine_id, job_title(name, operation), attempt + 1)
        waited_s = (tx.now - queued_at) / 1000
        more += [*by_hand[machine_id], row[_MACHINE_TYPE], waited_s]
        claimed.append(Claimed(*new, *more))
    return write_runs(tx, claimed, [m.why for m in matches], lease_ms)


def write_runs(
    tx: Tx, claimed: Sequence[Claimed], reasons: Sequence[str], lease_ms: int
) -> tuple[Claimed, ...]:
    """Write new runs with their jobs, machines and events; `reasons` are those of the matches."""
    jobs, machines, runs = [], [], []
    for c in claimed:
        job_state, run_state, machine_state = _STATES[(t.STARTED if c.begun else t.ASSIGNED).name]
        jobs.append([c.job_id, c.machine_id, c.run_id, c.token, c.attempt, job_state])
        runs.append(
            {
                "id": c.run_id,
                "job_id": c.job_id,
                "machine_id": c.machine_id,
                "station": tx.station,
                "attempt": c.attempt,
                "state": run_state,
                "token": c.token,
                "lease_until": tx.now + lease_ms,
                "assigned_at": tx.now,
                "started_at": tx.now if c.begun else None,
                "ended_at": None,
                "error": "",
            }
        )
        if c.machine_id is not None:
            # A machine's last program and material are those of the last run that has begun.
            loaded = [c.program, c.material] if c.begun else [None, None]
            machines.append([c.machine_id, c.job_id, c.run_id, machine_state, *loaded])
    tx.defer(job_statement(tx.dialect), {"item": packed(jobs), "now": tx.now})
    if machines:
        tx.defer(machine_statement(tx.dialect), {"item": packed(machines), "now": tx.now})
    tx.defer_insert(run, runs)
    for c, reason in zip(claimed, reasons, strict=True):
        _record(tx, t.ASSIGNED, c, "dispatcher", reason)
        if c.begun:
            _record(tx, t.STARTED, c, "runner", "")
    return tuple(claimed)


def _states(row: t.Transition) -> tuple[str, str, str]:
    assert row.job is not None
    assert row.run is not None
    assert row.machine is not None
    assert row.job.target is not None
    assert row.run.target is not None
    assert row.machine.target is not None
    return row.job.target.value, row.run.target.value, row.machine.target.value


_STATES = {row.name: _states(row) for row in (t.ASSIGNED, t.STARTED)}


def _record(tx: Tx, row: t.Transition, c: Claimed, actor: str, reason: str) -> None:
    job_state, run_state, machine_state = _STATES[row.name]
    tx.record(
        row,
        actor=actor,
        job_id=c.job_id,
        run_id=c.run_id,
        machine_id=c.machine_id,
        job_state=job_state,
        run_state=run_state,
        machine_state=None if c.machine_id is None else machine_state,
        trace_id=c.trace_id,
        reason=reason,
        tenant=c.tenant,
    )
