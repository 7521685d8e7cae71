"""All runs that a filter selects, and all chosen schedules, through the door."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from cnc_station.config import Config
from cnc_station.engine.bulk import (
    FEWEST_IN_BATCH,
    Bulk,
    BulkProgress,
    jobs_to_retry,
    runs_to_cancel,
)
from cnc_station.engine.commands import (
    ActOnJobs,
    ActOnMatchingJobs,
    ActOnSchedules,
    CreateSchedule,
    EditJob,
    PauseSchedule,
    SubmitJobs,
)
from cnc_station.engine.domain.actions import JobAction, ScheduleAction
from cnc_station.engine.domain.errors import NotPermitted
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import Principal, Role
from cnc_station.engine.domain.schedule import Schedule
from cnc_station.engine.domain.states import JobState, RunState
from cnc_station.engine.queries import ListJobs, ListSchedules
from cnc_station.engine.views import RunFilter
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf

NO_PAPER = {"durationMs": 0, "shouldFail": True, "failMessage": "no paper"}
NO_INK = {**NO_PAPER, "failMessage": "no ink"}
LONG = {"durationMs": 3_600_000}


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, config: Config) -> Config:
    if request.param == "sqlite":
        return config
    return replace(config, database_url=request.getfixturevalue("shop_url"))


@pytest.fixture
async def floor(settings: Config, station: Station) -> FloorOf:
    return await station(settings)


async def _job(floor: FloorOf, payload: Mapping[str, Any], state: JobState, **values: Any) -> int:
    spec = JobSpec("print", handler="test.delay", payload=payload, retry_limit=0, **values)
    (job_id,) = await floor.door.execute(SubmitJobs([spec]))
    await floor.comes_to(job_id, state)
    return job_id


async def _retry(floor: FloorOf, runs: RunFilter, count: int) -> list[int]:
    chosen = jobs_to_retry(runs)
    assert chosen is not None
    step = await floor.door.execute(ActOnMatchingJobs(JobAction.RETRY, chosen, count))
    assert all(answer.applied for answer in step.answers)
    return [answer.id for answer in step.answers]


async def test_the_failed_jobs_of_all_runs_that_match_are_retried_and_no_others(
    floor: FloorOf,
) -> None:
    paper = [await _job(floor, NO_PAPER, JobState.NEEDS_ATTENTION) for _ in range(2)]
    ink = await _job(floor, NO_INK, JobState.NEEDS_ATTENTION)
    discarded = await _job(floor, NO_PAPER, JobState.NEEDS_ATTENTION)
    await floor.act("discard", discarded)
    assert await _retry(floor, RunFilter(text="PAPER", handler="test.delay"), 2) == paper
    for job_id in paper:
        assert (await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)).attempt == 2
    assert (await floor.row(ink)).attempt == 1
    assert (await floor.row(discarded)).state is JobState.CANCELLED
    assert jobs_to_retry(RunFilter(states=frozenset({RunState.SUCCEEDED}))) is None


async def test_only_the_last_run_of_a_job_counts(floor: FloorOf) -> None:
    job_id = await _job(floor, NO_PAPER, JobState.NEEDS_ATTENTION)
    await floor.door.execute(EditJob(job_id, {"payload": NO_INK}))
    await floor.act("retry", job_id)
    await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    for text, count in (("paper", 0), ("ink", 1)):
        chosen = jobs_to_retry(RunFilter(text=text))
        assert chosen is not None
        assert (await floor.door.ask(ListJobs(chosen, (), 0, 0))).total == count


async def test_all_runs_of_handlers_that_match_are_cancelled(floor: FloorOf) -> None:
    waiting = [await _job(floor, LONG, JobState.RUNNING) for _ in range(3)]
    await _job(floor, NO_PAPER, JobState.NEEDS_ATTENTION)
    assert await runs_to_cancel(floor.door, RunFilter(handler="test.echo")) == ()
    assert await runs_to_cancel(floor.door, RunFilter(states=frozenset({RunState.FAILED}))) == ()
    jobs = await runs_to_cancel(floor.door, RunFilter(station="A"))
    assert sorted(jobs) == waiting
    summary = await Bulk.each(jobs, partial(ActOnJobs, JobAction.ABORT)).run(floor.door)
    assert (summary.done, summary.refused) == (3, 0)
    for job_id in waiting:
        await floor.comes_to(job_id, JobState.CANCELLED)
    cancelled = RunFilter(states=frozenset({RunState.CANCELLED}))
    assert sorted(await _retry(floor, cancelled, 3)) == waiting


async def test_a_run_that_is_a_machines_is_not_cancelled_with_others(station: Station) -> None:
    floor = await station()
    await floor.mill(operator_starts=True)
    await floor.comes_to(await floor.job(), JobState.ASSIGNED)
    assert await runs_to_cancel(floor.door, RunFilter()) == ()


async def test_runs_of_other_tenants_are_neither_counted_nor_changed(floor: FloorOf) -> None:
    own = await _job(floor, NO_PAPER, JobState.NEEDS_ATTENTION, tenant="acme")
    other = await _job(floor, NO_PAPER, JobState.NEEDS_ATTENTION, tenant="zeta")
    live = await _job(floor, LONG, JobState.RUNNING, tenant="zeta")
    door = floor.engine.door(Principal("ann", frozenset({Role.OPERATOR}), frozenset({"acme"})))
    chosen = jobs_to_retry(RunFilter(text="paper"))
    assert chosen is not None
    assert (await door.ask(ListJobs(chosen, (), 0, 0))).total == 1
    assert await runs_to_cancel(door, RunFilter()) == ()
    step = await door.execute(ActOnMatchingJobs(JobAction.RETRY, chosen, 1))
    assert [answer.id for answer in step.answers] == [own]
    assert (await floor.row(other)).attempt == 1
    assert (await floor.row(live)).state is JobState.RUNNING


async def _schedules(floor: FloorOf, count: int) -> list[int]:
    spec = Schedule("Report", "@yearly", "UTC", JobSpec("report", handler="test.echo"))
    made = [CreateSchedule(replace(spec, name=f"Report {at}")) for at in range(count)]
    return [await floor.door.execute(command) for command in made]


async def test_schedules_are_done_in_batches_that_can_be_watched_stopped_and_taken_back(
    station: Station,
) -> None:
    floor = await station()
    ids = await _schedules(floor, 2 * FEWEST_IN_BATCH + 1)
    await floor.door.execute(PauseSchedule(ids[0]))
    bulk = Bulk.each(ids, partial(ActOnSchedules, ScheduleAction.PAUSE))
    told: list[BulkProgress] = []

    def tell(progress: BulkProgress) -> None:
        told.append(progress)
        if len(told) == 2:
            bulk.stop()

    summary = await bulk.run(floor.door, tell)
    assert told == [BulkProgress(99, 1, 201), BulkProgress(199, 1, 201)]
    assert summary.stopped
    assert [one.error for one in summary.refusals] == [f"Schedule {ids[0]} is paused already."]
    assert summary.changed == tuple(ids[1:200])
    back = Bulk.each(summary.changed, partial(ActOnSchedules, ScheduleAction.RESUME))
    assert (await back.run(floor.door)).done == 199
    rows = await floor.door.ask(ListSchedules())
    assert [row.id for row in rows if row.spec.paused] == ids[:1]


async def test_schedules_are_deleted_by_who_may_and_the_missing_one_is_named(
    station: Station,
) -> None:
    floor = await station()
    ids = await _schedules(floor, 2)
    delete = ActOnSchedules(ScheduleAction.DELETE, [*ids, 99])
    operator = floor.engine.door(Principal("ann", frozenset({Role.OPERATOR}), None))
    with pytest.raises(NotPermitted, match="ann may not work with schedules"):
        await operator.execute(delete)
    answers = await floor.door.execute(delete)
    assert [answer.error for answer in answers] == ["", "", "There is no schedule 99."]
    assert await floor.door.ask(ListSchedules()) == ()
