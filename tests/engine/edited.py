"""Short words for machines whose drivers are edited."""

from dataclasses import replace

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.queries import ListMachines
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.views import MachineRow
from tests.engine.floor import MILL, Controller, FloorOf
from tests.until import until

BEFORE = replace(MILL, driver="scripted")
AFTER = replace(BEFORE, settings={"port": "COM4"})


async def the_mill(floor: FloorOf) -> MachineRow:
    (row,) = await floor.door.ask(ListMachines())
    return row


def wired(made: list[Controller]) -> list[Controller]:
    """To the machine, one after the other."""
    return [driver for driver in made if "connect" in driver.asked]


async def at_work(floor: FloorOf, made: list[Controller]) -> int:
    job_id = await floor.job()
    (driver,) = wired(made)
    await until(lambda: driver.cutting)
    return job_id


async def edited_elsewhere(floor: FloorOf, machine_id: int) -> None:
    """As another station writes it, which has no driver to change."""
    edit = MoveMachine((t.MACHINE_EDITED,), machine_id, "anna", spec=AFTER)
    await floor.writer.write(edit)


async def is_ready(floor: FloorOf) -> bool:
    row = await the_mill(floor)
    return row.state is MachineState.IDLE and not row.not_ready
