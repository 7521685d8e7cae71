"""What the writer wrote, as the queries tell it."""

import json
from dataclasses import replace

from cnc_station.config import Config
from cnc_station.engine.commands import ActOnJobs, AddMachine, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import (
    AboutStation,
    CountJobs,
    ExportJobs,
    FloorCharts,
    FloorNow,
    JobById,
    JobsById,
    ListJobs,
)
from cnc_station.engine.views import JobFilter, JobRow, Sort, SortKey
from tests.until import until

ME = local_principal("tester")
OPEN = JobFilter(states=OPEN_JOBS)
IN_QUEUE_ORDER = (Sort(SortKey.QUEUE),)


async def _open(engine: StationEngine) -> list[int]:
    page = await engine.local_door.ask(ListJobs(OPEN, IN_QUEUE_ORDER, 0, 50))
    assert page.total == len(page.rows)
    return [row.id for row in page.rows]


async def _row(engine: StationEngine, job_id: int) -> JobRow:
    (row,) = await engine.local_door.ask(JobsById([job_id], with_next=True))
    return row


async def test_a_number_too_long_for_any_job_is_no_job(engine: StationEngine) -> None:
    for scanned in (0, 10**19, 10**30):  # the codes of parcels have twenty digits and more
        assert await engine.local_door.ask(JobById(scanned)) is None


async def test_a_job_is_listed_as_open_until_it_is_finished_and_again_when_taken_up(
    engine: StationEngine,
) -> None:
    (job_id,) = await engine.door(ME).execute(SubmitJobs([JobSpec("bracket", "lathe")]))
    assert await _open(engine) == [job_id]
    await engine.door(ME).execute(ActOnJobs(JobAction.CANCEL, [job_id]))
    assert await _open(engine) == []
    (answer,) = await engine.door(ME).execute(
        ActOnJobs(JobAction.OVERRIDE, [job_id], reason="look", state=JobState.NEEDS_ATTENTION)
    )
    assert answer.applied
    assert await _open(engine) == [job_id]
    counts = await engine.local_door.ask(CountJobs(JobFilter()))
    assert counts.by_state == {JobState.NEEDS_ATTENTION: 1}


async def test_reasons_follow_what_people_do(engine: StationEngine) -> None:
    first, second = await engine.door(ME).execute(
        SubmitJobs(
            [
                JobSpec("plate", "lathe", operation="op10", key="1"),
                JobSpec("plate", "lathe", operation="op20", after_keys=("1",)),
            ]
        )
    )
    assert (await _row(engine, first)).next == "there is no lathe"
    assert (await _row(engine, second)).next == "waits for op10"
    await engine.door(ME).execute(ActOnJobs(JobAction.PAUSE, [first]))
    assert (await _row(engine, first)).next.startswith("paused by tester at ")
    assert (await _row(engine, second)).next == "waits for op10, which is paused"
    await engine.door(ME).execute(ActOnJobs(JobAction.CANCEL, [first]))
    assert (await _row(engine, second)).next == "waits for op10, which was cancelled"


async def test_a_finished_job_is_in_its_detail_the_charts_the_floor_and_the_export(
    engine: StationEngine,
) -> None:
    await engine.door(ME).execute(
        AddMachine(MachineSpec("Mill 1", "mill", capability=Capability("mill")))
    )
    (job_id,) = await engine.door(ME).execute(
        SubmitJobs([JobSpec("bracket", "mill", estimated_s=5.0)])
    )

    async def completed() -> bool:
        return (await _row(engine, job_id)).state is JobState.COMPLETED

    assert await until(completed)
    detail = await engine.local_door.ask(JobById(job_id))
    assert detail is not None
    assert [run.machine for run in detail.runs] == ["Mill 1"]
    floor = await engine.local_door.ask(FloorNow())
    assert floor.cards[0].completed_today == floor.counts.completed_today == 1
    assert "completed" in [event.type for event in floor.just_now]
    charts = await engine.local_door.ask(FloorCharts(floor.at - 3_600_000, 600_000))
    assert sum(charts.completed.values) == 1
    assert charts.waiting.values[-1] == 0
    assert charts.intervals[-1].machine_id == floor.cards[0].machine.id
    (row,) = json.loads(await engine.local_door.ask(ExportJobs(JobFilter(), (), "json")))
    assert (row["id"], row["state"], row["machine"]) == (job_id, "completed", "Mill 1")


async def test_the_station_says_what_it_is_without_its_password(config: Config) -> None:
    said = StationEngine(config).local_door.peek(AboutStation())
    assert (said.station, said.simulator_speed) == ("A", 1000.0)
    assert said.database == str(config.database_path)
    secret = replace(config, database_url="postgresql://shop:hunter2@db.hall/cnc")
    assert (
        StationEngine(secret).local_door.peek(AboutStation()).database
        == "postgresql://shop:***@db.hall/cnc"
    )
