"""Changing what a job asks for."""

import json
from typing import Any

import pytest

from cnc_station.engine.domain.errors import Conflict, InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Envelope
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.edits import EditJob, spec_of
from tests.store.shop import START, Shop, next_due


async def _edit(shop: Shop, job_id: int, *, version: int | None = None, **changes: Any) -> None:
    await shop.write(EditJob(job_id, changes, "anna", version))


async def test_an_edit_changes_what_was_asked_and_says_which_fields(shop: Shop) -> None:
    job_id = await shop.job(material="steel", quantity=2)
    await _edit(shop, job_id, quantity=5, material="steel", envelope=Envelope(1, 2, 3))
    spec = spec_of(shop.job_row(job_id))
    assert (spec.quantity, spec.material, spec.envelope) == (5, "steel", Envelope(1, 2, 3))
    event = shop.events(job_id=job_id)[-1]
    assert (event["type"], event["reason"]) == ("edited", "envelope, quantity")
    told = json.loads(event["details"])
    assert (told["before"].keys(), told["after"].keys()) == ({"quantity"}, {"quantity"})
    assert told["before"] != told["after"]


async def test_an_edit_of_what_somebody_else_has_changed_is_refused(shop: Shop) -> None:
    job_id = await shop.job()
    version = shop.job_row(job_id).version
    await _edit(shop, job_id, version=version, quantity=2)
    with pytest.raises(Conflict, match="changed by somebody else meanwhile"):
        await _edit(shop, job_id, version=version, quantity=3)
    assert shop.job_row(job_id).quantity == 2


async def test_a_job_at_a_machine_can_not_be_edited(shop: Shop) -> None:
    await shop.machine()
    job_id = await shop.job()
    await shop.claim_one()
    with pytest.raises(
        Conflict,
        match=r"bracket is assigned to a machine\. Abort and retry it first, or edit",
    ):
        await _edit(shop, job_id, quantity=2)
    with pytest.raises(Conflict, match="There is no job 9"):
        await _edit(shop, 9, quantity=2)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"quantity": 0}, "quantity: from 1 to"),
        ({"state": "completed"}, "state: can't be edited"),
        ({"after": (1,)}, "after: can't be edited"),
        ({"program": "f" * 64}, "program: there is no"),
        ({"pinned_machine_id": 9}, "pinned_machine_id: there is no 9"),
    ],
)
async def test_a_bad_edit_is_named_and_changes_nothing(
    shop: Shop, changes: dict[str, Any], complaint: str
) -> None:
    job_id = await shop.job()
    with pytest.raises(InvalidInput, match=complaint):
        await _edit(shop, job_id, name="other", **changes)
    assert shop.job_row(job_id).name == "bracket"
    assert shop.told(job_id=job_id) == ["created"]


async def test_a_new_priority_or_due_date_gives_a_new_place(shop: Shop) -> None:
    first, second = await shop.create(JobSpec("a", "mill"), JobSpec("b", "mill"))
    await _edit(shop, second, priority=1)
    assert shop.job_row(second).rank < shop.job_row(first).rank
    await _edit(shop, first, due_at=START, priority=1)
    assert shop.job_row(first).rank < shop.job_row(second).rank
    await _edit(shop, first, name="c")
    assert shop.job_row(first).rank < shop.job_row(second).rank


async def test_a_queued_job_given_a_later_time_waits_for_it(shop: Shop) -> None:
    await shop.machine()
    job_id = await shop.job()
    await _edit(shop, job_id, not_before=START + 60_000)
    assert next_due(shop.notices[-1]) == START + 60_000
    assert await shop.claim() == ()
    assert shop.state(job_id) is JobState.DELAYED
    assert shop.told(job_id=job_id) == ["created", "edited", "postponed"]
    shop.later(60)
    assert await shop.release_due() == 1


async def test_a_delayed_job_given_an_earlier_time_is_released_then(shop: Shop) -> None:
    job_id = await shop.job(not_before=START + 60_000)
    await _edit(shop, job_id, not_before=START)
    assert next_due(shop.notices[-1]) == START
    assert await shop.release_due() == 1
    later = await shop.job(not_before=START + 60_000)
    await _edit(shop, later, not_before=None)
    assert await shop.release_due() == 1


async def test_an_edited_job_is_announced_to_the_machines_it_now_fits(shop: Shop) -> None:
    job_id = await shop.job(machine_type="lathe")
    await _edit(shop, job_id, machine_type="mill")
    assert shop.notices[-1].claimable == {"mill": 1}


async def test_an_edit_and_a_retry_are_one_change_or_none(shop: Shop) -> None:
    job_id = await shop.job()
    with pytest.raises(Conflict, match="It starts without a retry"):
        await shop.write(EditJob(job_id, {"quantity": 2}, "anna", retry=True))
    assert shop.job_row(job_id).quantity == 1
    await shop.override(job_id, JobState.NEEDS_ATTENTION)
    version = shop.job_row(job_id).version
    with pytest.raises(InvalidInput, match="quantity: from 1 to"):
        await shop.write(EditJob(job_id, {"quantity": 0}, "anna", retry=True))
    assert shop.state(job_id) is JobState.NEEDS_ATTENTION
    await shop.write(EditJob(job_id, {"quantity": 5}, "anna", version, retry=True))
    assert (shop.state(job_id), shop.job_row(job_id).quantity) == (JobState.QUEUED, 5)
    assert shop.told(job_id=job_id)[-2:] == ["edited", "retried"]


async def test_a_retry_without_an_edit_records_no_edit(shop: Shop) -> None:
    job_id = await shop.job()
    await shop.override(job_id, JobState.NEEDS_ATTENTION)
    with pytest.raises(Conflict, match="changed by somebody else"):
        await shop.write(EditJob(job_id, {}, "anna", 1, retry=True))
    await shop.write(EditJob(job_id, {}, "anna", shop.job_row(job_id).version, retry=True))
    assert shop.told(job_id=job_id)[-1] == "retried"
    assert "edited" not in shop.told(job_id=job_id)
