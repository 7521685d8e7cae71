"""The shop around many jobs, read at once: what determines the next step of each."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, literal, select, union_all

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.forecast import MachinePool, Queued
from cnc_station.engine.domain.machine import Need
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.waiting import Predecessor, ShopSnapshot
from cnc_station.engine.store.claims import envelope
from cnc_station.engine.store.queries.context import QueryContext
from cnc_station.engine.store.queries.machine_rows import machine_now, read_machines
from cnc_station.engine.store.schema import dependency, event, job, queued
from cnc_station.engine.store.tenants import WHOLE_SHOP
from cnc_station.engine.views import job_title

HEAD = 60  # how many jobs of each machine type's queue are forecast
MOST_PINNED = 500

_TURN_COLUMNS = (
    job.c.id,
    job.c.rank,
    job.c.machine_type,
    job.c.complexity,
    job.c.material,
    job.c.axes,
    job.c.size_x,
    job.c.size_y,
    job.c.size_z,
    job.c.pinned_machine_id,
    (job.c.estimated_s * job.c.quantity).label("seconds"),
)


class ShopSnapshots:
    """One view of the machines and the head of the queue; read once for many jobs."""

    def __init__(self, connection: Connection, now: int, context: QueryContext) -> None:
        self.machines = read_machines(connection)
        self._connection = connection
        self._fleet = MachinePool(
            machine_now(row, now, context) for row in self.machines if not row.removed
        )
        self._now = now
        self._zone = context.zone
        self._shops: dict[frozenset[str], ShopSnapshot] = {}

    def sets_up(self, machine_id: int | None) -> bool:
        """Whether the present job of a machine waits until a person has set it up."""
        machine = self._fleet.by_id.get(machine_id or 0)
        return machine is not None and machine.set_up

    def shop(self, machine_types: Iterable[str]) -> ShopSnapshot:
        """The shop with the slots of the first waiting jobs of these machine types."""
        types = frozenset(machine_types)
        if types not in self._shops:
            queue = [_queued(row) for row in self._head(types)] if types else []
            head: dict[str, list[Queued]] = defaultdict(list)
            for one in queue:
                head[one.need.machine_type].append(one)
            self._shops[types] = ShopSnapshot(
                now=self._now,
                fleet=self._fleet,
                head=head,
                slots=self._fleet.forecast(queue, self._now),
                zone=self._zone,
            )
        return self._shops[types]

    def _head(self, types: frozenset[str]) -> list[Row[Any]]:
        serving = Counter(
            one.capability.machine_type for one in self._fleet.by_id.values() if one.serves
        )
        parts = [_head_of(name, HEAD + serving[name]) for name in sorted(types)]
        query = union_all(*parts, _PINNED_HEAD).execution_options(**WHOLE_SHOP)
        rows = self._connection.execute(query).all()
        return sorted(
            (row for row in rows if row.machine_type in types), key=lambda row: (row.rank, row.id)
        )


def queue_heads(connection: Connection, types: Iterable[str]) -> dict[str, list[Queued]]:
    """The first waiting jobs of these machine types, of any tenant."""
    head: dict[str, list[Queued]] = defaultdict(list)
    parts = [_head_of(name, HEAD) for name in sorted(types)]
    if parts:
        query = union_all(*parts, _PINNED_HEAD).execution_options(**WHOLE_SHOP)
        for row in connection.execute(query):
            head[row.machine_type].append(_queued(row))
    return head


def _head_of(machine_type: str, count: int) -> Select[Any]:
    """One part of a union; nested, since a part of a union can't have its own limit."""
    part = (
        select(*_TURN_COLUMNS)
        .where(queued, job.c.pinned_machine_id.is_(None))
        .where(job.c.machine_type == literal(machine_type))
        .order_by(job.c.rank, job.c.id)
        .limit(count)
        .subquery()
    )
    return select(part)


_PINNED_HEAD = select(
    select(*_TURN_COLUMNS)
    .where(queued, job.c.pinned_machine_id.is_not(None))
    .order_by(job.c.rank, job.c.id)
    .limit(MOST_PINNED)
    .subquery()
)


def need(row: Row[Any]) -> Need:
    """What a job row asks of a machine."""
    return Need(row.machine_type, row.complexity, row.material, row.axes, envelope(row))


def _queued(row: Row[Any]) -> Queued:
    return Queued(row.id, need(row), row.seconds, row.pinned_machine_id)


def predecessors(
    connection: Connection, blocked: Sequence[Row[Any]]
) -> dict[int, list[Predecessor]]:
    """What each of these jobs still waits for. A step of the same part is named by its
    operation."""
    found: dict[int, list[Predecessor]] = defaultdict(list)
    if not blocked:
        return found
    names = {row.id: row.name for row in blocked}
    query = (
        select(dependency.c.job_id, job.c.name, job.c.operation, job.c.state)
        .join_from(dependency, job, job.c.id == dependency.c.predecessor_id)
        .where(dependency.c.job_id.in_(list(names)))
        .where(job.c.state != JobState.COMPLETED.value)
        .order_by(dependency.c.job_id, job.c.id)
    )
    for row in connection.execute(query):
        same_part = row.operation and row.name == names[row.job_id]
        called = row.operation if same_part else job_title(row.name, row.operation)
        found[row.job_id].append(Predecessor(called, JobState(row.state)))
    return found


def paused_by(connection: Connection, job_ids: Sequence[int]) -> dict[int, str]:
    """The person who paused each of these jobs last."""
    if not job_ids:
        return {}
    last = (
        select(func.max(event.c.id))
        .where(event.c.job_id.in_(job_ids), event.c.job_state == JobState.PAUSED.value)
        .where(event.c.type.in_(_PAUSING))
        .group_by(event.c.job_id)
    )
    query = select(event.c.job_id, event.c.actor).where(event.c.id.in_(last))
    return {row.job_id: row.actor for row in connection.execute(query)}


_PAUSING = sorted(
    name
    for name, row in t.JOB_TRANSITIONS.items()
    if row.job is not None and row.job.target is JobState.PAUSED
)
