"""The claim for handlers: jobs that need no machine, for the free worker slots of a station."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, Text, bindparam, select

from cnc_station.engine.domain.job import NO_MACHINE
from cnc_station.engine.store.claim_statements import FOR_SESSION, not_replaced
from cnc_station.engine.store.dialect import Dialect, packed
from cnc_station.engine.store.new_runs import RUNS_AHEAD, Claimed, titled, write_runs
from cnc_station.engine.store.schema import job, queued, run
from cnc_station.engine.store.transaction import StoreCommand, Tx


@dataclass(frozen=True, slots=True)
class ClaimForHandlers(StoreCommand[tuple[Claimed, ...]]):
    """Claim the first `free` waiting jobs for these `handlers`, in rank order; their runs are
    started. An `incarnation` that was replaced gets nothing."""

    lease_s: float
    handlers: frozenset[str]
    free: int
    incarnation: str = ""

    @property
    def touches(self) -> Sequence[Hashable] | None:
        """Any waiting job."""
        return None

    @classmethod
    def apply(
        cls, tx: Tx, changes: Sequence["ClaimForHandlers"]
    ) -> list[tuple[Claimed, ...] | Exception]:
        return [_claim(tx, change) for change in changes]


@cache
def _offer_statement(dialect: Dialect) -> Select[Any]:
    """These jobs are in the index of ready jobs under no machine type: claims for machines never
    scan them, nor these claims jobs for machines."""
    handlers = dialect.items("handlers", handler=Text)
    return (
        select(job.c.id, *FOR_SESSION, job.c.handler, job.c.payload)
        .where(queued, job.c.pinned_machine_id.is_(None), not_replaced)
        .where(job.c.machine_type == NO_MACHINE, job.c.handler.in_(select(handlers.c.handler)))
        .order_by(job.c.rank, job.c.id)
        .limit(bindparam("count"))
        .with_for_update(skip_locked=True, of=job)
    )


def _claim(tx: Tx, change: ClaimForHandlers) -> tuple[Claimed, ...]:
    tx.flush()
    asked = {
        "handlers": packed([[name] for name in sorted(change.handlers)]),
        "count": change.free,
        "station": tx.station,
        "incarnation": change.incarnation,
    }
    found = tx.ask(_offer_statement(tx.dialect), asked).fetchall()
    if not found:
        return ()
    run_ids = tx.dialect.reserve(tx.connection, run, len(found), ahead=RUNS_AHEAD)
    claimed = [_claimed(run_id, row) for run_id, row in zip(run_ids, found, strict=True)]
    lease_ms = round(change.lease_s * 1000)
    return write_runs(tx, claimed, ["a worker slot is free"] * len(claimed), lease_ms)


def _claimed(run_id: int, row: Sequence[Any]) -> Claimed:
    job_id, name, operation, token, attempt, *more, handler, payload = row
    told = (run_id, token + 1, job_id, None, titled(name, operation), attempt + 1)
    return Claimed(*told, *more)._replace(begun=True, handler=handler, payload=payload)
