"""How many jobs are in each state, in a time that does not grow with the years."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Select, func, select

from cnc_station.engine.domain.states import FINISHED_JOBS, JobState
from cnc_station.engine.store.schema import counted, job
from cnc_station.engine.store.tenants import is_limited

MANY = 20_000  # finished jobs, which are counted within 1 ms
FRESH_S = 60.0
SETTLED_MS = 3_600_000
_OPEN = sorted(state.value for state in JobState if state not in FINISHED_JOBS)


@dataclass(frozen=True, slots=True)
class _Settled:
    """The jobs by state that were finished before `before` (ms), as counted at `counted_at`."""

    before: int
    counted_at: float
    by_state: Mapping[str, int]


_settled: WeakKeyDictionary[Engine, _Settled] = WeakKeyDictionary()


def state_counts(connection: Connection, now: int) -> Mapping[JobState, int]:
    """Count the jobs of each state that has any, each figure from an index alone.

    Of many finished jobs, those that were finished more than an hour ago are counted at most once a
    minute: two million take 60 ms. So long it may go unnoticed that one was retried or expired.
    """
    open_states = (
        select(job.c.state, func.count().label("jobs"))
        .where(counted, job.c.state.in_(_OPEN))
        .group_by(job.c.state)
    )
    found = _counted(connection, open_states)
    settled = _settled_counts(connection, now)
    found.update(settled.by_state)
    recent = (
        select(job.c.state, func.count().label("jobs"))
        .where(job.c.finished_at >= settled.before)
        .group_by(job.c.state)
    )
    found.update(_counted(connection, recent))
    return {JobState(state): count for state, count in found.items() if count}


def _settled_counts(connection: Connection, now: int) -> _Settled:
    limited = is_limited(connection)
    known = None if limited else _settled.get(connection.engine)
    if known is not None and known.counted_at + FRESH_S > time.monotonic():
        return known
    before = now - SETTLED_MS
    query = (
        select(job.c.state, func.count().label("jobs"))
        .where(job.c.finished_at < before)
        .group_by(job.c.state)
    )
    by_state = _counted(connection, query)
    fresh = _Settled(before, time.monotonic(), by_state)
    if not limited and sum(by_state.values()) >= MANY:
        _settled[connection.engine] = fresh
    return fresh


def _counted(connection: Connection, query: Select[Any]) -> Counter[str]:
    return Counter({row.state: row.jobs for row in connection.execute(query)})
