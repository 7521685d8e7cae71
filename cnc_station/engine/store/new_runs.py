"""New runs: the rows that a claim writes, and what the session of a run needs to know."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.matching import Match
from cnc_station.engine.store.claim_statements import (
    FOR_MATCHING,
    job_statement,
    machine_statement,
)
from cnc_station.engine.store.dialect import packed
from cnc_station.engine.store.schema import run
from cnc_station.engine.store.transaction import Tx

RUNS_AHEAD = 50  # numbers fetched with those that are needed: a claim then asks once less


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
    parts_done: int = 0  # as written, of a run that is taken up again
    handler: str = ""  # of a run without a machine, with the payload of its job
    payload: str = "{}"


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
    claimed = tuple(
        _claimed(run_id, m, rows[m.job_id], by_hand[m.machine_id])
        for run_id, m in zip(run_ids, matches, strict=True)
    )
    return write_runs(tx, claimed, [m.why for m in matches], lease_ms)


def write_runs(
    tx: Tx, claimed: Sequence[Claimed], whys: Sequence[str], lease_ms: int
) -> tuple[Claimed, ...]:
    """Write new runs with their jobs, machines and events; `whys` are the reasons of the
    matches."""
    now = {"now": tx.now}
    tx.defer(job_statement(tx.dialect), {"item": packed([_job(c) for c in claimed]), **now})
    if machines := [_machine(c) for c in claimed if c.machine_id is not None]:
        tx.defer(machine_statement(tx.dialect), {"item": packed(machines), **now})
    tx.defer_insert(run, [_run_row(tx, c, lease_ms) for c in claimed])
    for c, why in zip(claimed, whys, strict=True):
        _record(tx, t.ASSIGNED, c, "dispatcher", why)
        if c.begun:
            _record(tx, t.STARTED, c, "runner", "")
    return tuple(claimed)


def titled(name: str, operation: str) -> str:
    """A job as people call it."""
    return f"{name} · {operation}" if operation else name


def _claimed(run_id: int, matched: Match, row: Sequence[Any], by_hand: Sequence[bool]) -> Claimed:
    name, operation, token, attempt, *more = row[len(FOR_MATCHING) :]
    told = (
        run_id,
        token + 1,
        matched.job_id,
        matched.machine_id,
        titled(name, operation),
        attempt + 1,
    )
    return Claimed(*told, *more, *by_hand)


def _states(row: t.Transition) -> tuple[str, str, str]:
    assert row.job is not None
    assert row.run is not None
    assert row.machine is not None
    assert row.job.target is not None
    assert row.run.target is not None
    assert row.machine.target is not None
    return row.job.target.value, row.run.target.value, row.machine.target.value


_STATES = {row.name: _states(row) for row in (t.ASSIGNED, t.STARTED)}


def _come_to(claimed: Claimed) -> tuple[str, str, str]:
    return _STATES[t.STARTED.name if claimed.begun else t.ASSIGNED.name]


def _job(c: Claimed) -> list[Any]:
    return [c.job_id, c.machine_id, c.run_id, c.token, c.attempt, _come_to(c)[0]]


def _machine(c: Claimed) -> list[Any]:
    """Its last program and material are those of the last run that has begun."""
    loaded = [c.program, c.material] if c.begun else [None, None]
    return [c.machine_id, c.job_id, c.run_id, _come_to(c)[2], *loaded]


def _run_row(tx: Tx, claimed: Claimed, lease_ms: int) -> dict[str, Any]:
    return {
        "id": claimed.run_id,
        "job_id": claimed.job_id,
        "machine_id": claimed.machine_id,
        "station": tx.station,
        "attempt": claimed.attempt,
        "state": _come_to(claimed)[1],
        "token": claimed.token,
        "lease_until": tx.now + lease_ms,
        "assigned_at": tx.now,
        "started_at": tx.now if claimed.begun else None,
        "ended_at": None,
        "error": "",
    }


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
