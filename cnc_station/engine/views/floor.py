"""The shop floor: machines, what they do, what needs a person, and the charts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from annotated_types import Interval

from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.machine import (
    FROM_ELSEWHERE,
    STATION_CLOSED,
    STATION_GONE,
    MachineSpec,
    Position,
)
from cnc_station.engine.domain.states import BUSY_MACHINES, MachineState
from cnc_station.engine.views.jobs import JobCounts, JobRow
from cnc_station.engine.views.station import Presence
from cnc_station.peers.limits import LARGEST_NUMBER

# What the telemetry of another station is checked against, while it is parsed.
Figure = Annotated[float, Interval(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Count = Annotated[int, Interval(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Fraction = Annotated[float, Interval(ge=0, le=1)]
Rest = Annotated[float, Interval(ge=-1e9, le=1e9)]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The latest report of a controller about its run. `fraction` and `remaining_s` are of the
    whole run (all parts), `part_remaining_s` of the present part. Overrides: 1.0 is 100 %."""

    line: Count | None = None
    lines: Count | None = None
    x: Figure | None = None
    y: Figure | None = None
    z: Figure | None = None
    feed_mm_min: Figure | None = None
    spindle_rpm: Figure | None = None
    tool: Count | None = None
    feed_override: Figure | None = None
    rapid_override: Figure | None = None
    spindle_override: Figure | None = None
    part: Count = 1
    parts: Count = 1
    fraction: Fraction = 0.0
    part_fraction: Fraction = 0.0
    part_remaining_s: Rest | None = None
    remaining_s: Rest | None = None


@dataclass(frozen=True, slots=True)
class PositionRecord:
    """The stored position of a machine, since when, and set by whom (a person, or `controller`).
    `mark`: see `PositionMemory`."""

    position: Position
    since: int
    by: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class MachineRow:
    """A machine with its present state. `presence` is that of its station: if it is silent or has
    left, everything else is what was known last."""

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
    not_ready: str = ""  # why its controller can start nothing; "": it can
    position: PositionRecord | None = None  # None: not reported by its driver
    unreached_since: int | None = None  # None: its controller answers, or was not tried
    presence: Presence = Presence.HERE

    @property
    def attended(self) -> bool:
        """Whether its station is there to carry out commands."""
        return self.presence in {Presence.HERE, Presence.CONNECTED}

    @property
    def from_elsewhere(self) -> bool:
        """Whether it is held, and not connected, because its database was moved or copied."""
        held = self.state_reason.startswith(FROM_ELSEWHERE)
        return held and self.state is MachineState.MAINTENANCE

    @property
    def missing_since(self) -> int | None:
        """Since when its station can't reach the controller, unless in maintenance. None: it
        answers, or was not tried yet."""
        if not self.attended or self.state is MachineState.MAINTENANCE:
            return None
        if self.unreached_since is not None or self.state is not MachineState.OFFLINE:
            return self.unreached_since
        asked = self.state_reason not in {"", STATION_CLOSED, STATION_GONE}
        return self.state_since if asked else None

    @property
    def at_work(self) -> bool:
        """Whether it has a live run: its station then reconnects by itself."""
        return self.state in BUSY_MACHINES

    @property
    def position_lost(self) -> bool:
        """Whether nothing may start on it until its position is known again."""
        return self.position is not None and not self.position.position.known


@dataclass(frozen=True, slots=True)
class MachineCard:
    """A machine card: the machine, its job, and the next job or why there is none."""

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
    SET_UP = "set_up"  # confirm the set-up, and the job starts
    FINISH = "finish"  # of a machine that only reports: confirm that the job is done
    RETRY = "retry"
    RECONNECT = "reconnect"  # try to reach the controller now
    CONFIRM_POSITION = "confirm_position"  # confirm the work zero
    MAKE_READY = "make_ready"  # at the controller, never from here
    FIND_STATION = "find_station"  # check now whether the station responds
    TRY_LINK = "try_link"  # try the database now
    BACK_UP = "back_up"  # look why no back-up of the last day is there
    ACCEPT_DATABASE = "accept_database"  # agree that its machines are run from this computer


@dataclass(frozen=True, slots=True)
class NeedsYou:
    """One thing that waits for a person, with its remedy. `at_panel`: it can only be done at the
    machine's own panel or at its station, as `text` tells. `about` names the subject if it is
    neither a job nor a machine: a station, a link."""

    remedy: Remedy
    title: str
    text: str
    since: int
    job_id: int | None
    machine_id: int | None
    at_panel: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Floor:
    """One consistent view of the shop floor."""

    at: int
    cards: tuple[MachineCard, ...]
    counts: JobCounts
    needs_you: tuple[NeedsYou, ...]
    next_up: tuple[JobRow, ...]
    just_now: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class StateInterval:
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
    """Completed and failed jobs per bucket, jobs waiting at each bucket's end, the share of machine
    time spent running, and every machine's intervals."""

    completed: Series
    failed: Series
    waiting: Series
    utilisation: Series
    intervals: tuple[StateInterval, ...]
