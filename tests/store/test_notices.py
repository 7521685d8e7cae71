"""The notice of a commit is its events: what others have to know is in them, and nothing else."""

from dataclasses import replace

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.notice import NoticeEvent, Topic
from tests.store.shop import START, Shop

BRACKET = JobSpec("bracket", "mill", tenant="Sunrise")


async def test_a_jobs_way_is_told_as_it_is_stored_with_what_its_listeners_need(shop: Shop) -> None:
    machine_id = await shop.machine()
    told = len(shop.notices)
    (job_id,) = await shop.create(BRACKET)
    run = await shop.claim_one()
    await shop.move(t.STARTED, run)
    await shop.move(t.FAILED_RETRY, run, reason="tool broke", backoff_s=10.0)
    of_run = (job_id, run.run_id, machine_id, "Sunrise")
    assert [event for notice in shop.notices[told:] for event in notice.events] == [
        NoticeEvent(
            "created",
            "A",
            job_id,
            tenant="Sunrise",
            job_state="queued",
            machine_type="mill",
            handler="machine.program",
        ),
        NoticeEvent("assigned", "A", *of_run, "assigned", "assigned", "assigned"),
        NoticeEvent("started", "A", *of_run, "running", "running", "running"),
        NoticeEvent(
            "failed_retry",
            "A",
            *of_run,
            "delayed",
            "failed",
            "idle",
            due_at=START + 10_000,
            frees_machine=True,
        ),
    ]
    stored = [event["type"] for event in shop.events(job_id=job_id)]
    assert stored == ["created", "assigned", "started", "failed_retry"]


async def test_every_job_action_tells_whose_job_it_is(shop: Shop) -> None:
    (job_id,) = await shop.create(BRACKET)
    for action in (JobAction.PAUSE, JobAction.RESUME, JobAction.RUN_NOW, JobAction.CANCEL):
        await shop.act(action, job_id)
        (event,) = shop.notices[-1].events
        assert (event.job_id, event.tenant) == (job_id, "Sunrise")


async def test_a_successor_that_is_free_is_told_before_it_is_released(shop: Shop) -> None:
    await shop.machine()
    (first,) = await shop.create(BRACKET)
    (second,) = await shop.create(replace(BRACKET, after=(first,)))
    run = await shop.claim_one()
    await shop.move(t.STARTED, run)
    await shop.move(t.COMPLETED, run)
    told = [(e.type, e.job_id, e.tenant, e.machine_type) for e in shop.notices[-1].events]
    assert told == [
        ("completed", first, "Sunrise", None),
        (Topic.JOB_UNBLOCKED, second, "Sunrise", None),
        ("released", second, "Sunrise", "mill"),
    ]
    assert "job_unblocked" not in shop.told()
