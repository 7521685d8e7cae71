"""A principal of some tenants sees and changes their jobs, and no others."""

import asyncio
from dataclasses import replace

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import (
    ActOnJobs,
    DuplicateJob,
    EditJob,
    ImportJobs,
    SubmitJobs,
)
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Conflict, InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import Principal, Role
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.door import Door
from cnc_station.engine.queries import (
    CountJobs,
    ExportJobs,
    FloorCharts,
    FloorNow,
    JobById,
    JobsById,
    ListActiveRuns,
    ListEvents,
    ListJobs,
    ListRuns,
)
from cnc_station.engine.views import JobFilter
from tests.engine.conftest import Station
from tests.engine.floor import Controller, FloorOf

EVERY = JobFilter()
OWN = JobSpec("own", "mill", tenant="acme", estimated_s=1.0)
FOREIGN = JobSpec("secret", "mill", tenant="other", estimated_s=1.0)


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, config: Config) -> Config:
    if request.param == "sqlite":
        return config
    return replace(config, database_url=request.getfixturevalue("shop_url"))


@pytest.fixture
async def floor(settings: Config, station: Station, controller: Controller) -> FloorOf:  # noqa: ARG001 - its driver
    """Two jobs of each tenant; a foreign one is at the mill, and another is next."""
    floor = await station(settings)
    await floor.mill(driver="scripted")
    foreign = [await floor.job(name=FOREIGN.name, tenant="other") for _ in range(2)]
    await floor.comes_to(foreign[0], JobState.RUNNING)
    for _ in range(2):
        await floor.job(name=OWN.name, tenant="acme")
    return floor


@pytest.fixture
def acme(floor: FloorOf) -> Door:
    ann = Principal("ann", frozenset({Role.SUPERVISOR}), frozenset({"acme"}))
    return floor.engine.door(ann)


async def test_lists_counts_and_exports_hold_own_jobs_alone(acme: Door, floor: FloorOf) -> None:
    page = await acme.ask(ListJobs(EVERY, [], 0, 50))
    assert ([row.id for row in page.rows], page.total) == ([3, 4], 2)
    assert [row.id for row in await acme.ask(JobsById([1, 2, 3, 4]))] == [3, 4]
    counts = await acme.ask(CountJobs(EVERY))
    assert counts.of(frozenset(JobState)) == 2
    for form in ("csv", "json"):
        export = (await acme.ask(ExportJobs(EVERY, [], form))).decode()
        assert "own" in export
        assert "secret" not in export
    assert (await floor.door.ask(ListJobs(EVERY, [], 0, 50))).total == 4


async def test_a_filter_for_another_tenant_finds_nothing(acme: Door) -> None:
    assert (await acme.ask(ListJobs(JobFilter(tenant="other"), [], 0, 50))).total == 0


async def test_another_tenants_job_does_not_exist(acme: Door, floor: FloorOf) -> None:
    assert await acme.ask(JobById(1)) is None
    assert await acme.ask(ListEvents(job_id=1)) == ()
    assert await acme.ask(ListRuns()) == ()
    assert {event.job_id for event in await acme.ask(ListEvents())} <= {None, 3, 4}
    detail = await acme.ask(JobById(3))
    assert detail is not None
    assert detail.row.next == (await floor.row(3)).next  # the whole queue is before it
    assert len(await floor.door.ask(ListRuns())) == 1


async def test_the_floor_shows_machines_at_work_without_whose_job_it_is(
    acme: Door, floor: FloorOf
) -> None:
    (card,) = (seen := await acme.ask(FloorNow())).cards
    (whole,) = (await floor.door.ask(FloorNow())).cards
    assert whole.job is not None
    assert (card.machine.state, card.job) == (whole.machine.state, None)
    assert "secret" not in repr(seen)
    assert {row.tenant for row in seen.next_up} == {"acme"}
    assert seen.counts.of(frozenset(JobState)) == 2
    await acme.ask(FloorCharts(seen.at - 3_600_000, 60_000))
    assert acme.peek(ListActiveRuns()) == ()
    assert floor.door.peek(ListActiveRuns()) != ()


async def test_an_action_on_another_tenants_job_changes_nothing(acme: Door, floor: FloorOf) -> None:
    before = await floor.told(2)
    answers = await acme.execute(ActOnJobs(JobAction.PAUSE, [2, 3]))
    assert [answer.error for answer in answers] == ["There is no job 2.", ""]
    assert (await acme.execute(ActOnJobs(JobAction.ABORT, [1])))[0].error == "There is no job 1."
    for command in (
        EditJob(2, {"priority": 90}),
        DuplicateJob(2),
        ActOnJobs(JobAction.REORDER, [3], before=2),
    ):
        with pytest.raises(Conflict, match="no job 2"):
            await acme.execute(command)
    assert await floor.told(2) == before
    assert (await floor.row(1)).state is JobState.RUNNING
    assert (await floor.row(3)).state is JobState.PAUSED


async def test_no_job_comes_in_or_moves_under_another_tenants_name(
    acme: Door, floor: FloorOf
) -> None:
    table = b"Part,Machine,Tenant\nA,mill,other\n"
    for command in (
        SubmitJobs([OWN, FOREIGN]),
        SubmitJobs([replace(OWN, tenant="")]),
        EditJob(3, {"tenant": "other"}),
        ImportJobs("day.csv", table),
    ):
        with pytest.raises(InvalidInput, match="tenant"):
            await acme.execute(command)
    with pytest.raises(Conflict, match="no job 1"):
        await acme.execute(SubmitJobs([replace(OWN, after=(1,))]))
    assert (await floor.door.ask(CountJobs(EVERY))).of(frozenset(JobState)) == 4
    (job_id,) = await acme.execute(SubmitJobs([OWN]))
    assert (await floor.row(job_id)).tenant == "acme"


async def test_others_see_everything_while_somebody_of_one_tenant_reads(
    acme: Door, floor: FloorOf
) -> None:
    async def totals(door: Door) -> set[int]:
        pages = [await door.ask(ListJobs(EVERY, [], 0, 1)) for _ in range(20)]
        return {page.total for page in pages}

    limited, whole = await asyncio.gather(totals(acme), totals(floor.door))
    assert (limited, whole) == ({2}, {4})
