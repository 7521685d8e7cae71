"""What the engine shows: frozen records, ready to put on a screen or into JSON.

Times are ms since the epoch (UTC), durations seconds. A record says nothing that is not known:
None means unknown or not applicable, and the window says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.states import JobState, MachineState, RunState


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The latest a controller said about the run in hand. `fraction` and `remaining_s` are of
    the whole run (all parts); `part_remaining_s` is of the part being made."""

    line: int | None = None
    lines: int | None = None
    x: float | None = None
    y: float | None = None
    z: float | None = None
    feed_mm_min: float | None = None
    spindle_rpm: float | None = None
    tool: int | None = None
    part: int = 1
    parts: int = 1
    fraction: float = 0.0
    part_fraction: float = 0.0
    part_remaining_s: float | None = None
    remaining_s: float | None = None


@dataclass(frozen=True, slots=True)
class JobRow:
    """One row of the job table. `next` says in words what comes next, or why not."""

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

    @property
    def title(self) -> str:
        """The name with its operation, as people call it."""
        return f"{self.name} · {self.operation}" if self.operation else self.name


@dataclass(frozen=True, slots=True)
class RunRow:
    """One attempt."""

    id: int
    job_id: int
    job: str
    attempt: int
    machine_id: int
    machine: str
    station: str
    state: RunState
    token: int
    assigned_at: int
    started_at: int | None
    ended_at: int | None
    error: str


@dataclass(frozen=True, slots=True)
class JobLink:
    """Another job of the same routing."""

    id: int
    title: str
    state: JobState


@dataclass(frozen=True, slots=True)
class JobDetail:
    """Everything about one job but its events (see `Queries.events`)."""

    row: JobRow
    handler: str
    payload: Mapping[str, Any]
    retry_limit: int
    timeout_s: float | None
    axes: int
    trace_id: str
    runs: tuple[RunRow, ...]
    after: tuple[JobLink, ...]
    before: tuple[JobLink, ...]


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
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Sort:
    """One column of a sort order; the first in a tuple weighs most."""

    key: SortKey
    descending: bool = False


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs; each field narrows, None and empty do not. `text` is found anywhere in name,
    operation, work order or material, whatever its case; several words must all be found."""

    ids: frozenset[int] = frozenset()
    states: frozenset[JobState] = frozenset()
    machine_types: frozenset[str] = frozenset()
    machine_id: int | None = None
    tenant: str | None = None
    min_priority: int | None = None
    max_priority: int | None = None
    work_order: str | None = None
    program: str | None = None
    late: bool = False
    finished_since: int | None = None
    finished_until: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some rows of a filtered, sorted list, and how many it has in all."""

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
        """How many are in any of these states."""
        return sum(self.by_state.get(state, 0) for state in states)


@dataclass(frozen=True, slots=True)
class MachineRow:
    """A machine with what it does now."""

    id: int
    version: int
    spec: MachineSpec
    state: MachineState
    state_since: int
    state_reason: str
    station: str
    maintenance_due: bool
    job_id: int | None
    run_id: int | None
    run_started_at: int | None
    runs_done: int
    run_seconds: float
    last_material: str
    last_program: str


@dataclass(frozen=True, slots=True)
class MachineCard:
    """What a machine card shows: the machine, its job, what comes next or why nothing does."""

    machine: MachineRow
    job: JobRow | None
    next_job: JobRow | None
    why_idle: str
    completed_today: int


class Remedy(StrEnum):
    """What a person can do about an item of the "Needs you" list, one tap away."""

    CLEAR = "clear"
    UNLOCK = "unlock"
    CONTINUE = "continue"
    DECIDE = "decide"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class NeedsYou:
    """One thing that waits for a person, with its remedy."""

    remedy: Remedy
    title: str
    text: str
    since: int
    job_id: int | None
    machine_id: int | None


@dataclass(frozen=True, slots=True)
class Floor:
    """One consistent look at the shop floor."""

    at: int
    cards: tuple[MachineCard, ...]
    counts: JobCounts
    needs_you: tuple[NeedsYou, ...]
    next_up: tuple[JobRow, ...]
    just_now: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A machine in one state from `start` to `end` (ms)."""

    machine_id: int
    state: MachineState
    start: int
    end: int
    job_id: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Series:
    """Counts or shares in equal buckets: `values[i]` belongs to [start + i·step, +step) (ms)."""

    start: int
    step: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Charts:
    """What the floor draws: completed and failed a bucket, jobs waiting at each bucket's end,
    the share of machine time spent running, and every machine's stretches."""

    completed: Series
    failed: Series
    waiting: Series
    utilisation: Series
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """A kept program: immutable bytes known by SHA-256, one revision of its name."""

    sha256: str
    name: str
    revision: int
    size: int
    lines: int
    duration_s: float
    warnings: int
    added_at: int
    added_by: str
    jobs: int
    last_used_at: int | None


@dataclass(frozen=True, slots=True)
class ProgramFinding:
    """What the reader says about a line of a program (lines count from 1)."""

    line: int
    severity: str
    message: str


@dataclass(frozen=True, slots=True)
class Toolpath:
    """A program's path for drawing, as parallel columns, one entry a point (mm).

    `kind`: 0 rapid, 1 feed. `seconds` is the program time at which the tool is there.
    """

    sha256: str
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    z: tuple[float, ...] = ()
    line: tuple[int, ...] = ()
    kind: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    duration_s: float = 0.0
    lathe: bool = False


@dataclass(frozen=True, slots=True)
class ProgramDetail:
    """A program with its text, what the reader found, and the jobs bound to it."""

    row: ProgramRow
    text: str
    findings: tuple[ProgramFinding, ...]
    revisions: tuple[ProgramRow, ...]


@dataclass(frozen=True, slots=True)
class ImportIssue:
    """Why a row can't be imported: row (from 1, the header not counted; 0: the whole file)."""

    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """A table as read: its columns, the mapping in force (field -> column), the first rows as
    text, how many rows there are, and every issue. Nothing is stored while there is an issue."""

    columns: tuple[str, ...]
    mapping: Mapping[str, str]
    rows: tuple[tuple[str, ...], ...]
    total: int
    issues: tuple[ImportIssue, ...]

    @property
    def ready(self) -> bool:
        """Whether the import can go ahead, all of it."""
        return self.total > 0 and not self.issues


@dataclass(frozen=True, slots=True)
class Link:
    """The state of one dependency (database, Redis): connected, degraded, offline, standalone."""

    name: str
    state: str
    since: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What station this is, and what its window cannot change. `database` is a file's path, or a
    server's address without its password; `simulator_speed` program seconds per real second."""

    version: str
    station: str
    database: str
    simulator_speed: float


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the last notice: ids only, ask the queries for the facts."""

    jobs: frozenset[int] = frozenset()
    machines: frozenset[int] = frozenset()
    programs: bool = False
    telemetry: frozenset[int] = frozenset()
    links: bool = False
    stations: bool = False
    everything: bool = False

    def __or__(self, other: "Changes") -> "Changes":
        return Changes(
            self.jobs | other.jobs,
            self.machines | other.machines,
            self.programs or other.programs,
            self.telemetry | other.telemetry,
            self.links or other.links,
            self.stations or other.stations,
            self.everything or other.everything,
        )


SILENT_AFTER_S = 12.0
"""A station says every five seconds or oftener that it is there: two such words are missing."""


class Presence(StrEnum):
    """Whether a station is there, as its last word to the database tells."""

    HERE = "here"
    CONNECTED = "connected"
    SILENT = "silent"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class StationRow:
    """A station of the fleet. `here`: the one that was asked. `heard_s`: seconds since it was
    last heard of, None once it has left in order. `lag_ms`: how long its last heartbeat took."""

    name: str
    host: str
    version: str
    started_at: int
    heard_s: float | None
    lag_ms: float
    leads: bool
    term: int
    machines: int
    running: int
    here: bool

    @property
    def presence(self) -> Presence:
        """The one asked is here: it has just answered."""
        if self.here:
            return Presence.HERE
        if self.heard_s is None:
            return Presence.LEFT
        return Presence.SILENT if self.heard_s > SILENT_AFTER_S else Presence.CONNECTED


@dataclass(frozen=True, slots=True)
class Undo:
    """How to take an answer back: names a step of the engine's and what it needs."""

    action: str
    job_id: int
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one item of a request. `error` is "" if it was applied, else a sentence;
    `undo` is there where it can be taken back."""

    id: int
    error: str = ""
    undo: Undo | None = None

    @property
    def applied(self) -> bool:
        """Whether it was done."""
        return not self.error
