"""What people do with schedules: create, edit, pause, trigger and delete them."""

from dataclasses import replace

import pytest

from cnc_station.engine.domain.errors import Conflict, InvalidInput
from cnc_station.engine.domain.schedule import CatchUp, Overlap
from cnc_station.engine.store.schedules import (
    DeleteSchedule,
    EditSchedule,
    PauseSchedules,
    TriggerSchedule,
    stored_schedule,
)
from tests.store.schedules import (
    FIRST,
    HOUR_S,
    HOURLY,
    JOB,
    create,
    fire,
    firings,
    jobs,
    next_due,
    next_hour,
)
from tests.store.shop import Shop


async def test_a_due_time_that_waits_stays_while_its_schedule_is_paused(shop: Shop) -> None:
    schedule_id = await create(shop, overlap=Overlap.QUEUE)
    for _ in range(2):
        next_hour(shop)
        await fire(shop)
    await shop.write(PauseSchedules((schedule_id,), paused=True, actor="anna"))
    await shop.complete(1)
    assert await fire(shop) == 0
    await shop.write(PauseSchedules((schedule_id,), paused=False, actor="anna"))
    await fire(shop)
    assert firings(shop) == [(0, "fired"), (1, "fired")]


async def test_a_paused_schedule_fires_nothing_and_misses_nothing(shop: Shop) -> None:
    schedule_id = await create(shop)
    assert await shop.write(PauseSchedules((schedule_id,), True, "anna", "no stock")) == (1,)
    assert await shop.write(PauseSchedules((schedule_id,), True, "anna")) == ()
    shop.later(5 * HOUR_S)
    assert await fire(shop) == 0
    await shop.write(PauseSchedules((schedule_id,), False, "anna"))
    assert await fire(shop) == 0
    next_hour(shop)
    await fire(shop)
    assert firings(shop) == [(5, "fired")]


async def test_before_its_start_and_after_its_end_a_schedule_is_not_due(shop: Shop) -> None:
    await create(
        shop, starts_at=FIRST + 3_600_000, ends_at=FIRST + 2 * 3_600_000, catch_up=CatchUp.ALL
    )
    shop.later(10 * HOUR_S)
    await fire(shop)
    assert [hour for hour, _ in firings(shop)] == [1, 2]
    assert next_due(shop) is None


async def test_an_edit_of_the_rule_counts_from_now_and_another_edit_keeps_the_next_time(
    shop: Shop,
) -> None:
    schedule_id = await create(shop)
    shop.later(HOUR_S)
    renamed = replace(HOURLY, name="Renamed").validated()
    await shop.write(EditSchedule(schedule_id, renamed, "anna", version=1))
    assert next_due(shop) == FIRST
    with pytest.raises(Conflict, match="changed by somebody else"):
        await shop.write(EditSchedule(schedule_id, renamed, "anna", version=1))
    await shop.write(EditSchedule(schedule_id, replace(renamed, cron="30 * * * *"), "anna"))
    assert next_due(shop) == FIRST + 30 * 60_000
    stored = shop.database.read(lambda connection: stored_schedule(connection, schedule_id))
    assert stored == replace(renamed, cron="30 * * * *")


async def test_a_job_triggered_by_hand_changes_no_due_time(shop: Shop) -> None:
    schedule_id = await create(shop)
    shop.clock.ms = FIRST - 60_000  # a full minute
    job_id = await shop.write(TriggerSchedule(schedule_id, "anna"))
    assert shop.job_row(job_id).schedule_id == schedule_id
    with pytest.raises(Conflict, match=f"Job {job_id} of Hourly is not over yet"):
        await shop.write(TriggerSchedule(schedule_id, "anna"))
    await shop.complete(job_id)
    await shop.write(TriggerSchedule(schedule_id, "bob"))
    await shop.complete(job_id + 1)
    shop.clock.ms = FIRST
    await fire(shop)
    assert len(jobs(shop)) == 3
    assert shop.told().count("schedule_triggered") == 2


async def test_a_deleted_schedule_leaves_its_jobs(shop: Shop) -> None:
    schedule_id = await create(shop)
    next_hour(shop)
    await fire(shop)
    await shop.write(DeleteSchedule(schedule_id, "anna"))
    next_hour(shop)
    assert await fire(shop) == 0
    assert len(jobs(shop)) == 1
    assert firings(shop) == []
    with pytest.raises(Conflict, match="There is no schedule 1"):
        await shop.write(DeleteSchedule(schedule_id, "anna"))


async def test_two_schedules_of_a_tenant_have_different_names(shop: Shop) -> None:
    await create(shop)
    await create(shop, job=replace(JOB, tenant="acme"))
    with pytest.raises(InvalidInput, match="there is a schedule Hourly already"):
        await create(shop)


async def test_a_template_with_a_machine_that_does_not_exist_is_refused(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="pinned_machine_id"):
        await create(shop, job=replace(JOB, pinned_machine_id=7))
