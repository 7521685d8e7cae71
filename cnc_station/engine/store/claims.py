"""The claims of a station: every idle machine gets the best job for it, in one transaction; and
handlers get the jobs that need no machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, Text, bindparam, case, exists, select, true

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.job import NO_MACHINE
from cnc_station.engine.domain.machine import Capability, Envelope, Need
from cnc_station.engine.domain.matching import Candidate, FreeMachine, by_capability, match
from cnc_station.engine.store.claim_statements import (
    FOR_MATCHING,
    FOR_SESSION,
    IDLE,
    MOST_PINNED,
    not_replaced,
    offer_statement,
    pinned_statement,
)
from cnc_station.engine.store.dialect import Dialect, packed
from cnc_station.engine.store.new_runs import RUNS_AHEAD, Claimed, assign, write_runs
from cnc_station.engine.store.prepared import TransactionPreload
from cnc_station.engine.store.schema import job, queued, run
from cnc_station.engine.store.transaction import OneByOne, StoreCommand, Tx
from cnc_station.engine.views import job_title


@dataclass(frozen=True, slots=True)
class Claim(StoreCommand[tuple[Claimed, ...]]):
    """Match the waiting jobs to all idle, clear, ready machines of this station except
    `except_machines`, which it still drives: a run that was taken from it must stop first. An
    `incarnation` that was replaced gets nothing.

    Returns the new runs, `at_most` so many: fewer than that and than machines means that nothing is
    left to match. On the machines `begins_with_claim`, which load nothing and wait for nobody, the
    start is written with the claim.
    """

    lease_s: float
    except_machines: frozenset[int] = frozenset()
    incarnation: str = ""
    begins_with_claim: frozenset[int] = frozenset()
    at_most: int | None = None

    @classmethod
    def preload(cls, station: str, commands: Sequence["Claim"]) -> TransactionPreload:
        return TransactionPreload(questions={IDLE: _own(station, commands[0])})

    @classmethod
    def apply(cls, tx: Tx, commands: Sequence["Claim"]) -> list[tuple[Claimed, ...] | Exception]:
        """Claim once, for the first command; the others share its result."""
        busy = frozenset().union(*(command.except_machines for command in commands))
        first = commands[0]
        idle = tx.ask(IDLE, _own(tx.station, first)).fetchall()
        free = [
            FreeMachine(row[0], _capability(*row[6:-1]), *row[3:6])
            for row in idle
            if row[0] not in busy
        ]
        by_hand = {
            machine_id: (
                bool(starts),
                bool(clears),
                machine_id in first.begins_with_claim and not starts,
            )
            for machine_id, starts, clears, *_ in idle
        }
        any_pinned = bool(idle and idle[0][-1])
        lease_ms = round(first.lease_s * 1000)
        wanted = len(free) if first.at_most is None else min(len(free), first.at_most)
        claimed: list[Claimed] = []
        while len(claimed) < wanted:
            tx.flush()
            pinned = _pinned(tx, free) if any_pinned else ()
            matched, exhausted = _match_once(
                tx, free, pinned, by_hand, lease_ms, wanted - len(claimed)
            )
            claimed += matched
            if exhausted:
                break
            taken = {one.machine_id for one in matched}
            free = [one for one in free if one.machine_id not in taken]
        return [tuple(claimed), *(() for _ in commands[1:])]


def _own(station: str, command: Claim) -> dict[str, str]:
    return {"station": station, "incarnation": command.incarnation}


def _match_once(
    tx: Tx,
    free: Sequence[FreeMachine],
    pinned: Sequence[Sequence[Any]],
    by_hand: Mapping[int, Sequence[bool]],
    lease_ms: int,
    wanted: int,
) -> tuple[tuple[Claimed, ...], bool]:
    """Match once. Return the new runs, and whether nothing is left to match."""
    rows: dict[int, Sequence[Any]] = {}
    counts = {one: min(len(group), wanted) for one, group in by_capability(free).items()}
    with tx.pipeline():
        asked = {one: _offer(tx, one, count) for one, count in counts.items()}
    offers = {one: _candidates(rows, found.fetchall()) for one, found in asked.items()}
    matches = match(free, offers, _candidates(rows, pinned), wanted)
    if not matches:
        return (), True
    whole = all(len(offers[capability]) < count for capability, count in counts.items())
    exhausted = len(matches) == len(free) or (whole and len(pinned) < MOST_PINNED)
    return assign(tx, matches, rows, by_hand, lease_ms), exhausted


def _pinned(tx: Tx, free: Sequence[FreeMachine]) -> Sequence[Sequence[Any]]:
    """Return the claimable jobs that are pinned to one of these machines."""
    machines = packed([[one.machine_id] for one in free])
    found: Sequence[Sequence[Any]]
    found = tx.ask(pinned_statement(tx.dialect), {"item": machines}).fetchall()
    return found


def _offer(tx: Tx, capability: Capability, count: int) -> Any:
    """Query the first `count` claimable jobs that fit the capability, in rank order."""
    size = capability.envelope or Envelope(1e9, 1e9, 1e9)
    materials = packed([[name] for name in sorted(capability.materials)])
    return tx.ask(
        offer_statement(tx.dialect, any_material=not capability.materials),
        {
            "machine_type": capability.machine_type,
            "complexity": capability.max_complexity,
            "axes": capability.axes,
            "x": size.x,
            "y": size.y,
            "z": size.z,
            "count": count,
            **({"materials": materials} if capability.materials else {}),
        },
    )


def _candidates(rows: dict[int, Sequence[Any]], found: Sequence[Sequence[Any]]) -> list[Candidate]:
    candidates = []
    for row in found:
        # By position: access by name costs twenty times as much, and there are thousands of rows.
        job_id, rank, program, pinned, *need = row[: len(FOR_MATCHING)]
        rows[job_id] = row
        candidates.append(Candidate(job_id, rank, _need(*need), program or "", pinned))
    return candidates


@lru_cache(maxsize=4096)
def _need(machine_type: str, complexity: int, material: str, axes: int, *size: float) -> Need:
    """Cached: the jobs of a shop are much alike."""
    return Need(machine_type, complexity, material, axes, _envelope(*size))


class ServedJobs(NamedTuple):
    """Jobs that a station runs: those for a handler, or only those whose payload has this `value`
    in `field`."""

    handler: str
    field: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimForHandlers(OneByOne[tuple[Claimed, ...]]):
    """Claim the first `free` waiting jobs of those `served` here, in rank order; their runs are
    started. An `incarnation` that was replaced gets nothing."""

    lease_s: float
    served: frozenset[ServedJobs]
    free: int
    incarnation: str = ""

    def write(self, tx: Tx) -> tuple[Claimed, ...]:
        tx.flush()
        asked = {
            "served": packed(sorted(self.served, key=str)),
            "count": self.free,
            "station": tx.station,
            "incarnation": self.incarnation,
        }
        narrowed = any(one.field is not None for one in self.served)
        found = tx.ask(_handler_statement(tx.dialect, narrowed=narrowed), asked).fetchall()
        if not found:
            return ()
        run_ids = tx.dialect.reserve(tx.connection, run, len(found), ahead=RUNS_AHEAD)
        claimed = []
        for run_id, row in zip(run_ids, found, strict=True):
            (
                job_id,
                name,
                operation,
                token,
                attempt,
                queued_at,
                *more,
                handler,
                payload,
                created_at,
            ) = row
            new = (run_id, token + 1, job_id, None, job_title(name, operation), attempt + 1)
            new_run = Claimed(*new, *more)
            own = {"handler": handler, "payload": payload, "created_at": created_at}
            waited_s = (tx.now - queued_at) / 1000
            claimed.append(new_run._replace(begun=True, waited_s=waited_s, **own))
        lease_ms = round(self.lease_s * 1000)
        return write_runs(tx, claimed, ["a worker slot is free"] * len(claimed), lease_ms)


@cache
def _handler_statement(dialect: Dialect, *, narrowed: bool) -> Select[Any]:
    """These jobs are in the index of ready jobs under no machine type: claims for machines never
    scan them, nor these claims jobs for machines. `narrowed`: payloads are compared too."""
    served = dialect.items("served", handler=Text, field=Text, value=Text)
    fits: ColumnElement[bool] = job.c.handler.in_(select(served.c.handler))
    if narrowed:
        value = dialect.text_in_json(job.c.payload, served.c.field)
        of_payload = case((served.c.field.is_(None), true()), else_=value == served.c.value)
        fits = exists().where(served.c.handler == job.c.handler, of_payload)
    return (
        select(job.c.id, *FOR_SESSION, job.c.handler, job.c.payload, job.c.created_at)
        .where(queued, job.c.pinned_machine_id.is_(None), not_replaced)
        .where(job.c.machine_type == NO_MACHINE, fits)
        .order_by(job.c.rank, job.c.id)
        .limit(bindparam("count"))
        .with_for_update(skip_locked=True, of=job)
    )


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
    """Cached: every claim reads every idle machine."""
    names = frozenset(name.lower() for name in json_text.stored(materials, ()))
    return Capability(machine_type, complexity, names, axes, _envelope(*size))
