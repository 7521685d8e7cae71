"""Stored programs, and tables of jobs to import."""

from collections.abc import Mapping
from dataclasses import dataclass

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
class Toolpath:
    """A program's path for drawing, as parallel columns, one entry per point (mm).

    `kind`: 0 rapid, 1 feed. `seconds` is the program time at each point. `assumes`: the modes that
    the program takes for granted.
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


@dataclass(frozen=True, slots=True)
class ImportIssue:
    """Why a row can't be imported: row (from 1, without the header; 0: the whole file)."""

    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """A table as read: its columns, the mapping (field -> column), the first rows as text, the
    number of rows, and every issue. Nothing is stored while there is an issue. `notes` do not
    prevent the import: what of a cell had two meanings, and which was chosen."""

    columns: tuple[str, ...]
    mapping: Mapping[str, str]
    rows: tuple[tuple[str, ...], ...]
    total: int
    issues: tuple[ImportIssue, ...]
    notes: tuple[ImportIssue, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether all of it can be imported."""
        return self.total > 0 and not self.issues
