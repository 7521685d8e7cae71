"""What the leader exports about the fleet: jobs, machines, deliveries and schedules by number."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.domain.webhooks import status_of
from cnc_station.engine.store.schema import (
    counted,
    job,
    leader,
    machine,
    queued,
    schedule,
    standing_in,
)
from cnc_station.engine.store.webhook_listeners import PENDING
from cnc_station.engine.store.webhook_tables import dead, delivery

_REASONS: Mapping[JobState, str] = {
    JobState.DRAFT: "draft",
    JobState.QUEUED: "capacity",
    JobState.DELAYED: "time",
    JobState.PAUSED: "paused",
    JobState.ASSIGNED: "set_up",
}
_BLOCKED = "predecessor"

# The queue from its own indexes, all other states by theirs: a scan of all open jobs reads each of
# them. The finished ones are too many to be counted for every scrape.
_READY = (
    select(job.c.machine_type, func.count().label("jobs"))
    .where(queued, job.c.pinned_machine_id.is_(None))
    .group_by(job.c.machine_type)
)
_PINNED = (
    select(job.c.machine_type, func.count().label("jobs"))
    .where(queued, job.c.pinned_machine_id.is_not(None))
    .group_by(job.c.machine_type)
)
_OTHERS = (
    select(job.c.state, job.c.blocked, job.c.machine_type, func.count().label("jobs"))
    .where(counted, standing_in(job, OPEN_JOBS - {JobState.QUEUED}))
    .group_by(job.c.state, job.c.blocked, job.c.machine_type)
)


@dataclass(frozen=True, slots=True)
class FleetFigures:
    """`jobs` are the open ones by status and machine type, `waiting` those by the reason why they
    wait. `schedule_late_s` is how long the schedule that is due first has been due."""

    jobs: Mapping[tuple[str, str], int]
    waiting: Mapping[tuple[str, str], int]
    late_jobs: int
    machines: tuple[tuple[str, str], ...]
    backlog: int
    dead_deliveries: int
    schedule_late_s: float


def fleet_figures(connection: Connection, now: int, incarnation: str) -> FleetFigures | None:
    """The figures, or None if the life `incarnation` of a station does not lead at this moment."""
    leads = select(leader.c.term).where(
        leader.c.incarnation == incarnation, leader.c.expires_at > now
    )
    if connection.execute(leads).one_or_none() is None:
        return None
    jobs: Counter[tuple[str, str]] = Counter()
    waiting: Counter[tuple[str, str]] = Counter()
    for state, reason, machine_type, count in _open_jobs(connection):
        jobs[str(status_of(state)), machine_type] += count
        if reason is not None:
            waiting[reason, machine_type] += count
    machines = connection.execute(
        select(machine.c.name, machine.c.state).where(~machine.c.removed).order_by(machine.c.id)
    )
    first_due = connection.execute(select(func.min(schedule.c.fires_at))).scalar()
    return FleetFigures(
        jobs,
        waiting,
        _count(connection, _LATE.where(job.c.due_at < now)),
        tuple((name, state) for name, state in machines),
        _count(connection, _BACKLOG),
        _count(connection, _DEAD),
        0.0 if first_due is None else max(0.0, (now - first_due) / 1000),
    )


_LATE = select(func.count()).select_from(job).where(job.c.finished_at.is_(None))
_BACKLOG = (
    select(func.count())
    .select_from(delivery)
    .where(delivery.c.due_at.is_not(None), delivery.c.state == PENDING)
)
_DEAD = select(func.count()).select_from(delivery).where(dead)


def _open_jobs(connection: Connection) -> Iterator[tuple[JobState, str | None, str, int]]:
    """The open jobs: state, why they wait, machine type and number."""
    for statement in (_READY, _PINNED):
        for row in connection.execute(statement):
            yield JobState.QUEUED, _REASONS[JobState.QUEUED], row.machine_type, row.jobs
    for row in connection.execute(_OTHERS):
        state = JobState(row.state)
        blocked = row.blocked and state is JobState.DELAYED
        yield state, _BLOCKED if blocked else _REASONS.get(state), row.machine_type, row.jobs


def _count(connection: Connection, query: Select[Any]) -> int:
    found: int = connection.execute(query).scalar_one()
    return found
