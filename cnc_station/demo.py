"""The demo day: adds the machines, programs and jobs of resources/demo to an engine."""

import tomllib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from cnc_station.bundled import bundled
from cnc_station.config import Config
from cnc_station.engine.domain.event import Actor
from cnc_station.engine.domain.machine import Capability, Envelope, MachineSpec
from cnc_station.engine.interface import Engine
from cnc_station.engine.store.database import EngineLock

ACTOR = Actor("demo day")
Loader = Callable[[Engine], Coroutine[Any, Any, object]]
SEED = 7  # a day whose first complexity-5 jobs show a retry


async def load_demo(engine: Engine) -> tuple[int, ...]:
    """Add the missing machines, store the programs, import the jobs of the day.

    Returns the ids of the jobs. Raises InvalidInput or Unavailable. The jobs are imported all or
    none.
    """
    await add_machines(engine, demo_machines())
    return await add_jobs(engine)


async def add_machines(engine: Engine, specs: Sequence[MachineSpec]) -> None:
    """Add the missing ones to the engine's station."""
    there = {machine.spec.name for machine in await engine.machines()}
    for spec in specs:
        if spec.name not in there:
            await engine.add_machine(spec, ACTOR)


async def add_jobs(engine: Engine) -> tuple[int, ...]:
    """Store the programs and import the jobs of the day. Return their ids."""
    for path in sorted(bundled("demo", "programs").iterdir(), key=lambda path: path.name):
        await engine.add_program(path.name, path.read_bytes(), ACTOR)
    day = bundled("demo", "day.csv").read_bytes()
    return await engine.import_jobs("day.csv", day, None, ACTOR)


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
