"""One action on all jobs that match a filter, through the door."""

import asyncio
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.bulk import Bulk, BulkProgress
from cnc_station.engine.commands import ActOnMatchingJobs, EditJob, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Conflict, InvalidInput, NotPermitted
from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import Principal, Role
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import ListEvents, ListJobs
from cnc_station.engine.views import JobFilter
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf
from tests.until import until

LATHES = JobFilter(machine_types=frozenset({"lathe"}))
EVERY = JobFilter(states=frozenset(JobState))
PAUSE, CANCEL, PIN = JobAction.PAUSE, JobAction.CANCEL, JobAction.PIN


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, config: Config) -> Config:
    if request.param == "sqlite":
        return config
    return replace(config, database_url=request.getfixturevalue("shop_url"))


@pytest.fixture
async def floor(settings: Config, station: Station) -> FloorOf:
    return await station(settings)


async def _jobs(floor: FloorOf, count: int, **values: object) -> list[int]:
    spec = JobSpec("shaft", "lathe")
    specs = [replace(spec, **values) for _ in range(count)]  # type: ignore[arg-type]
    return list(await floor.door.execute(SubmitJobs(specs)))


async def _states(floor: FloorOf) -> Counter[JobState]:
    page = await floor.door.ask(ListJobs(EVERY, (), 0, 10_000))
    return Counter(row.state for row in page.rows)


async def _events(floor: FloorOf, kind: str) -> Counter[int | None]:
    """How many events of this type each job has."""
    found: list[Event] = []
    while more := await floor.door.ask(ListEvents(after=found[-1].id if found else 0)):
        found += more
    return Counter(event.job_id for event in found if event.type == kind)


async def test_every_job_of_the_filter_is_changed_once_and_no_other(floor: FloorOf) -> None:
    lathes, (drill,) = await _jobs(floor, 25), await _jobs(floor, 1, machine_type="drill")
    told: list[BulkProgress] = []
    bulk = Bulk.matching(ActOnMatchingJobs(PAUSE, LATHES, 25, reason="rework", limit=10))
    summary = await bulk.run(floor.door, told.append)
    assert (summary.done, summary.refused, summary.left_alone) == (25, 0, 0)
    assert [progress.done for progress in told] == [10, 20, 25]
    assert await _events(floor, "paused") == Counter(lathes)
    assert (await floor.row(drill)).state is JobState.QUEUED


async def test_another_count_than_expected_is_refused_and_nothing_is_changed(
    floor: FloorOf,
) -> None:
    await _jobs(floor, 3)
    bulk = Bulk.matching(ActOnMatchingJobs(PAUSE, LATHES, 3))
    await _jobs(floor, 1)
    with pytest.raises(Conflict, match=r"selects 4 jobs now, not 3\. Nothing was changed"):
        await bulk.run(floor.door)
    assert await _states(floor) == {JobState.QUEUED: 4}


async def test_a_job_that_comes_in_or_changes_after_the_count_is_left_alone(
    floor: FloorOf,
) -> None:
    """Nobody has counted the one, and the other is no longer what was counted."""
    ids = await _jobs(floor, 4)
    command = ActOnMatchingJobs(PAUSE, LATHES, 4, limit=1)
    step = await floor.door.execute(command)
    (new,) = await _jobs(floor, 1)
    await floor.act("pause", ids[1])
    await floor.act("resume", ids[1])  # it matches as before
    answers = [*step.answers]
    while step.cursor is not None:
        step = await floor.door.execute(replace(command, cursor=step.cursor))
        answers += step.answers
    assert [answer.id for answer in answers] == [ids[0], *ids[2:]]
    for job_id in (ids[1], new):
        assert (await floor.row(job_id)).state is JobState.QUEUED


async def test_a_refused_job_is_an_answer_of_its_own(floor: FloorOf) -> None:
    ids = await _jobs(floor, 3)
    await floor.act("cancel", ids[1])
    summary = await Bulk.matching(ActOnMatchingJobs(PAUSE, LATHES, 3)).run(floor.door)
    assert (summary.done, summary.refused) == (2, 1)
    assert [(one.id, one.error) for one in summary.refusals] == [
        (ids[1], "shaft is cancelled. There is nothing left to pause.")
    ]
    assert await _states(floor) == {JobState.PAUSED: 2, JobState.CANCELLED: 1}


async def test_a_stopped_action_keeps_what_it_has_done(floor: FloorOf) -> None:
    ids = await _jobs(floor, 9)
    bulk = Bulk.matching(ActOnMatchingJobs(PAUSE, LATHES, 9, limit=3))

    def tell(progress: BulkProgress) -> None:
        if progress.done == 6:
            bulk.stop()

    summary = await bulk.run(floor.door, tell)
    assert (summary.done, summary.stopped, summary.left_alone) == (6, True, 0)
    assert await _events(floor, "paused") == Counter(ids[:6])
    assert await _states(floor) == {JobState.PAUSED: 6, JobState.QUEUED: 3}


async def test_what_can_be_undone_for_one_job_can_be_undone_for_all(floor: FloorOf) -> None:
    queued, paused = await _jobs(floor, 4), await _jobs(floor, 3)
    for job_id in paused:
        await floor.act("pause", job_id)
    summary = await Bulk.matching(ActOnMatchingJobs(CANCEL, LATHES, 7, limit=3)).run(floor.door)
    assert await _states(floor) == {JobState.CANCELLED: 7}
    await floor.act("retry", queued[0])  # somebody has decided otherwise
    back = await Bulk.undoing(summary).run(floor.door)
    assert (back.done, [one.id for one in back.refusals]) == (6, [queued[0]])
    assert await _states(floor) == {JobState.QUEUED: 4, JobState.PAUSED: 3}
    assert not (await Bulk.matching(ActOnMatchingJobs(PAUSE, LATHES, 7)).run(floor.door)).undo


async def test_jobs_that_a_machine_can_not_make_are_not_pinned_to_it(floor: FloorOf) -> None:
    machine_id = await floor.mill(operator_starts=True)
    await floor.act_on_machine("maintenance_on", machine_id)
    fits = await floor.job(not_before=4_000_000_000_000)
    (unfit,) = await _jobs(floor, 1)
    command = ActOnMatchingJobs(PIN, JobFilter(max_priority=100), 2, machine_id=machine_id)
    summary = await Bulk.matching(command).run(floor.door)
    assert (summary.done, [one.id for one in summary.refusals]) == (1, [unfit])
    assert "can't go to Mill 1" in summary.refusals[0].error
    assert (await floor.row(fits)).pinned_machine_id == machine_id


async def test_only_jobs_of_ones_own_tenants_are_counted_and_changed(floor: FloorOf) -> None:
    own, foreign = await _jobs(floor, 2, tenant="acme"), await _jobs(floor, 2, tenant="other")
    acme = Principal("ann", frozenset({Role.OPERATOR}), frozenset({"acme"}))
    door = floor.engine.door(acme)
    step = await door.execute(ActOnMatchingJobs(PAUSE, LATHES, 2, limit=1))
    assert step.cursor is not None
    await floor.door.execute(EditJob(own[1], {"tenant": "other"}))
    more = ActOnMatchingJobs(PAUSE, LATHES, 2, cursor=step.cursor)
    assert (await door.execute(more)).answers == ()
    for job_id in (own[1], *foreign):
        assert (await floor.row(job_id)).state is JobState.QUEUED


async def test_it_takes_the_right_to_the_action(floor: FloorOf) -> None:
    viewer = floor.engine.door(Principal("vic", frozenset({Role.VIEWER}), None))
    operator = floor.engine.door(Principal("ann", frozenset({Role.OPERATOR}), None))
    with pytest.raises(NotPermitted):
        await viewer.execute(ActOnMatchingJobs(PAUSE, LATHES, 0))
    with pytest.raises(NotPermitted, match="delete jobs"):
        await operator.execute(ActOnMatchingJobs(JobAction.DELETE, LATHES, 0))


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (ActOnMatchingJobs(PAUSE, JobFilter(), 1), "chosen"),
        (ActOnMatchingJobs(JobAction.ABORT, LATHES, 1), "action"),
        (ActOnMatchingJobs(JobAction.REORDER, LATHES, 1), "action"),
        (ActOnMatchingJobs(PAUSE, LATHES, -1), "expected_count"),
        (ActOnMatchingJobs(PAUSE, LATHES, 1, limit=501), "limit"),
        (ActOnMatchingJobs(JobAction.OVERRIDE, LATHES, 1), "state"),
    ],
)
async def test_a_wrong_request_is_refused_by_its_field(
    config: Config, station: Station, command: ActOnMatchingJobs, field: str
) -> None:
    floor = await station(config)
    with pytest.raises(InvalidInput) as refused:
        await floor.door.execute(command)
    assert [error.field for error in refused.value.errors] == [field]


async def test_two_stations_that_do_the_same_change_each_job_once(
    shop_url: str, config: Config, station: Station
) -> None:
    settings = replace(config, database_url=shop_url)
    first = await station(settings)
    folder = config.data_folder / "second"
    second = await station(replace(settings, station="B", data_folder=folder))
    ids = await _jobs(first, 61)
    command = ActOnMatchingJobs(CANCEL, JobFilter(states=frozenset({JobState.QUEUED})), 61, limit=1)
    begun = await second.door.execute(command)
    also = await first.door.execute(replace(command, expected_count=60))  # both have counted them
    summary, _ = await asyncio.gather(
        Bulk.matching(replace(command, cursor=also.cursor, limit=7)).run(first.door),
        Bulk.matching(replace(command, cursor=begun.cursor, limit=7)).run(second.door),
    )
    assert summary.refused == 0
    assert await _events(first, "cancelled") == Counter(ids)


async def test_a_station_killed_in_the_middle_leaves_whole_batches(
    settings: Config, floor: FloorOf, tmp_path: Path
) -> None:
    count, limit = 400, 5
    await _jobs(floor, count)
    url, folder = settings.database_url, tmp_path / "killed"
    told = [url, str(folder), str(count), str(limit)]
    command = [sys.executable, "-m", "tests.engine.bulk_to_kill", *told]
    process = subprocess.Popen(command)  # noqa: ASYNC220 - it starts at once
    try:

        async def in_the_middle() -> bool:
            return (await _states(floor))[JobState.CANCELLED] >= 20

        await until(in_the_middle)
    finally:
        process.kill()
        process.wait()
    states = await _states(floor)
    assert 20 <= states[JobState.CANCELLED] < count
    assert states[JobState.CANCELLED] % limit == 0
    assert states[JobState.CANCELLED] + states[JobState.QUEUED] == count
    assert set((await _events(floor, "cancelled")).values()) == {1}
    assert len(await _events(floor, "cancelled")) == states[JobState.CANCELLED]
