"""The current part, as it was read."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cnc_station.engine.domain.nc import Program, read
from cnc_station.engine.domain.nc.preconditions import Assumption
from cnc_station.engine.drivers.base import Order
from cnc_station.engine.drivers.linuxcnc import files
from cnc_station.engine.drivers.linuxcnc.ending import Ending, ending_of
from cnc_station.engine.drivers.linuxcnc.modes import assumed


@dataclass(frozen=True, slots=True)
class Part:
    """Part `number` of an order, with the exact bytes of its program."""

    run_id: int
    number: int
    source: bytes
    program: Program
    ending: Ending

    @classmethod
    async def read(cls, order: Order, source: bytes, number: int) -> Self:
        """Read a part. The time is proportional to the length of the program."""
        program = order.program
        if program is None:
            program = await asyncio.to_thread(read, source)
        ending = await asyncio.to_thread(ending_of, program, source)
        return cls(order.run_id, number, source, program, ending)

    @property
    def assumes(self) -> tuple[Assumption, ...]:
        """The modes that it has to begin in."""
        return assumed(self.program)

    @property
    def file(self) -> str:
        """The file name of its program."""
        return files.program_file_name(self.run_id, self.number)

    @property
    def modes_file(self) -> str:
        """The file name of the program that sets its modes."""
        return files.modes_file_name(self.run_id, self.number)

    async def is_unchanged(self, folder: Path) -> bool:
        """Return whether its file has the written content."""
        return await asyncio.to_thread(files.is_unchanged, folder, self.file, self.source)
