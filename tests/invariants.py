"""What must hold in any database of ours, whenever nobody is writing: read with plain SQL."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from cnc_station.engine.domain.event import Event, HistoryBroken, replay
from cnc_station.engine.domain.machine import FROM_ELSEWHERE
from cnc_station.engine.domain.states import (
    BUSY_MACHINES,
    FINISHED_JOBS,
    LIVE_JOBS,
    LIVE_RUNS,
    JobState,
    MachineState,
    RunState,
)
from cnc_station.engine.store import schema
from cnc_station.engine.store.alert_tables import alert, alert_message, alert_step

Rows = Mapping[int, Row[Any]]
_SLACK_MS = 5_000  # of transactions that were open at the same time
_COMES_BACK = {MachineState.OFFLINE, MachineState.ALARM}  # with the part that lies on it


def broken(connection: Connection) -> list[str]:
    """Every promise that the rows break, in words; empty if all is well."""
    jobs = _by_id(connection, schema.job)
    runs = _by_id(connection, schema.run)
    machines = _by_id(connection, schema.machine)
    events = [_event(row) for row in connection.execute(select(schema.event).order_by("id"))]
    edges = connection.execute(select(schema.dependency)).all()
    return [
        *_histories(jobs, events),
        *_last_words(runs, machines, events),
        *_live_runs(jobs, runs, machines),
        *_live_jobs(jobs, runs),
        *_parts(jobs, runs),
        *_machines(machines, runs),
        *_dependencies(jobs, edges),
        *_alerts(connection),
    ]


def _alerts(connection: Connection) -> Iterator[str]:
    """One open alert a cause, each step counts the messages of its rule, and an alert that is
    acknowledged or over is told no more, except that it is over."""
    alerts = _by_id(connection, alert)
    opened = Counter(row.key for row in alerts.values() if row.ended_at is None)
    yield from (f"{count} open alerts for {key}" for key, count in opened.items() if count > 1)
    told: Counter[tuple[int, int]] = Counter()
    for row in connection.execute(select(alert_message).where(alert_message.c.alert_id > 0)):
        told[row.alert_id, row.rule_id] += 1
        about = alerts[row.alert_id]
        quiet_since = about.ended_at or about.acknowledged_at
        if (
            quiet_since is not None
            and quiet_since + _SLACK_MS < row.at
            and '"withdrawn"' not in row.message
        ):
            yield f"alert {about.id} was told at {row.at}, after {quiet_since}"
    for row in connection.execute(select(alert_step)):
        if told[row.alert_id, row.rule_id] != row.sent:
            yield f"rule {row.rule_id} told alert {row.alert_id} {row.sent} times, by its step"


def _by_id(connection: Connection, table: Any) -> Rows:
    return {row.id: row for row in connection.execute(select(table))}


def _event(row: Row[Any]) -> Event:
    values = row._asdict()
    state = values.pop("job_state")
    details = values.pop("details")
    return Event(
        job_state=JobState(state) if state else None,
        details=json.loads(details) if details else {},
        **values,
    )


def _histories(jobs: Rows, events: Sequence[Event]) -> Iterator[str]:
    """Each job's events replay to its state; none without events, none left after a deletion."""
    told: dict[int, list[Event]] = {}
    for event in events:
        if event.job_id is not None:
            told.setdefault(event.job_id, []).append(event)
    for job_id in sorted(jobs.keys() | told.keys()):
        try:
            state = replay(told.get(job_id, []))
        except HistoryBroken as error:
            yield f"job {job_id}: {error}"
            continue
        row = jobs.get(job_id)
        if state != (row.state if row else None):
            yield f"job {job_id} is {row and row.state}, its events say {state}"
        if row and len({event.trace_id for event in told.get(job_id, [])} | {row.trace_id}) != 1:
            yield f"job {job_id} has events of several traces"


def _last_words(runs: Rows, machines: Rows, events: Sequence[Event]) -> Iterator[str]:
    """The last event about a run or a machine that names its state names the one it has."""
    of_run = {e.run_id: e.run_state for e in events if e.run_id is not None and e.run_state}
    of_machine = {
        e.machine_id: e.machine_state
        for e in events
        if e.machine_id is not None and e.machine_state
    }
    for kind, rows, last in (("run", runs, of_run), ("machine", machines, of_machine)):
        for row in rows.values():
            if last.get(row.id) != row.state:
                yield f"{kind} {row.id} is {row.state}, its last event says {last.get(row.id)}"


def _live_runs(jobs: Rows, runs: Rows, machines: Rows) -> Iterator[str]:
    """One live run a job and a machine, and all three agree."""
    seen: set[tuple[str, int]] = set()
    for run in runs.values():
        if (run.ended_at is None) != (run.state in LIVE_RUNS):
            yield f"run {run.id} is {run.state} and ended at {run.ended_at}"
        if run.state not in LIVE_RUNS:
            continue
        job = jobs[run.job_id]
        if (job.run_id, job.machine_id, job.token) != (run.id, run.machine_id, run.token):
            yield f"run {run.id} is live, its job {job.id} is at run {job.run_id}"
        if job.state != run.state:
            yield f"run {run.id} is {run.state}, its job {job.id} {job.state}"
        keys = [("job", run.job_id)]
        if run.machine_id is not None:
            yield from _at_machine(run, machines[run.machine_id])
            keys.append(("machine", run.machine_id))
        for key in keys:
            if key in seen:
                yield f"{key[0]} {key[1]} has two live runs"
            seen.add(key)


def _at_machine(run: Row[Any], machine: Row[Any]) -> Iterator[str]:
    if (machine.run_id, machine.job_id) != (run.id, run.job_id):
        yield f"run {run.id} is live, its machine {machine.id} is at run {machine.run_id}"
    if machine.state not in (run.state, MachineState.ALARM):
        yield f"run {run.id} is {run.state}, its machine {machine.id} {machine.state}"


def _parts(jobs: Rows, runs: Rows) -> Iterator[str]:
    for run in runs.values():
        counts = [count for count in (run.good, run.scrap, run.rework) if count is not None]
        if run.started_at is None and counts:
            yield f"run {run.id} was never started, and its parts are counted: {counts}"
        if sum(counts) > jobs[run.job_id].quantity:
            yield f"run {run.id} has more parts counted than its job wants: {counts}"


def _live_jobs(jobs: Rows, runs: Rows) -> Iterator[str]:
    for job in jobs.values():
        if (job.finished_at is not None) != (job.state in FINISHED_JOBS):
            yield f"job {job.id} is {job.state} and finished at {job.finished_at}"
        if job.state in LIVE_JOBS and (
            job.run_id is None or RunState(runs[job.run_id].state) not in LIVE_RUNS
        ):
            yield f"job {job.id} is {job.state} without a live run"


def _machines(machines: Rows, runs: Rows) -> Iterator[str]:
    for machine in machines.values():
        run = runs.get(machine.run_id) if machine.run_id is not None else None
        if machine.state in BUSY_MACHINES and (run is None or run.state not in LIVE_RUNS):
            yield f"machine {machine.id} is {machine.state} with run {run}"
        if machine.state not in BUSY_MACHINES | {MachineState.ALARM} and run is not None:
            yield f"machine {machine.id} is {machine.state} and still has run {run.id}"
        held = machine.state_reason.startswith(FROM_ELSEWHERE)  # it is as it was once released
        if machine.to_clear and machine.state not in _COMES_BACK and not held:
            yield f"machine {machine.id} is {machine.state} and remembers a part on it"
        if machine.state == MachineState.IDLE and machine.maintenance_due:
            yield f"machine {machine.id} is idle although maintenance was asked for"


def _dependencies(jobs: Rows, edges: Sequence[Row[Any]]) -> Iterator[str]:
    waiting = {
        edge.job_id for edge in edges if jobs[edge.predecessor_id].state != JobState.COMPLETED
    }
    for job in jobs.values():
        if job.blocked != (job.id in waiting):
            yield f"job {job.id}: blocked is {job.blocked}"
        if job.blocked and job.state == JobState.QUEUED:
            yield f"job {job.id} is queued and waits for another"
