"""The floor: one consistent view of the machines, what needs a person, and what comes next."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.forecast import Queued
from cnc_station.engine.domain.machine import Capability
from cnc_station.engine.domain.states import BUSY_MACHINES, JobState, MachineState, RunState
from cnc_station.engine.domain.time_text import midnight
from cnc_station.engine.domain.waiting import ShopSnapshot
from cnc_station.engine.store.queries.context import STANDALONE, QueryContext
from cnc_station.engine.store.queries.history import event_of
from cnc_station.engine.store.queries.job_list import job_counts
from cnc_station.engine.store.queries.job_rows import JobReader
from cnc_station.engine.store.queries.machine_rows import machine_row
from cnc_station.engine.store.queries.needs_you import (
    FloorContext,
    jobs_in_need,
    needs_you,
    not_ready_since,
)
from cnc_station.engine.store.queries.stations import Attendance, attendance
from cnc_station.engine.store.schema import counted, delayed_and_free, event, job, machine, run
from cnc_station.engine.views import Floor, JobFilter, MachineCard, MachineRow, Presence

NEXT_UP = 6
JUST_NOW = 8
_RECENT_EVENTS = 2_000
_WORTH_TELLING = sorted(
    row.name
    for row in (
        t.COMPLETED,
        t.FAILED_RETRY,
        t.FAILED_FINAL,
        t.INTERRUPTED,
        t.HELD,
        t.ABORTED,
        t.REATTACHED,
        t.DEFERRED,
        t.SCRAPPED,
        t.READINESS_CHANGED,
        t.POSITION_CHANGED,
        t.CANCELLED,
        t.ALARMED,
        t.UNLOCKED,
        t.CLEARED,
        t.CONNECTED,
        t.DISCONNECTED,
        t.MAINTENANCE_STARTED,
        t.MAINTENANCE_ENDED,
        *t.OVERRIDES.values(),
    )
)
_SHOWS_LAST_JOB = {MachineState.NEEDS_CLEARING, MachineState.ALARM}


def floor(connection: Connection, now: int, *, context: QueryContext = STANDALONE) -> Floor:
    """Everything the floor page shows, from one snapshot.

    `needs_you` is worst first, then oldest first; `just_now` is newest first.
    """
    reader = JobReader(connection, now, context=context)
    stations: Mapping[str, Attendance] = {}
    if context.clock is not None:
        stations = attendance(connection, context.station, context.clock, now)
    rows = reader.around.machines
    machines = [machine_row(row, stations, context.shown) for row in rows if not row.removed]
    shop = reader.around.shop({machine.spec.machine_type for machine in machines})
    following = {turn.machine.id: job_id for job_id, turn in shop.slots.items() if not turn.ahead}
    current = _current_jobs(connection, machines)
    next_up = _next_up(connection, list(shop.slots)[:NEXT_UP])
    in_need = jobs_in_need(connection)
    wanted = dict.fromkeys([*current.values(), *following.values(), *next_up, *in_need])
    jobs = {row.id: row for row in reader.rows(list(wanted))}
    idle = IdleReasons(connection, shop)
    done = _completed_by_machine(connection, midnight(now, context.zone))
    cards = [
        MachineCard(
            machine=machine,
            job=jobs.get(current.get(machine.id, 0)),
            next_job=jobs.get(following.get(machine.id, 0)),
            why_idle="" if machine.id in following else idle.why(machine),
            completed_today=done.get(machine.id, 0),
        )
        for machine in machines
    ]
    around = FloorContext(now, shop, stations, not_ready_since(connection, machines))
    return Floor(
        at=now,
        cards=tuple(cards),
        counts=job_counts(connection, JobFilter(), now, zone=context.zone),
        needs_you=needs_you(cards, [jobs[job_id] for job_id in in_need], context, around),
        next_up=tuple(jobs[job_id] for job_id in next_up if job_id in jobs),
        just_now=_just_now(connection),
    )


def _current_jobs(connection: Connection, machines: Sequence[MachineRow]) -> Mapping[int, int]:
    """By machine: its present job, or the one whose part is still on it."""
    stopped = [m.id for m in machines if m.job_id is None and m.state in _SHOWS_LAST_JOB]
    current = {m.id: m.job_id for m in machines if m.job_id is not None}
    if stopped:
        last = (
            select(event.c.job_id)
            .where(event.c.machine_id == machine.c.id, event.c.job_id.is_not(None))
            .order_by(event.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = select(machine.c.id, last.label("job_id")).where(machine.c.id.in_(stopped))
        current |= {row.id: row.job_id for row in connection.execute(query) if row.job_id}
    return current


def _next_up(connection: Connection, queued: list[int]) -> list[int]:
    """The head of the queue; if it is short, also the delayed jobs that are due soonest."""
    if len(queued) >= NEXT_UP:
        return queued
    due = (
        select(job.c.id)
        .where(delayed_and_free)
        .order_by(job.c.not_before, job.c.id)
        .limit(NEXT_UP - len(queued))
    )
    return [*queued, *connection.execute(due).scalars()]


def _completed_by_machine(connection: Connection, since: int) -> Mapping[int, int]:
    query = (
        select(run.c.machine_id, func.count().label("runs"))
        .where(run.c.ended_at >= since, run.c.state == RunState.SUCCEEDED.value)
        .group_by(run.c.machine_id)
    )
    return {row.machine_id: row.runs for row in connection.execute(query)}


def _just_now(connection: Connection) -> tuple[Event, ...]:
    """The latest events that matter to people."""
    newest = select(func.max(event.c.id)).scalar_subquery()
    query = (
        select(event)
        .where(event.c.id > newest - _RECENT_EVENTS, event.c.type.in_(_WORTH_TELLING))
        .order_by(event.c.id.desc())
        .limit(JUST_NOW)
    )
    return tuple(event_of(row) for row in connection.execute(query))


_AWAY = {
    MachineState.MAINTENANCE: "in maintenance",
    MachineState.ALARM: "stopped by an alarm",
    MachineState.OFFLINE: "not connected",
}


class IdleReasons:
    """Why machines have no next job; the delayed jobs are read at most once."""

    def __init__(self, connection: Connection, shop: ShopSnapshot) -> None:
        self._connection = connection
        self._shop = shop
        self._delayed: dict[tuple[str, bool], tuple[int, int]] | None = None

    def why(self, machine: MachineRow) -> str:
        if away := _away(machine):
            return away
        kind = machine.spec.machine_type
        if queued := self._shop.head.get(kind, ()):
            return _others_only(machine.spec.capability, queued)
        blocked, _ = self._waiting(kind, blocked=True)
        if blocked:
            return f"{'1 job waits' if blocked == 1 else f'{blocked:,} jobs wait'} for another"
        delayed, first = self._waiting(kind, blocked=False)
        if delayed:
            return f"the next may start {self._shop.clock(first)}"
        return f"nothing for a {kind}"

    def _waiting(self, kind: str, *, blocked: bool) -> tuple[int, int]:
        """Return how many jobs of a type are delayed, and when the first is due."""
        if self._delayed is None:
            query = (
                select(
                    job.c.machine_type,
                    job.c.blocked,
                    func.count().label("jobs"),
                    func.min(func.coalesce(job.c.not_before, 0)).label("first"),
                )
                .where(job.c.state == JobState.DELAYED.value, counted)
                .group_by(job.c.machine_type, job.c.blocked)
            )
            self._delayed = {
                (row.machine_type, row.blocked): (row.jobs, row.first)
                for row in self._connection.execute(query)
            }
        return self._delayed.get((kind, blocked), (0, 0))


def _away(machine: MachineRow) -> str:
    """Return why the machine takes no job at all; "" if it does."""
    if not machine.attended:
        said = "does not respond" if machine.presence is Presence.SILENT else "is closed"
        return f"station {machine.station} {said}"
    if machine.state in _AWAY:
        return machine.state_reason or _AWAY[machine.state]
    if machine.not_ready and machine.state not in BUSY_MACHINES:
        return f"not ready: {machine.not_ready}"
    return "goes into maintenance after this run" if machine.maintenance_due else ""


def _others_only(capability: Capability, queued: Sequence[Queued]) -> str:
    """Return why none of the queued jobs of its type is this machine's next."""
    if any(capability.fits(one.need) for one in queued):
        return "other machines are free sooner"
    if len(queued) == 1:
        return "1 job waits, not for this machine"
    return f"{len(queued)} jobs wait, none for this machine"
