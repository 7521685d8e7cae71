"""What the API takes and answers about runs, machines, stations and events."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.states import JobState, RunState
from cnc_station.engine.domain.transitions import TRANSITIONS
from cnc_station.engine.queries import ListRuns
from cnc_station.engine.views import MachineCard, MachineRow, RunRow, StationRow, Telemetry
from cnc_station.engine.views.jobs import RunDetail
from cnc_station.engine.views.station import Presence
from cnc_station.web.api.job_values import JobOut, RunOut
from cnc_station.web.api.limits import Reason, Words, described, list_of, one_of, words_of
from cnc_station.web.api.values import (
    Id,
    PageIn,
    PageOut,
    Taken,
    TakenJson,
    TimeIn,
    TimeOut,
    Told,
)

Limit = Annotated[int, Field(ge=1, le=200)]
# Outcomes by the names of the status that they give to a job.
_OUTCOMES = {"completed": RunState.SUCCEEDED, "canceled": RunState.CANCELLED}


class RunsIn(PageIn):
    """Which runs; the newest first. A run is of `since` on and before `until` by the time of its
    assignment. `outcome`: its state or several with commas between them."""

    job_id: Id | None = None
    machine_id: Id | None = None
    station: str | None = None
    handler: str | None = None
    outcome: Annotated[Words, described(list_of(one_of((*RunState, *_OUTCOMES))))] = ""
    since: TimeIn | None = None
    until: TimeIn | None = None

    ALIASES: ClassVar = {"status": "outcome", "state": "outcome"}

    def chosen(self) -> ListRuns:
        """The query. Raises InvalidInput."""
        return ListRuns(
            job_id=self.job_id,
            limit=self.limit,
            machine_id=self.machine_id,
            handler=self.handler,
            station=self.station,
            states=frozenset(map(_outcome, words_of(self.outcome.lower()))),
            since=self.since,
            until=self.until,
            offset=self.offset,
        )


def _outcome(word: str) -> RunState:
    try:
        return _OUTCOMES.get(word) or RunState(word)
    except ValueError:
        states = ", ".join(RunState)
        raise InvalidInput(FieldError("outcome", f"{word!r} is not one of {states}")) from None


class RunActionIn(TakenJson):
    """Why."""

    reason: Reason = ""


class RunsOut(PageOut):
    """A page of runs, the newest first, and how many there are."""

    runs: list[RunOut]

    @classmethod
    def of(cls, rows: Iterable[RunRow], total: int, limit: int, offset: int) -> Self:
        runs = [RunOut.of(row) for row in rows]
        return cls(runs=runs, total=total, limit=limit, offset=offset)


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
    `unreached_since`: its controller has not answered since then. `telemetry`: the latest report of
    its controller about a run."""

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
    telemetry: TelemetryOut | None

    @classmethod
    def of(cls, card: MachineCard, telemetry: Telemetry | None) -> Self:
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
            telemetry=None if telemetry is None else TelemetryOut.of(telemetry),
        )


class MachinesIn(PageIn):
    """Which machines; several values stand in one, with commas between them."""

    type: Words = ""
    state: Words = ""
    station: str | None = None

    ALIASES: ClassVar = {"machine_type": "type", "status": "state"}

    def chooses(self, row: MachineRow) -> bool:
        """Whether it is one of them."""
        types, states = words_of(self.type.lower()), words_of(self.state.lower())
        return (
            (not types or row.spec.machine_type in types)
            and (not states or row.state in states)
            and self.station in {None, row.station}
        )


class MachinesOut(PageOut):
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


class StationsOut(PageOut):
    """The stations of the fleet."""

    stations: list[StationOut]


class EventsIn(Taken):
    """Events after the one with the id `after`, oldest first. `types`: their types, with commas
    between them."""

    after: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    types: Annotated[Words, described(list_of(one_of(TRANSITIONS)))] = ""
    limit: Limit = 200

    def chosen_types(self) -> frozenset[str]:
        """The types. Raises InvalidInput for one that no event has."""
        types = frozenset(words_of(self.types))
        if unknown := types - TRANSITIONS.keys():
            raise InvalidInput(FieldError("types", f"{min(unknown)!r} is not a type of event"))
        return types


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
