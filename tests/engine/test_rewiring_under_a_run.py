"""A run that is lost sight of keeps the driver it has: whoever finds it goes on with that, and the
machine gets the one it asks for when the run has ended."""

import asyncio

import pytest

from cnc_station.engine.commands import EditMachine
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.machine import STATION_GONE as REAPED
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.drivers.base import Order, RunInspection, RunOutcome
from cnc_station.engine.queries import ListEvents, ListMachines
from cnc_station.engine.services.reconciler import Reconciler
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.run_ending import move_of
from cnc_station.engine.store.transaction import StoreCommand
from tests.engine.conftest import Station
from tests.engine.edited import AFTER, at_work, edited_elsewhere, is_ready, the_mill, wired
from tests.engine.floor import Controller, FloorOf, service_of, supervisor_of
from tests.until import until


@pytest.fixture
async def floor(
    station: Station,
    made: list[Controller],  # noqa: ARG001 - what it drives
) -> FloorOf:
    return await station()


async def _unwatched(floor: FloorOf, made: list[Controller]) -> int:
    """The job of a run that the leader has given up, and its own station has left too."""
    await floor.mill(driver="scripted")
    job_id = await at_work(floor, made)
    (session,) = floor.runs.sessions
    session.abandon()
    await asyncio.wait([session.task])
    await floor.writer.write(move_of(session.claimed, t.LOST_INTERRUPTED, reason=REAPED))
    return job_id


def _settling(floor: FloorOf) -> asyncio.Task[int]:
    return asyncio.create_task(supervisor_of(floor.engine).recovery.settle(300.0))


async def _editing(floor: FloorOf) -> asyncio.Task[None]:
    (machine,) = await floor.door.ask(ListMachines())
    return asyncio.create_task(floor.door.execute(EditMachine(machine.id, AFTER)))


async def test_a_driver_is_kept_while_it_is_asked_about_a_run_and_then_to_the_runs_end(
    floor: FloorOf, made: list[Controller], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await _unwatched(floor, made)
    (driver,) = wired(made)
    asked, answer = asyncio.Event(), asyncio.Event()

    async def look(_order: Order) -> RunInspection:
        asked.set()
        await answer.wait()
        return RunInspection(RunOutcome.UNDER_WAY, "it is at line 7")

    monkeypatch.setattr(driver, "inspect_run", look)
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
    await until(lambda: len(wired(made)) == 2)
    assert driver.closed


async def test_a_run_whose_machine_is_being_rewired_is_asked_about_when_that_is_done(
    floor: FloorOf,
    made: list[Controller],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    job_id = await _unwatched(floor, made)
    (former,) = wired(made)
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
    _, driver = wired(made)
    assert "look" in driver.asked
    said = next(e for e in await floor.door.ask(ListEvents(job_id=job_id)) if e.type == "inspected")
    assert said.reason == driver.found.detail


async def _asks_for(floor: FloorOf, spec: MachineSpec) -> bool:
    return (await the_mill(floor)).spec == spec


@pytest.mark.parametrize("edited_here", [True, False])
async def test_a_run_that_was_given_up_and_still_cuts_keeps_its_driver_to_its_end(
    floor: FloorOf, made: list[Controller], edited_here: bool
) -> None:
    machine_id = await floor.mill(driver="scripted")
    job_id = await at_work(floor, made)
    reconciler = service_of(floor.engine, Reconciler)
    await reconciler.stop()  # it asks for the run back once the machine is edited, not before
    await _given_up(floor)
    if edited_here:
        await floor.door.execute(EditMachine(machine_id, AFTER))
    else:
        await edited_elsewhere(floor, machine_id)
    await reconciler.start()
    await floor.comes_to(job_id, JobState.RUNNING)  # asked back
    (driver,) = wired(made)
    assert not driver.closed
    driver.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
    await until(lambda: len(wired(made)) == 2)
    await until(lambda: is_ready(floor))
    former, _ = wired(made)
    assert former.closed


async def _given_up(floor: FloorOf) -> None:
    """The leader has taken the run for lost, and its station knows it."""
    (session,) = floor.runs.sessions
    session.lose_lease()
    await floor.writer.write(move_of(session.claimed, t.LOST_INTERRUPTED))


async def test_a_machine_removed_under_a_run_that_was_given_up_is_let_go_at_its_end(
    floor: FloorOf, made: list[Controller]
) -> None:
    machine_id = await floor.mill(driver="scripted")
    await at_work(floor, made)
    reconciler = service_of(floor.engine, Reconciler)
    await reconciler.stop()  # as above
    await _given_up(floor)
    await floor.act_on_machine("remove", machine_id)
    await reconciler.start()
    (driver,) = wired(made)
    assert not driver.closed
    driver.end()
    await until(lambda: driver.closed)


async def test_a_driver_is_changed_when_the_former_run_is_written_although_it_is_still_in_hand(
    floor: FloorOf, made: list[Controller], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end can be read before who wrote it knows."""
    known, write = asyncio.Event(), RetryingWriter.write_until_committed

    async def later(writer: RetryingWriter, change: StoreCommand[None]) -> None:
        await write(writer, change)
        await known.wait()

    machine_id = await floor.mill(driver="scripted")
    job_id = await at_work(floor, made)
    monkeypatch.setattr(RetryingWriter, "write_until_committed", later)
    (driver,) = wired(made)
    driver.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
    await floor.door.execute(EditMachine(machine_id, AFTER))
    assert not driver.closed
    known.set()
    await until(lambda: len(wired(made)) == 2)
    await until(lambda: is_ready(floor))
