"""The demo day: adds the machines, programs and jobs of resources/demo to an engine."""

import re
import tomllib
from dataclasses import dataclass
from typing import Any, Self

from cnc_station.bundled import bundled
from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine, AddProgram, ImportJobs
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.machine import Capability, Envelope, MachineSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.door import Door
from cnc_station.engine.queries import ListMachines
from cnc_station.engine.store.lock import EngineLock

DEMO = local_principal("demo day")
SEED = 7  # a day on which the first complexity-5 jobs show the retry path


@dataclass(frozen=True, slots=True)
class Share:
    """The part that one of `stations` adds to the demo day.

    It is every n-th machine, so that each station has some of every type. The first also adds the
    programs and the jobs.
    """

    number: int = 1
    stations: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a share: `2/3` is the second of three. Raises InvalidInput."""
        found = re.fullmatch(r"([1-9]\d?)/([1-9]\d?)", text)
        if found is None or int(found[1]) > int(found[2]):
            raise InvalidInput(FieldError("demo", "must be a share such as 2/3"))
        return cls(int(found[1]), int(found[2]))

    def machines(self) -> list[MachineSpec]:
        """Return the machines of this share."""
        return demo_fleet()[self.number - 1 :: self.stations]


WHOLE = Share()


async def load_demo(door: Door, share: Share = WHOLE) -> tuple[int, ...]:
    """Add the machines that are not there yet, keep the programs, import the day's jobs.

    Returns the ids of the jobs. Raises InvalidInput or Unavailable. The jobs are imported all or
    none.
    """
    there = {machine.spec.name for machine in await door.ask(ListMachines())}
    for spec in share.machines():
        if spec.name not in there:
            await door.execute(AddMachine(spec))
    if share.number > 1:
        return ()
    for path in sorted(bundled("demo", "programs").iterdir(), key=lambda path: path.name):
        await door.execute(AddProgram(path.name, path.read_bytes()))
    day = bundled("demo", "day.csv").read_bytes()
    return await door.execute(ImportJobs("day.csv", day, None))


def fresh_database(config: Config) -> None:
    """Delete the demo's own database for a new day. Raises Unavailable while a station uses it."""
    path = config.database_path
    assert path is not None
    lock = EngineLock(path)
    lock.acquire(config.station)
    try:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    finally:
        lock.release()


def demo_fleet() -> list[MachineSpec]:
    """Return the machines of the demo shop."""
    table = tomllib.loads(bundled("demo", "fleet.toml").read_text("utf-8"))
    return [_machine(row) for row in table["machine"]]


def _machine(row: dict[str, Any]) -> MachineSpec:
    return MachineSpec(
        name=row["name"],
        machine_type=row["type"],
        model=row["model"],
        driver="simulator",
        capability=Capability(
            machine_type=row["type"],
            max_complexity=row["max_complexity"],
            materials=frozenset(row["materials"]),
            axes=row["axes"],
            envelope=Envelope(*map(float, row["envelope_mm"])),
        ),
        operator_clears=row["operator_clears"],
    )
