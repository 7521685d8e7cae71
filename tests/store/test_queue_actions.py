"""What people ask of jobs that are not at a machine."""

from dataclasses import asdict, replace

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JOB_ACTIONS, JobAction, allowed
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.refusals import JOB_IS
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store import schema
from cnc_station.engine.store.queue_actions import ActOnJob, Before
from tests.store.shop import START, Shop, mill, next_due

_AT_A_MACHINE = {row.name for row in t.TRANSITIONS.values() if row.run is not None}
_QUEUE_ACTIONS = sorted(
    action
    for action in frozenset(JobAction) - {JobAction.OVERRIDE, JobAction.REORDER}
    if action is JobAction.OVERRIDE or JOB_ACTIONS[action].name not in _AT_A_MACHINE
)


async def _job_in(shop: Shop, state: JobState) -> int:
    """A job that got into this state by the table of transitions."""
    if state is JobState.DRAFT:
        return await shop.job(draft=True)
    if state is JobState.DELAYED:
        return await shop.job(not_before=START + 60_000)
    job_id = await shop.job()
    if state in {JobState.ASSIGNED, JobState.RUNNING, JobState.HELD, JobState.INTERRUPTED}:
        await shop.machine()
        run = await shop.claim_one()
        for transition in {
            JobState.ASSIGNED: [],
            JobState.RUNNING: [t.STARTED],
            JobState.HELD: [t.STARTED, t.HELD],
            JobState.INTERRUPTED: [t.STARTED, t.INTERRUPTED],
        }[state]:
            await shop.move(transition, run)
    elif state is JobState.NEEDS_ATTENTION:
        await shop.machine()
        await shop.run_to(t.FAILED_FINAL, await shop.claim_one())
    elif state is not JobState.QUEUED:
        await shop.override(job_id, state)
    return job_id


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("action", _QUEUE_ACTIONS)
async def test_an_action_is_applied_where_the_table_allows_it_and_refused_elsewhere(
    shop: Shop, state: JobState, action: JobAction
) -> None:
    job_id = await _job_in(shop, state)
    before = shop.told(job_id=job_id)
    if action in allowed(state) and not (state is JobState.CANCELLED and action == "delete"):
        was = await shop.act(action, job_id)
        assert was.state is state
        assert shop.told(job_id=job_id)[-1] == JOB_ACTIONS[action].name
        assert len(shop.told(job_id=job_id)) == len(before) + 1
    elif action not in allowed(state):
        with pytest.raises(Conflict, match=JOB_IS[state].format(name="bracket")):
            await shop.act(action, job_id)
        assert shop.told(job_id=job_id) == before


async def test_a_job_that_is_not_there_is_a_conflict(shop: Shop) -> None:
    with pytest.raises(Conflict, match="There is no job 7"):
        await shop.act(JobAction.PAUSE, 7)


async def test_a_paused_job_that_is_not_due_resumes_into_waiting(shop: Shop) -> None:
    job_id = await shop.job(not_before=START + 60_000)
    await shop.act(JobAction.PAUSE, job_id)
    await shop.act(JobAction.RESUME, job_id)
    assert shop.state(job_id) is JobState.DELAYED
    assert shop.told(job_id=job_id)[-1] == "resumed"


async def test_a_paused_job_is_not_released_when_its_time_comes(shop: Shop) -> None:
    job_id = await shop.job(not_before=START + 60_000)
    await shop.act(JobAction.PAUSE, job_id)
    shop.later(120)
    assert await shop.release_due() == 0
    await shop.act(JobAction.RESUME, job_id)
    assert shop.state(job_id) is JobState.QUEUED


async def test_run_now_goes_before_everything_and_waits_for_no_time(shop: Shop) -> None:
    urgent = await shop.job(priority=100, due_at=START)
    job_id = await shop.job(not_before=START + 86_400_000)
    await shop.act(JobAction.RUN_NOW, job_id)
    assert shop.state(job_id) is JobState.QUEUED
    assert shop.job_row(job_id).rank < shop.job_row(urgent).rank


async def test_of_two_jobs_to_run_now_the_first_asked_is_first(shop: Shop) -> None:
    first, second = await shop.job(), await shop.job(priority=100)
    await shop.act(JobAction.RUN_NOW, first)
    shop.later(0.001)
    await shop.act(JobAction.RUN_NOW, second)
    assert shop.job_row(first).rank < shop.job_row(second).rank


async def test_delay_takes_a_queued_job_out_until_its_time(shop: Shop) -> None:
    job_id = await shop.job()
    await shop.act(JobAction.DELAY, job_id, values={"not_before": START + 5000})
    assert next_due(shop.notices[-1]) == START + 5000
    assert await shop.release_due() == 0
    shop.later(5)
    assert await shop.release_due() == 1
    assert shop.told(job_id=job_id) == ["created", "postponed", "released"]


async def test_a_job_can_be_put_before_and_behind_others(shop: Shop) -> None:
    a, b, c = await shop.create(*(JobSpec(name, "mill") for name in "abc"))
    elsewhere = await shop.job(machine_type="lathe")

    def order() -> list[int]:
        return sorted((a, b, c), key=lambda job_id: float(shop.job_row(job_id).rank))

    await shop.act(JobAction.REORDER, c, before=a)
    assert order() == [c, a, b]
    await shop.act(JobAction.REORDER, c, before=b)
    assert order() == [a, c, b]
    await shop.act(JobAction.REORDER, a)
    assert order() == [c, b, a]
    for other in (elsewhere, a, 99):
        with pytest.raises(Conflict, match=f"Job {other} no longer waits in the same queue"):
            await shop.act(JobAction.REORDER, a, before=other)


async def test_many_jobs_fit_between_two_of_one_submission(shop: Shop) -> None:
    ids = await shop.create(*(JobSpec(f"part {n}", "mill") for n in range(10)))
    for job_id in reversed(ids[2:]):
        await shop.act(JobAction.REORDER, job_id, before=ids[1])
    order = sorted(ids, key=lambda job_id: float(shop.job_row(job_id).rank))
    assert order == [ids[0], *reversed(ids[2:]), ids[1]]


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.DELAYED, JobState.PAUSED])
async def test_a_cancelled_job_comes_back_as_it_was(shop: Shop, state: JobState) -> None:
    job_id = await _job_in(shop, state)
    row = shop.job_row(job_id)
    before = await shop.act(JobAction.CANCEL, job_id)
    assert asdict(before) == {
        "job_id": job_id,
        "version": row.version + 1,
        "state": state,
        "rank": row.rank,
        "pinned_machine_id": None,
        "not_before": row.not_before,
    }
    restoring = t.RESTORED_PAUSED if state is JobState.PAUSED else t.RESTORED
    await shop.write(_undo(restoring, before, rank=before.rank, not_before=before.not_before))
    after = shop.job_row(job_id)
    assert (after.state, after.rank, after.not_before) == (state, row.rank, row.not_before)


def _undo(transition: t.Transition, before: Before, **values: object) -> ActOnJob:
    return ActOnJob(transition, before.job_id, "anna", values=values, version=before.version)


async def test_a_new_place_and_a_pin_can_be_taken_back(shop: Shop) -> None:
    a, b = await shop.create(JobSpec("a", "mill"), JobSpec("b", "mill"))
    machine_id = await shop.machine()
    moved = await shop.act(JobAction.REORDER, b, before=a)
    await shop.write(_undo(t.REORDERED, moved, rank=moved.rank))
    assert shop.job_row(a).rank < shop.job_row(b).rank
    pinned = await shop.act(JobAction.PIN, a, values={"pinned_machine_id": machine_id})
    assert shop.job_row(a).pinned_machine_id == machine_id
    await shop.write(_undo(t.PINNED, pinned, pinned_machine_id=pinned.pinned_machine_id))
    assert shop.job_row(a).pinned_machine_id is None


async def test_nothing_is_taken_back_where_somebody_has_moved_on(shop: Shop) -> None:
    job_id = await shop.job()
    before = await shop.act(JobAction.CANCEL, job_id)
    await shop.act(JobAction.RETRY, job_id)
    await shop.act(JobAction.CANCEL, job_id)
    with pytest.raises(Conflict, match="has changed meanwhile"):
        await shop.write(_undo(t.RESTORED, before))


async def test_only_what_never_ran_and_nothing_waits_for_can_be_deleted(shop: Shop) -> None:
    await shop.machine()
    ran = await shop.job()
    await shop.run_to(t.ABORTED, await shop.claim_one())
    with pytest.raises(Conflict, match="has run, so its history is kept"):
        await shop.act(JobAction.DELETE, ran)
    first = await shop.job()
    second = await shop.job(after=(first,))
    with pytest.raises(Conflict, match=f"job {second} waits for it"):
        await shop.act(JobAction.DELETE, first)
    await shop.act(JobAction.DELETE, second)
    await shop.act(JobAction.DELETE, first)
    assert shop.told(job_id=first) == ["created", "deleted"]


async def test_a_person_can_set_a_state_by_hand_with_a_reason(shop: Shop) -> None:
    job_id = await shop.job()
    for state in (
        JobState.NEEDS_ATTENTION,
        JobState.COMPLETED,
        JobState.PAUSED,
        JobState.CANCELLED,
        JobState.NEEDS_ATTENTION,
        JobState.QUEUED,
    ):
        await shop.override(job_id, state)
        assert shop.state(job_id) is state
        event = shop.events(job_id=job_id)[-1]
        assert (event["type"], event["reason"]) == (f"overridden_to_{state}", "because")
        assert shop.broken() == []
    with pytest.raises(Conflict):
        await shop.override(job_id, JobState.QUEUED)


async def test_a_retry_by_hand_forgets_the_failures_and_an_old_wait(shop: Shop) -> None:
    await shop.machine()
    job_id = await shop.job(retry_limit=0)
    await shop.run_to(t.FAILED_FINAL, await shop.claim_one(), reason="tool broke")
    assert shop.job_row(job_id).failures == 1
    await shop.act(JobAction.RETRY, job_id)
    assert (shop.job_row(job_id).failures, shop.state(job_id)) == (0, JobState.QUEUED)
    assert (await shop.claim_one()).attempt == 2


async def test_an_interrupted_job_can_be_accepted_and_frees_its_successors(shop: Shop) -> None:
    first = await _job_in(shop, JobState.INTERRUPTED)
    second = await shop.job(after=(first,))
    await shop.act(JobAction.ACCEPT, first)
    assert next_due(shop.notices[-1]) == START
    assert await shop.release_due() == 1
    assert shop.state(second) is JobState.QUEUED


async def test_a_scrapped_part_is_counted_and_made_again(shop: Shop) -> None:
    job_id = await _job_in(shop, JobState.INTERRUPTED)
    await shop.act(JobAction.SCRAP, job_id, reason="broken tool in it")
    event = shop.events(job_id=job_id)[-1]
    assert (event["type"], event["actor"], event["reason"]) == (
        "scrapped",
        "anna",
        "broken tool in it",
    )
    row = shop.row(schema.run, 1)
    assert (row.state, row.good, row.scrap) == ("interrupted", None, 1)
    assert (shop.state(job_id), shop.job_row(job_id).failures) == (JobState.QUEUED, 0)
    assert (await shop.claim_one()).attempt == 2


async def test_a_part_counted_at_the_clearing_is_not_counted_again_as_scrap(shop: Shop) -> None:
    machine_id = await shop.machine(replace(mill("Mill 1"), operator_clears=True))
    job_id = await shop.job(quantity=5)
    await shop.run_to(t.INTERRUPTED, await shop.claim_one())
    await shop.move_machine(t.CLEARED, machine_id, good=3, scrap=2)
    await shop.act(JobAction.SCRAP, job_id)
    assert (shop.row(schema.run, 1).good, shop.row(schema.run, 1).scrap) == (3, 2)


async def test_what_was_never_started_has_no_part_to_scrap(shop: Shop) -> None:
    job_id = await shop.job()
    await shop.machine()
    await shop.move(t.RETURNED, await shop.claim_one())
    await shop.override(job_id, JobState.NEEDS_ATTENTION)
    with pytest.raises(Conflict, match="bracket was never started, so there is no part"):
        await shop.act(JobAction.SCRAP, job_id)
    assert shop.state(job_id) is JobState.NEEDS_ATTENTION


async def test_a_part_scrapped_while_its_retry_still_waited_is_made_again_at_once(
    shop: Shop,
) -> None:
    await shop.machine()
    job_id = await shop.job()
    await shop.run_to(t.FAILED_RETRY, await shop.claim_one(), backoff_s=3600)
    await shop.override(job_id, JobState.NEEDS_ATTENTION)
    await shop.act(JobAction.SCRAP, job_id)
    assert shop.told(job_id=job_id)[-1] == "scrapped"
    assert await shop.release_due() == 1
    assert shop.row(schema.run, 1).scrap == 1
