"""The statements of firing: what is due, what waits, and what there is to do next."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    Update,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    update,
)

from cnc_station.engine.store.dialect import Dialect
from cnc_station.engine.store.schedules import job_is_open
from cnc_station.engine.store.schema import job, schedule, schedule_firing

MOST_SCHEDULES_AT_ONCE = 500
AHEAD_MS = 60_000  # by so much the clock was set back, if a next time was computed later than now

is_waiting = schedule_firing.c.state == literal_column("'waiting'")


_NEEDS: Select[Any] = select(
    select(func.min(schedule.c.fires_at)).scalar_subquery(),
    select(func.max(schedule.c.as_of)).where(~schedule.c.paused).scalar_subquery(),
    select(schedule_firing.c.id).where(is_waiting).limit(1).scalar_subquery(),
)

_NOW = bindparam("now", type_=BigInteger)
DUE = (
    select(schedule)
    .where(
        (schedule.c.fires_at <= _NOW) | (~schedule.c.paused & (schedule.c.as_of - AHEAD_MS > _NOW))
    )
    .order_by(schedule.c.fires_at, schedule.c.id)
    .limit(MOST_SCHEDULES_AT_ONCE)
    .with_for_update(skip_locked=True)
)


@dataclass(frozen=True, slots=True)
class ScheduleNeeds:
    """What the service of schedules has to do. `due_s` is the time until the next schedule fires,
    None if none will; `waiting`: due times wait for open jobs, of which `released` may go on."""

    due_s: float | None
    waiting: bool
    released: bool


def schedule_needs(connection: Connection, now: int) -> ScheduleNeeds:
    """What is due by the database's clock `now`."""
    due, as_of, waiting = connection.execute(_NEEDS).one()
    if as_of is not None and as_of - AHEAD_MS > now:
        due = now
    return ScheduleNeeds(
        due_s=None if due is None else (due - now) / 1000,
        waiting=waiting is not None,
        released=waiting is not None
        and connection.execute(_released().limit(1)).first() is not None,
    )


@cache
def _released() -> Select[Any]:
    """The first waiting due time of each schedule without an open job."""
    first = select(func.min(schedule_firing.c.id)).where(is_waiting)
    of_open = exists().where(job.c.schedule_id == schedule.c.id, job_is_open)
    return (
        select(schedule, schedule_firing.c.id.label("firing_id"), schedule_firing.c.due_at)
        .join(schedule_firing, schedule_firing.c.schedule_id == schedule.c.id)
        .where(~schedule.c.paused, ~of_open)
        .where(schedule_firing.c.id.in_(first.group_by(schedule_firing.c.schedule_id)))
    )


@cache
def released_and_locked() -> Select[Any]:
    """The same, locked, for one transaction."""
    query = _released().order_by(schedule.c.id).limit(MOST_SCHEDULES_AT_ONCE)
    return query.with_for_update(skip_locked=True)


@cache
def known_statement(dialect: Dialect) -> Select[Any]:
    """Those of these due times that have a row."""
    item = dialect.items("item", schedule_id=BigInteger, due_at=BigInteger)
    return select(schedule_firing.c.schedule_id, schedule_firing.c.due_at).where(
        schedule_firing.c.schedule_id == item.c.schedule_id,
        schedule_firing.c.due_at == item.c.due_at,
    )


@cache
def next_statement(dialect: Dialect) -> Update:
    """Set the next times of these schedules."""
    item = dialect.items(
        "item", schedule_id=BigInteger, next_due=BigInteger, fires_at=BigInteger, as_of=BigInteger
    )
    return (
        update(schedule)
        .where(schedule.c.id == item.c.schedule_id)
        .values(next_due=item.c.next_due, fires_at=item.c.fires_at, as_of=item.c.as_of)
    )
