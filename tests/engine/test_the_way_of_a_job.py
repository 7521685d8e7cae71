import asyncio
from dataclasses import replace

from cnc_station.config import Config
from cnc_station.engine.commands import ActOnJobs, AddMachine, SubmitJobs, UndoJobActions
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.event import replay
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import JobsById, LatestTelemetry, ListEvents
from tests.until import until

ME = local_principal("tester")
MILL = MachineSpec("Mill 1", "mill", capability=Capability("mill"))


async def _state(engine: StationEngine, job_id: int) -> JobState:
    (row,) = await engine.local_door.ask(JobsById([job_id]))
    return row.state


async def test_a_submitted_job_runs_and_its_events_tell_how(engine: StationEngine) -> None:
    await engine.door(ME).execute(AddMachine(MILL))
    (job_id,) = await engine.door(ME).execute(
        SubmitJobs([JobSpec("bracket", "mill", estimated_s=5.0)])
    )

    async def completed() -> bool:
        return await _state(engine, job_id) is JobState.COMPLETED

    assert await until(completed)
    events = await engine.local_door.ask(ListEvents(job_id=job_id))
    assert [event.type for event in events] == ["created", "assigned", "started", "completed"]
    assert replay(events) is JobState.COMPLETED
    assert events[0].actor == "tester"
    assert len({event.trace_id for event in events}) == 1


async def test_a_station_that_claims_one_at_a_time_gives_every_machine_work(config: Config) -> None:
    engine = StationEngine(replace(config, simulator_speed=0.01, claim_batch=1))
    await engine.start()
    for number in range(3):
        await engine.door(ME).execute(AddMachine(replace(MILL, name=f"Mill {number}")))
    jobs = await engine.door(ME).execute(
        SubmitJobs([JobSpec("bracket", "mill", estimated_s=5.0)] * 3)
    )

    async def running() -> bool:
        rows = await engine.local_door.ask(JobsById(jobs))
        return all(row.state is JobState.RUNNING for row in rows)

    assert await until(running)
    await engine.stop()


async def test_a_cancelled_job_comes_back_with_its_place_when_undone(
    engine: StationEngine,
) -> None:
    (job_id,) = await engine.door(ME).execute(SubmitJobs([JobSpec("bracket", "lathe")]))
    (before,) = await engine.local_door.ask(JobsById([job_id]))
    (answer,) = await engine.door(ME).execute(ActOnJobs(JobAction.CANCEL, [job_id]))
    assert await _state(engine, job_id) is JobState.CANCELLED
    assert answer.undo is not None
    await engine.door(ME).execute(UndoJobActions([answer.undo]))
    (after,) = await engine.local_door.ask(JobsById([job_id]))
    assert (after.state, after.rank) == (before.state, before.rank)


async def test_what_was_running_when_the_station_closed_runs_again(config: Config) -> None:
    slow = StationEngine(replace(config, simulator_speed=0.01))
    await slow.start()
    await slow.door(ME).execute(AddMachine(MILL))
    (job_id,) = await slow.door(ME).execute(
        SubmitJobs([JobSpec("bracket", "mill", estimated_s=5.0)])
    )

    async def running() -> bool:
        return await _state(slow, job_id) is JobState.RUNNING

    assert await until(running)
    await slow.stop()

    fast = StationEngine(config)
    await fast.start()

    async def completed() -> bool:
        return await _state(fast, job_id) is JobState.COMPLETED

    try:
        assert await until(completed)
    finally:
        await fast.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_single_run_on_an_idle_station_tells_how_far_it_is(config: Config) -> None:
    slow = StationEngine(replace(config, simulator_speed=0.01))
    await slow.start()
    machine = await slow.door(ME).execute(AddMachine(MILL))
    await slow.door(ME).execute(SubmitJobs([JobSpec("bracket", "mill", estimated_s=5.0)]))
    told = await until(lambda: slow.local_door.peek(LatestTelemetry(machine)))
    assert told is not None
    assert told.remaining_s is not None
    await slow.stop()


async def test_a_machine_that_has_finished_takes_the_next_job_at_once(
    engine: StationEngine,
) -> None:
    """Not only when something else happens to wake the dispatcher."""
    await engine.door(ME).execute(AddMachine(MILL))
    specs = [JobSpec(f"bracket {number}", "mill", estimated_s=0.5) for number in range(20)]
    ids = await engine.door(ME).execute(SubmitJobs(specs))

    async def all_completed() -> bool:
        rows = await engine.local_door.ask(JobsById(ids))
        return all(row.state is JobState.COMPLETED for row in rows)

    assert await until(all_completed, timeout=60)
