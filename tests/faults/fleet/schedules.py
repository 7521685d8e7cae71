"""Many schedules in a fleet that is hurt: every due time is fired once, and none is missed."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile

from sqlalchemy import Connection, select, update

from cnc_station.config import Config
from cnc_station.engine.commands import CreateSchedule, PauseSchedule
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.schedule import CatchUp, FiringState, Overlap, Schedule, fires_at
from cnc_station.engine.engine import open_client
from cnc_station.engine.store import schema
from cnc_station.engine.store.schedules import spec_of
from tests.faults.fleet.fleet import Fleet, until
from tests.faults.fleet.load import TYPES

ME = local_principal("planner")
SCHEDULES = 200
JITTER_S = 59.0  # spreads the schedules of a minute over its seconds
SETTLED_MS = 5_000
MINUTE_MS = 60_000


def add_schedules(fleet: Fleet, count: int) -> None:
    """Add schedules of every minute, some of them due in each second from now on, and all of them
    in the minute that has begun."""

    async def add() -> None:
        client = await open_client(_config(fleet))
        for number in range(count):
            kind = TYPES[number % len(TYPES)]
            job = JobSpec(f"tick {number}", kind, estimated_s=1.0)
            spec = Schedule(
                f"every minute {number}",
                "* * * * *",
                "Europe/Berlin",
                job,
                CatchUp.ALL,
                Overlap.ALLOW,
                JITTER_S,
            )
            await client.door(ME).execute(CreateSchedule(spec))
        await client.stop()

    asyncio.run(add())
    fleet.write(_backdate)


def _backdate(connection: Connection) -> None:
    """Change new schedules as if they were there when the minute began."""
    table = schema.schedule.c
    for row in connection.execute(select(schema.schedule)).all():
        due = row.next_due - MINUTE_MS
        connection.execute(
            update(schema.schedule)
            .where(table.id == row.id, table.next_due == row.next_due)
            .values(
                created_at=due - 1,
                next_due=due,
                fires_at=fires_at(row.id, due, spec_of(row).jitter_s),
            )
        )


def pause_schedules(fleet: Fleet) -> None:
    """Pause them all, so that their jobs come to an end."""

    async def pause() -> None:
        client = await open_client(_config(fleet))
        await client.door(ME).execute(PauseSchedule())
        await client.stop()

    asyncio.run(pause())


@contextmanager
def firing(fleet: Fleet, count: int) -> Iterator[None]:
    """Let schedules fire meanwhile. Raises AssertionError with each due time that was not fired
    exactly once."""
    add_schedules(fleet, count)
    since = fleet.database.read(fleet.database.dialect.now)
    yield
    found = all_fired(fleet)
    pause_schedules(fleet)
    late = _late_ms(fleet, since) or [0]
    fleet.measured |= {
        "due times fired": len(_late_ms(fleet, 0)),
        "ms late, the middle one": late[len(late) // 2],
        "ms late, the latest one": late[-1],
    }
    if found:
        raise AssertionError("; ".join(found))


def _config(fleet: Fleet) -> Config:
    return Config(fleet.folder, fleet.url, station="planner", synchronous="NORMAL")


def _late_ms(fleet: Fleet, since: int) -> list[int]:
    """How late each due time was fired that was planned since then, in ms, in order."""
    firing = schema.schedule_firing.c
    query = select(firing.fired_at - firing.planned_at)
    query = query.where(firing.state == FiringState.FIRED, firing.planned_at >= since)
    return sorted(fleet.database.read(lambda c: c.execute(query).scalars().all()))


def all_fired(fleet: Fleet, within_s: float = 60.0) -> list[str]:
    """Wait until everything that was due some seconds ago is fired. Return what is not as it must
    be then."""

    now = fleet.database.dialect.now

    def missing() -> list[str]:
        found: list[str] = fleet.database.read(lambda c: list(_missing(c, now(c) - SETTLED_MS)))
        return found

    try:
        until(lambda: not missing(), within_s, "every due time is fired")
    except AssertionError as error:
        return [str(error), *missing()[:10]]
    found: list[str] = fleet.database.read(lambda c: list(broken_firings(c)))
    return found


def _missing(connection: Connection, now: int) -> Iterator[str]:
    """Yield the due times of the schedules' lives that have no row."""
    firing = schema.schedule_firing
    there = {(row.schedule_id, row.due_at) for row in connection.execute(select(firing))}
    for row in connection.execute(select(schema.schedule)):
        spec = spec_of(row)
        for due in takewhile(lambda due: due.at <= now, spec.after(row.created_at)):
            late = fires_at(row.id, due.at, spec.jitter_s) <= now
            if late and (row.id, due.at) not in there:
                yield f"schedule {row.id}: {due.at} was not fired"


def broken_firings(connection: Connection) -> Iterator[str]:
    """Yield the due times without exactly one job, and the jobs without a due time."""
    firing, job = schema.schedule_firing, schema.job
    made = dict(
        connection.execute(
            select(job.c.id, job.c.schedule_id).where(job.c.schedule_id.is_not(None))
        ).all()
    )
    jobs: Counter[int] = Counter()
    due: Counter[tuple[int, int]] = Counter()
    for row in connection.execute(select(firing)):
        due[row.schedule_id, row.due_at] += 1
        if row.state != FiringState.FIRED:
            yield f"schedule {row.schedule_id}: {row.due_at} is {row.state}"
        elif made.get(row.job_id) != row.schedule_id:
            yield f"schedule {row.schedule_id}: {row.due_at} has no job"
        else:
            jobs[row.job_id] += 1
    yield from (
        f"due time {key} was fired {count} times" for key, count in due.items() if count > 1
    )
    for job_id in made:
        if jobs[job_id] != 1:
            yield f"job {job_id} belongs to {jobs[job_id]} due times"
