"""What the controller does is what is written: a real engine, a controller that obeys the test."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import SaveSettings
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers import registry
from cnc_station.engine.drivers.base import RunFailed, RunInspection, RunOutcome
from cnc_station.engine.queries import ListLinks
from cnc_station.engine.services import run_steps
from cnc_station.engine.store.transaction import StoreCommand, Tx
from cnc_station.engine.store.writer import Writer
from tests.engine.conftest import Station
from tests.engine.floor import Controller, FloorOf, kind_of
from tests.until import until

AWAY = Unavailable("The controller does not answer.")


@pytest.fixture
async def floor(station: Station, controller: Controller) -> AsyncIterator[FloorOf]:
    floor = await station()
    await floor.mill(driver="scripted")
    yield floor
    if controller.cutting:
        controller.end()


async def _running(floor: FloorOf, controller: Controller, **values: object) -> int:
    job_id = await floor.job(**values)
    await floor.comes_to(job_id, JobState.RUNNING)
    await until(lambda: controller.asked[-1:] == ["start"])
    return job_id


async def test_a_run_is_completed_when_the_controller_has_finished_its_last_part(
    floor: FloorOf, controller: Controller
) -> None:
    job_id = await _running(floor, controller, quantity=3, estimated_s=12.5)
    for part in (1, 2, 3):
        await until(partial(_was_asked, controller, f"load {part}", "start"))
        assert (await floor.row(job_id)).state is JobState.RUNNING
        controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
    order = controller.orders[-1]
    assert (order.job_id, order.parts, order.estimated_s, order.attempt) == (job_id, 3, 12.5, 1)


def _was_asked(controller: Controller, *last: str) -> bool:
    return tuple(controller.asked[-len(last) :]) == last


async def test_an_alarm_stops_the_machine_until_a_person_unlocks_it(
    floor: FloorOf, controller: Controller
) -> None:
    job_id = await _running(floor, controller, retry_limit=0)
    controller.end(RunFailed("limit switch", alarm=True))
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert row.last_error == "limit switch"
    assert await floor.machine_state(1) is MachineState.ALARM
    other = await floor.job()
    await floor.act_on_machine("unlock", 1)
    await floor.act_on_machine("clear", 1)
    await floor.comes_to(other, JobState.RUNNING)


async def test_a_failure_that_the_controller_tells_of_is_written_and_the_machine_can_go_on(
    floor: FloorOf, controller: Controller
) -> None:
    job_id = await _running(floor, controller, retry_limit=0, timeout_s=60.0)
    controller.end(RunFailed("tool broke"))
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert row.last_error == "tool broke"
    await floor.act_on_machine("clear", 1)
    assert await floor.machine_state(1) is MachineState.IDLE


@pytest.mark.parametrize("error", [AWAY, ZeroDivisionError("bug"), TimeoutError("socket")])
async def test_what_nobody_can_tell_the_end_of_waits_for_a_person(
    floor: FloorOf, controller: Controller, error: Exception
) -> None:
    """It may be cutting still: no second attempt, whatever the retry limit says."""
    job_id = await _running(floor, controller, retry_limit=3, timeout_s=60.0)
    controller.found = RunInspection(RunOutcome.STOPPED, str(error))
    controller.end(error)
    row = await floor.comes_to(job_id, JobState.INTERRUPTED)
    assert str(error) in row.last_error
    assert "limit" not in row.last_error


async def test_a_hold_that_the_controller_does_not_confirm_is_not_written(
    floor: FloorOf, controller: Controller
) -> None:
    job_id = await _running(floor, controller)
    controller.refuses["hold"] = AWAY
    assert (await floor.act("hold", job_id)).error == str(AWAY)
    assert (await floor.row(job_id)).state is JobState.RUNNING
    assert "held" not in await floor.told(job_id)


async def test_a_continue_that_the_controller_does_not_confirm_leaves_it_held(
    floor: FloorOf, controller: Controller
) -> None:
    job_id = await _running(floor, controller)
    await floor.act("hold", job_id)
    controller.refuses["resume"] = AWAY
    assert (await floor.act("continue", job_id)).error == str(AWAY)
    assert (await floor.row(job_id)).state is JobState.HELD
    assert await floor.machine_state(1) is MachineState.HELD
    del controller.refuses["resume"]
    assert (await floor.act("continue", job_id)).applied
    assert (await floor.row(job_id)).state is JobState.RUNNING


async def test_a_machine_is_never_set_going_where_its_run_is_not_held(
    floor: FloorOf, controller: Controller
) -> None:
    job_id = await _running(floor, controller)
    assert not (await floor.act("continue", job_id)).applied
    assert "resume" not in controller.asked


async def test_a_hold_that_happened_is_written_even_if_the_disk_is_full_just_then(
    floor: FloorOf, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await _running(floor, controller)
    write = Writer.write
    failures = [Unavailable("The disk is full.")] * 2

    async def sometimes(self: Writer, change: StoreCommand[Any]) -> Any:
        if failures:
            raise failures.pop()
        return await write(self, change)

    monkeypatch.setattr(Writer, "write", sometimes)
    assert (await floor.act("hold", job_id)).applied
    assert (await floor.row(job_id)).state is JobState.HELD


async def test_an_abort_that_comes_too_late_says_so(floor: FloorOf, controller: Controller) -> None:
    job_id = await _running(floor, controller)
    controller.end()
    answer = await floor.act("abort", job_id)
    assert "had ended before" in answer.error
    assert (await floor.row(job_id)).state is JobState.COMPLETED


async def test_an_abort_that_the_controller_does_not_confirm_leaves_it_running(
    floor: FloorOf, controller: Controller
) -> None:
    job_id = await _running(floor, controller)
    controller.refuses["abort"] = AWAY
    assert (await floor.act("abort", job_id)).error == str(AWAY)
    assert (await floor.row(job_id)).state is JobState.RUNNING
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_an_abort_that_was_not_confirmed_ends_nothing_when_the_connection_is_lost_later(
    floor: FloorOf, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine may be cutting still: who asked for the abort was told so."""
    monkeypatch.setattr(run_steps, "FIRST_PAUSE_S", 0.01)
    job_id = await _running(floor, controller)
    controller.refuses["abort"] = AWAY
    assert (await floor.act("abort", job_id)).error == str(AWAY)
    controller.refuses["connect"] = AWAY
    controller.break_off(AWAY)
    await until(lambda: controller.asked.count("connect") > 3)
    assert (await floor.row(job_id)).state is JobState.RUNNING
    controller.found = RunInspection(RunOutcome.UNDER_WAY, "it goes on")
    del controller.refuses["connect"]
    await until(lambda: "look" in controller.asked)
    await until(lambda: controller.cutting)
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_an_abort_that_was_not_confirmed_keeps_nobody_from_the_next_part(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    await floor.mill(driver="scripted", operator_clears=True)
    job_id = await floor.job(quantity=2)
    await until(lambda: controller.cutting)
    controller.end()
    await floor.comes_to(job_id, JobState.HELD)
    controller.refuses["abort"] = AWAY
    assert (await floor.act("abort", job_id)).error == str(AWAY)
    assert (await floor.act("continue", job_id)).applied
    await until(lambda: controller.asked.count("start") == 2)
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_an_outcome_waits_for_a_full_disk_to_have_room_again(
    floor: FloorOf, controller: Controller, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = await _running(floor, controller)
    pages = await _limit_pages(floor, 1)
    with pytest.raises(Unavailable, match="The disk is full: nothing was saved"):
        await _fill_the_last_page(floor)
    controller.end()
    await until(lambda: "not written yet" in caplog.text)
    assert (await floor.row(job_id)).state is JobState.RUNNING
    await until(partial(_says_that_the_disk_is_full, floor))
    await _limit_pages(floor, pages)
    await floor.comes_to(job_id, JobState.COMPLETED)
    await until(lambda: not _says_that_the_disk_is_full(floor))


def _says_that_the_disk_is_full(floor: FloorOf) -> bool:
    """At each try; what needs no new page is written all the same in between."""
    (database,) = floor.door.peek(ListLinks())
    return database.state == "offline" and database.detail.startswith("The disk is full:")


@dataclass(frozen=True, slots=True)
class _LimitPages(StoreCommand[int]):
    """Of its connection alone, which is the writer's."""

    pages: int

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["_LimitPages"]) -> list[int | Exception]:
        ask = tx.connection.exec_driver_sql
        before: int = ask("PRAGMA max_page_count").scalar_one()
        for change in changes:
            ask(f"PRAGMA max_page_count = {change.pages}")
        return [before for _ in changes]


async def _fill_the_last_page(floor: FloorOf) -> None:
    while True:
        await floor.door.execute(SaveSettings({"filler": 1}))


async def _limit_pages(floor: FloorOf, pages: int) -> int:
    """Let the database grow to so many pages, or to what it has; returns what it was."""
    return await floor.writer.write(_LimitPages(pages))


async def test_closing_lets_every_machine_go_even_if_one_controller_fails_to(
    config: Config, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, well = Controller(), Controller()
    stuck.refuses["abort"] = AWAY
    made = iter([stuck, stuck, well, well])
    monkeypatch.setitem(registry.OWN, "scripted", kind_of(lambda: next(made)))
    floor = await station()
    for name in ("Mill 1", "Mill 2"):
        await floor.mill(name, driver="scripted")
    first, second = await floor.job(), await floor.job()
    await until(lambda: stuck.cutting and well.cutting)
    stopping = asyncio.ensure_future(floor.engine.stop())
    await until(lambda: "abort" in well.asked)
    stuck.end(RunFailed("power gone"))
    await stopping
    assert stuck.closed
    assert well.closed
    monkeypatch.setitem(registry.OWN, "scripted", kind_of(Controller))
    again = await station(config)
    assert await again.broken() == []
    assert {(await again.row(job_id)).failures for job_id in (first, second)} == {1}


async def test_what_ran_on_a_real_controller_when_the_station_died_waits_for_a_person(
    floor: FloorOf, controller: Controller, config: Config, station: Station
) -> None:
    job_id = await _running(floor, controller)
    for session in floor.runs.sessions:
        session.abandon()  # as if killed: nothing is written about the run
    await floor.engine.stop()
    again = await station(config)
    row = await again.row(job_id)
    assert row.state is JobState.INTERRUPTED
    assert row.last_error == "the station went down while it ran"
    assert (await again.act("accept", job_id)).applied


async def test_a_machine_whose_driver_is_gone_gives_its_job_back_and_is_offline(
    floor: FloorOf, controller: Controller
) -> None:
    await floor.mill("Mill 2")  # a station without any driver claims nothing at all
    floor.drivers.pop(1)
    job_id = await floor.job(pinned_machine_id=1)
    await floor.machine_comes_to(1, MachineState.OFFLINE)
    assert (await floor.row(job_id)).state is JobState.QUEUED
    assert (await floor.told(job_id))[:3] == ["created", "assigned", "returned"]
    assert controller.orders == []
