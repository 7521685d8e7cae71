"""Queue the deliveries of a transaction's events, in that transaction.

The writer keeps in memory which events any endpoint listens to, so that without endpoints an event
costs nothing more. The memory is valid as long as the mark of the database is the same (see
`Dialect.webhook_mark`); a transaction with another mark reads the endpoints again.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Insert,
    Text,
    cast,
    func,
    insert,
    literal,
    literal_column,
    select,
)

from cnc_station.engine.domain.random_id import random_id
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.webhooks import TOLD_BY, status_of, transitions_of
from cnc_station.engine.store import prepared
from cnc_station.engine.store.dialect import Dialect, packed
from cnc_station.engine.store.schema import job, machine, run
from cnc_station.engine.store.webhook_tables import delivery, webhook

PENDING = "pending"
_UNKNOWN = object()
_TOLD = frozenset(TOLD_BY)
_type_of = itemgetter("type")

Item = tuple[object, ...]


class WebhookListeners:
    """Belongs to one writer. `begin` precedes each transaction, `refresh` its `items`."""

    def __init__(self) -> None:
        self._mark: object = _UNKNOWN
        self._changing = False
        self._told: Mapping[str, Sequence[str]] = {}

    def begin(self) -> None:
        """Trust nothing that was read in a transaction that changed the endpoints: it may have been
        rolled back."""
        if self._changing:
            self._mark, self._changing = _UNKNOWN, False

    def changed(self) -> None:
        """This transaction changes the endpoints."""
        self._mark, self._changing = _UNKNOWN, True

    def refresh(self, dialect: Dialect, connection: Connection, rows: prepared.Rows) -> None:
        """Read the endpoints again if they may have changed and these events may be listened to."""
        if _TOLD.isdisjoint(map(_type_of, rows)):
            return
        mark = dialect.webhook_mark(connection)
        if mark == self._mark:
            return
        found = connection.execute(
            select(webhook.c.events).where(webhook.c.enabled, ~webhook.c.removed)
        )
        self._told = transitions_of(event for events in found.scalars() for event in events.split())
        self._mark = _UNKNOWN if self._changing else mark

    def items(self, rows: prepared.Rows) -> list[Item]:
        """What is to be delivered of these events, for `queue_deliveries`."""
        if not self._told:
            return []
        return [
            (
                event,
                row["job_id"],
                row["run_id"],
                _status(row),
                random_id(),
                row["at"],
                row["reason"],
            )
            for row in rows
            for event in self._told.get(row["type"], ())
        ]


def _status(row: Mapping[str, Any]) -> str:
    return status_of(JobState(row["job_state"]))


def queue_deliveries(dialect: Dialect, connection: Connection, items: Sequence[Item]) -> None:
    """Insert a delivery for each of these events and each endpoint that listens to it."""
    prepared.execute(connection, _insertion(dialect), {"item": packed(items)})


@cache
def _insertion(dialect: Dialect) -> Insert:
    item = dialect.items(
        "item",
        event=Text,
        job_id=BigInteger,
        run_id=BigInteger,
        status=Text,
        key=Text,
        at=BigInteger,
        reason=Text,
    )
    values = {
        "key": item.c.key + "-" + cast(webhook.c.id, Text),
        "webhook_id": webhook.c.id,
        "event": item.c.event,
        "job_id": job.c.id,
        "tenant": job.c.tenant,
        "at": item.c.at,
        "state": literal_column(f"'{PENDING}'"),
        "due_at": item.c.at,
        "tries": literal_column("0"),
        "token": literal_column("0"),
        "last_error": literal_column("''"),
        "name": job.c.name,
        "priority": job.c.priority,
        "status": item.c.status,
        "completed_at": func.coalesce(job.c.finished_at, run.c.ended_at),
        "run_ms": run.c.ended_at - run.c.started_at,
        "attempt": job.c.attempt,
        "trace_id": job.c.trace_id,
        "payload": job.c.payload,
        "machine": machine.c.name,
        "reason": item.c.reason,
    }
    told = webhook.c.events.like(literal("% ", Text) + item.c.event + literal(" %", Text))
    own = webhook.c.tenant.is_(None) | (webhook.c.tenant == job.c.tenant)
    rows = (
        select(*values.values())
        .select_from(item)
        .join(job, job.c.id == item.c.job_id)
        .join(webhook, webhook.c.enabled & ~webhook.c.removed & told & own)
        .join(run, run.c.id == item.c.run_id, isouter=True)
        .join(machine, machine.c.id == run.c.machine_id, isouter=True)
    )
    return insert(delivery).from_select(list(values), rows)
