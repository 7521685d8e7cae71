"""The claim: every idle machine of a station gets the best job for it, in one transaction."""

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Row

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.machine import Capability, Envelope, Need
from cnc_station.engine.domain.matching import (
    Candidate,
    FreeMachine,
    Match,
    by_capability,
    match,
)
from cnc_station.engine.domain.states import JobState, MachineState, RunState
from cnc_station.engine.store.claim_statements import (
    FOR_MATCHING,
    IDLE,
    MOST_PINNED,
    job_statement,
    machine_statement,
    offer_statement,
    pinned_statement,
)
from cnc_station.engine.store.database import packed
from cnc_station.engine.store.schema import run
from cnc_station.engine.store.transaction import Change, Tx


@dataclass(frozen=True, slots=True)
class Claimed:
    """A new run and all that its runner needs to know. `token` proves the right to write."""

    run_id: int
    token: int
    job_id: int
    machine_id: int
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
    operator_starts: bool = False
    operator_clears: bool = False
    parts_done: int = 0  # as written, of a run that is taken up again


@dataclass(frozen=True, slots=True)
class Claim(Change[tuple[Claimed, ...]]):
    """Match the waiting jobs to all idle, clear, ready machines of this station, but for those
    that it still drives (`except_machines`): a run that was taken from it must have stopped first.
    An `incarnation` whose name another one has taken over gets nothing.

    Answers with the new runs: where there are fewer than machines, there was nothing else for
    them to do.
    """

    lease_s: float
    except_machines: frozenset[int] = frozenset()
    incarnation: str = ""

    @property
    def touches(self) -> Sequence[Hashable] | None:
        """Any waiting job and any idle machine."""
        return None

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["Claim"]) -> list[tuple[Claimed, ...] | Exception]:
        """Matching until nothing is left to match; whoever asked at the same time shares it."""
        busy = frozenset().union(*(change.except_machines for change in changes))
        claimed = _claim(tx, changes[0], busy)
        return [claimed, *(() for _ in changes[1:])]


def _claim(tx: Tx, change: Claim, busy: frozenset[int]) -> tuple[Claimed, ...]:
    own = {"station": tx.station, "incarnation": change.incarnation}
    idle = tx.connection.execute(IDLE, own).all()
    free = [_free_machine(*row[:-1]) for row in idle]
    free = [one for one in free if one.machine_id not in busy]
    by_hand = {row[0]: row[1:3] for row in idle}
    any_pinned = bool(idle and idle[0][-1])
    lease_ms = round(change.lease_s * 1000)
    claimed: list[Claimed] = []
    while free:
        tx.settle()
        pinned = _pinned(tx, free) if any_pinned else ()
        matched, settled = _round(tx, free, pinned, by_hand, lease_ms)
        claimed += matched
        if settled:
            break
        taken = {one.machine_id for one in matched}
        free = [one for one in free if one.machine_id not in taken]
    return tuple(claimed)


def _round(
    tx: Tx,
    free: Sequence[FreeMachine],
    pinned: Sequence[Row[Any]],
    by_hand: Mapping[int, Sequence[bool]],
    lease_ms: int,
) -> tuple[tuple[Claimed, ...], bool]:
    """Match once. Nothing is left when no machine is, or when every job that fits was looked at."""
    rows: dict[int, Row[Any]] = {}
    groups = by_capability(free)
    offers = {
        capability: _candidates(rows, _offer(tx, capability, len(group)))
        for capability, group in groups.items()
    }
    matches = match(free, offers, _candidates(rows, pinned))
    if not matches:
        return (), True
    whole = all(len(offers[capability]) < len(group) for capability, group in groups.items())
    settled = len(matches) == len(free) or (whole and len(pinned) < MOST_PINNED)
    return _assign(tx, matches, rows, by_hand, lease_ms), settled


def _pinned(tx: Tx, free: Sequence[FreeMachine]) -> Sequence[Row[Any]]:
    """The claimable jobs that are meant for one of these machines and no other."""
    machines = packed([[one.machine_id] for one in free])
    return tx.connection.execute(pinned_statement(tx.dialect), {"item": machines}).all()


def _offer(tx: Tx, capability: Capability, count: int) -> Sequence[Row[Any]]:
    """The first `count` claimable jobs that the capability fits, in rank order."""
    size = capability.envelope or Envelope(1e9, 1e9, 1e9)
    return tx.connection.execute(
        offer_statement(tx.dialect, any_material=not capability.materials),
        {
            "machine_type": capability.machine_type,
            "complexity": capability.max_complexity,
            "axes": capability.axes,
            "x": size.x,
            "y": size.y,
            "z": size.z,
            "count": count,
            **({"materials": sorted(capability.materials)} if capability.materials else {}),
        },
    ).all()


def _candidates(rows: dict[int, Row[Any]], found: Sequence[Row[Any]]) -> list[Candidate]:
    candidates = []
    for row in found:
        # By place, here and below: a name costs as much as twenty places, and there are thousands.
        job_id, rank, program, pinned, *need = row[: len(FOR_MATCHING)]
        rows[job_id] = row
        candidates.append(Candidate(job_id, rank, _need(*need), program or "", pinned))
    return candidates


@lru_cache(maxsize=4096)
def _need(machine_type: str, complexity: int, material: str, axes: int, *size: float) -> Need:
    """Made once: a shop's jobs are much alike."""
    return Need(machine_type, complexity, material, axes, _envelope(*size))


def envelope(row: Row[Any]) -> Envelope | None:
    """The size columns of a job or machine row."""
    return _envelope(row.size_x, row.size_y, row.size_z)


def _envelope(x: float | None, y: float, z: float) -> Envelope | None:
    return None if x is None else Envelope(x, y, z)


def capability(row: Row[Any]) -> Capability:
    """The capability columns of a machine row."""
    return _capability(
        row.machine_type,
        row.max_complexity,
        row.materials,
        row.axes,
        row.size_x,
        row.size_y,
        row.size_z,
    )


@lru_cache(maxsize=1024)
def _capability(
    machine_type: str, complexity: int, materials: str, axes: int, *size: float
) -> Capability:
    """Read once: every claim looks at every idle machine."""
    names = frozenset(name.lower() for name in json.loads(materials))
    return Capability(machine_type, complexity, names, axes, _envelope(*size))


def _free_machine(
    machine_id: int,
    _starts: bool,
    _clears: bool,
    last_program: str,
    last_material: str,
    run_seconds: float,
    *able: Any,
) -> FreeMachine:
    return FreeMachine(machine_id, _capability(*able), last_program, last_material, run_seconds)


def _assign(
    tx: Tx,
    matches: Sequence[Match],
    rows: Mapping[int, Row[Any]],
    by_hand: Mapping[int, Sequence[bool]],
    lease_ms: int,
) -> tuple[Claimed, ...]:
    """Runs, jobs and machines together; all three are held by this transaction."""
    run_ids = tx.dialect.reserve(tx.connection, run, len(matches))
    claimed = tuple(
        _claimed(run_id, m, rows[m.job_id], by_hand[m.machine_id])
        for run_id, m in zip(run_ids, matches, strict=True)
    )
    now = {"now": tx.now}
    jobs = packed([[c.job_id, c.machine_id, c.run_id, c.token, c.attempt] for c in claimed])
    tx.later(job_statement(tx.dialect), {"item": jobs, **now})
    machines = packed([[c.machine_id, c.job_id, c.run_id] for c in claimed])
    tx.later(machine_statement(tx.dialect), {"item": machines, **now})
    tx.insert_later(run, [_run_row(tx, c, lease_ms) for c in claimed])
    for c, m in zip(claimed, matches, strict=True):
        tx.record(
            t.ASSIGNED,
            actor="dispatcher",
            job_id=c.job_id,
            run_id=c.run_id,
            machine_id=c.machine_id,
            job_state=JobState.ASSIGNED,
            run_state=RunState.ASSIGNED,
            machine_state=MachineState.ASSIGNED,
            trace_id=c.trace_id,
            reason=m.why,
        )
    return claimed


def _claimed(run_id: int, matched: Match, row: Row[Any], by_hand: Sequence[bool]) -> Claimed:
    told: list[Any] = [*row[len(FOR_MATCHING) :], *by_hand]
    name, operation, token, attempt, *more = told
    return Claimed(
        run_id,
        token + 1,
        matched.job_id,
        matched.machine_id,
        f"{name} · {operation}" if operation else name,
        attempt + 1,
        *more,
    )


def _run_row(tx: Tx, claimed: Claimed, lease_ms: int) -> dict[str, Any]:
    return {
        "id": claimed.run_id,
        "job_id": claimed.job_id,
        "machine_id": claimed.machine_id,
        "station": tx.station,
        "attempt": claimed.attempt,
        "state": RunState.ASSIGNED.value,
        "token": claimed.token,
        "lease_until": tx.now + lease_ms,
        "assigned_at": tx.now,
        "started_at": None,
        "ended_at": None,
        "error": "",
    }
