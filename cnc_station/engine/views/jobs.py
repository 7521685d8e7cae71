"""Jobs, their runs, and lists of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cnc_station.engine.domain.job import MACHINE_PROGRAM
from cnc_station.engine.domain.machine import Envelope
from cnc_station.engine.domain.states import JobState, RunState
from cnc_station.engine.domain.webhooks import JobStatus, status_of

MOST_OUTPUT = 64 * 1024  # bytes that are kept of a run's output: half at each end


def job_title(name: str, operation: str) -> str:
    """The name of a job with its operation."""
    return f"{name} · {operation}" if operation else name


@dataclass(frozen=True, slots=True)
class JobRow:
    """One row of the job table. `next` is the next step in words, or why the job waits; empty where
    it was not asked for. `owner` submitted it. `updated_at` is its last change of any kind.
    `started_at` and `run_duration_ms` are those of its last run, if that has started or ended.
    `doubtful`: `estimated_s` is from its program and not certain."""

    id: int
    version: int
    name: str
    work_order: str
    operation: str
    state: JobState
    machine_type: str
    machine_id: int | None
    machine: str
    material: str
    complexity: int
    priority: int
    quantity: int
    due_at: int | None
    estimated_s: float
    program: str | None
    program_name: str
    program_revision: int | None
    tenant: str
    attempt: int
    failures: int
    not_before: int | None
    created_at: int
    state_since: int
    finished_at: int | None
    rank: float
    pinned_machine_id: int | None
    last_error: str
    late: bool
    next: str
    handler: str = MACHINE_PROGRAM
    owner: str = ""
    customer: str = ""
    external_id: str = ""
    description: str = ""
    notes: str = ""
    updated_at: int = 0
    started_at: int | None = None
    run_duration_ms: int | None = None
    doubtful: bool = False

    @property
    def title(self) -> str:
        return job_title(self.name, self.operation)

    @property
    def status(self) -> JobStatus:
        """Its state in one of the few words that other programs know."""
        return status_of(self.state)


@dataclass(frozen=True, slots=True)
class RunRow:
    """One attempt."""

    id: int
    job_id: int
    job: str
    attempt: int
    machine_id: int | None
    machine: str  # of a run without one: its handler
    station: str
    state: RunState
    token: int
    assigned_at: int
    started_at: int | None
    ended_at: int | None
    error: str
    good: int | None = None  # parts counted at the machine; None: not counted
    scrap: int | None = None
    rework: int | None = None
    handler: str = ""  # of a run without a machine
    result: str | None = None  # what came of a handler's work, in words
    code: int | None = None  # the exit code or HTTP status


@dataclass(frozen=True, slots=True)
class RunOutput:
    """What a handler's run has printed so far, its first and last 32 KiB. `size` counts all bytes;
    `truncated`: some are left out, where the text says so."""

    text: str = ""
    size: int = 0
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class RunDetail:
    """One run with its output. `payload` is that of its job. `live`: it is still running, and this
    is its output so far."""

    row: RunRow
    payload: Mapping[str, Any]
    output: RunOutput
    live: bool = False


@dataclass(frozen=True, slots=True)
class JobLink:
    """Another job of the same routing."""

    id: int
    title: str
    state: JobState


@dataclass(frozen=True, slots=True)
class JobDetail:
    """Everything about one job except its events (see `Queries.events`)."""

    row: JobRow
    payload: Mapping[str, Any]
    retry_limit: int
    timeout_s: float | None
    axes: int
    trace_id: str
    runs: tuple[RunRow, ...]
    after: tuple[JobLink, ...]
    before: tuple[JobLink, ...]
    schedule_id: int | None = None  # of the schedule that made it
    envelope: Envelope | None = None


class SortKey(StrEnum):
    """Columns of the job table that can be sorted."""

    QUEUE = "queue"
    NAME = "name"
    STATE = "state"
    MACHINE = "machine"
    TYPE = "type"
    MATERIAL = "material"
    COMPLEXITY = "complexity"
    QUANTITY = "quantity"
    PRIORITY = "priority"
    DUE = "due"
    CREATED = "created"
    CHANGED = "changed"  # its state
    UPDATED = "updated"  # anything of it


@dataclass(frozen=True, slots=True)
class Sort:
    """One column of a sort order; the first in a tuple is the most important."""

    key: SortKey
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs; None and empty fields do not narrow. `since` and `until` (ms) are about the time
    of their assignment. Every word of `text` must occur in the job's name, operation, work order or
    material, or in the handler, machine, station, error or result, in any case."""

    job_id: int | None = None
    machine_id: int | None = None
    handler: str | None = None
    station: str | None = None
    states: frozenset[RunState] = frozenset()
    since: int | None = None
    until: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs; None and empty fields do not narrow. Times are ms: `_since` is included, `_until`
    and `_before` are not. Every word of `text` must occur in name, operation, work order, customer,
    external id or material, in any case. `last_run` selects by the last run of a job."""

    ids: frozenset[int] = frozenset()
    states: frozenset[JobState] = frozenset()
    machine_types: frozenset[str] = frozenset()
    handlers: frozenset[str] = frozenset()
    machine_id: int | None = None
    tenant: str | None = None
    owner: str | None = None
    external_id: str | None = None
    min_priority: int | None = None
    max_priority: int | None = None
    work_order: str | None = None
    program: str | None = None
    late: bool = False
    due_before: int | None = None
    created_since: int | None = None
    created_until: int | None = None
    finished_since: int | None = None
    finished_until: int | None = None
    text: str = ""
    last_run: RunFilter | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some rows of a filtered, sorted list, and its total length."""

    rows: tuple[JobRow, ...]
    offset: int
    total: int


@dataclass(frozen=True, slots=True)
class JobCounts:
    """How many jobs per state, and how many open ones are late."""

    by_state: Mapping[JobState, int]
    late: int
    completed_today: int

    def of(self, states: frozenset[JobState]) -> int:
        return sum(self.by_state.get(state, 0) for state in states)


@dataclass(frozen=True, slots=True)
class JobsPart:
    """Some of the chosen jobs by their ids. `last`: the id of the last one; None: there is no
    other."""

    rows: tuple[JobRow, ...]
    last: int | None


@dataclass(frozen=True, slots=True)
class ExportPart:
    """A part of a file of jobs. `last` is the id of its last job; None: the file ends here."""

    content: bytes
    last: int | None
