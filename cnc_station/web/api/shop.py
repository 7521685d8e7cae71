"""The routes about what happens in the shop: runs, machines, stations and events."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import Field

from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.states import JobState, RunState
from cnc_station.engine.queries import (
    FloorNow,
    JobById,
    ListEvents,
    ListRuns,
    ListStations,
    RunById,
)
from cnc_station.engine.views import MachineCard, StationRow, Telemetry
from cnc_station.engine.views.jobs import RunDetail
from cnc_station.engine.views.station import Presence
from cnc_station.web.api.job_values import JobOut, RunOut
from cnc_station.web.api.problems import not_found
from cnc_station.web.api.route import Call, Reply, Route
from cnc_station.web.api.values import Id, Taken, TimeIn, TimeOut, Told

Limit = Annotated[int, Field(ge=1, le=500)]


class RunsIn(Taken):
    """Which runs; the newest first."""

    job_id: Id | None = None
    machine_id: Id | None = None
    station: str | None = None
    handler: str | None = None
    outcome: RunState | None = None
    since: TimeIn | None = None
    until: TimeIn | None = None
    limit: Limit = 50


class RunsOut(Told):
    """Runs, the newest first."""

    runs: list[RunOut]


class RunDetailOut(RunOut):
    """A run with the first and last part of what it has printed; `live`: it still runs."""

    payload: dict[str, Any]
    output: str
    output_bytes: int
    output_truncated: bool
    live: bool

    @classmethod
    def of_detail(cls, detail: RunDetail) -> Self:
        row = RunOut.of(detail.row)
        return cls.model_construct(
            **{name: getattr(row, name) for name in RunOut.model_fields},
            payload=dict(detail.payload),
            output=detail.output.text,
            output_bytes=detail.output.size,
            output_truncated=detail.output.truncated,
            live=detail.live,
        )


class TelemetryOut(Told):
    """The latest report of a controller about its run; overrides: 1.0 is 100 %."""

    line: int | None
    lines: int | None
    x: float | None
    y: float | None
    z: float | None
    feed_mm_min: float | None
    spindle_rpm: float | None
    tool: int | None
    feed_override: float | None
    part: int
    parts: int
    fraction: float
    remaining_s: float | None

    @classmethod
    def of(cls, telemetry: Telemetry) -> Self:
        return cls.model_validate(telemetry)


class MachineOut(Told):
    """A machine with its present state, its job and its next job, or why there is none.
    `unreached_since`: its controller has not answered since then."""

    id: int
    name: str
    machine_type: str
    model: str
    driver: str
    station: str
    station_presence: Presence
    state: str
    state_since: TimeOut
    state_reason: str
    not_ready: str
    unreached_since: TimeOut | None
    active_jobs: int
    job: JobOut | None
    next_job: JobOut | None
    why_idle: str
    completed_today: int
    runs_done: int
    run_seconds: float

    @classmethod
    def of(cls, card: MachineCard) -> Self:
        row = card.machine
        return cls(
            id=row.id,
            name=row.spec.name,
            machine_type=row.spec.machine_type,
            model=row.spec.model,
            driver=row.spec.driver,
            station=row.station,
            station_presence=row.presence,
            state=row.state,
            state_since=row.state_since,
            state_reason=row.state_reason,
            not_ready=row.not_ready,
            unreached_since=row.unreached_since,
            active_jobs=int(card.job is not None),
            job=None if card.job is None else JobOut.of(card.job),
            next_job=None if card.next_job is None else JobOut.of(card.next_job),
            why_idle=card.why_idle,
            completed_today=card.completed_today,
            runs_done=row.runs_done,
            run_seconds=row.run_seconds,
        )


class MachineDetailOut(MachineOut):
    """A machine with the latest report of its controller."""

    telemetry: TelemetryOut | None


class MachinesIn(Taken):
    """Which machines."""

    type: str | None = None
    state: str | None = None
    station: str | None = None


class MachinesOut(Told):
    """Machines in the order they were added."""

    machines: list[MachineOut]


class StationOut(Told):
    """A station of the fleet. `heard_s`: seconds since its last sign of life."""

    name: str
    host: str
    version: str
    started_at: TimeOut
    heard_s: float | None
    presence: Presence
    leads: bool
    machines: int
    running: int

    @classmethod
    def of(cls, row: StationRow) -> Self:
        return cls.model_validate(row)


class StationsOut(Told):
    """The stations of the fleet."""

    stations: list[StationOut]


class EventsIn(Taken):
    """Events after the one with the id `after`, oldest first."""

    after: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    limit: Limit = 200


class EventOut(Told):
    """One fact that never changes. The states are those after it."""

    id: int
    at: TimeOut
    type: str
    job_id: int | None
    run_id: int | None
    machine_id: int | None
    job_state: JobState | None
    run_state: str | None
    machine_state: str | None
    actor: str
    station: str
    trace_id: str
    reason: str
    details: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls.model_validate(event)


class EventsOut(Told):
    """Events, oldest first."""

    events: list[EventOut]


async def _list_runs(call: Call) -> Reply:
    query: RunsIn = call.query
    states = frozenset() if query.outcome is None else frozenset({query.outcome})
    asked = ListRuns(
        query.job_id,
        query.limit,
        query.machine_id,
        query.handler,
        query.station,
        states,
        query.since,
        query.until,
    )
    rows = await call.door.ask(asked)
    return Reply(RunsOut(runs=[RunOut.of(row) for row in rows]))


async def _show_run(call: Call) -> Reply:
    detail = await call.door.ask(RunById(call.path["id"]))
    if detail is None:
        raise not_found(f"run {call.path['id']}")
    return Reply(RunDetailOut.of_detail(detail))


async def _runs_of_job(call: Call) -> Reply:
    await _check_job(call)
    rows = await call.door.ask(ListRuns(call.path["id"], call.query.limit))
    return Reply(RunsOut(runs=[RunOut.of(row) for row in rows]))


class JobRunsIn(Taken):
    """How many of its latest runs."""

    limit: Limit = 50


async def _check_job(call: Call) -> None:
    if await call.door.ask(JobById(call.path["id"])) is None:
        raise not_found(f"job {call.path['id']}")


async def _events_of_job(call: Call) -> Reply:
    await _check_job(call)
    return await _events(call, call.path["id"])


async def _list_events(call: Call) -> Reply:
    return await _events(call, None)


async def _events(call: Call, job_id: int | None) -> Reply:
    query: EventsIn = call.query
    events = await call.door.ask(ListEvents(job_id, None, query.after, query.limit))
    return Reply(EventsOut(events=[EventOut.of(event) for event in events]))


async def _list_machines(call: Call) -> Reply:
    query: MachinesIn = call.query
    floor = await call.door.ask(FloorNow())
    machines = [
        MachineOut.of(card)
        for card in floor.cards
        if query.type in {None, card.machine.spec.machine_type}
        and query.state in {None, card.machine.state}
        and query.station in {None, card.machine.station}
    ]
    return Reply(MachinesOut(machines=machines))


async def _list_stations(call: Call) -> Reply:
    rows = await call.door.ask(ListStations())
    return Reply(StationsOut(stations=[StationOut.of(row) for row in rows]))


ROUTES: Sequence[Route] = (
    Route(
        "GET",
        "/jobs/{id}/runs",
        "List the runs of a job",
        ListRuns,
        _runs_of_job,
        {200: RunsOut},
        query=JobRunsIn,
        refuses=(404,),
    ),
    Route(
        "GET",
        "/jobs/{id}/events",
        "List the events of a job",
        ListEvents,
        _events_of_job,
        {200: EventsOut},
        query=EventsIn,
        refuses=(404,),
    ),
    Route("GET", "/runs", "List runs", ListRuns, _list_runs, {200: RunsOut}, query=RunsIn),
    Route(
        "GET",
        "/runs/{id}",
        "Show a run with its output",
        RunById,
        _show_run,
        {200: RunDetailOut},
        refuses=(404,),
    ),
    Route(
        "GET",
        "/machines",
        "List machines",
        FloorNow,
        _list_machines,
        {200: MachinesOut},
        query=MachinesIn,
    ),
    Route("GET", "/stations", "List stations", ListStations, _list_stations, {200: StationsOut}),
    Route(
        "GET",
        "/workers",
        "List stations, by their other name",
        ListStations,
        _list_stations,
        {200: StationsOut},
    ),
    Route(
        "GET", "/events", "List events", ListEvents, _list_events, {200: EventsOut}, query=EventsIn
    ),
)
