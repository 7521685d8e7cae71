"""Settle the runs and machines of a station that is gone, by the database's clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, select

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Fenced
from cnc_station.engine.domain.machine import STATION_GONE
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.domain.states import MachineState, RunState
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.store.moves import MoveRun
from cnc_station.engine.store.schema import job, live_run, machine, run, station
from cnc_station.engine.store.stations import leads
from cnc_station.engine.store.transaction import StoreCommand, Tx

MOST_AT_ONCE = 500
ACTOR = "reaper"


@dataclass(frozen=True, slots=True)
class Reap(StoreCommand[int]):
    """Settle every run whose lease has ended; only by the leader. Returns their number.

    Handlers and the drivers in `retried`, which cut nothing, may be retried. An idle machine of a
    station that has left, or was silent for `silence_s`, goes offline: no job may be forecast for
    it. Raises Fenced if this station no longer leads in `term`.
    """

    incarnation: str
    term: int
    retried: frozenset[str]
    retry: RetryPolicy
    silence_s: float

    @classmethod
    def apply(cls, tx: Tx, commands: Sequence["Reap"]) -> list[int | Exception]:
        return [_reap(tx, command) for command in commands]


EXPIRED: Select[Any] = (
    select(
        run.c.id,
        run.c.token,
        run.c.job_id,
        run.c.machine_id,
        run.c.state,
        job.c.failures,
        job.c.retry_limit,
        machine.c.driver,
    )
    .join(job, job.c.id == run.c.job_id)
    .join(machine, machine.c.id == run.c.machine_id, isouter=True)
    .where(live_run, run.c.lease_until < bindparam("now", type_=BigInteger))
    .order_by(run.c.machine_id)  # the order of an index of live runs
    .limit(MOST_AT_ONCE)
    .with_for_update(of=run, skip_locked=True)
)

LEFT_IDLE: Select[Any] = (
    select(machine.c.id)
    .join(station, station.c.name == machine.c.station)
    .where(machine.c.state == MachineState.IDLE.value, ~machine.c.removed)
    .where(station.c.name != bindparam("own"))
    .where(
        station.c.left_at.is_not(None)
        | (station.c.heard_at < bindparam("heard_before", type_=BigInteger))
    )
    .order_by(machine.c.id)
    .limit(MOST_AT_ONCE)
)


def _reap(tx: Tx, command: Reap) -> int | Exception:
    if not leads(tx, command.incarnation, command.term):
        return Fenced("another station leads")
    expired = tx.connection.execute(EXPIRED, {"now": tx.now})
    by_transition: dict[str, list[MoveRun]] = {}
    count = 0
    for row in expired:
        count += 1
        move = _move(row, command)
        by_transition.setdefault(move.transition.name, []).append(move)
    for moves in by_transition.values():
        MoveRun.apply(tx, moves)
    heard_before = tx.now - round(command.silence_s * 1000)
    left = tx.connection.execute(LEFT_IDLE, {"own": tx.station, "heard_before": heard_before})
    MoveMachine.apply(
        tx, [MoveMachine((t.DISCONNECTED,), row.id, ACTOR, STATION_GONE) for row in left]
    )
    return count


def _move(row: Any, command: Reap) -> MoveRun:
    failures = row.failures + 1
    backoff_s = 0.0
    if row.state == RunState.ASSIGNED:
        transition = t.LOST_RETURNED
    elif row.machine_id is not None and row.driver not in command.retried:
        transition = t.LOST_INTERRUPTED
    elif failures > command.retry.limit(row.retry_limit, automation=row.machine_id is None):
        transition = t.LOST_FINAL
    else:
        transition = t.LOST_RETRY
        backoff_s = command.retry.backoff_s(failures, 0.0)
    return MoveRun(
        transition,
        row.id,
        row.token,
        row.job_id,
        row.machine_id,
        ACTOR,
        reason=STATION_GONE,
        backoff_s=backoff_s,
        part_on_it=transition is t.LOST_INTERRUPTED,
    )
