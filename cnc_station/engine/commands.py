"""Everything that changes something, as frozen values: `await door.execute(DuplicateJob(7))`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import Answer, ConnectionReport, ProgramRow, Undo

T_co = TypeVar("T_co", covariant=True)


class Command(Generic[T_co]):
    """Something to be changed, as a frozen value; `T_co` is what the door answers.

    The door raises InvalidInput, Conflict, Fenced, Unavailable or NotPermitted. A command over
    many items answers for each item instead.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SubmitJobs(Command[tuple[int, ...]]):
    """Store new jobs, all or none; the answer is their ids in order. Raises InvalidInput."""

    specs: Sequence[JobSpec]


@dataclass(frozen=True, slots=True)
class EditJob(Command[None]):
    """Change fields of a job that is not at a machine (names: `domain.job.EDITABLE`). With
    `version`, refused if somebody changed the job meanwhile."""

    job_id: int
    changes: Mapping[str, Any]
    version: int | None = None


@dataclass(frozen=True, slots=True)
class DuplicateJob(Command[int]):
    """Store a copy of a job, waiting as if it came in now; the answer is its id."""

    job_id: int


@dataclass(frozen=True, slots=True)
class ActOnJobs(Command[tuple[Answer, ...]]):
    """Do one thing to many jobs; an answer for each, in order. `JobAction` says which action takes
    which of the fields after `reason`."""

    action: JobAction
    job_ids: Sequence[int]
    reason: str = ""
    before: int | None = None
    machine_id: int | None = None
    until: int | None = None
    state: JobState | None = None


@dataclass(frozen=True, slots=True)
class UndoJobActions(Command[tuple[Answer, ...]]):
    """Take back what `ActOnJobs` did, where the job has not changed since; an answer for each."""

    steps: Sequence[Undo]


@dataclass(frozen=True, slots=True)
class AddMachine(Command[int]):
    """Add a machine to this station; the answer is its id. Raises InvalidInput."""

    spec: MachineSpec


@dataclass(frozen=True, slots=True)
class EditMachine(Command[None]):
    """Raises Conflict for another driver, or other settings of it, while the machine is at work;
    it gets no work from then on until that driver reports that it is ready."""

    machine_id: int
    spec: MachineSpec


@dataclass(frozen=True, slots=True)
class ActOnMachine(Command[None]):
    """With CLEAR, `good`, `scrap` and `rework` count the parts of the machine's last run: all that
    a completed run made, at most the quantity of another; None: unknown. InvalidInput says what
    they add up to. UNLOCK asks the controller, whichever station it is connected to; Conflict says
    what has to be done first."""

    action: MachineAction
    machine_id: int
    reason: str = ""
    good: int | None = None
    scrap: int | None = None
    rework: int | None = None


@dataclass(frozen=True, slots=True)
class MoveMachine(Command[None]):
    """Move a machine that is not at work to another station, which connects to it. Maintenance or
    an alarm goes on there, and a part on it still has to be cleared."""

    machine_id: int
    station: str


@dataclass(frozen=True, slots=True)
class TryMachine(Command[ConnectionReport]):
    """Connect as `spec` says, report what was found, and disconnect; nothing is stored or moved.
    Where it says `KEPT`, the stored passwords of the machine `machine_id` count. Raises
    InvalidInput."""

    spec: MachineSpec
    machine_id: int | None = None


@dataclass(frozen=True, slots=True)
class AddProgram(Command[ProgramRow]):
    """Store a program by content: the same bytes give the same row, new bytes under a known name a
    new revision. Raises InvalidInput with lines where the program is wrong."""

    name: str
    source: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImportJobs(Command[tuple[int, ...]]):
    """Import every row of a CSV or XLSX table or none; `mapping` and `reading` as in
    `PreviewImport`. The answer is the ids of the jobs. Raises InvalidInput."""

    name: str
    content: bytes = field(repr=False)
    mapping: Mapping[str, str] | None = None
    reading: str = ""


@dataclass(frozen=True, slots=True)
class SaveSettings(Command[None]):
    """Store settings by name; the others stay as they are. Raises InvalidInput."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TryDatabase(Command[None]):
    """Write to the database now. Raises Unavailable with the reason why that is not possible."""
