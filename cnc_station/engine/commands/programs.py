"""Changes of programs."""

from dataclasses import dataclass, field

from cnc_station.engine.commands.base import Command
from cnc_station.engine.views import AddedProgram


@dataclass(frozen=True, slots=True)
class AddProgram(Command[AddedProgram]):
    """Store a program by content: the same bytes give the same row, new bytes under a known name a
    new revision. Raises InvalidInput with lines where the program is wrong."""

    name: str
    source: bytes = field(repr=False)
