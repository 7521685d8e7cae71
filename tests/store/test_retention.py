"""What the retention rules delete, and what they never delete."""

from sqlalchemy import select

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.schedule import CatchUp, Overlap
from cnc_station.engine.domain.webhooks import WebhookEvent, WebhookSpec
from cnc_station.engine.store import schema
from cnc_station.engine.store.claims import ClaimForHandlers, ServedJobs
from cnc_station.engine.store.deliveries import DEAD, DELIVERED, ClaimDeliveries, RecordAttempt
from cnc_station.engine.store.moves import MoveRun
from cnc_station.engine.store.retention import DeleteEndedRuns, DeleteFinishedJobs
from cnc_station.engine.store.retention_records import DeleteEndedDeliveries, DeleteOldFirings
from cnc_station.engine.store.webhook_tables import delivery, delivery_attempt
from cnc_station.engine.store.webhooks import CreateWebhook
from tests.store.schedules import FIRST, create, fire, firings, jobs, next_hour
from tests.store.shop import Shop

DAY_S = 86_400
WAIT = JobSpec("wait", handler="test.delay")
SPEC = WebhookSpec("http://127.0.0.1/", (WebhookEvent.CREATED,))
SERVED = frozenset({ServedJobs("test.delay")})


async def _done(shop: Shop, *job_ids: int) -> None:
    """Run these jobs to their end."""
    claimed = await shop.write(ClaimForHandlers(300.0, SERVED, 100))
    for run in claimed:
        if run.job_id in job_ids:
            await shop.write(
                MoveRun(t.COMPLETED, run.run_id, run.token, run.job_id, None, "runner")
            )


def _rows(shop: Shop) -> tuple[list[int], list[int], list[int]]:
    """The jobs, and the jobs of runs and of events."""
    jobs = shop.database.read(lambda c: list(c.execute(select(schema.job.c.id)).scalars()))
    runs = shop.database.read(lambda c: list(c.execute(select(schema.run.c.job_id)).scalars()))
    events = shop.database.read(
        lambda c: list(c.execute(select(schema.event.c.job_id).distinct()).scalars())
    )
    return sorted(jobs), sorted(runs), sorted(job for job in events if job is not None)


async def test_finished_jobs_go_with_their_history_when_their_time_is_over(shop: Shop) -> None:
    old, cancelled, running = await shop.create(WAIT, WAIT, WAIT)
    await shop.act(JobAction.CANCEL, cancelled)
    await _done(shop, old)
    shop.later(2 * DAY_S)
    (young,) = await shop.create(WAIT)
    await _done(shop, young)
    assert await shop.expire(DeleteFinishedJobs, 3) == 0
    shop.later(DAY_S + 1)
    assert await shop.expire(DeleteFinishedJobs, 3) == 2
    left = [running, young]
    assert _rows(shop) == (left, left, left)
    assert await shop.expire(DeleteFinishedJobs, 3) == 0


async def test_a_job_for_which_another_waits_is_kept(shop: Shop) -> None:
    (first,) = await shop.create(WAIT)
    (second,) = await shop.create(JobSpec("then", handler="test.delay", after=(first,)))
    await _done(shop, first)
    shop.later(9 * DAY_S)
    assert await shop.expire(DeleteFinishedJobs, 1) == 0
    await _done(shop, second)
    shop.later(2 * DAY_S)
    assert await shop.expire(DeleteFinishedJobs, 1) == 2
    assert _rows(shop) == ([], [], [])


async def test_runs_go_but_not_the_last_one_of_an_open_job(shop: Shop) -> None:
    done, failed = await shop.create(WAIT, JobSpec("fails", handler="test.delay", retry_limit=0))
    for run in await shop.write(ClaimForHandlers(300.0, SERVED, 100)):
        row = t.COMPLETED if run.job_id == done else t.FAILED_FINAL
        await shop.write(MoveRun(row, run.run_id, run.token, run.job_id, None, "runner"))
    shop.later(2 * DAY_S)
    assert await shop.expire(DeleteEndedRuns, 1) == 1
    jobs, runs, events = _rows(shop)
    assert (jobs, runs, events) == ([done, failed], [failed], [done, failed])


async def test_a_large_shop_is_cleaned_in_small_steps(shop: Shop) -> None:
    jobs = await shop.create(*[WAIT] * 5)
    await _done(shop, *jobs)
    shop.later(2 * DAY_S)
    deleted = [await shop.expire(DeleteFinishedJobs, 1, most=2) for _ in range(4)]
    assert deleted == [2, 2, 1, 0]


async def test_ended_deliveries_go_with_their_attempts_and_others_stay(shop: Shop) -> None:
    webhook_id = await shop.write(CreateWebhook(SPEC, "a secret", "anna"))
    await shop.create(WAIT, WAIT, WAIT)
    delivered, dead, _ = await shop.write(ClaimDeliveries({webhook_id: 3}, 10_000))
    for one, state in ((delivered, DELIVERED), (dead, DEAD)):
        await shop.write(
            RecordAttempt(
                *(one.id, one.token, state, None, "url", {}), *(500, {}, "", False, "", 0.1)
            )
        )
    shop.later(2 * DAY_S)
    assert await shop.expire(DeleteEndedDeliveries, 3) == 0
    shop.later(DAY_S + 1)
    assert await shop.expire(DeleteEndedDeliveries, 3) == 2
    left = shop.database.read(lambda c: c.execute(select(delivery.c.state)).scalars().all())
    tried = shop.database.read(lambda c: c.execute(select(delivery_attempt.c.id)).all())
    assert (list(left), list(tried)) == (["pending"], [])


async def test_a_deleted_job_takes_its_ended_deliveries_along(shop: Shop) -> None:
    webhook_id = await shop.write(CreateWebhook(SPEC, "a secret", "anna"))
    (job_id,) = await shop.create(WAIT)
    (one,) = await shop.write(ClaimDeliveries({webhook_id: 1}, 10_000))
    await shop.write(
        RecordAttempt(
            *(one.id, one.token, DELIVERED, None, "url", {}), *(200, {}, "", False, "", 0.1)
        )
    )
    await _done(shop, job_id)
    shop.later(9 * DAY_S)
    assert await shop.expire(DeleteFinishedJobs, 1) == 1
    assert not shop.database.read(lambda c: c.execute(select(delivery.c.id)).all())


async def test_old_due_times_go_but_none_that_is_shown_or_waits_or_whose_job_is_open(
    shop: Shop,
) -> None:
    queued = await create(shop, name="Queued", overlap=Overlap.QUEUE)
    allowed, _ = await _fired_eight_times(shop)
    assert await shop.expire(DeleteOldFirings, 1) == 0
    shop.later(2 * DAY_S)
    assert await shop.expire(DeleteOldFirings, 3) == 0
    assert await shop.expire(DeleteOldFirings, 1) == 2
    assert [hour for hour, _ in firings(shop, allowed)] == [0, *range(3, 8)]
    assert [state for _, state in firings(shop, queued)] == ["fired", *["waiting"] * 7]


async def test_due_times_stay_that_a_clock_set_back_would_fire_again(shop: Shop) -> None:
    allowed, made = await _fired_eight_times(shop)
    shop.clock.ms = FIRST + 1
    await fire(shop)
    shop.later(2 * DAY_S)
    assert await shop.expire(DeleteOldFirings, 1) == 0
    shop.clock.ms = FIRST + 7 * 3_600_000
    await fire(shop)
    assert [row.id for row in jobs(shop)] == made
    assert [hour for hour, _ in firings(shop, allowed)] == [*range(8)]


async def _fired_eight_times(shop: Shop) -> tuple[int, list[int]]:
    """A schedule with the jobs of eight hours, of which all but the first are finished."""
    schedule_id = await create(shop, name="Allowed", overlap=Overlap.ALLOW, catch_up=CatchUp.ALL)
    for _ in range(8):
        next_hour(shop)
        await fire(shop)
    made = [row.id for row in jobs(shop) if row.schedule_id == schedule_id]
    for job_id in made[1:]:
        await shop.act(JobAction.CANCEL, job_id)
    return schedule_id, made
