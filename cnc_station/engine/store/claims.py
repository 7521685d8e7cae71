"""The claim: every idle machine of a station gets the best job for it, in one transaction."""

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    Text,
    Update,
    bindparam,
    case,
    exists,
    false,
    func,
    literal_column,
    select,
    true,
    update,
)

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
from cnc_station.engine.store.database import Dialect, packed
from cnc_station.engine.store.schema import found_in, job, machine, queued, run, station
from cnc_station.engine.store.transaction import Change, Tx

MOST_PINNED = 1000


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
    idle = tx.connection.execute(_IDLE, own).all()
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
    return tx.connection.execute(_pinned_statement(tx.dialect), {"item": machines}).all()


def _offer(tx: Tx, capability: Capability, count: int) -> Sequence[Row[Any]]:
    """The first `count` claimable jobs that the capability fits, in rank order."""
    size = capability.envelope or Envelope(1e9, 1e9, 1e9)
    return tx.connection.execute(
        _offer_statement(tx.dialect, any_material=not capability.materials),
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
        job_id, rank, program, pinned, *need = row[: len(_FOR_MATCHING)]
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
    tx.later(_job_statement(tx.dialect), {"item": jobs, **now})
    machines = packed([[c.machine_id, c.job_id, c.run_id] for c in claimed])
    tx.later(_machine_statement(tx.dialect), {"item": machines, **now})
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
    told: list[Any] = [*row[len(_FOR_MATCHING) :], *by_hand]
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


def _first(of: ColumnElement[bool], order: ColumnElement[Any]) -> ScalarSelect[Any]:
    query = select(job.c.id).where(queued, of).order_by(order, job.c.rank, job.c.id)
    return query.limit(1).scalar_subquery()


# In the order of an index: a planner that thinks any row will do may walk past all that are done.
_ANY_PINNED = _first(job.c.pinned_machine_id.is_not(None), job.c.pinned_machine_id).is_not(None)
_ANY_WAITS = (
    _first(job.c.pinned_machine_id.is_(None), job.c.machine_type).is_not(None) | _ANY_PINNED
)

_REPLACED = (
    exists()
    .where(station.c.name == bindparam("station"))
    .where(station.c.incarnation != bindparam("incarnation"))
    .where(bindparam("incarnation", type_=Text) != "")
)

_IDLE: Select[Any] = (
    select(
        machine.c.id,
        machine.c.operator_starts,
        machine.c.operator_clears,
        machine.c.last_program,
        machine.c.last_material,
        machine.c.run_seconds,
        machine.c.machine_type,
        machine.c.max_complexity,
        machine.c.materials,
        machine.c.axes,
        machine.c.size_x,
        machine.c.size_y,
        machine.c.size_z,
        _ANY_PINNED,
    )
    .where(_ANY_WAITS, ~_REPLACED)
    .where(machine.c.state == MachineState.IDLE.value, ~machine.c.removed)
    .where(machine.c.not_ready == "")
    .where(machine.c.station == bindparam("station"))
    .order_by(machine.c.id)
    .with_for_update(skip_locked=True)
)

_FOR_MATCHING = (
    job.c.id,
    job.c.rank,
    job.c.program,
    job.c.pinned_machine_id,
    job.c.machine_type,
    job.c.complexity,
    job.c.material,
    job.c.axes,
    job.c.size_x,
    job.c.size_y,
    job.c.size_z,
)
_FOR_RUNNER = (  # from failures on in the order of `Claimed`
    job.c.name,
    job.c.operation,
    job.c.token,
    job.c.attempt,
    job.c.failures,
    job.c.retry_limit,
    job.c.timeout_s,
    job.c.complexity,
    job.c.quantity,
    job.c.estimated_s,
    func.coalesce(job.c.program, literal_column("''")),
    job.c.material,
    job.c.trace_id,
)
_WANTED = (*_FOR_MATCHING, *_FOR_RUNNER)


@cache
def _pinned_statement(dialect: Dialect) -> Select[Any]:
    item = dialect.items("item", machine_id=BigInteger)
    return (
        select(*_WANTED)
        .where(queued, job.c.pinned_machine_id.is_not(None))
        .where(job.c.pinned_machine_id.in_(select(item.c.machine_id)))
        .order_by(job.c.rank, job.c.id)
        .limit(MOST_PINNED)
        .with_for_update(skip_locked=True)
    )


@cache
def _offer_statement(dialect: Dialect, *, any_material: bool) -> Select[Any]:
    query = (
        select(*_WANTED)
        .where(queued, job.c.pinned_machine_id.is_(None))
        .where(job.c.machine_type == bindparam("machine_type"))
        .where(job.c.complexity <= bindparam("complexity"), job.c.axes <= bindparam("axes"))
        .where(func.coalesce(job.c.size_x, 0) <= bindparam("x"))
        .where(func.coalesce(job.c.size_y, 0) <= bindparam("y"))
        .where(func.coalesce(job.c.size_z, 0) <= bindparam("z"))
        .order_by(job.c.rank, job.c.id)
        .limit(bindparam("count"))
        .with_for_update(skip_locked=True)
    )
    if any_material:
        return query
    fits = dialect.lower(job.c.material).in_(bindparam("materials", expanding=True))
    # As a case: planners have no statistics of what lower() gives, take a match for rare, and would
    # sort a type's whole queue instead of walking it in order.
    return query.where(case((fits, true()), else_=false()))


@cache
def _job_statement(dialect: Dialect) -> Update:
    item = dialect.items(
        "item",
        job_id=BigInteger,
        machine_id=BigInteger,
        run_id=BigInteger,
        token=BigInteger,
        attempt=BigInteger,
    )
    return (
        update(job)
        .where(job.c.id == item.c.job_id, found_in(job, [JobState.QUEUED]))
        .values(
            state=JobState.ASSIGNED.value,
            state_since=bindparam("now", type_=BigInteger),
            version=job.c.version + 1,
            machine_id=item.c.machine_id,
            run_id=item.c.run_id,
            token=item.c.token,
            attempt=item.c.attempt,
        )
    )


@cache
def _machine_statement(dialect: Dialect) -> Update:
    item = dialect.items("item", machine_id=BigInteger, job_id=BigInteger, run_id=BigInteger)
    return (
        update(machine)
        .where(machine.c.id == item.c.machine_id)
        .values(
            state=MachineState.ASSIGNED.value,
            state_since=bindparam("now", type_=BigInteger),
            state_reason="",
            version=machine.c.version + 1,
            job_id=item.c.job_id,
            run_id=item.c.run_id,
        )
    )
