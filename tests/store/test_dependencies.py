"""Routings: op10 before op20 before op30."""

from typing import Any

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.jobs import MOST_RELEASED_AT_ONCE
from tests.store.shop import START, Shop, mill, next_due


def _routing(*more: JobSpec) -> tuple[JobSpec, ...]:
    return (
        JobSpec("shaft", "mill", operation="op10", key="10"),
        JobSpec("shaft", "mill", operation="op20", key="20", after_keys=("10",)),
        JobSpec("shaft", "mill", operation="op30", key="30", after_keys=("20",)),
        *more,
    )


async def _run(shop: Shop, transition: t.Transition = t.COMPLETED, **more: Any) -> int:
    run = await shop.claim_one()
    await shop.run_to(transition, run, **more)
    return run.job_id


async def test_operations_run_one_after_the_other(shop: Shop) -> None:
    for name in ("Mill 1", "Mill 2"):
        await shop.machine(mill(name))
    op10, op20, op30 = await shop.create(*_routing())
    for job_id, left in ((op10, [op20, op30]), (op20, [op30]), (op30, [])):
        assert await _run(shop) == job_id
        assert all(shop.job_row(other).finished_at is None for other in left)
    assert shop.told(job_id=op30) == [
        "created",
        "released",
        "assigned",
        "started",
        "completed",
    ]


async def test_a_completion_announces_the_types_of_machine_it_frees_work_for(shop: Shop) -> None:
    await shop.machine()
    turned = JobSpec("shaft", "lathe", after_keys=("30",), key="40")
    *_, op30, op40 = await shop.create(*_routing(turned))
    await _run(shop)
    await _run(shop)
    assert shop.state(op40) is JobState.DELAYED
    assert await _run(shop) == op30
    assert shop.state(op40) is JobState.QUEUED
    assert shop.notices[-1].claimable == {"lathe": 1}


async def test_a_job_waits_for_all_that_it_comes_after(shop: Shop) -> None:
    a, b = await shop.job(), await shop.job()
    last = await shop.job(after=(a, b, a))
    await shop.complete(a)
    assert await shop.release_due() == 0
    await shop.complete(b)
    assert await shop.release_due() == 1
    assert shop.state(last) is JobState.QUEUED


async def test_what_comes_after_a_completed_job_queues_at_once(shop: Shop) -> None:
    done = await shop.job()
    await shop.complete(done)
    assert shop.state(await shop.job(after=(done,))) is JobState.QUEUED


@pytest.mark.parametrize("state", [JobState.NEEDS_ATTENTION, JobState.CANCELLED, JobState.PAUSED])
async def test_a_predecessor_that_fails_holds_its_successors_back(
    shop: Shop, state: JobState
) -> None:
    first = await shop.job()
    second = await shop.job(after=(first,))
    await shop.override(first, state)
    assert await shop.release_due() == 0
    assert shop.state(second) is JobState.DELAYED
    for action in (JobAction.RUN_NOW,):
        with pytest.raises(Conflict, match="bracket waits for another job"):
            await shop.act(action, second)
    await shop.complete(first)
    assert await shop.release_due() == 1


@pytest.mark.parametrize("state", [JobState.CANCELLED, JobState.NEEDS_ATTENTION, JobState.QUEUED])
async def test_a_completed_job_stays_so_while_another_builds_on_it(
    shop: Shop, state: JobState
) -> None:
    first = await shop.job()
    second = await shop.job(after=(first,))
    await shop.complete(first)
    with pytest.raises(Conflict, match=f"stays completed, as job {second} builds on it"):
        await shop.override(first, state)


async def test_a_blocked_job_that_is_paused_cancelled_and_taken_back_still_waits(
    shop: Shop,
) -> None:
    first = await shop.job()
    second = await shop.job(after=(first,))
    for action in (
        JobAction.PAUSE,
        JobAction.RESUME,
        JobAction.CANCEL,
        JobAction.RETRY,
        JobAction.DELAY,
    ):
        values = {"not_before": START} if action is JobAction.DELAY else {}
        await shop.act(action, second, values=values)
    assert (shop.state(second), await shop.release_due()) == (JobState.DELAYED, 0)
    await shop.complete(first)
    assert await shop.release_due() == 1


async def test_a_draft_that_waits_for_another_waits_when_it_is_submitted(shop: Shop) -> None:
    first = await shop.job()
    second = await shop.job(after=(first,), draft=True)
    await shop.act(JobAction.SUBMIT, second)
    assert shop.state(second) is JobState.DELAYED
    await shop.complete(first)
    assert await shop.release_due() == 1


async def test_the_stager_hears_when_a_freed_successor_is_due_later(shop: Shop) -> None:
    """It sleeps until the next due time it knows, and did not know of one that was blocked."""
    await shop.machine()
    first = await shop.job()
    second = await shop.job(after=(first,), not_before=START + 5000)
    await _run(shop)
    assert shop.state(second) is JobState.DELAYED
    assert next_due(shop.notices[-1]) == START + 5000


async def test_the_screen_hears_of_a_freed_successor_that_stays_where_it_is(shop: Shop) -> None:
    first = await shop.job()
    second = await shop.job(after=(first,))
    await shop.act(JobAction.PAUSE, second)
    await shop.complete(first)
    assert second in shop.notices[-1].jobs


async def test_more_successors_than_are_released_at_once_are_left_to_the_stager(
    shop: Shop,
) -> None:
    await shop.machine()
    first = await shop.job()
    count = MOST_RELEASED_AT_ONCE + 7
    await shop.create(*(JobSpec(f"{n}", "lathe", after=(first,)) for n in range(count)))
    await _run(shop)
    assert shop.told().count("released") == MOST_RELEASED_AT_ONCE
    assert next_due(shop.notices[-1]) is not None
    assert await shop.release_due() == 7
    assert await shop.release_due() == 0


async def test_due_jobs_are_released_earliest_first(shop: Shop) -> None:
    late = await shop.job(not_before=START + 2000)
    soon = await shop.job(not_before=START + 1000)
    shop.later(1)
    assert await shop.release_due() == 1
    assert (shop.state(soon), shop.state(late)) == (JobState.QUEUED, JobState.DELAYED)
    shop.later(1)
    assert await shop.release_due() == 1
