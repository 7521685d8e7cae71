"""The demo day: adds the machines, programs and jobs of resources/demo to an engine."""

import tomllib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from cnc_station.bundled import bundled
from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine, AddProgram, ImportJobs
from cnc_station.engine.domain.machine import Capability, Envelope, MachineSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.door import Door
from cnc_station.engine.queries import ListMachines
from cnc_station.engine.store.database import EngineLock

DEMO = local_principal("demo day")
Loader = Callable[[Door], Coroutine[Any, Any, object]]
SEED = 7  # a day on which the first complexity-5 jobs show the retry path


async def load_demo(door: Door) -> tuple[int, ...]:
    """Add the missing machines, store the programs, import the jobs of the day.

    Returns the ids of the jobs. Raises InvalidInput or Unavailable. The jobs are imported all or
    none.
    """
    await add_machines(door, demo_machines())
    return await add_jobs(door)


async def add_machines(door: Door, specs: Sequence[MachineSpec]) -> None:
    """Add the missing ones to the door's station."""
    there = {machine.spec.name for machine in await door.ask(ListMachines())}
    for spec in specs:
        if spec.name not in there:
            await door.execute(AddMachine(spec))


async def add_jobs(door: Door) -> tuple[int, ...]:
    """Store the programs and import the jobs of the day. Return their ids."""
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


def demo_machines() -> list[MachineSpec]:
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
