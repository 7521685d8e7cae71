"""What the API takes and answers about runs, machines, stations and events."""

from typing import Annotated, Any, Self

from pydantic import Field

from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.states import JobState, RunState
from cnc_station.engine.views import MachineCard, StationRow, Telemetry
from cnc_station.engine.views.jobs import RunDetail
from cnc_station.engine.views.station import Presence
from cnc_station.web.api.job_values import JobOut, RunOut
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


class JobRunsIn(Taken):
    """How many of its latest runs."""

    limit: Limit = 50
