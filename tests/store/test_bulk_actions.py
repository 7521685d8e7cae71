"""Actions on the jobs that match a filter."""

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JOB_ACTIONS, JobAction
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.bulk_actions import ActOnMatching, Done
from cnc_station.engine.store.queue_actions import ActOnJob
from cnc_station.engine.views import JobFilter
from tests.store.shop import START, Shop

UNDECIDED = JobFilter(states=frozenset({JobState.INTERRUPTED, JobState.NEEDS_ATTENTION}))


async def _act(shop: Shop, action: JobAction, *ids: int) -> tuple[Done, ...]:
    template = ActOnJob(JOB_ACTIONS[action], 0, "anna")
    return await shop.write(ActOnMatching(template, ids, UNDECIDED, START))


@pytest.mark.parametrize("action", [JobAction.RETRY, JobAction.CANCEL])
async def test_an_interrupted_job_is_never_decided_about_with_others(
    shop: Shop, action: JobAction
) -> None:
    await shop.machine()
    interrupted = await shop.job()
    await shop.run_to(t.INTERRUPTED, await shop.claim_one())
    failed = await shop.job()
    await shop.override(failed, JobState.NEEDS_ATTENTION)
    refused, done = await _act(shop, action, interrupted, failed)
    assert refused.refusal.endswith("then decide about this job alone.")
    assert shop.state(interrupted) is JobState.INTERRUPTED
    assert done.before is not None
    assert shop.told(job_id=failed)[-1] == JOB_ACTIONS[action].name


async def test_a_job_that_no_longer_matches_is_left_alone(shop: Shop) -> None:
    """It left the filter, or was retried and failed again, between the reading and the writing."""
    job_id = await shop.job()
    assert await _act(shop, JobAction.CANCEL, job_id) == ()
    shop.later(1)
    await shop.override(job_id, JobState.NEEDS_ATTENTION)
    assert await _act(shop, JobAction.DISCARD, job_id) == ()
    assert shop.state(job_id) is JobState.NEEDS_ATTENTION


async def test_a_job_of_another_tenant_is_left_alone(shop: Shop) -> None:
    own, other = await shop.job(tenant="acme"), await shop.job(tenant="other")
    act = ActOnMatching(
        ActOnJob(JOB_ACTIONS[JobAction.PAUSE], 0, "anna"),
        (own, other),
        JobFilter(states=frozenset({JobState.QUEUED})),
        START,
        tenants=frozenset({"acme"}),
    )
    assert [done.job_id for done in await shop.write(act)] == [own]
    assert shop.state(other) is JobState.QUEUED
