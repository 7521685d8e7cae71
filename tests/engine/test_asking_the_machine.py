"""After a crash, a broken connection or a lost lease the machine is asked, and never started again
blindly."""

from collections.abc import AsyncIterator

import pytest

from cnc_station.config import Config
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.machine import STATION_GONE
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers.base import RunInspection, RunOutcome
from cnc_station.engine.queries import ListEvents, ListRuns
from cnc_station.engine.services import run_steps
from cnc_station.engine.services.reconciler import Reconciler
from cnc_station.engine.services.recovery import UNWATCHED
from cnc_station.engine.store.moves import MoveRun
from cnc_station.engine.views import Doing
from tests.engine.conftest import Station
from tests.engine.floor import Controller, FloorOf
from tests.until import until

AWAY = Unavailable("The controller does not answer.")


@pytest.fixture
async def floor(station: Station, controller: Controller) -> AsyncIterator[FloorOf]:
    floor = await station()
    yield floor
    if controller.cutting:
        controller.end()


async def _running(floor: FloorOf, controller: Controller, **values: object) -> int:
    await floor.mill(driver="scripted")
    job_id = await floor.job(**values)
    await floor.comes_to(job_id, JobState.RUNNING)
    await until(lambda: "start" in controller.asked)
    return job_id


async def _killed(floor: FloorOf) -> None:
    """As by kill -9: nothing is written about its runs, and nothing is asked of its machines."""
    for session in floor.runs.sessions:
        session.abandon()
    await floor.engine.stop()


async def _reason(floor: FloorOf, job_id: int, event: str) -> str:
    return next(
        e.reason for e in await floor.door.ask(ListEvents(job_id=job_id)) if e.type == event
    )


async def test_a_run_that_goes_on_over_a_restart_is_taken_up_and_completes_once(
    floor: FloorOf, controller: Controller, config: Config, station: Station
) -> None:
    job_id = await _running(floor, controller)
    await _killed(floor)
    controller.found = RunInspection(RunOutcome.UNDER_WAY, "it is at line 7")
    again = await station(config)
    row = await again.row(job_id)
    assert (row.state, row.failures) == (JobState.RUNNING, 0)
    assert await _reason(again, job_id, "reattached") == "it is at line 7"
    assert await again.machine_state(1) is MachineState.RUNNING
    controller.end()
    await again.comes_to(job_id, JobState.COMPLETED)
    assert controller.asked.count("start") == 1
    assert (await again.told(job_id)).count("completed") == 1


async def test_a_run_that_ended_while_nobody_watched_is_completed_and_says_so(
    floor: FloorOf, controller: Controller, config: Config, station: Station
) -> None:
    job_id = await _running(floor, controller)
    await _killed(floor)
    controller.end()
    controller.found = RunInspection(RunOutcome.FINISHED, "the program is at its end")
    again = await station(config)
    await again.comes_to(job_id, JobState.COMPLETED)
    assert await _reason(again, job_id, "completed") == UNWATCHED
    assert controller.asked.count("start") == 1


async def test_the_part_that_ended_unwatched_is_followed_by_the_next_one(
    floor: FloorOf, controller: Controller, config: Config, station: Station
) -> None:
    await floor.mill(driver="scripted", operator_clears=True)
    job_id = await floor.job(quantity=2)
    await until(lambda: "start" in controller.asked)
    await _killed(floor)
    controller.end()
    controller.found = RunInspection(RunOutcome.FINISHED, "the program is at its end", part=1)
    again = await station(config)
    await again.comes_to(job_id, JobState.HELD)
    assert controller.asked.count("start") == 1
    assert (await again.act("continue", job_id)).applied
    await until(lambda: controller.asked[-2:] == ["load 2", "start"])
    controller.end()
    await again.comes_to(job_id, JobState.COMPLETED)


async def test_a_controller_that_can_not_be_asked_leaves_the_decision_to_a_person(
    floor: FloorOf, controller: Controller, config: Config, station: Station
) -> None:
    job_id = await _running(floor, controller)
    await _killed(floor)
    controller.does(Doing.UNREACHABLE)
    controller.refuses["connect"] = AWAY
    again = await station(config)
    row = await again.row(job_id)
    assert row.state is JobState.INTERRUPTED
    assert str(AWAY) in row.last_error
    assert (await again.act("accept", job_id)).applied
    assert controller.asked.count("start") == 1


async def test_a_cable_pulled_and_put_back_costs_nothing_while_the_program_goes_on(
    floor: FloorOf, controller: Controller
) -> None:
    job_id = await _running(floor, controller)
    controller.found = RunInspection(RunOutcome.UNDER_WAY, "it is at line 7")
    controller.refuses["connect"] = AWAY
    controller.break_off(AWAY)
    await until(lambda: controller.asked.count("connect") >= 2)
    del controller.refuses["connect"]
    await until(lambda: "look" in controller.asked)
    assert (await floor.row(job_id)).state is JobState.RUNNING
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
    assert controller.asked.count("start") == 1


async def test_a_cable_that_stays_out_interrupts_the_job(
    floor: FloorOf, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_steps, "RECONNECT_S", 0.2)
    job_id = await _running(floor, controller)
    controller.refuses["connect"] = AWAY
    controller.break_off(AWAY)
    row = await floor.comes_to(job_id, JobState.INTERRUPTED)
    assert "did not come back" in row.last_error


async def _given_up_by_the_leader(floor: FloorOf, job_id: int) -> None:
    (run,) = await floor.door.ask(ListRuns(job_id=job_id))
    await floor.writer.write(
        MoveRun(
            t.LOST_INTERRUPTED, run.id, 1, job_id, run.machine_id, "reaper", reason=STATION_GONE
        )
    )


async def test_a_run_that_the_leader_gave_up_is_taken_up_by_its_restarted_station(
    floor: FloorOf, controller: Controller, config: Config, station: Station
) -> None:
    job_id = await _running(floor, controller)
    await _given_up_by_the_leader(floor, job_id)
    await _killed(floor)
    controller.found = RunInspection(RunOutcome.UNDER_WAY, "it is at line 7")
    again = await station(config)
    await again.comes_to(job_id, JobState.RUNNING)
    controller.end()
    await again.comes_to(job_id, JobState.COMPLETED)
    assert controller.asked.count("start") == 1


async def test_a_run_whose_lease_was_lost_for_a_while_is_taken_back(
    floor: FloorOf, controller: Controller
) -> None:
    job_id = await _running(floor, controller)
    floor.runs.let_go(float("inf"))
    await _given_up_by_the_leader(floor, job_id)
    await floor.service(Reconciler).run_once()
    assert (await floor.row(job_id)).state is JobState.RUNNING
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_a_run_that_ends_while_its_lease_is_lost_is_still_told_of(
    floor: FloorOf, controller: Controller
) -> None:
    job_id = await _running(floor, controller)
    await floor.service(Reconciler).stop()
    floor.runs.let_go(float("inf"))
    await _given_up_by_the_leader(floor, job_id)
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_what_a_person_has_decided_meanwhile_stands(
    floor: FloorOf, controller: Controller
) -> None:
    job_id = await _running(floor, controller)
    floor.runs.let_go(float("inf"))
    await _given_up_by_the_leader(floor, job_id)
    assert (await floor.act("cancel", job_id)).applied
    await floor.service(Reconciler).run_once()
    controller.end()
    await until(lambda: not floor.runs.busy)
    assert (await floor.row(job_id)).state is JobState.CANCELLED
