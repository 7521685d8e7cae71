"""A filter and a sort order as SQL conditions."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, func

from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.store.schema import counted, job, machine
from cnc_station.engine.views import JobFilter, Sort, SortKey

# What a person looks at first stands first.
STATE_ORDER = (
    JobState.RUNNING,
    JobState.HELD,
    JobState.ASSIGNED,
    JobState.INTERRUPTED,
    JobState.NEEDS_ATTENTION,
    JobState.QUEUED,
    JobState.DELAYED,
    JobState.PAUSED,
    JobState.DRAFT,
    JobState.COMPLETED,
    JobState.CANCELLED,
)

_KEYS: Mapping[SortKey, tuple[ColumnElement[Any], ...]] = {
    SortKey.QUEUE: (job.c.rank,),
    SortKey.NAME: (func.lower(job.c.name), job.c.operation),
    SortKey.STATE: (
        case({state.value: place for place, state in enumerate(STATE_ORDER)}, value=job.c.state),
    ),
    SortKey.MACHINE: (machine.c.name,),
    SortKey.TYPE: (job.c.machine_type,),
    SortKey.MATERIAL: (func.lower(job.c.material),),
    SortKey.COMPLEXITY: (job.c.complexity,),
    SortKey.QUANTITY: (job.c.quantity,),
    SortKey.PRIORITY: (job.c.priority,),
    SortKey.DUE: (job.c.due_at,),
    SortKey.CREATED: (job.c.created_at,),
    SortKey.CHANGED: (job.c.state_since,),
}
_OPEN_BY_SCAN = func.coalesce(job.c.finished_at, 0) == 0  # no index sees through it
_FEW = OPEN_JOBS - {JobState.QUEUED, JobState.DELAYED}
_MAY_BE_NULL = {SortKey.DUE, SortKey.MACHINE}


def needs_machine(order: Sequence[Sort]) -> bool:
    """Whether the order needs the machine joined."""
    return any(sort.key is SortKey.MACHINE for sort in order)


def sorted_by(order: Sequence[Sort], *, backwards: bool = False) -> list[ColumnElement[Any]]:
    """ORDER BY terms, ending with the id so that the order is total; unknown values stand last.

    `backwards` turns the whole order round, for reading it from its end.
    """
    terms: list[ColumnElement[Any]] = []
    for sort in order:
        for key in _KEYS[sort.key]:
            down = sort.descending != backwards
            term = key.desc() if down else key.asc()
            if sort.key in _MAY_BE_NULL:
                term = term.nulls_first() if backwards else term.nulls_last()
            terms.append(term)
    terms.append(job.c.id.desc() if backwards else job.c.id.asc())
    return terms


def conditions(
    chosen: JobFilter, now: int, order: Sequence[Sort] | None
) -> list[ColumnElement[bool]]:
    """WHERE terms of a filter for a list in this order; None: to count the jobs only."""
    terms = _of_states(chosen, order) if chosen.states else []
    if chosen.late:
        terms += [job.c.finished_at.is_(None), job.c.due_at < now]
    if chosen.machine_types:
        terms.append(job.c.machine_type.in_(sorted(chosen.machine_types)))
    for column, value in (
        (job.c.machine_id, chosen.machine_id),
        (job.c.tenant, chosen.tenant),
        (job.c.work_order, chosen.work_order),
        (job.c.program, chosen.program),
    ):
        if value is not None:
            terms.append(column == value)
    if chosen.min_priority is not None:
        terms.append(job.c.priority >= chosen.min_priority)
    if chosen.max_priority is not None:
        terms.append(job.c.priority <= chosen.max_priority)
    if chosen.finished_since is not None:
        terms.append(job.c.finished_at >= chosen.finished_since)
    if chosen.finished_until is not None:
        terms.append(job.c.finished_at < chosen.finished_until)
    return terms + [
        job.c.search.contains(word, autoescape=True) for word in chosen.text.lower().split()
    ]


def _of_states(chosen: JobFilter, order: Sequence[Sort] | None) -> list[ColumnElement[bool]]:
    """The states, with a term that opens an index where that surely pays.

    An index that finds many rows, each to be fetched, is slower than a scan of the table. It
    pays where few are found, none is fetched, or the rows come in the order wanted.
    """
    alone = chosen == JobFilter(states=chosen.states)
    listed = job.c.state.in_(sorted(chosen.states))
    in_order = alone and list(order or ())[:1] == [Sort(SortKey.QUEUE)]
    if chosen.states == OPEN_JOBS:
        by_index = in_order or (alone and order is None)
        return [job.c.finished_at.is_(None) if by_index else _OPEN_BY_SCAN]
    if chosen.states <= _FEW or (alone and order is None):
        return [listed, counted]
    if in_order and JobState.QUEUED in chosen.states <= OPEN_JOBS:
        return [listed, job.c.finished_at.is_(None)]
    return [listed]
