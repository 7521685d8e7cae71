"""A machine at work keeps its driver until its run ends, whatever is edited meanwhile; one that
waits for its new driver is given no work for the old one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers import registry
from cnc_station.engine.drivers.base import Finding, Found, Order
from cnc_station.engine.services.outcome import move_of
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.store.reaping import REASON as REAPED
from cnc_station.engine.store.transaction import Change
from cnc_station.engine.views import Doing, MachineRow
from tests.engine.conftest import Station
from tests.engine.floor import ME, MILL, Controller, FloorOf, kind_of
from tests.until import until

BEFORE = replace(MILL, driver="scripted")
AFTER = replace(BEFORE, settings={"port": "COM4"})
AT_WORK = "^Mill 1 is at work: change its driver when it is idle.$"

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
    monkeypatch.setitem(registry._OWN, "silent", kind_of(lambda: controller, name="silent"))
    return controller


@pytest.fixture
async def instants(floor: FloorOf, monkeypatch: pytest.MonkeyPatch) -> Instants:
    """What shall happen just before an edit is written, and just after; who edits also changes the
    driver."""
    crew = floor.engine._crew
    assert crew is not None
    await crew._reconciler.stop()

    def around(before: Instant, after: Instant) -> None:
        pen = floor.engine._pen
        write = pen.write

        async def in_between(change: Change[Any]) -> Any:
            edit = isinstance(change, MoveMachine) and change.spec is not None
            if edit:
                await before()
            written = await write(change)
            if edit:
                await after()
            return written

        monkeypatch.setattr(pen, "write", in_between)

    return around


async def _nothing() -> None: ...


async def _row(floor: FloorOf) -> MachineRow:
    (row,) = await floor.engine.machines()
    return row


def _wired(made: list[Controller]) -> list[Controller]:
    """To the machine, one after the other."""
    return [driver for driver in made if "connect" in driver.asked]


async def _at_work(floor: FloorOf, made: list[Controller]) -> int:
    job_id = await floor.job()
    (driver,) = _wired(made)
    await until(lambda: driver.cutting)
    return job_id


async def test_a_claim_in_the_instant_before_an_edit_is_written_keeps_its_driver(
    floor: FloorOf, made: list[Controller], instants: Instants
) -> None:
    machine_id = await floor.mill(driver="scripted")
    instants(lambda: _at_work(floor, made), _nothing)
    with pytest.raises(Conflict, match=AT_WORK):
        await floor.engine.edit_machine(machine_id, AFTER, ME)
    (driver,) = _wired(made)
    assert not driver.closed
    assert (await _row(floor)).spec == BEFORE
    driver.end()
    (job_id,) = (run.job_id for run in await floor.engine.runs())
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_what_is_no_matter_of_its_driver_is_changed_while_it_works(
    floor: FloorOf, made: list[Controller]
) -> None:
    machine_id = await floor.mill(driver="scripted")
    job_id = await _at_work(floor, made)
    await floor.engine.edit_machine(machine_id, replace(BEFORE, model="VF-2"), ME)
    assert (await _row(floor)).spec.model == "VF-2"
    (driver,) = _wired(made)
    driver.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
    assert not driver.closed


async def test_no_job_is_begun_with_the_driver_that_an_edit_does_away_with(
    floor: FloorOf, made: list[Controller], instants: Instants
) -> None:
    crew = floor.engine._crew
    assert crew is not None
    machine_id = await floor.mill(driver="scripted")

    async def work_is_looked_for() -> None:
        job_id = await floor.job()
        await crew._dispatcher.run_once()
        assert (await floor.row(job_id)).state is JobState.QUEUED

    instants(_nothing, work_is_looked_for)
    await floor.engine.edit_machine(machine_id, AFTER, ME)
    former, driver = _wired(made)
    await until(lambda: driver.cutting)
    assert former.closed
    assert "start" not in former.asked
    driver.end()


async def test_the_word_of_the_former_driver_does_not_make_a_machine_ready(
    floor: FloorOf, made: list[Controller], instants: Instants
) -> None:
    crew = floor.engine._crew
    assert crew is not None
    machine_id = await floor.mill(driver="scripted")
    said: list[str] = []

    async def former_speaks() -> None:
        (former,) = _wired(made)
        for doing in (Doing.NOT_READY, Doing.READY):
            former.does(doing, "manual mode" if doing is Doing.NOT_READY else "")
            await crew._oversight.run_once()
            said.append((await _row(floor)).not_ready)

    instants(_nothing, former_speaks)
    await floor.engine.edit_machine(machine_id, AFTER, ME)
    assert said == ["its driver is being changed"] * 2
    assert (await _row(floor)).not_ready == ""


async def _elsewhere(floor: FloorOf, machine_id: int) -> None:
    """As another station writes it, which has no driver to change."""
    edit = MoveMachine((t.MACHINE_EDITED,), machine_id, "anna", spec=AFTER)
    await floor.engine._pen.write(edit)


async def test_an_edit_from_elsewhere_is_followed_at_once(
    floor: FloorOf, made: list[Controller]
) -> None:
    machine_id = await floor.mill(driver="scripted")
    await _elsewhere(floor, machine_id)
    job_id = await floor.job()
    await until(lambda: len(_wired(made)) == 2)
    former, driver = _wired(made)
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
    await floor.engine._pen.write(edit)
    await floor.machine_comes_to(machine_id, MachineState.OFFLINE)
    row = await _row(floor)
    assert "installed elsewhere" in row.state_reason
    await until(lambda: _says(floor, row.state_reason))
    (former,) = _wired(made)
    assert former.closed


async def test_a_machine_whose_new_driver_reaches_nothing_says_why_it_waits(
    floor: FloorOf, silent: Controller
) -> None:
    machine_id = await floor.mill(driver="scripted")
    await floor.engine.edit_machine(machine_id, replace(BEFORE, driver="silent"), ME)
    await floor.machine_comes_to(machine_id, MachineState.OFFLINE)
    row = await _row(floor)
    assert (row.state_reason, row.not_ready) == ("No answer at COM4.",) * 2
    silent.refuses.clear()
    await until(lambda: _is_ready(floor))


async def test_a_machine_rewired_from_one_dead_address_to_another_says_what_is_wrong_now(
    floor: FloorOf, made: list[Controller], silent: Controller
) -> None:
    machine_id = await floor.mill(driver="scripted")
    await floor.engine.edit_machine(machine_id, replace(BEFORE, driver="silent"), ME)
    await floor.machine_comes_to(machine_id, MachineState.OFFLINE)
    silent.refuses["connect"] = Unavailable("No answer at COM5.")
    elsewhere = replace(BEFORE, driver="silent", settings={"port": "COM5"})
    await floor.engine.edit_machine(machine_id, elsewhere, ME)
    row = await _row(floor)
    assert row.state is MachineState.OFFLINE
    assert (row.state_reason, row.not_ready) == ("No answer at COM5.",) * 2
    await floor.engine.edit_machine(machine_id, BEFORE, ME)
    await until(lambda: _is_ready(floor))
    assert (await _row(floor)).state_reason == ""
    assert len(_wired(made)) == 2


async def _unwatched(floor: FloorOf, made: list[Controller]) -> int:
    """The job of a run that the leader has given up, and its own station has left too."""
    crew = floor.engine._crew
    assert crew is not None
    await floor.mill(driver="scripted")
    job_id = await _at_work(floor, made)
    (live,) = crew.runner._live.values()
    assert live.task is not None
    live.task.cancel()
    await asyncio.wait([live.task])
    await floor.engine._pen.write(move_of(live.claimed, t.LOST_INTERRUPTED, reason=REAPED))
    return job_id


def _settling(floor: FloorOf) -> asyncio.Task[int]:
    assert floor.engine._crew is not None
    return asyncio.create_task(floor.engine._crew._recovery.settle(300.0))


async def _editing(floor: FloorOf) -> asyncio.Task[None]:
    (machine,) = await floor.engine.machines()
    return asyncio.create_task(floor.engine.edit_machine(machine.id, AFTER, ME))


async def test_a_driver_is_kept_while_it_is_asked_about_a_run_and_then_to_the_runs_end(
    floor: FloorOf, made: list[Controller], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await _unwatched(floor, made)
    (driver,) = _wired(made)
    asked, answer = asyncio.Event(), asyncio.Event()

    async def look(_order: Order) -> Found:
        asked.set()
        await answer.wait()
        return Found(Finding.UNDER_WAY, "it is at line 7")

    monkeypatch.setattr(driver, "look", look)
    settling = _settling(floor)
    await asked.wait()
    editing = await _editing(floor)
    await until(lambda: _asks_for(floor, AFTER))
    answer.set()
    await asyncio.gather(settling, editing)
    assert (await floor.row(job_id)).state is JobState.RUNNING
    assert not driver.closed
    driver.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
    await until(lambda: len(_wired(made)) == 2)
    assert driver.closed


async def test_a_run_whose_machine_is_being_rewired_is_asked_about_when_that_is_done(
    floor: FloorOf,
    made: list[Controller],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    job_id = await _unwatched(floor, made)
    (former,) = _wired(made)
    closing, closed = asyncio.Event(), asyncio.Event()

    async def close() -> None:
        closing.set()
        await closed.wait()

    monkeypatch.setattr(former, "close", close)
    editing = await _editing(floor)
    await closing.wait()
    settling = _settling(floor)
    await until(lambda: f"of job {job_id} was left" in caplog.text)
    closed.set()
    await asyncio.gather(settling, editing)
    _, driver = _wired(made)
    assert "look" in driver.asked
    said = next(e for e in await floor.engine.events(job_id=job_id) if e.type == "examined")
    assert said.reason == driver.found.words


async def _asks_for(floor: FloorOf, spec: MachineSpec) -> bool:
    return (await _row(floor)).spec == spec


@pytest.mark.parametrize("edited_here", [True, False])
async def test_a_run_that_was_given_up_and_still_cuts_keeps_its_driver_to_its_end(
    floor: FloorOf, made: list[Controller], edited_here: bool
) -> None:
    machine_id = await floor.mill(driver="scripted")
    job_id = await _at_work(floor, made)
    await _given_up(floor)
    if edited_here:
        await floor.engine.edit_machine(machine_id, AFTER, ME)
    else:
        await _elsewhere(floor, machine_id)
    await floor.comes_to(job_id, JobState.RUNNING)  # asked back
    (driver,) = _wired(made)
    assert not driver.closed
    driver.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
    await until(lambda: len(_wired(made)) == 2)
    await until(lambda: _is_ready(floor))
    former, _ = _wired(made)
    assert former.closed


async def _given_up(floor: FloorOf) -> None:
    """The leader has taken the run for lost, and its station knows it."""
    crew = floor.engine._crew
    assert crew is not None
    (live,) = crew.runner._live.values()
    live.lost = True
    await floor.engine._pen.write(move_of(live.claimed, t.LOST_INTERRUPTED))


async def _says(floor: FloorOf, why: str) -> bool:
    return (await _row(floor)).not_ready == why


async def _is_ready(floor: FloorOf) -> bool:
    row = await _row(floor)
    return row.state is MachineState.IDLE and not row.not_ready


async def test_a_machine_removed_under_a_run_that_was_given_up_is_let_go_at_its_end(
    floor: FloorOf, made: list[Controller]
) -> None:
    machine_id = await floor.mill(driver="scripted")
    await _at_work(floor, made)
    await _given_up(floor)
    await floor.act_on_machine("remove", machine_id)
    (driver,) = _wired(made)
    assert not driver.closed
    driver.end()
    await until(lambda: driver.closed)


async def test_a_driver_is_changed_when_the_former_run_is_written_although_it_is_still_in_hand(
    floor: FloorOf, made: list[Controller], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end can be read before who wrote it knows."""
    crew = floor.engine._crew
    assert crew is not None
    known, keep = asyncio.Event(), crew.runner._pen.keep

    async def later(change: Change[None]) -> None:
        await keep(change)
        await known.wait()

    machine_id = await floor.mill(driver="scripted")
    job_id = await _at_work(floor, made)
    monkeypatch.setattr(crew.runner._pen, "keep", later)
    (driver,) = _wired(made)
    driver.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
    await floor.engine.edit_machine(machine_id, AFTER, ME)
    assert not driver.closed
    known.set()
    await until(lambda: len(_wired(made)) == 2)
    await until(lambda: _is_ready(floor))
