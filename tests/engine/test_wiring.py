"""A machine has one driver, whoever comes to give it one: a serial port serves one program."""

from dataclasses import replace
from typing import Any

import pytest

from cnc_station.engine.commands import EditMachine
from cnc_station.engine.services.reconciler import Reconciler
from cnc_station.engine.store.machines import AddMachine, MoveMachine
from cnc_station.engine.store.queries.machine_rows import stored_machines
from cnc_station.engine.store.transaction import StoreCommand
from tests.engine.conftest import Station
from tests.engine.floor import MILL, Controller, FloorOf, supervisor_of


@pytest.fixture
async def floor(
    station: Station,
    made: list[Controller],  # noqa: ARG001 - it is asked for them
    monkeypatch: pytest.MonkeyPatch,
) -> FloorOf:
    """Whose reconciler looks just when a machine was added or edited, and has no driver yet."""
    floor = await station()
    writer = floor.writer
    write = writer.write

    async def and_look(change: StoreCommand[Any]) -> Any:
        written = await write(change)
        edited = isinstance(change, MoveMachine) and change.spec is not None
        if edited or isinstance(change, AddMachine):
            await floor.service(Reconciler).run_once()
        return written

    monkeypatch.setattr(writer, "write", and_look)
    return floor


def _in_use(made: list[Controller]) -> list[Controller]:
    return [driver for driver in made if "connect" in driver.asked and not driver.closed]


def _driver(floor: FloorOf, machine_id: int) -> object:
    return floor.drivers[machine_id]


async def test_a_machine_that_is_seen_while_it_is_added_has_one_driver(
    floor: FloorOf, made: list[Controller]
) -> None:
    machine_id = await floor.mill(driver="scripted")
    assert _in_use(made) == [_driver(floor, machine_id)]


async def test_a_machine_that_is_seen_while_it_is_edited_has_one_driver(
    floor: FloorOf, made: list[Controller]
) -> None:
    machine_id = await floor.mill(driver="scripted")
    former = _driver(floor, machine_id)
    wanted = replace(MILL, driver="scripted", settings={"port": "COM4"})
    await floor.door.execute(EditMachine(machine_id, wanted))
    assert _in_use(made) == [_driver(floor, machine_id)]
    assert _driver(floor, machine_id) is not former


async def test_who_comes_late_with_a_former_edit_changes_nothing(
    floor: FloorOf, made: list[Controller]
) -> None:
    machine_id = await floor.mill(driver="scripted")
    former = next(row for row in await floor.reader.read(stored_machines) if row.id == machine_id)
    wanted = replace(MILL, driver="scripted", settings={"port": "COM4"})
    await floor.door.execute(EditMachine(machine_id, wanted))
    driver = _driver(floor, machine_id)
    await supervisor_of(floor.engine).pool.wire(former)
    assert _in_use(made) == [_driver(floor, machine_id)] == [driver]
