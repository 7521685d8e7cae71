"""Real LinuxCNC mills and a station that drives them, for tests that go all the way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cnc_station.config import Config
from cnc_station.engine.commands import AddProgram, SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.engine import StationEngine
from tests.engine.floor import FloorOf
from tests.linuxcnc import LinuxCnc

ME = local_principal("anna")
HEAD = "G21 G90 G54 G40 G94\n"
SQUARE = f"{HEAD}G0 X0 Y0 Z5\nG1 X4 F1200\nY4\nX0\nY0\nG0 Z6\nM2\n"
LONG = f"{HEAD}G0 X0 Y0 Z5\nG1 X60 F600\nX0\nY20\nG0 Z7\nM2\n"  # some 14 s
STOPPING = f"{HEAD}G0 X0 Y0 Z5\nG1 X3 F1200\nM0\nX0\nG0 Z6\nM2\n"
TOO_FAR = f"{HEAD}G0 X0 Y0 Z5\nG1 X3 F1200\nG1 X900\nG0 Z6\nM2\n"


def wired(mill: LinuxCnc, name: str, **values: object) -> MachineSpec:
    """A machine of the shop that this controller drives; it clears and starts itself."""
    settings = {"port": mill.port, "program_folder": str(mill.programs)} | values
    return MachineSpec(
        name, "mill", driver="linuxcnc", capability=Capability("mill"), settings=settings
    )


@asynccontextmanager
async def at_work(config: Config) -> AsyncIterator[FloorOf]:
    """A station in this process."""
    floor = FloorOf(StationEngine(config))
    await floor.engine.start()
    try:
        yield floor
        assert await floor.broken() == []
    finally:
        await floor.engine.stop()


async def submitted(floor: FloorOf, name: str, program: str, quantity: int = 1) -> int:
    """A job for a mill; a failure is final."""
    head = "" if program.startswith("%") else f"({name})\n"  # a % ends what comes before it
    row = await floor.door.execute(AddProgram(f"{name}.ngc", f"{head}{program}".encode()))
    spec = JobSpec(name, "mill", program=row.sha256, retry_limit=0, quantity=quantity)
    (job_id,) = await floor.door.execute(SubmitJobs([spec]))
    return job_id


def station_of(folder: Path) -> Config:
    """Its own file, and every commit on the disk: this station is killed."""
    return Config(
        data_folder=folder, database_url=f"sqlite:///{folder / 'station.db'}", station="A"
    )
