"""What happens to a false GRBL between two jobs of a whole station, and what its history says."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.queries import ListEvents, ListMachines
from tests.e2e.grbl_routers import Router
from tests.e2e.real_mills import HEAD, LONG, at_work, station_of, submitted
from tests.engine.floor import FloorOf
from tests.until import until

INCHES = "G20 G90\nG0 X1 Y1\nM30\n"
UNITLESS = "G90\nG0 X5 Y5\nM30\n"
SHORT = f"{HEAD}G0 X5\nG1 X6 F1200\nM30\n"


@pytest.fixture(params=["grbl", "grblhal"])
async def router(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Router]:
    router = Router(tmp_path, hal=request.param == "grblhal")
    await router.wire.put_back()
    yield router
    await router.wire.pull_out()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return station_of(tmp_path)


async def _why(floor: FloorOf, words: str) -> None:
    """Until the machine says why it takes no job."""

    async def there() -> bool:
        (machine,) = await floor.door.ask(ListMachines())
        return words in machine.not_ready

    await until(there)


async def _reasons(floor: FloorOf, job_id: int, event: str) -> list[str]:
    return [e.reason for e in await floor.door.ask(ListEvents(job_id=job_id)) if e.type == event]


async def test_the_history_tells_which_modes_were_set(router: Router, config: Config) -> None:
    async with at_work(config) as floor:
        await floor.door.execute(AddMachine(router.as_machine("Router")))
        inches = await submitted(floor, "inches", INCHES)
        await floor.comes_to(inches, JobState.COMPLETED)
        job_id = await submitted(floor, "no units", UNITLESS)
        await floor.comes_to(job_id, JobState.COMPLETED)
        assert router.fake.axes.place == (5.0, 5.0, 0.0)
        assert await _reasons(floor, job_id, "modes_set") == ["G21 set (G20 was on)"]
        assert await _reasons(floor, inches, "modes_set") == []


@pytest.mark.parametrize("how", ["ALARM:1", "a power cut"])
async def test_unlocking_and_clearing_do_not_vouch_for_the_work_zero(
    router: Router, config: Config, how: str
) -> None:
    async with at_work(config) as floor:
        machine_id = await floor.door.execute(AddMachine(router.as_machine("Router")))
        broken = await submitted(floor, "long", LONG)
        await floor.comes_to(broken, JobState.RUNNING)
        await until(lambda: router.fake.axes.place[0] > 5)
        if how == "ALARM:1":
            router.fake.raise_alarm(1)
        else:
            router.fake.switch_off_and_on()
        row = await floor.comes_to(broken, JobState.NEEDS_ATTENTION)
        assert "position" in row.last_error
        if how == "ALARM:1":
            await floor.machine_comes_to(machine_id, MachineState.ALARM)
            await floor.act_on_machine("unlock", machine_id)
        if await floor.machine_state(machine_id) is MachineState.NEEDS_CLEARING:
            await floor.act_on_machine("clear", machine_id)
        job_id = await submitted(floor, "short", SHORT)
        taken = router.fake.lines
        await _why(floor, "position")
        assert (await floor.row(job_id)).state is JobState.QUEUED
        assert router.fake.lines == taken
        await floor.act_on_machine("confirm_position", machine_id)
        await floor.comes_to(job_id, JobState.COMPLETED)


async def test_a_doubt_outlasts_a_restart_of_the_station(router: Router, config: Config) -> None:
    async with at_work(config) as floor:
        await floor.door.execute(AddMachine(router.as_machine("Router")))
        await floor.comes_to(await submitted(floor, "short", SHORT), JobState.COMPLETED)
        router.fake.switch_off_and_on()
        await _why(floor, "switched off and on")
    taken = router.fake.lines
    async with at_work(config) as floor:
        (machine,) = await floor.door.ask(ListMachines())
        job_id = await submitted(floor, "short", SHORT)
        await _why(floor, "switched off and on")
        assert router.fake.lines == taken
        await floor.act_on_machine("confirm_position", machine.id)
        await floor.comes_to(job_id, JobState.COMPLETED)
        told = [
            event.actor
            for event in await floor.door.ask(ListEvents(machine_id=machine.id))
            if "position" in event.type
        ]
        assert "tester" in told


async def test_an_abort_is_neither_held_nor_continued(router: Router, config: Config) -> None:
    async with at_work(config) as floor:
        await floor.door.execute(AddMachine(router.as_machine("Router")))
        job_id = await submitted(floor, "long", LONG)
        await until(lambda: router.fake.axes.place[0] > 5)
        await floor.act("abort", job_id, reason="wrong tool")
        await floor.comes_to(job_id, JobState.CANCELLED)
        assert not {"held", "continued"} & set(await floor.told(job_id))


async def test_a_restart_in_the_last_moves_waits_for_a_person(
    router: Router, config: Config
) -> None:
    async with at_work(config) as floor:
        await floor.door.execute(AddMachine(router.as_machine("Router")))
        router.fake.welcome = "Router 12 is up"
        job_id = await submitted(floor, "last", f"{HEAD}G0 X1\nG1 X21 F600\n")
        await until(lambda: router.fake.buffer.empty and router.fake.axes.place[0] > 3)
        router.fake.switch_off_and_on()
        await floor.comes_to(job_id, JobState.INTERRUPTED)
        assert "completed" not in await floor.told(job_id)
