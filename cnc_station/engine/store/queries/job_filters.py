"""A filter and a sort order as SQL conditions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, case, func, select

from cnc_station.engine.domain.states import FINISHED_JOBS, OPEN_JOBS, JobState
from cnc_station.engine.store.queries.run_filters import last_run_is
from cnc_station.engine.store.schema import counted, job, machine, named
from cnc_station.engine.views import JobFilter, Sort, SortKey

# In the order of interest to a person.
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

# The last change of a job: of its state, or by a person who edited it.
updated_at = case((job.c.edited_at > job.c.state_since, job.c.edited_at), else_=job.c.state_since)

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
    SortKey.UPDATED: (updated_at,),
}
_OPEN_BY_SCAN = func.coalesce(job.c.finished_at, 0) == 0  # not usable by an index
_FEW = OPEN_JOBS - {JobState.QUEUED, JobState.DELAYED}
_NAMES = (job.c.work_order, job.c.external_id)  # each has an index
_MAY_BE_NULL = {SortKey.DUE, SortKey.MACHINE}


def source(order: Sequence[Sort]) -> FromClause:
    """The jobs, joined with their machines if the order needs them."""
    if any(sort.key is SortKey.MACHINE for sort in order):
        return job.join(machine, machine.c.id == job.c.machine_id, isouter=True)
    return job


def sort_keys(order: Sequence[Sort], *, by_end: bool = False) -> list[ColumnElement[Any]]:
    """The sort columns, most important first; the id last makes the order total. `by_end`: of jobs
    whose last change was their end, which has an index."""
    keys = [key for sort in order for key in _KEYS[sort.key]]
    return [*([job.c.finished_at, *keys[1:]] if by_end else keys), job.c.id]


def is_by_end(chosen: JobFilter, order: Sequence[Sort]) -> bool:
    """Whether finished jobs alone are wanted, in the order of their last change."""
    first = order[0].key if order else None
    return bool(chosen.states) and chosen.states <= FINISHED_JOBS and first is SortKey.CHANGED


def sorted_by(
    order: Sequence[Sort], keys: Sequence[ColumnElement[Any]], *, backwards: bool = False
) -> list[ColumnElement[Any]]:
    """ORDER BY terms over `keys`, which stand for those of `sort_keys`; unknown values are last.

    `backwards` reverses the whole order.
    """
    kinds = [sort for sort in order for _ in _KEYS[sort.key]]
    terms: list[ColumnElement[Any]] = []
    for sort, key in zip(kinds, keys, strict=False):
        term = key.desc() if sort.descending != backwards else key.asc()
        if sort.key in _MAY_BE_NULL:
            term = term.nulls_first() if backwards else term.nulls_last()
        terms.append(term)
    terms.append(keys[-1].desc() if backwards else keys[-1].asc())
    return terms


def in_index_order(chosen: JobFilter, order: Sequence[Sort]) -> bool:
    """Whether an index returns these jobs in this order, so that a page need not read all."""
    return (
        chosen == JobFilter(states=chosen.states)
        and list(order)[:1] == [Sort(SortKey.QUEUE)]
        and JobState.QUEUED in chosen.states <= OPEN_JOBS
    )


def conditions(
    chosen: JobFilter, now: int, order: Sequence[Sort] | None, *, few_open: bool = False
) -> list[ColumnElement[bool]]:
    """WHERE terms of a filter for a list in this order; an order of None only counts. `few_open`:
    most jobs are finished, and an index finds the open ones sooner than a scan."""
    terms: list[ColumnElement[bool]] = []
    if few_open and may_be_few(chosen):
        terms = [job.c.finished_at.is_(None), job.c.state.in_(sorted(chosen.states))]
    elif chosen.states:
        terms = _of_states(chosen, order)
    if chosen.ids:
        terms.append(job.c.id.in_(sorted(chosen.ids)))
    if chosen.late:
        terms += [job.c.finished_at.is_(None), job.c.due_at < now]
    terms += _of_values(chosen)
    terms += _of_ranges(chosen)
    if chosen.last_run is not None:
        terms.append(last_run_is(chosen.last_run))
    return terms + [
        job.c.search.contains(word, autoescape=True) for word in chosen.text.lower().split()
    ]


def may_be_few(chosen: JobFilter) -> bool:
    """Whether it pays to know if most jobs are finished: no other index serves these."""
    return bool(chosen.states) and chosen.states <= OPEN_JOBS and not chosen.states <= _FEW


def few_open(connection: Connection) -> bool:
    """Whether at most a quarter of all jobs are open, by the span of their ids."""
    first, last = select(func.min(job.c.id)), select(func.max(job.c.id))
    span = connection.execute(select(last.scalar_subquery() - first.scalar_subquery())).scalar()
    some = select(job.c.rank).where(job.c.finished_at.is_(None)).limit((span or 0) // 4 + 1)
    found = connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()
    return found <= (span or 0) // 4


def _of_values(chosen: JobFilter) -> Iterator[ColumnElement[bool]]:
    for column, values in (
        (job.c.machine_type, chosen.machine_types),
        (job.c.handler, chosen.handlers),
    ):
        if values:
            yield column.in_(sorted(values))
    for column, value in (
        (job.c.machine_id, chosen.machine_id),
        (job.c.tenant, chosen.tenant),
        (job.c.owner, chosen.owner),
        (job.c.work_order, chosen.work_order),
        (job.c.external_id, chosen.external_id),
        (job.c.program, chosen.program),
    ):
        if value is not None:
            yield column == value
            if value and column in _NAMES:
                yield named(column)


def _of_ranges(chosen: JobFilter) -> Iterator[ColumnElement[bool]]:
    for column, least in (
        (job.c.priority, chosen.min_priority),
        (job.c.created_at, chosen.created_since),
        (job.c.finished_at, chosen.finished_since),
    ):
        if least is not None:
            yield column >= least
    for column, end in (
        (job.c.due_at, chosen.due_before),
        (job.c.created_at, chosen.created_until),
        (job.c.finished_at, chosen.finished_until),
    ):
        if end is not None:
            yield column < end
    if chosen.max_priority is not None:
        yield job.c.priority <= chosen.max_priority


def _of_states(chosen: JobFilter, order: Sequence[Sort] | None) -> list[ColumnElement[bool]]:
    """Return the states, with a term that selects an index only where it pays.

    An index that finds many rows, each to be fetched, is slower than a scan of the table. It pays
    where few rows are found, none is fetched, or the rows come in the order wanted.
    """
    counting = order is None and chosen == JobFilter(states=chosen.states)
    in_order = order is not None and in_index_order(chosen, order)
    listed = job.c.state.in_(sorted(chosen.states))
    if chosen.states == OPEN_JOBS:
        return [job.c.finished_at.is_(None) if counting or in_order else _OPEN_BY_SCAN]
    if in_order:
        return [listed, job.c.finished_at.is_(None)]
    if counting or chosen.states <= _FEW:
        return [listed, counted]
    return [listed]
