"""The engine's one door: commands, queries and the change stream.

The window, the command line and the web see only this and the values of `domain` and `views`.
Every method is a coroutine that never blocks its loop. Commands raise InvalidInput, Conflict,
Fenced or Unavailable; those over many items answer for each item instead.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.event import Actor, Event
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.views import (
    About,
    Answer,
    Charts,
    ConnectionReport,
    DriverInfo,
    Floor,
    ImportPreview,
    JobCounts,
    JobDetail,
    JobFilter,
    JobPage,
    JobRow,
    Link,
    MachineRow,
    Message,
    ProgramDetail,
    ProgramRow,
    RunInHand,
    RunRow,
    Sort,
    StationRow,
    Status,
    Telemetry,
    Toolpath,
    Undo,
)


class Commands(Protocol):
    """Everything that changes something; each says who asks."""

    async def submit(self, specs: Sequence[JobSpec], actor: Actor) -> tuple[int, ...]:
        """Store new jobs, all or none, and return their ids in order. Raises InvalidInput."""
        ...

    async def edit_job(
        self, job_id: int, changes: Mapping[str, Any], actor: Actor, *, version: int | None = None
    ) -> None:
        """Change fields of a job that is not at a machine (names: `domain.job.EDITABLE`).
        With `version`, refuses if somebody changed it meanwhile."""
        ...

    async def duplicate(self, job_id: int, actor: Actor) -> int:
        """A new draft-free copy of a job, waiting as if it came in now."""
        ...

    async def act(
        self,
        action: JobAction,
        job_ids: Sequence[int],
        actor: Actor,
        *,
        reason: str = "",
        **arguments: Any,
    ) -> tuple[Answer, ...]:
        """Do one thing to many jobs; an answer for each, in order."""
        ...

    async def undo(self, steps: Sequence[Undo], actor: Actor) -> tuple[Answer, ...]:
        """Take back what `act` did, where nothing has moved on since."""
        ...

    async def add_machine(self, spec: MachineSpec, actor: Actor) -> int: ...

    async def edit_machine(self, machine_id: int, spec: MachineSpec, actor: Actor) -> None:
        """Raises Conflict for another driver, or other settings of it, while the machine is at
        work; it gets no work from then on until that driver has said that it is ready."""
        ...

    async def act_on_machine(
        self,
        action: MachineAction,
        machine_id: int,
        actor: Actor,
        *,
        reason: str = "",
        good: int | None = None,
        scrap: int | None = None,
        rework: int | None = None,
    ) -> None:
        """With CLEAR, `good`, `scrap` and `rework` count the parts of the machine's last run: all
        that a completed run made, no more than the quantity of another; None: unknown. InvalidInput
        says what they add up to. UNLOCK asks
        the controller, at whatever station it is, and Conflict says what it wants first."""
        ...

    async def move_machine(self, machine_id: int, station: str, actor: Actor) -> None:
        """Give a machine that is not at work to another station, which connects to it. A
        maintenance or an alarm goes on there, and a part on it is still to be cleared."""
        ...

    async def try_machine(
        self, spec: MachineSpec, machine_id: int | None = None
    ) -> ConnectionReport:
        """Connect as `spec` says, tell what was found, and let go; nothing is kept or moved. Where
        it says `KEPT`, the passwords of the machine `machine_id` count. Raises InvalidInput."""
        ...

    async def try_database(self) -> None:
        """Try now whether the database takes what is written. Raises Unavailable with why not."""
        ...

    async def add_program(self, name: str, source: bytes, actor: Actor) -> ProgramRow:
        """Keep a program by content: the same bytes give the same row, new bytes under a known
        name a new revision. Raises InvalidInput with lines where the program is wrong."""
        ...

    async def preview_import(
        self, name: str, content: bytes, mapping: Mapping[str, str] | None = None
    ) -> ImportPreview:
        """Read a CSV or XLSX table without storing anything."""
        ...

    async def import_jobs(
        self, name: str, content: bytes, mapping: Mapping[str, str] | None, actor: Actor
    ) -> tuple[int, ...]:
        """Import every row or none; `mapping` as in `preview_import`. Raises InvalidInput."""
        ...

    async def save_settings(self, values: Mapping[str, Any], actor: Actor) -> None: ...


class Queries(Protocol):
    """Everything that only looks."""

    async def floor(self) -> Floor: ...

    async def charts(self, since: int, step: int) -> Charts: ...

    async def jobs(
        self, chosen: JobFilter, order: Sequence[Sort], offset: int, limit: int
    ) -> JobPage: ...

    async def jobs_by_id(self, ids: Sequence[int]) -> tuple[JobRow, ...]: ...

    async def job_counts(self, chosen: JobFilter) -> JobCounts:
        """Counts per state of the jobs that `chosen` selects, its own `states` and `late` left
        out, so that every filter chip can carry its number."""
        ...

    async def job(self, job_id: int) -> JobDetail | None: ...

    async def events(
        self,
        *,
        job_id: int | None = None,
        machine_id: int | None = None,
        after: int = 0,
        limit: int = 500,
        newest: bool = False,
    ) -> tuple[Event, ...]:
        """Events oldest first; the first `limit` after `after`, or with `newest` the last."""
        ...

    async def runs(self, *, job_id: int | None = None, limit: int = 200) -> tuple[RunRow, ...]: ...

    async def machines(self) -> tuple[MachineRow, ...]: ...

    async def stations(self) -> tuple[StationRow, ...]:
        """Who is in the fleet, this one included."""
        ...

    async def programs(self, text: str = "") -> tuple[ProgramRow, ...]: ...

    async def program(self, sha256: str) -> ProgramDetail | None: ...

    async def toolpath(self, sha256: str) -> Toolpath | None: ...

    async def export(self, chosen: JobFilter, order: Sequence[Sort], form: str) -> bytes:
        """The chosen jobs as `csv` or `json`, UTF-8."""
        ...

    async def settings(self) -> Mapping[str, Any]: ...

    def about(self) -> About:
        """What station this is, and what it was told from outside."""
        ...

    def drivers(self) -> tuple[DriverInfo, ...]:
        """The drivers a machine can have, by name."""
        ...

    def status(self, machine_id: int) -> Status | None:
        """What a machine's controller says, from memory; None for one of another station."""
        ...

    def machine_log(self, machine_id: int) -> tuple[Message, ...]:
        """What went over a machine's wire lately, oldest first; from memory, this station's."""
        ...

    def telemetry(self, machine_id: int) -> Telemetry | None:
        """The latest telemetry of a machine at work, from memory."""
        ...

    def runs_in_hand(self) -> tuple[RunInHand, ...]:
        """The runs that this station drives and what its closing would do to each, from memory."""
        ...

    def links(self) -> tuple[Link, ...]:
        """The state of each dependency, from memory."""
        ...


class Engine(Commands, Queries, Protocol):
    """The whole door, and its life."""

    async def start(self) -> None:
        """Open the database, put left-over runs right, then open for work. Raises Unavailable."""
        ...

    async def stop(self) -> None:
        """Finish in order; simulated runs stop, real ones keep cutting."""
        ...

    def subscribe(self, listener: Callable[[Notice], None]) -> Callable[[], None]:
        """Call `listener` on the engine's loop after each commit; returns how to stop that."""
        ...

    def subscribe_telemetry(self, listener: Callable[[frozenset[int]], None]) -> Callable[[], None]:
        """The same with the machines that have new telemetry, a few times a second."""
        ...
