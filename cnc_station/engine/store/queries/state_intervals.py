"""The states of machines over time."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.store.schema import event, machine
from cnc_station.engine.views import StateInterval

_FACTS: Sequence[ColumnElement[Any]] = (
    event.c.at,
    event.c.machine_state,
    event.c.job_id,
    event.c.reason,
)


def intervals(connection: Connection, since: int, now: int) -> tuple[StateInterval, ...]:
    """Every present machine's states from `since` to `now`, machine by machine, without gaps from
    its first event on. Events that keep the state extend its interval."""
    found = connection.execute(
        select(event.c.machine_id, *_FACTS)
        .where(event.c.at >= since, event.c.at < now)
        .where(event.c.machine_id.is_not(None), event.c.machine_state.is_not(None))
        .order_by(event.c.id)
    )
    facts: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in found:
        facts[row.machine_id].append(row)
    drawn: list[StateInterval] = []
    for row in connection.execute(_before(since)):
        own = facts[row.id]
        if row.machine_state is not None:
            own = [row, *own]
        drawn += _joined(row.id, own, since, now)
    return tuple(drawn)


def _before(since: int) -> Select[Any]:
    """Select each machine with its last event before `since`, if any."""
    last = (
        select(event.c.id)
        .where(event.c.machine_id == machine.c.id, event.c.at < since)
        .where(event.c.machine_state.is_not(None))
        .order_by(event.c.id.desc())
        .limit(1)
        .correlate(machine)
        .scalar_subquery()
    )
    return (
        select(machine.c.id, *_FACTS)
        .join_from(machine, event, event.c.id == last, isouter=True)
        .where(~machine.c.removed)
        .order_by(machine.c.id)
    )


def _joined(
    machine_id: int, facts: Sequence[Row[Any]], since: int, now: int
) -> Iterable[StateInterval]:
    """Yield one interval for each run of events with the same state."""
    starts: list[Row[Any]] = []
    for fact in facts:
        if not starts or fact.machine_state != starts[-1].machine_state:
            starts.append(fact)
    ends = [fact.at for fact in starts[1:]] + [now]
    for fact, end in zip(starts, ends, strict=False):
        start = max(fact.at, since)
        if start < end:
            yield StateInterval(
                machine_id, MachineState(fact.machine_state), start, end, fact.job_id, fact.reason
            )


def utilisation(drawn: Sequence[StateInterval], since: int, step: int, buckets: int) -> list[float]:
    """The share of the machines' known time in each bucket that they were running."""
    running, known = [0.0] * buckets, [0.0] * buckets
    for interval in drawn:
        first, last = (interval.start - since) // step, (interval.end - 1 - since) // step
        for place in range(first, min(last, buckets - 1) + 1):
            begin = since + place * step
            time = min(interval.end, begin + step) - max(interval.start, begin)
            known[place] += time
            if interval.state is MachineState.RUNNING:
                running[place] += time
    return [r / k if k else 0.0 for r, k in zip(running, known, strict=True)]
