"""Jobs come in: all or none, each with its first event."""

import asyncio
import json

import pytest

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Conflict, InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Envelope
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.edits import EditJob, spec_of
from cnc_station.engine.store.jobs import CreateJobs
from tests.store.shop import START, Shop, next_due


async def test_a_new_job_has_its_first_event(shop: Shop) -> None:
    job_id = await shop.job(source="imported from monday.csv, row 7")
    row = shop.job_row(job_id)
    (event,) = shop.events(job_id=job_id)
    assert (event["type"], event["actor"], event["station"]) == ("created", "anna", "A")
    assert event["reason"] == "imported from monday.csv, row 7"
    assert event["trace_id"] == row.trace_id
    assert (event["at"], row.created_at, row.state_since) == (START, START, START)


async def test_every_field_is_kept(shop: Shop) -> None:
    machine_id = await shop.machine()
    before = await shop.job()
    spec = JobSpec(
        "Flansch Ø40",
        "mill",
        material="1.4301",
        complexity=4,
        priority=50,
        estimated_s=12.5,
        quantity=7,
        due_at=START + 1,
        payload={"fixture": "F2", "nested": [1, {"a": None}]},
        tenant="Krämer",
        retry_limit=0,
        timeout_s=90.5,
        work_order="WO-1",
        operation="op10",
        axes=5,
        envelope=Envelope(100.5, 20, 3),
        pinned_machine_id=machine_id,
        not_before=START + 2,
        description="Flange for the pump\nsecond version",
        notes="deburr both sides",
        customer="Krämer GmbH",
        external_id="4711-1",
    )
    (job_id,) = await shop.create(spec)
    assert spec_of(shop.job_row(job_id)) == spec
    assert json.loads(shop.job_row(before).payload) == {}


async def test_one_wrong_spec_keeps_the_others_out_too(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="after: there is no 99"):
        await shop.create(JobSpec("good", "mill"), JobSpec("bad", "mill", after=(99,)))
    assert shop.events() == []


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (JobSpec("a", "mill", program="0" * 64), "program: there is no 000000000000"),
        (JobSpec("a", "mill", pinned_machine_id=5), "pinned_machine_id: there is no 5"),
        (JobSpec("a", "mill", after_keys=("x",)), "after: there is no 'x' in this submission"),
    ],
)
async def test_what_a_spec_names_must_be_there(shop: Shop, spec: JobSpec, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        await shop.create(spec)


@pytest.mark.parametrize(
    "specs",
    [
        (JobSpec("a", "mill", key="a", after_keys=("a",)),),
        (
            JobSpec("a", "mill", key="a", after_keys=("c",)),
            JobSpec("b", "mill", key="b", after_keys=("a",)),
            JobSpec("c", "mill", key="c", after_keys=("b",)),
        ),
    ],
)
async def test_jobs_that_would_wait_for_each_other_for_ever_are_refused(
    shop: Shop, specs: tuple[JobSpec, ...]
) -> None:
    with pytest.raises(InvalidInput, match="wait for each other"):
        await shop.create(*specs)
    assert shop.events() == []


async def test_a_key_given_twice_is_refused(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="'a' is given twice"):
        await shop.create(JobSpec("a", "mill", key="a"), JobSpec("b", "mill", key="a"))


async def test_a_deleted_jobs_number_is_never_given_again(shop: Shop) -> None:
    first, last = await shop.job(), await shop.job()
    await shop.act(JobAction.DELETE, last)
    assert await shop.job() == last + 1
    assert shop.told(job_id=last) == ["created", "deleted"]
    assert shop.state(first) is JobState.QUEUED


async def test_jobs_of_one_submission_keep_their_order(shop: Shop) -> None:
    ids = await shop.create(*(JobSpec(f"part {n}", "mill") for n in range(50)))
    ranks = [shop.job_row(job_id).rank for job_id in ids]
    assert ranks == sorted(set(ranks))


async def test_jobs_of_one_trace_keep_its_64_characters(shop: Shop) -> None:
    spec, trace = JobSpec("bracket", "mill"), "order-7." + "x" * 56
    ids = await shop.write(CreateJobs((spec, spec), "anna", trace_id=trace))
    assert {shop.job_row(job_id).trace_id for job_id in ids} == {trace}
    assert {event["trace_id"] for event in shop.events(job_id=ids[1])} == {trace}


async def test_a_draft_and_a_later_job_are_not_claimable(shop: Shop) -> None:
    draft = await shop.job(draft=True)
    later = await shop.job(not_before=START + 5000)
    past = await shop.job(not_before=START - 5000)
    states = [shop.state(job_id) for job_id in (draft, later, past)]
    assert states == [JobState.DRAFT, JobState.DELAYED, JobState.QUEUED]
    assert shop.told(job_id=draft) == ["drafted"]
    assert shop.told(job_id=later) == ["created"]


async def test_a_submitted_draft_queues_up_behind_those_who_came_before_it(shop: Shop) -> None:
    draft = await shop.job(draft=True)
    shop.later(3600)
    other = await shop.job()
    shop.later(60)
    await shop.act(JobAction.SUBMIT, draft)
    assert shop.job_row(draft).rank > shop.job_row(other).rank


async def test_a_draft_with_a_time_to_wait_for_waits_when_it_is_submitted(shop: Shop) -> None:
    draft = await shop.job(draft=True, not_before=START + 60_000)
    await shop.act(JobAction.SUBMIT, draft)
    assert shop.state(draft) is JobState.DELAYED
    assert next_due(shop.notices[-1]) == START + 60_000
    shop.later(60)
    assert await shop.release_due() == 1
    assert shop.told(job_id=draft) == ["drafted", "submitted", "released"]


async def test_an_external_id_is_taken_once_by_the_jobs_of_a_tenant(shop: Shop) -> None:
    first = await shop.job(external_id="4711", tenant="proto")
    await shop.job(external_id="4711")  # of another tenant
    await shop.job(tenant="proto")
    with pytest.raises(Conflict, match=f"4711 is already job {first}\\."):
        await shop.create(
            JobSpec("good", "mill", tenant="proto"),
            JobSpec("twice", "mill", tenant="proto", external_id="4711"),
        )
    with pytest.raises(InvalidInput, match="external_id: '7' is given twice"):
        await shop.create(*[JobSpec("twin", "mill", external_id="7")] * 2)
    assert len(shop.events()) == 3


async def test_of_two_that_come_at_once_with_an_external_id_one_is_stored(shop: Shop) -> None:
    spec = JobSpec("bracket", "mill", external_id="4711")
    plain, *twins = await asyncio.gather(
        shop.job(), shop.create(spec), shop.create(spec), return_exceptions=True
    )
    assert isinstance(plain, int)
    assert {type(twin) for twin in twins} == {Conflict, tuple}
    assert len(shop.events()) == 2


async def test_an_edit_may_not_take_the_external_id_of_another_job(shop: Shop) -> None:
    first = await shop.job(external_id="4711")
    second = await shop.job(external_id="4712")
    with pytest.raises(Conflict, match=f"4711 is already job {first}\\."):
        await shop.write(EditJob(second, {"external_id": "4711", "quantity": 9}, "anna"))
    row = shop.job_row(second)
    assert (row.external_id, row.quantity, row.version) == ("4712", 1, 1)
    await shop.write(EditJob(second, {"external_id": "4712", "quantity": 9}, "anna"))
    assert shop.job_row(second).quantity == 9
