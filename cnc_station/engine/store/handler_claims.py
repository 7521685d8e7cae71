"""The claim for handlers: jobs that need no machine, for the free worker slots of a station."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, Text, bindparam, select

from cnc_station.engine.domain.job import NO_MACHINE
from cnc_station.engine.store.claim_statements import FOR_SESSION, not_replaced
from cnc_station.engine.store.dialect import Dialect, packed
from cnc_station.engine.store.new_runs import RUNS_AHEAD, Claimed, write_runs
from cnc_station.engine.store.schema import job, queued, run
from cnc_station.engine.store.transaction import OneByOne, Tx
from cnc_station.engine.views import job_title


@dataclass(frozen=True, slots=True)
class ClaimForHandlers(OneByOne[tuple[Claimed, ...]]):
    """Claim the first `free` waiting jobs for these `handlers`, in rank order; their runs are
    started. An `incarnation` that was replaced gets nothing."""

    lease_s: float
    handlers: frozenset[str]
    free: int
    incarnation: str = ""

    def write(self, tx: Tx) -> tuple[Claimed, ...]:
        tx.flush()
        asked = {
            "handlers": packed([[name] for name in sorted(self.handlers)]),
            "count": self.free,
            "station": tx.station,
            "incarnation": self.incarnation,
        }
        found = tx.ask(_offer_statement(tx.dialect), asked).fetchall()
        if not found:
            return ()
        run_ids = tx.dialect.reserve(tx.connection, run, len(found), ahead=RUNS_AHEAD)
        claimed = []
        for run_id, row in zip(run_ids, found, strict=True):
            job_id, name, operation, token, attempt, *more, handler, payload = row
            new = (run_id, token + 1, job_id, None, job_title(name, operation), attempt + 1)
            new_run = Claimed(*new, *more)
            claimed.append(new_run._replace(begun=True, handler=handler, payload=payload))
        lease_ms = round(self.lease_s * 1000)
        return write_runs(tx, claimed, ["a worker slot is free"] * len(claimed), lease_ms)


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
