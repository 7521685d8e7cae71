"""Stored programs, and tables of jobs to import."""

from collections.abc import Mapping
from dataclasses import dataclass

from cnc_station.engine.domain.nc.dialect import Certainty
from cnc_station.engine.domain.nc.preconditions import Assumption


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """A stored program: immutable bytes known by SHA-256, one revision of its name."""

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
class AddedProgram(ProgramRow):
    """A program that was sent. `created`: its bytes were not stored before."""

    created: bool


@dataclass(frozen=True, slots=True)
class ProgramFinding:
    """A finding about a line of a program (lines count from 1)."""

    line: int
    severity: str
    message: str


@dataclass(frozen=True, slots=True)
class ReadAs:
    """The dialect that a program was read in: its label, how sure that is, and the reasons."""

    label: str
    certainty: Certainty
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Toolpath:
    """A program's path for drawing, as parallel columns, one entry per point (mm).

    `kind`: 0 rapid, 1 feed. `seconds` is the program time at each point. `assumes`: the modes that
    the program takes for granted. `doubtful`: its time is not certain.
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
    assumes: tuple[Assumption, ...] = ()
    reading: ReadAs | None = None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class ProgramDetail:
    """A program with its text and findings, and what it needs on the machine: tools by number, each
    with the program's name for it, and work offsets ("G54"). `assumes`: see `Toolpath`."""

    row: ProgramRow
    text: str
    findings: tuple[ProgramFinding, ...]
    revisions: tuple[ProgramRow, ...]
    tools: tuple[tuple[int, str], ...] = ()
    work_offsets: tuple[str, ...] = ()
    assumes: tuple[Assumption, ...] = ()
    reading: ReadAs | None = None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class ImportIssue:
    """Why a row can't be imported: row (from 1, without the header; 0: the whole file)."""

    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class ImportChange:
    """What an import changes of a job that has the row's external id: each field, with its value
    before and after it. Without `fields` the job is left as it is, for the reason in `kept`."""

    row: int
    job_id: int
    name: str
    fields: tuple[tuple[str, str, str], ...] = ()
    kept: str = ""


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """A table as read: its columns, the mapping (field -> column), the first rows as text with
    their numbers, the number of jobs, and every issue. Nothing is stored while there is an issue.
    `notes` do not prevent the import: what was left out, what had two meanings and which was
    chosen.

    `shape` is the system whose export it is; `remembered` tells that the mapping is that of the
    last import of such a table. `missing` are the programs that are named and not stored, `asked`
    the fields whose column a person must choose. `stored` is the number of jobs that exist already,
    by their external id, `changed` of those that the import changes, `kept` of those that differ
    and are left as they are; `changes` are the first of both."""

    columns: tuple[str, ...]
    mapping: Mapping[str, str]
    rows: tuple[tuple[str, ...], ...]
    total: int
    issues: tuple[ImportIssue, ...]
    notes: tuple[ImportIssue, ...] = ()
    numbers: tuple[int, ...] = ()
    shape: str = ""
    remembered: bool = False
    missing: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    stored: int = 0
    changed: int = 0
    kept: int = 0
    changes: tuple[ImportChange, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether all of it can be imported."""
        return self.total > 0 and not self.issues
