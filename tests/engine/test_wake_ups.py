"""What wakes the dispatcher, whose own ticks are an hour apart here."""

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.drivers.base import OnLoss, RunFailed
from cnc_station.engine.services import dispatcher
from tests.engine.conftest import Station
from tests.engine.floor import Controller, FloorOf
from tests.until import until

HOUR_S = 3_600.0
SOON_S = 20.0  # what is not woken waits for an hour


@pytest.fixture
async def floor(station: Station, monkeypatch: pytest.MonkeyPatch) -> FloorOf:
    monkeypatch.setattr(dispatcher, "SLOW_TICK_S", HOUR_S)
    monkeypatch.setattr(dispatcher, "SETTLED_S", HOUR_S)
    monkeypatch.setattr(dispatcher.Dispatcher, "lost_hint_s", None)
    return await station()


async def test_a_machine_that_its_run_frees_gets_the_next_job_at_once(floor: FloorOf) -> None:
    await floor.mill()
    first = await floor.job()
    second = await floor.job()
    await floor.comes_to(first, JobState.COMPLETED, SOON_S)
    await floor.comes_to(second, JobState.COMPLETED, SOON_S)


@pytest.mark.parametrize("how", ["done", "failed", "aborted"])
async def test_however_its_run_ends_a_machine_gets_the_next_job_at_once(
    floor: FloorOf, controller: Controller, how: str
) -> None:
    controller.on_loss = OnLoss.RETRY  # nothing half made is left on it
    await floor.mill(driver="scripted")
    first = await floor.job()
    await floor.comes_to(first, JobState.RUNNING, SOON_S)
    await until(lambda: controller.cutting)
    second = await floor.job()
    if how == "aborted":
        await floor.act("abort", first)
    else:
        controller.end(RunFailed("tool broke") if how == "failed" else None)
    await floor.comes_to(second, JobState.RUNNING, SOON_S)
    await until(lambda: controller.cutting)
    controller.end()
    await floor.comes_to(second, JobState.COMPLETED, SOON_S)


async def test_a_worker_slot_that_its_run_frees_gets_the_next_job_at_once(
    floor: FloorOf, config: Config
) -> None:
    jobs = [JobSpec("wait", handler="test.delay", payload={"durationMs": 1})]
    job_ids = await floor.door.execute(SubmitJobs(jobs * (3 * config.automation_workers)))
    for job_id in job_ids:
        await floor.comes_to(job_id, JobState.COMPLETED, SOON_S)
