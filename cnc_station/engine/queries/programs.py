"""Queries about programs and tables of jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cnc_station.engine.queries.base import LiveQuery, Query
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
class ProgramContent(Query[bytes | None]):
    """The exact bytes of a program."""

    sha256: str


@dataclass(frozen=True, slots=True)
class ToolpathByHash(Query[Toolpath | None]):
    """A program's path for drawing."""

    sha256: str


@dataclass(frozen=True, slots=True)
class PreviewImport(Query[ImportPreview]):
    """Read a CSV or XLSX table without storing anything. `mapping`: which column is which field;
    "" for a field that is to have none; None: as in the last import of such a table, otherwise as
    the column names say. `reading` is a name for `ReadingProgress`. `beside` are the names of
    programs that are to be stored before the import."""

    name: str
    content: bytes = field(repr=False)
    mapping: Mapping[str, str] | None = None
    reading: str = ""
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadingProgress(LiveQuery[float | None]):
    """The part of a table that is read, from 0 to 1; None if no table is being read under this
    name. Cancelling what reads it ends the reading at once."""

    reading: str
