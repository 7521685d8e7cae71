"""What a person says in the very instant in which a run comes to want to hear it, or just after."""

import asyncio

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers.base import Order, RunFailed
from cnc_station.engine.queries import ControllerStatus, ListEvents
from cnc_station.engine.services import run_steps
from cnc_station.engine.services.library import Library
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.run_phase import TO_END
from cnc_station.engine.store.moves import MoveRun
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.transaction import StoreCommand
from cnc_station.engine.views import Doing
from tests.engine.conftest import Station
from tests.engine.floor import Controller, FloorOf
from tests.until import until


@pytest.fixture
async def floor(station: Station) -> FloorOf:
    return await station()


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Assigned jobs get no further before this is set."""
    over, order = asyncio.Event(), Library.order

    async def later(library: Library, claimed: Claimed) -> Order:
        await over.wait()
        return await order(library, claimed)

    monkeypatch.setattr(Library, "order", later)
    return over


@pytest.fixture
def starting(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """A start is written and can be read, but who wrote it does not know before this is set."""
    known, write = asyncio.Event(), RetryingWriter.write_until_committed

    async def later(writer: RetryingWriter, change: StoreCommand[None]) -> None:
        await write(writer, change)
        if isinstance(change, MoveRun) and change.transition is t.STARTED:
            await known.wait()

    monkeypatch.setattr(RetryingWriter, "write_until_committed", later)
    return known


async def test_a_set_up_confirmed_in_the_instant_of_its_assignment_counts(
    floor: FloorOf, controller: Controller, instant: asyncio.Event
) -> None:
    await floor.mill(driver="scripted", operator_starts=True)
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.ASSIGNED)
    assert (await floor.act("start", job_id, reason="checked")).applied
    assert "start" not in controller.asked
    instant.set()
    await floor.comes_to(job_id, JobState.RUNNING)
    (started,) = [e for e in await floor.door.ask(ListEvents(job_id=job_id)) if e.type == "started"]
    assert (started.actor, started.reason) == ("tester", "checked")
    await until(lambda: "start" in controller.asked)
    controller.end()


async def test_a_set_up_is_confirmed_once(
    floor: FloorOf, controller: Controller, instant: asyncio.Event
) -> None:
    await floor.mill(driver="scripted", operator_starts=True)
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.ASSIGNED)
    assert (await floor.act("start", job_id)).applied
    assert "does not wait for that" in (await floor.act("start", job_id)).error
    instant.set()
    await floor.comes_to(job_id, JobState.RUNNING)
    assert "does not wait for that" in (await floor.act("start", job_id)).error
    await until(lambda: "start" in controller.asked)
    controller.end()


async def test_a_word_for_one_run_does_not_start_the_next(
    floor: FloorOf, controller: Controller, instant: asyncio.Event
) -> None:
    await floor.mill(driver="scripted", operator_starts=True)
    job_id, other = await floor.job(), await floor.job()
    await floor.comes_to(job_id, JobState.ASSIGNED)
    assert (await floor.act("start", job_id)).applied
    instant.set()
    await until(lambda: "start" in controller.asked)
    controller.end()
    await floor.comes_to(other, JobState.ASSIGNED)
    assert "does not wait for that" in (await floor.act("finish", other)).error
    assert controller.asked.count("start") == 1


async def test_nobody_has_to_say_anything_where_a_job_starts_by_itself(
    floor: FloorOf, controller: Controller, instant: asyncio.Event
) -> None:
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.ASSIGNED)
    assert "does not wait for that" in (await floor.act("start", job_id)).error
    instant.set()
    await until(lambda: "start" in controller.asked)
    controller.end()


@pytest.mark.parametrize(
    ("action", "becomes"),
    [("defer", JobState.PAUSED), ("abort", JobState.CANCELLED)],
)
async def test_a_job_stopped_in_the_instant_of_its_assignment_waits_for_nobody(
    floor: FloorOf, controller: Controller, instant: asyncio.Event, action: str, becomes: JobState
) -> None:
    await floor.mill(driver="scripted", operator_starts=True)
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.ASSIGNED)
    asked = asyncio.create_task(floor.act(action, job_id))
    await until(lambda: _is_to_end(floor))
    instant.set()
    assert (await asyncio.wait_for(asked, 30.0)).applied
    assert (await floor.row(job_id)).state is becomes
    assert "start" not in controller.asked


async def test_a_word_about_a_machine_that_is_watched_counts_from_its_assignment(
    floor: FloorOf, watched: Controller, instant: asyncio.Event
) -> None:
    watched.at_panel()
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.ASSIGNED)
    assert (await floor.act("start", job_id)).applied
    instant.set()
    await floor.comes_to(job_id, JobState.RUNNING)
    assert (await floor.act("finish", job_id)).applied
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_the_word_that_a_run_is_done_counts_while_its_machine_can_not_be_asked(
    floor: FloorOf, watched: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_steps, "FIRST_PAUSE_S", 60.0)
    watched.at_panel()
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await until(lambda: "start" in watched.asked)
    watched.begin()
    await floor.comes_to(job_id, JobState.RUNNING)
    away = Unavailable("The agent does not answer.")
    watched.refuses["connect"] = away
    watched.break_off(away)
    await until(lambda: watched.asked.count("connect") == 2)
    assert (await floor.act("finish", job_id)).applied
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_a_hold_in_the_instant_in_which_the_start_is_written_comes_after_the_start(
    floor: FloorOf, controller: Controller, starting: asyncio.Event
) -> None:
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    holding = asyncio.create_task(floor.act("hold", job_id))
    for _ in range(10):
        await asyncio.sleep(0)
    starting.set()
    assert (await holding).applied
    assert controller.asked[-2:] == ["start", "hold"]
    await floor.comes_to(job_id, JobState.HELD)
    assert (await floor.act("continue", job_id)).applied
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_a_hold_between_two_parts_keeps_the_next_from_its_start_until_it_is_resumed(
    floor: FloorOf, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, load = asyncio.Event(), controller.load

    async def slow_load(order: Order, part: int) -> tuple[str, ...]:
        sets = await load(order, part)
        if part == 2:
            await loaded.wait()
        return sets

    monkeypatch.setattr(controller, "load", slow_load)
    await floor.mill(driver="scripted", operator_clears=False)
    job_id = await floor.job(quantity=2)
    await until(lambda: controller.cutting)
    controller.end()
    await until(lambda: "load 2" in controller.asked)
    assert (await floor.act("hold", job_id)).applied
    loaded.set()
    await floor.comes_to(job_id, JobState.HELD)
    assert (await floor.act("continue", job_id)).applied
    await until(lambda: controller.asked.count("start") == 2)
    assert controller.asked[-4:] == ["load 2", "hold", "resume", "start"]
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_a_hold_of_a_run_that_began_with_its_claim_comes_after_its_load_and_start(
    floor: FloorOf, instant: asyncio.Event
) -> None:
    machine_id = await floor.mill(settings={"speed": 0.01})
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    holding = asyncio.create_task(floor.act("hold", job_id))
    for _ in range(10):
        await asyncio.sleep(0)
    instant.set()
    assert (await holding).applied
    status = floor.door.peek(ControllerStatus(machine_id))
    assert status is not None
    assert status.doing is Doing.HELD
    await floor.comes_to(job_id, JobState.HELD)
    assert (await floor.act("abort", job_id)).applied


def _is_to_end(floor: FloorOf) -> bool:
    return any(session.phase in TO_END for session in floor.runs.sessions)


@pytest.mark.parametrize("action", ["abort", "hold"])
async def test_what_is_asked_of_a_run_that_never_comes_to_its_start_is_answered(
    floor: FloorOf, instant: asyncio.Event, action: str
) -> None:
    await floor.mill(settings={"speed": 0.01})
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    aborting = asyncio.create_task(floor.act("abort", job_id))
    asked = aborting if action == "abort" else asyncio.create_task(floor.act("hold", job_id))
    await until(lambda: _is_to_end(floor))
    instant.set()
    assert (await aborting).applied
    assert (await asked).applied == (action == "abort")
    await floor.comes_to(job_id, JobState.CANCELLED)


async def test_a_hold_at_the_panel_in_the_instant_in_which_the_start_is_written_is_told(
    floor: FloorOf, watched: Controller, starting: asyncio.Event
) -> None:
    watched.at_panel()
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await until(lambda: "start" in watched.asked)
    watched.begin()
    await floor.comes_to(job_id, JobState.RUNNING)
    watched.does(Doing.HELD, "feed hold")
    starting.set()
    await floor.comes_to(job_id, JobState.HELD)
    watched.does(Doing.RUNNING)
    await floor.comes_to(job_id, JobState.RUNNING)
    watched.end()
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_the_word_that_a_run_is_done_counts_in_the_instant_in_which_its_start_is_written(
    floor: FloorOf, watched: Controller, starting: asyncio.Event
) -> None:
    watched.at_panel()
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await until(lambda: "start" in watched.asked)
    watched.begin()
    await floor.comes_to(job_id, JobState.RUNNING)
    assert (await floor.act("finish", job_id)).applied
    starting.set()
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_an_unlock_in_the_instant_before_the_runs_end_is_written_waits_for_that(
    floor: FloorOf, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the controller would be unlocked, and who asked for it refused."""
    ending, write = asyncio.Event(), RetryingWriter.write_until_committed

    async def later(writer: RetryingWriter, change: StoreCommand[None]) -> None:
        if isinstance(change, MoveRun) and change.transition is t.FAILED_FINAL:
            await ending.wait()
        await write(writer, change)

    monkeypatch.setattr(RetryingWriter, "write_until_committed", later)
    machine_id = await floor.mill(driver="scripted")
    job_id = await floor.job(retry_limit=0)
    await until(lambda: controller.cutting)
    controller.end(RunFailed("hard limit", alarm=True))
    await floor.machine_comes_to(machine_id, MachineState.ALARM)
    unlocking = asyncio.create_task(floor.act_on_machine("unlock", machine_id))
    await asyncio.sleep(0.1)
    assert (await floor.row(job_id)).state is JobState.RUNNING
    assert "unlock" not in controller.asked
    ending.set()
    await unlocking
    assert await floor.machine_state(machine_id) is MachineState.NEEDS_CLEARING
    told = await floor.door.ask(ListEvents(machine_id=machine_id))
    assert [event.actor for event in told if event.type == "unlocked"] == ["tester"]
