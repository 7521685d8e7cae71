"""Schedules in the store: what is due is fired once, by the leader, and nothing is lost."""

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from cnc_station.engine import codec
from cnc_station.engine.domain.errors import Fenced
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.schedule import CatchUp, FiringState, Overlap
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store import schema
from cnc_station.engine.store.firing_statements import schedule_needs
from cnc_station.engine.store.firings import FireDue
from cnc_station.engine.store.schedules import (
    EditSchedule,
)
from cnc_station.engine.store.stations import Lead
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
from tests.store.shop import FOR_EVER_S, Shop


async def test_a_schedule_makes_its_job_when_it_is_due_and_not_before(shop: Shop) -> None:
    schedule_id = await create(shop)
    assert next_due(shop) == FIRST
    shop.later(50 * 60 - 0.001)
    assert await fire(shop) == 0
    shop.later(0.001)
    assert await fire(shop) == 1
    (job,) = jobs(shop)
    assert (job.name, job.state, job.schedule_id) == ("warm up", JobState.QUEUED, schedule_id)
    assert next_due(shop) == FIRST + 3_600_000
    assert firings(shop) == [(0, "fired")]
    assert shop.told()[-2:] == ["created", "schedule_fired"]
    assert shop.events(job_id=job.id)[0]["reason"] == "schedule Hourly"


async def test_a_due_time_fires_once_whoever_asks_and_how_often(shop: Shop) -> None:
    await create(shop, overlap=Overlap.ALLOW)
    next_hour(shop)
    await fire(shop)
    assert await fire(shop) == 0
    assert len(jobs(shop)) == 1


async def test_a_station_that_no_longer_leads_fires_nothing(shop: Shop) -> None:
    await create(shop)
    next_hour(shop)
    term = await shop.write(Lead("shop", 10.0))
    for incarnation, of in (("shop", term - 1), ("shop", term + 1), ("other", term)):
        with pytest.raises(Fenced):
            await shop.write(FireDue(incarnation, of))
    shop.later(10.0)
    with pytest.raises(Fenced):
        await shop.write(FireDue("shop", term))
    assert jobs(shop) == []


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        (CatchUp.SKIP, ["missed", "missed", "missed", "fired"]),
        (CatchUp.ONCE, ["missed", "missed", "fired", "fired"]),
        (CatchUp.ALL, ["fired", "fired", "fired", "fired"]),
    ],
)
async def test_after_a_downtime_the_times_missed_are_handled_as_the_schedule_says(
    shop: Shop, catch_up: CatchUp, expected: list[str]
) -> None:
    await create(shop, catch_up=catch_up, overlap=Overlap.ALLOW)
    shop.later(50 * 60 + 3 * HOUR_S)  # the last of four is due just now
    await fire(shop)
    assert firings(shop) == list(enumerate(expected))
    assert len(jobs(shop)) == expected.count("fired")
    assert next_due(shop) == FIRST + 4 * 3_600_000


async def test_a_change_of_leader_misses_nothing(shop: Shop) -> None:
    await create(shop, catch_up=CatchUp.SKIP)
    shop.later(50 * 60 + 45)
    await fire(shop)
    assert firings(shop) == [(0, "fired")]


async def test_at_most_the_last_hundred_times_are_caught_up(shop: Shop) -> None:
    await create(shop, cron="* * * * *", catch_up=CatchUp.ALL, overlap=Overlap.ALLOW)
    shop.later(30 * 86_400.0)
    await fire(shop)
    assert len(jobs(shop)) == 100
    assert next_due(shop) == shop.clock.ms + 60_000
    last = shop.row(schema.schedule_firing, 100).due_at
    assert last == shop.clock.ms


async def test_the_first_time_missed_says_that_earlier_ones_were_missed_too(shop: Shop) -> None:
    await create(shop, cron="* * * * *", catch_up=CatchUp.SKIP)
    shop.later(86_400.0)
    await fire(shop)
    table = schema.schedule_firing
    rows = shop.database.read(
        lambda c: c.execute(select(table).where(table.c.state == "missed").order_by("due_at")).all()
    )
    reasons = [row.reason for row in rows]
    assert (reasons[0], set(reasons[1:])) == ("earlier ones were missed too", {""})


async def test_with_overlap_skip_no_job_is_made_while_one_is_open(shop: Shop) -> None:
    await create(shop, overlap=Overlap.SKIP)
    next_hour(shop)
    await fire(shop)
    next_hour(shop)
    await fire(shop)
    await shop.complete(1)
    next_hour(shop)
    await fire(shop)
    assert firings(shop) == [(0, "fired"), (1, "skipped"), (2, "fired")]
    assert "schedule_skipped" in shop.told()


async def test_with_overlap_queue_each_job_is_made_when_the_one_before_is_over(shop: Shop) -> None:
    await create(shop, overlap=Overlap.QUEUE, catch_up=CatchUp.ALL)
    shop.later(50 * 60 + 2 * HOUR_S)
    await fire(shop)
    assert firings(shop) == [(0, "fired"), (1, "waiting"), (2, "waiting")]
    assert await fire(shop) == 0
    await shop.complete(1)
    assert await fire(shop) == 1
    assert firings(shop) == [(0, "fired"), (1, "fired"), (2, "waiting")]
    await shop.override(2, JobState.NEEDS_ATTENTION)  # a person decides: the schedule goes on
    await fire(shop)
    assert [job.id for job in jobs(shop)] == [1, 2, 3]
    assert firings(shop) == [(0, "fired"), (1, "fired"), (2, "fired")]


async def test_a_due_time_behind_one_that_waits_waits_too(shop: Shop) -> None:
    await create(shop, overlap=Overlap.QUEUE)
    for _ in range(2):
        next_hour(shop)
        await fire(shop)
    await shop.complete(1)
    next_hour(shop)
    await fire(shop)
    assert firings(shop) == [(0, "fired"), (1, "fired"), (2, "waiting")]


async def test_with_overlap_allow_jobs_are_made_side_by_side(shop: Shop) -> None:
    await create(shop, overlap=Overlap.ALLOW)
    for _ in range(2):
        next_hour(shop)
        await fire(shop)
    assert [job.state for job in jobs(shop)] == [JobState.QUEUED] * 2


async def test_the_jitter_delays_the_job_by_the_same_time_wherever_it_is_asked(shop: Shop) -> None:
    await create(shop, jitter_s=600.0)
    row = shop.row(schema.schedule, 1)
    delay = row.fires_at - row.next_due
    assert 0 < delay < 600_000
    shop.clock.ms = row.fires_at - 1
    assert await fire(shop) == 0
    shop.clock.ms = row.fires_at
    assert await fire(shop) == 1
    firing = shop.row(schema.schedule_firing, 1)
    assert (firing.due_at, firing.planned_at, firing.fired_at) == (
        row.next_due,
        row.fires_at,
        row.fires_at,
    )


async def test_a_schedule_whose_template_has_become_invalid_fails_alone(shop: Shop) -> None:
    bad = await create(shop)
    good = await create(shop, name="Good")
    missing = replace(JOB, pinned_machine_id=99)
    with shop.database.connect_writer() as connection, connection.begin():
        text = codec.dump(JobSpec, missing).decode()
        connection.execute(
            update(schema.schedule).where(schema.schedule.c.id == bad).values(job=text)
        )
    next_hour(shop)
    await fire(shop)
    assert firings(shop, bad) == [(0, "failed")]
    assert firings(shop, good) == [(0, "fired")]
    assert "schedule_failed" in shop.told()
    assert next_due(shop, bad) == next_due(shop, good) == FIRST + 3_600_000


async def test_a_schedule_whose_time_zone_is_unknown_here_is_paused_and_the_others_go_on(
    shop: Shop,
) -> None:
    await create(shop)
    await create(shop, name="Good")
    with shop.database.connect_writer() as connection, connection.begin():
        connection.execute(
            update(schema.schedule).where(schema.schedule.c.id == 1).values(time_zone="Mars/North")
        )
    next_hour(shop)
    await fire(shop)
    assert bool(shop.row(schema.schedule, 1).paused)
    assert firings(shop, 2) == [(0, "fired")]


async def test_a_clock_that_was_set_back_fires_no_due_time_again(shop: Shop) -> None:
    spec = replace(HOURLY, overlap=Overlap.ALLOW, catch_up=CatchUp.ALL)
    schedule_id = await create(shop, spec)
    shop.later(2 * HOUR_S)
    await fire(shop)
    assert firings(shop) == [(0, "fired"), (1, "fired")]
    shop.later(-2 * HOUR_S)
    await shop.write(EditSchedule(schedule_id, replace(spec, cron="0 */1 * * *"), "anna"))
    assert next_due(shop) == FIRST
    shop.later(3 * HOUR_S)
    await fire(shop)
    assert firings(shop) == [(0, "fired"), (1, "fired"), (2, "fired")]
    assert len(jobs(shop)) == 3


async def test_a_clock_that_was_years_ahead_leaves_no_schedule_behind(shop: Shop) -> None:
    await create(shop)
    await create(shop, name="Over", ends_at=FIRST + 10 * 86_400_000)
    year_s = 366 * 86_400.0
    shop.later(year_s)
    await fire(shop)
    assert next_due(shop, 2) is None
    shop.later(-year_s)
    found = shop.database.read(lambda c: schedule_needs(c, shop.clock.ms))
    assert found.due_s == 0.0
    assert await fire(shop) == 2
    assert [next_due(shop, 1), next_due(shop, 2)] == [FIRST, FIRST]
    assert await fire(shop) == 0
    next_hour(shop)
    await fire(shop)
    assert (0, "fired") in firings(shop)


async def test_two_hundred_schedules_due_at_once_fire_in_one_transaction(shop: Shop) -> None:
    for number in range(200):
        await create(shop, name=f"number {number}")
    next_hour(shop)
    term = await shop.write(Lead("shop", FOR_EVER_S))
    shop.notices.clear()
    assert await shop.write(FireDue("shop", term)) == 200
    assert len(shop.notices) == 1
    assert len(jobs(shop)) == 200


async def test_what_a_leader_has_to_do_next(shop: Shop) -> None:
    def needs() -> tuple[float | None, bool, bool]:
        found = shop.database.read(lambda c: schedule_needs(c, shop.clock.ms))
        return found.due_s, found.waiting, found.released

    assert needs() == (None, False, False)
    await create(shop, overlap=Overlap.QUEUE)
    assert needs() == (3000.0, False, False)
    shop.later(50 * 60 + HOUR_S)
    assert needs()[0] == -HOUR_S
    await fire(shop)
    next_hour(shop)
    await fire(shop)
    assert needs() == (HOUR_S, True, False)
    await shop.complete(1)
    assert needs() == (HOUR_S, True, True)


async def test_the_database_itself_holds_one_firing_for_a_due_time(
    shop: Shop,
) -> None:
    await create(shop)
    next_hour(shop)
    await fire(shop)
    row = shop.row(schema.schedule_firing, 1)._asdict()
    with (
        shop.database.connect_writer() as connection,
        pytest.raises(Exception, match=r"(?i)unique"),
        connection.begin(),
    ):
        connection.execute(insert(schema.schedule_firing).values({**row, "id": 2}))


async def test_rows_tell_when_a_schedule_fired_and_by_how_much_late(shop: Shop) -> None:
    await create(shop)
    shop.later(50 * 60 + 7)
    await fire(shop)
    row = shop.row(schema.schedule_firing, 1)
    assert row.fired_at - row.planned_at == 7000
    assert row.state == FiringState.FIRED
    assert dt.datetime.fromtimestamp(row.due_at / 1000, dt.UTC).minute == 0
