"""A machine's position is a stored fact: nothing starts before it is known."""

from collections.abc import AsyncIterator

import pytest

from cnc_station.engine.commands import ActOnMachine
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.machine import Position, PositionBasis, PositionMemory
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers.base import EndUnproven
from cnc_station.engine.queries import ListEvents, ListMachines
from cnc_station.engine.views import Doing
from tests.engine.conftest import Station
from tests.engine.floor import ME, Controller, FloorOf
from tests.until import until

LOST = Position(PositionBasis.LOST, "it was switched off and on")
HOMED = Position(PositionBasis.HOMED, "homed")


@pytest.fixture
async def floor(station: Station, controller: Controller) -> AsyncIterator[FloorOf]:
    floor = await station()
    yield floor
    if controller.cutting:
        controller.end()


async def _basis(floor: FloorOf) -> tuple[str, str] | None:
    (machine,) = await floor.door.ask(ListMachines())
    known = machine.position
    return None if known is None else (known.position.basis.value, known.by)


async def _is_lost(floor: FloorOf) -> bool:
    return await _basis(floor) == ("lost", "controller")


async def _comes_to(floor: FloorOf, position: Position) -> None:
    async def there() -> bool:
        return await _basis(floor) == (position.basis.value, "controller")

    await until(there)


async def test_nothing_starts_on_a_lost_position_until_a_person_has_confirmed_it(
    floor: FloorOf, controller: Controller
) -> None:
    machine_id = await floor.mill(driver="scripted")
    controller.knows(LOST)
    await until(lambda: _is_lost(floor))
    job_id = await floor.job()
    with pytest.raises(Conflict):  # a later fact: the machine has nothing to be cleared from
        await floor.door.execute(ActOnMachine(MachineAction.CLEAR, machine_id))
    assert (await floor.row(job_id)).state is JobState.QUEUED
    await floor.door.execute(ActOnMachine(MachineAction.CONFIRM_POSITION, machine_id))
    await floor.comes_to(job_id, JobState.RUNNING)
    assert await _basis(floor) == ("confirmed", ME.name)


async def test_what_becomes_of_a_position_is_in_the_history_once(
    floor: FloorOf, controller: Controller
) -> None:
    machine_id = await floor.mill(driver="scripted")
    for position in (LOST, LOST, HOMED):
        controller.knows(position)
        await _comes_to(floor, position)
    events = await floor.door.ask(ListEvents(machine_id=machine_id))
    told = [(e.actor, e.reason, e.details) for e in events if e.type == "position_changed"]
    assert told == [
        ("controller", LOST.reason, {"basis": "lost"}),
        ("controller", "homed", {"basis": "homed"}),
    ]


async def test_a_position_that_is_lost_in_a_run_is_written_while_it_runs(
    floor: FloorOf, controller: Controller
) -> None:
    machine_id = await floor.mill(driver="scripted")
    await floor.comes_to(await floor.job(), JobState.RUNNING)
    await until(lambda: controller.cutting)
    controller.does(Doing.RUNNING)
    controller.loses(LOST)
    await until(lambda: _is_lost(floor))
    assert await floor.machine_state(machine_id) is MachineState.RUNNING


async def test_the_next_life_of_the_station_is_told_what_the_last_one_knew(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    await floor.mill(driver="scripted")
    assert controller.recalled == [None]
    controller.knows(LOST)
    await until(lambda: _is_lost(floor))
    await floor.engine.stop()
    await station()
    assert controller.recalled == [None, PositionMemory(LOST, "mark")]


async def test_a_refused_confirmation_leaves_the_position_unknown(
    floor: FloorOf, controller: Controller
) -> None:
    machine_id = await floor.mill(driver="scripted")
    controller.knows(LOST)
    await until(lambda: _is_lost(floor))
    controller.refuses["confirm_position"] = Conflict("it moves")
    with pytest.raises(Conflict, match="it moves"):
        await floor.door.execute(ActOnMachine(MachineAction.CONFIRM_POSITION, machine_id))
    assert await _basis(floor) == ("lost", "controller")


async def test_what_was_set_before_a_part_is_in_the_runs_history(
    floor: FloorOf, controller: Controller
) -> None:
    controller.sets = ("G21 set (G20 was on)", "G90 set (G91 was on)")
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    await until(lambda: controller.cutting)
    events = await floor.door.ask(ListEvents(job_id=job_id))
    assert [e.type for e in events][-2:] == ["started", "modes_set"]
    assert events[-1].reason == "G21 set (G20 was on); G90 set (G91 was on)"


async def test_an_end_without_proof_waits_for_a_person(
    floor: FloorOf, controller: Controller
) -> None:
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    await until(lambda: controller.cutting)
    controller.end(EndUnproven("the tool stands at X0 where the program ends at X21"))
    await floor.comes_to(job_id, JobState.INTERRUPTED)
    assert "where the program ends" in (await floor.row(job_id)).last_error
