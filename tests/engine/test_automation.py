"""Jobs without a machine: handlers in the worker slots of a station."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import FloorNow, JobById, ListActiveRuns, ListRuns
from cnc_station.engine.views import AtClosing
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf
from tests.tools.servers import Redis
from tests.until import until

LONG = {"durationMs": 3_600_000}


@pytest.fixture
def soon(config: Config) -> Config:
    """Retries come soon."""
    return replace(config, retry=RetryPolicy(initial_s=0.05, jitter=0.0))


async def _delay(floor: FloorOf, payload: dict[str, Any] | None = None, **values: Any) -> int:
    spec = JobSpec("wait", handler="test.delay", payload=payload or {"durationMs": 0}, **values)
    (job_id,) = await floor.door.execute(SubmitJobs([spec]))
    return job_id


async def test_a_station_without_machines_runs_a_delay(station: Station) -> None:
    floor = await station()
    job_id = await _delay(floor)
    row = await floor.comes_to(job_id, JobState.COMPLETED)
    assert (row.machine_id, row.machine) == (None, "test.delay")
    assert await floor.told(job_id) == ["created", "assigned", "started", "completed"]
    (run,) = await floor.door.ask(ListRuns(job_id=job_id))
    assert (run.machine_id, run.machine, run.attempt) == (None, "test.delay", 1)
    detail = await floor.door.ask(JobById(job_id))
    assert detail is not None
    assert (detail.handler, detail.retry_limit) == ("test.delay", 3)
    assert (await floor.door.ask(FloorNow())).cards == ()


async def test_one_that_fails_is_tried_again_as_often_as_automation_is(
    station: Station, soon: Config
) -> None:
    floor = await station(soon)
    job_id = await _delay(floor, {"durationMs": 0, "shouldFail": True, "failMessage": "no paper"})
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert (row.failures, row.last_error) == (4, "no paper")
    assert (await floor.told(job_id)).count("failed_retry") == 3


async def test_a_payload_that_makes_no_sense_is_said_in_words(station: Station) -> None:
    floor = await station()
    job_id = await _delay(floor, {"durationMs": "long"}, retry_limit=0)
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert row.last_error.startswith("durationMs: must be a number")


async def test_one_that_takes_longer_than_its_limit_is_stopped(station: Station) -> None:
    floor = await station()
    job_id = await _delay(floor, LONG, timeout_s=0.05, retry_limit=0)
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert row.last_error == "took longer than its limit of 0.05 s"
    await until(lambda: not floor.runs.busy)


async def test_an_abort_ends_it_and_a_hold_is_refused_in_words(station: Station) -> None:
    floor = await station()
    job_id = await _delay(floor, LONG)
    await floor.comes_to(job_id, JobState.RUNNING)
    assert "can't be held" in (await floor.act("hold", job_id)).error
    assert (await floor.act("abort", job_id)).applied
    assert (await floor.row(job_id)).state is JobState.CANCELLED
    await until(lambda: not floor.runs.busy)


async def test_as_many_as_there_are_slots_run_at_once_in_the_order_of_the_queue(
    station: Station,
) -> None:
    floor = await station()
    jobs = [await _delay(floor, LONG) for _ in range(6)]
    await until(lambda: len(floor.runs.sessions) == 5)
    *first, last = [await floor.row(job_id) for job_id in jobs]
    assert {row.state for row in first} == {JobState.RUNNING}
    assert (last.state, last.next) == (JobState.QUEUED, "waits for a worker slot")
    assert (await floor.act("abort", jobs[0])).applied
    await floor.comes_to(jobs[5], JobState.RUNNING)  # the slot is taken again


async def test_a_station_without_slots_takes_none_and_gives_them_to_no_machine(
    station: Station, config: Config
) -> None:
    floor = await station(replace(config, automation_workers=0))
    job_id = await _delay(floor, priority=100)
    await floor.mill()
    other = await floor.job()
    await floor.comes_to(other, JobState.COMPLETED)
    assert await floor.told(job_id) == ["created"]


async def test_one_whose_handler_is_not_installed_says_so_and_keeps_nobody_waiting(
    station: Station,
) -> None:
    floor = await station()
    spec = JobSpec("post", handler="acme.report")
    (job_id,) = await floor.door.execute(SubmitJobs([spec]))
    other = await _delay(floor)
    await floor.comes_to(other, JobState.COMPLETED)
    row = await floor.row(job_id)
    assert row.state is JobState.QUEUED
    assert row.next.startswith("waits for a station with the handler acme.report")


async def test_one_left_by_a_killed_station_is_taken_again(station: Station, soon: Config) -> None:
    floor = await station(soon)
    job_id = await _delay(floor, {"durationMs": 300})
    await floor.comes_to(job_id, JobState.RUNNING)
    for session in floor.runs.sessions:  # as by kill -9: nothing is written about it
        session.abandon()
    await floor.engine.stop()
    again = await station(soon)
    row = await again.comes_to(job_id, JobState.COMPLETED)
    assert (row.failures, row.attempt) == (1, 2)


async def test_one_at_work_begins_again_when_its_station_was_closed(
    station: Station, soon: Config
) -> None:
    floor = await station(soon)
    job_id = await _delay(floor, LONG)
    await floor.comes_to(job_id, JobState.RUNNING)
    (shown,) = await until(lambda: floor.door.peek(ListActiveRuns()))
    assert (shown.machine_id, shown.handler) == (None, "test.delay")
    assert shown.at_closing is AtClosing.BEGINS_AGAIN
    await floor.engine.stop()
    again = await station(soon)
    row = await again.comes_to(job_id, JobState.RUNNING)
    assert row.failures == 0
    assert (await again.act("abort", job_id)).applied


@pytest.mark.parametrize(
    "values",
    [
        {"machine_type": "mill"},
        {"pinned_machine_id": 1},
        {"program": "0" * 64},
        {"handler": "Delay"},
    ],
)
def test_what_only_a_machine_needs_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"must be empty|is not the name of a handler"):
        JobSpec(**{"name": "wait", "handler": "test.delay", **values}).validated()


@pytest.mark.parametrize("with_redis", [True, False])
async def test_two_stations_share_them(
    config: Config, postgres_url: str, redis_server: Redis, with_redis: bool
) -> None:
    redis_server.clear()
    shared = replace(
        config,
        database_url=postgres_url,
        redis_url=redis_server.url if with_redis else "",
        automation_workers=2,
    )
    a, b = FloorOf(StationEngine(shared)), FloorOf(StationEngine(replace(shared, station="B")))
    await asyncio.gather(a.engine.start(), b.engine.start())
    try:
        jobs = [await _delay(a, LONG) for _ in range(5)]
        await until(lambda: len(a.runs.sessions) == len(b.runs.sessions) == 2)
        states = [(await a.row(job_id)).state for job_id in jobs]
        assert states == [JobState.RUNNING] * 4 + [JobState.QUEUED]
        there = next(run.job_id for run in await a.door.ask(ListRuns()) if run.station == "B")
        assert (await a.act("abort", there)).applied  # by the station that has it
        await until(partial(_is_running, a, jobs[4]))
    finally:
        await asyncio.gather(a.engine.stop(), b.engine.stop())


async def _is_running(floor: FloorOf, job_id: int) -> bool:
    return (await floor.row(job_id)).state is JobState.RUNNING
