"""A machine at work keeps its driver until its run ends, whatever is edited meanwhile; one that
waits for its new driver is given no work for the old one."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from cnc_station.engine.commands import EditMachine
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers import registry
from cnc_station.engine.queries import ListRuns
from cnc_station.engine.services.controller_monitor import ControllerMonitor
from cnc_station.engine.services.dispatcher import MachineDispatcher
from cnc_station.engine.services.reconciler import Reconciler
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.store.transaction import StoreCommand
from cnc_station.engine.views import Doing
from tests.engine.conftest import Station
from tests.engine.edited import AFTER, BEFORE, at_work, edited_elsewhere, is_ready, the_mill, wired
from tests.engine.floor import Controller, FloorOf, kind_of
from tests.until import until

AT_WORK = r"^Mill 1 is at work\. Change its driver when it is idle\.$"

Instant = Callable[[], Awaitable[object]]
Instants = Callable[[Instant, Instant], None]


@pytest.fixture
async def floor(
    station: Station,
    made: list[Controller],  # noqa: ARG001 - what it drives
) -> FloorOf:
    return await station()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Controller:
    """What the driver named `silent` gives: there is nothing at its address."""
    controller = Controller()
    controller.refuses["connect"] = Unavailable("No answer at COM4.")
    monkeypatch.setitem(registry.OWN, "silent", kind_of(lambda: controller, name="silent"))
    return controller


@pytest.fixture
async def instants(floor: FloorOf, monkeypatch: pytest.MonkeyPatch) -> Instants:
    """What shall happen just before an edit is written, and just after; who edits also changes the
    driver."""
    await floor.service(Reconciler).stop()

    def around(before: Instant, after: Instant) -> None:
        writer = floor.writer
        write = writer.write

        async def in_between(change: StoreCommand[Any]) -> Any:
            edit = isinstance(change, MoveMachine) and change.spec is not None
            if edit:
                await before()
            written = await write(change)
            if edit:
                await after()
            return written

        monkeypatch.setattr(writer, "write", in_between)

    return around


async def _nothing() -> None: ...


async def test_a_claim_in_the_instant_before_an_edit_is_written_keeps_its_driver(
    floor: FloorOf, made: list[Controller], instants: Instants
) -> None:
    machine_id = await floor.mill(driver="scripted")
    instants(lambda: at_work(floor, made), _nothing)
    with pytest.raises(Conflict, match=AT_WORK):
        await floor.door.execute(EditMachine(machine_id, AFTER))
    (driver,) = wired(made)
    assert not driver.closed
    assert (await the_mill(floor)).spec == BEFORE
    driver.end()
    (job_id,) = (run.job_id for run in await floor.door.ask(ListRuns()))
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_what_is_no_matter_of_its_driver_is_changed_while_it_works(
    floor: FloorOf, made: list[Controller]
) -> None:
    machine_id = await floor.mill(driver="scripted")
    job_id = await at_work(floor, made)
    await floor.door.execute(EditMachine(machine_id, replace(BEFORE, model="VF-2")))
    assert (await the_mill(floor)).spec.model == "VF-2"
    (driver,) = wired(made)
    driver.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
    assert not driver.closed


async def test_no_job_is_begun_with_the_driver_that_an_edit_does_away_with(
    floor: FloorOf, made: list[Controller], instants: Instants
) -> None:
    machine_id = await floor.mill(driver="scripted")

    async def work_is_looked_for() -> None:
        job_id = await floor.job()
        await floor.service(MachineDispatcher).run_once()
        assert (await floor.row(job_id)).state is JobState.QUEUED

    instants(_nothing, work_is_looked_for)
    await floor.door.execute(EditMachine(machine_id, AFTER))
    former, driver = wired(made)
    await until(lambda: driver.cutting)
    assert former.closed
    assert "start" not in former.asked
    driver.end()


async def test_the_word_of_the_former_driver_does_not_make_a_machine_ready(
    floor: FloorOf, made: list[Controller], instants: Instants
) -> None:
    machine_id = await floor.mill(driver="scripted")
    said: list[str] = []

    async def former_speaks() -> None:
        (former,) = wired(made)
        for doing in (Doing.NOT_READY, Doing.READY):
            former.does(doing, "manual mode" if doing is Doing.NOT_READY else "")
            await floor.service(ControllerMonitor).run_once()
            said.append((await the_mill(floor)).not_ready)

    instants(_nothing, former_speaks)
    await floor.door.execute(EditMachine(machine_id, AFTER))
    assert said == ["its driver is being changed"] * 2
    assert (await the_mill(floor)).not_ready == ""


async def test_an_edit_from_elsewhere_is_followed_at_once(
    floor: FloorOf, made: list[Controller]
) -> None:
    machine_id = await floor.mill(driver="scripted")
    await edited_elsewhere(floor, machine_id)
    job_id = await floor.job()
    await until(lambda: len(wired(made)) == 2)
    former, driver = wired(made)
    await until(lambda: driver.cutting)
    assert former.closed
    driver.end()
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_a_driver_that_can_not_be_made_here_leaves_its_machine_offline(
    floor: FloorOf, made: list[Controller]
) -> None:
    """The station that edits it may have drivers which are not installed at its own."""
    machine_id = await floor.mill(driver="scripted")
    spec = replace(BEFORE, driver="installed elsewhere")
    edit = MoveMachine((t.MACHINE_EDITED,), machine_id, "anna", spec=spec)
    await floor.writer.write(edit)
    await floor.machine_comes_to(machine_id, MachineState.OFFLINE)
    row = await the_mill(floor)
    assert "installed elsewhere" in row.state_reason
    await until(lambda: _says(floor, row.state_reason))
    (former,) = wired(made)
    assert former.closed


async def test_a_machine_whose_new_driver_reaches_nothing_says_why_it_waits(
    floor: FloorOf, silent: Controller
) -> None:
    machine_id = await floor.mill(driver="scripted")
    await floor.door.execute(EditMachine(machine_id, replace(BEFORE, driver="silent")))
    await floor.machine_comes_to(machine_id, MachineState.OFFLINE)
    row = await the_mill(floor)
    assert (row.state_reason, row.not_ready) == ("No answer at COM4.",) * 2
    silent.refuses.clear()
    await until(lambda: is_ready(floor))


async def test_a_machine_rewired_from_one_dead_address_to_another_says_what_is_wrong_now(
    floor: FloorOf, made: list[Controller], silent: Controller
) -> None:
    machine_id = await floor.mill(driver="scripted")
    await floor.door.execute(EditMachine(machine_id, replace(BEFORE, driver="silent")))
    await floor.machine_comes_to(machine_id, MachineState.OFFLINE)
    silent.refuses["connect"] = Unavailable("No answer at COM5.")
    elsewhere = replace(BEFORE, driver="silent", settings={"port": "COM5"})
    await floor.door.execute(EditMachine(machine_id, elsewhere))
    row = await the_mill(floor)
    assert row.state is MachineState.OFFLINE
    assert (row.state_reason, row.not_ready) == ("No answer at COM5.",) * 2
    await floor.door.execute(EditMachine(machine_id, BEFORE))
    await until(lambda: is_ready(floor))
    assert (await the_mill(floor)).state_reason == ""
    assert len(wired(made)) == 2


async def _says(floor: FloorOf, why: str) -> bool:
    return (await the_mill(floor)).not_ready == why
