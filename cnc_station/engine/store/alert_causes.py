"""The causes of alerts, derived from the present state of the shop."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select

from cnc_station.engine.domain.alerts import AlertKind, Cause, Severity, Waiting
from cnc_station.engine.domain.machine import PositionBasis
from cnc_station.engine.domain.schedule import FiringState
from cnc_station.engine.domain.states import BUSY_MACHINES, JobState, MachineState
from cnc_station.engine.domain.webhooks import receiver_of
from cnc_station.engine.store.queries.machine_rows import MACHINES, machine_row
from cnc_station.engine.store.queries.needs_you import (
    LOST_AT_WORK_MS,
    NOT_READY_MS,
    not_ready_since,
    wanted,
)
from cnc_station.engine.store.queries.shop_snapshots import queue_heads
from cnc_station.engine.store.queries.stations import Attendance
from cnc_station.engine.store.schema import (
    counted,
    job,
    machine,
    schedule,
    schedule_firing,
    standing_in,
    station,
)
from cnc_station.engine.store.webhook_tables import dead, delivery, webhook
from cnc_station.engine.views import MachineRow, Presence, job_title

MOST_JOBS = 1_000
MOST_DEAD = 1_000
MOST_NAMED = 4
LOST_AFTER_MS = 30_000
_DAY_MS = 86_400_000
_DEAD_FOR_MS = 7 * _DAY_MS  # what failed before that is not a cause any more
_RAN_TOO_LONG = frozenset({FiringState.WAITING, FiringState.SKIPPED})
_NOT_RUN = frozenset({FiringState.MISSED, FiringState.FAILED})


_Stations = Mapping[str, Attendance]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A machine, and the tenant of its present job."""

    machine: MachineRow
    tenant: str | None


@dataclass(frozen=True, slots=True)
class CauseContext:
    """What the causes depend on besides the database. `station` is the one that asks;
    `set_up_at` are the drivers whose machines a person starts."""

    station: str
    set_up_at: frozenset[str] = frozenset()


def causes(connection: Connection, now: int, context: CauseContext) -> tuple[Cause, ...]:
    """Return everything that asks for a person now (ms, the database's clock)."""
    stations = _attendance(connection, context.station, now)
    machines = _machines(connection, stations)
    found: list[Cause] = [*_of_stations([seen.machine for seen in machines], stations)]
    for seen in machines:
        if seen.machine.attended:
            found += _of_machine(seen, now, context)
    found += _of_unready(connection, [seen for seen in machines if seen.machine.attended], now)
    alarmed = {s.machine.id for s in machines if s.machine.state is MachineState.ALARM}
    found += _of_jobs(connection, alarmed)
    found += _of_schedules(connection)
    found += _of_deliveries(connection, now)
    return tuple(found)


def _attendance(connection: Connection, own: str, now: int) -> _Stations:
    """By the database's clock. A station is taken for silent later than in the window: an outage of
    the database, after which a leader still leads, must not look like the loss of all others."""
    found = {}
    for row in connection.execute(select(station.c.name, station.c.heard_at, station.c.left_at)):
        presence = Presence.CONNECTED
        if row.left_at is not None:
            presence = Presence.LEFT
        elif now - row.heard_at > LOST_AFTER_MS:
            presence = Presence.SILENT
        since = row.heard_at if row.left_at is None else row.left_at
        found[row.name] = Attendance(Presence.HERE if row.name == own else presence, since)
    return found


def _machines(connection: Connection, stations: _Stations) -> tuple[_Seen, ...]:
    """Those machines that may ask for a person, or whose station may be lost."""
    lost = [name for name, one in stations.items() if one.presence is Presence.SILENT]
    quiet = (MachineState.IDLE, MachineState.RUNNING, MachineState.MAINTENANCE)
    where = or_(
        machine.c.state.not_in([state.value for state in quiet]),
        machine.c.unreached_since.is_not(None),
        machine.c.not_ready != "",
        and_(
            machine.c.position == PositionBasis.LOST.value,
            machine.c.state != MachineState.MAINTENANCE.value,
        ),
        machine.c.station.in_(lost),
    )
    query = MACHINES.add_columns(job.c.tenant.label("job_tenant")).where(~machine.c.removed, where)
    rows = connection.execute(query)
    return tuple(_Seen(machine_row(row, stations), row.job_tenant) for row in rows)


def _of_stations(machines: Sequence[MachineRow], stations: _Stations) -> Iterator[Cause]:
    """Silent stations; they cover their machines."""
    for name, one in sorted(stations.items()):
        wired = [m for m in machines if m.station == name and m.state != MachineState.MAINTENANCE]
        if one.presence is not Presence.SILENT or not wired:
            continue
        at_work = any(m.state in BUSY_MACHINES for m in wired)
        yield Cause(
            f"station:{name}",
            AlertKind.STATION_LOST,
            Severity.CRITICAL if at_work else Severity.WARNING,
            one.since,
            {"station": name, "machines": _named([m.spec.name for m in wired])},
        )


def _named(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _of_machine(seen: _Seen, now: int, context: CauseContext) -> Iterator[Cause]:
    one = seen.machine
    missing = one.missing_since
    if missing is not None and not (one.at_work and now - missing < LOST_AT_WORK_MS):
        severity = Severity.CRITICAL if one.at_work else Severity.WARNING
        why = one.state_reason if one.state is MachineState.OFFLINE else one.not_ready
        yield _about(seen, AlertKind.MACHINE_UNREACHABLE, severity, missing, why=why)
    if one.state is MachineState.ALARM:
        if missing is None:
            kind, since, why = AlertKind.MACHINE_ALARM, one.state_since, one.state_reason
            yield _about(seen, kind, Severity.CRITICAL, since, f":{since}", why=why)
    elif (waits := _waits_for(one, context)) is not None:
        why = one.state_reason if waits is Waiting.HELD else ""
        yield _waiting(seen, waits, one.state_since, why)
    elif missing is None and one.position is not None and one.position_lost:
        yield _waiting(seen, Waiting.POSITION, one.position.since, one.position.position.reason)


def _of_unready(connection: Connection, machines: Sequence[_Seen], now: int) -> Iterator[Cause]:
    """Idle machines that are not ready for a while although a job waits for them."""
    began = not_ready_since(connection, [seen.machine for seen in machines])
    waiting = [
        (seen, since)
        for seen in machines
        if (since := began.get(seen.machine.id)) is not None
        and now - max(since, seen.machine.state_since) >= NOT_READY_MS
    ]
    heads = queue_heads(connection, {seen.machine.spec.machine_type for seen, _ in waiting})
    for seen, since in waiting:
        if wanted(seen.machine, heads):
            at = max(since, seen.machine.state_since)
            yield _waiting(seen, Waiting.READY, at, seen.machine.not_ready)


def _waits_for(one: MachineRow, context: CauseContext) -> Waiting | None:
    if one.state is MachineState.NEEDS_CLEARING:
        return Waiting.CLEARING
    if one.state is MachineState.HELD:
        return Waiting.HELD
    by_hand = one.spec.operator_starts or one.spec.driver in context.set_up_at
    return Waiting.SET_UP if one.state is MachineState.ASSIGNED and by_hand else None


def _waiting(seen: _Seen, waits: Waiting, since: int, why: str) -> Cause:
    args = {"waits_for": waits.value, "why": why}
    kind, mark = AlertKind.MACHINE_WAITING, f":{waits}:{since}"
    return _about(seen, kind, Severity.WARNING, since, mark, **args)


def _about(
    seen: _Seen, kind: AlertKind, severity: Severity, since: int, mark: str = "", **args: str
) -> Cause:
    """A cause at a machine. `mark` tells it from an earlier one of the same kind."""
    one = seen.machine
    named = {"machine": one.spec.name, **{name: value for name, value in args.items() if value}}
    key = f"{kind}:{one.id}{mark}"
    return Cause(key, kind, severity, since, named, one.id, one.job_id, seen.tenant)


def _of_jobs(connection: Connection, alarmed: set[int]) -> Iterator[Cause]:
    """Jobs that wait for a decision. While the machine of a job is in alarm, that is the cause."""
    kinds = {
        JobState.INTERRUPTED: (AlertKind.JOB_INTERRUPTED, Severity.CRITICAL),
        JobState.NEEDS_ATTENTION: (AlertKind.JOB_NEEDS_ATTENTION, Severity.WARNING),
    }
    columns = (job.c.id, job.c.name, job.c.operation, job.c.state, job.c.state_since)
    query = (
        select(*columns, job.c.last_error, job.c.machine_id, job.c.tenant)
        .where(standing_in(job, kinds), counted)
        .order_by(job.c.state_since, job.c.id)
        .limit(MOST_JOBS)
    )
    for row in connection.execute(query):
        if row.machine_id in alarmed:
            continue
        kind, severity = kinds[JobState(row.state)]
        args = {"job": f"Job {row.id} ({job_title(row.name, row.operation)})"}
        if row.last_error:
            args["why"] = row.last_error
        key = f"{kind}:{row.id}:{row.state_since}"
        yield Cause(key, kind, severity, row.state_since, args, row.machine_id, row.id, row.tenant)


def _of_schedules(connection: Connection) -> Iterator[Cause]:
    """Schedules whose last due time made no job."""
    every = schedule_firing.alias("every")
    last = (
        select(func.max(every.c.due_at))
        .where(every.c.schedule_id == schedule.c.id)
        .scalar_subquery()
    )
    query = (
        select(schedule.c.id, schedule.c.name, schedule.c.tenant, schedule_firing)
        .join(schedule_firing, schedule_firing.c.schedule_id == schedule.c.id)
        .where(~schedule.c.paused, schedule_firing.c.due_at == last)
        .where(schedule_firing.c.state.in_(sorted(_RAN_TOO_LONG | _NOT_RUN)))
    )
    for row in connection.execute(query):
        yield _of_schedule(row)


def _of_schedule(row: Row[Any]) -> Cause:
    state = FiringState(row.state)
    kind = AlertKind.SCHEDULE_OVERRUN if state in _RAN_TOO_LONG else AlertKind.SCHEDULE_MISSED
    args = {"schedule": row.name}
    if state is FiringState.FAILED and row.reason:
        args["why"] = row.reason
    key = f"{kind}:{row.id}"
    return Cause(key, kind, Severity.WARNING, row.due_at, args, tenant=row.tenant)


def _of_deliveries(connection: Connection, now: int) -> Iterator[Cause]:
    """Endpoints that did not accept deliveries which nobody has sent again since."""
    latest = (
        select(delivery.c.webhook_id, delivery.c.at)
        .where(dead)
        .order_by(delivery.c.id.desc())
        .limit(MOST_DEAD)
        .subquery()
    )
    query = (
        select(
            webhook.c.id,
            webhook.c.url,
            webhook.c.tenant,
            func.count().label("number"),
            func.min(latest.c.at).label("since"),
        )
        .join(webhook, webhook.c.id == latest.c.webhook_id)
        .where(~webhook.c.removed, latest.c.at > now - _DEAD_FOR_MS)
        .group_by(webhook.c.id, webhook.c.url, webhook.c.tenant)
    )
    for row in connection.execute(query):
        count = "a delivery" if row.number == 1 else f"{row.number:,} deliveries"
        args = {"host": receiver_of(row.url), "deliveries": count, "webhook": row.id}
        kind = AlertKind.DELIVERY_DEAD
        key = f"{kind}:{row.id}"
        yield Cause(key, kind, Severity.WARNING, row.since, args, tenant=row.tenant)
