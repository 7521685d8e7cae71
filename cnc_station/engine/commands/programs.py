"""Programs and tables of jobs on their way in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cnc_station.engine.commands.base import Command
from cnc_station.engine.views import ProgramRow


@dataclass(frozen=True, slots=True)
class AddProgram(Command[ProgramRow]):
    """Store a program by content: the same bytes give the same row, new bytes under a known name a
    new revision. Raises InvalidInput with lines where the program is wrong."""

    name: str
    source: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImportJobs(Command[tuple[int, ...]]):
    """Import every row of a CSV or XLSX table or none; `mapping` as in `PreviewImport`. The answer
    is the ids of the jobs. Raises InvalidInput."""

    name: str
    content: bytes = field(repr=False)
    mapping: Mapping[str, str] | None = None
