"""What can be asked about programs and tables of jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cnc_station.engine.queries.base import Query
from cnc_station.engine.views import ImportPreview, ProgramDetail, ProgramRow, Toolpath


@dataclass(frozen=True, slots=True)
class ListPrograms(Query[tuple[ProgramRow, ...]]):
    """The stored programs whose name contains `text`."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class ProgramByHash(Query[ProgramDetail | None]):
    """A program with its text and findings."""

    sha256: str


@dataclass(frozen=True, slots=True)
class ToolpathByHash(Query[Toolpath | None]):
    """A program's path for drawing."""

    sha256: str


@dataclass(frozen=True, slots=True)
class PreviewImport(Query[ImportPreview]):
    """Read a CSV or XLSX table without storing anything. `mapping`: which column is which field;
    None: as the column names say."""

    name: str
    content: bytes = field(repr=False)
    mapping: Mapping[str, str] | None = None
