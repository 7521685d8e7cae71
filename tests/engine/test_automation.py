"""Jobs without a machine: handlers in the worker slots of a station."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from cnc_station.config import Config
from cnc_station.engine.commands import EditJob, SubmitJobs
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.policies import Retention, RetryPolicy
from cnc_station.engine.domain.states import JobState, RunState
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.handlers import registry
from cnc_station.engine.handlers.base import HandlerFailed, HandlerOrder, HandlerResult
from cnc_station.engine.queries import FloorNow, JobById, ListActiveRuns, ListRuns, RunById
from cnc_station.engine.store.schema import job
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import AtClosing, RunDetail
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf, by_hand
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
    assert (detail.row.handler, detail.retry_limit) == ("test.delay", 3)
    assert (await floor.door.ask(FloorNow())).cards == ()


async def test_one_that_fails_is_tried_again_as_often_as_automation_is(
    station: Station, soon: Config
) -> None:
    floor = await station(soon)
    job_id = await _delay(floor, {"durationMs": 0, "shouldFail": True, "failMessage": "no paper"})
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert (row.failures, row.last_error) == (4, "no paper")
    assert (await floor.told(job_id)).count("failed_retry") == 3


async def test_a_payload_that_makes_no_sense_is_refused_in_words(station: Station) -> None:
    floor = await station()
    with pytest.raises(InvalidInput, match=r"^payload\.durationMs: must be a number"):
        await _delay(floor, {"durationMs": "long"})
    job_id = await _delay(floor, LONG)
    changes = {"payload": {"durationMs": -1}}
    with pytest.raises(InvalidInput, match=r"^payload\.durationMs: must be a number"):
        await floor.door.execute(EditJob(job_id, changes))
    assert (await floor.act("abort", job_id)).applied


async def test_a_payload_of_another_version_goes_to_a_person_at_once(station: Station) -> None:
    floor = await station()
    job_id = await _delay(floor, not_before=now_ms() + 3_600_000)
    payload = json.dumps({"durationMs": "long"})
    by_hand(floor.engine, update(job).where(job.c.id == job_id).values(payload=payload))
    assert (await floor.act("run_now", job_id)).applied
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert row.last_error.startswith("durationMs: must be a number")
    assert row.failures == 1


@pytest.mark.parametrize("handler", ["sleep", "test.delay"])
async def test_the_names_of_other_systems_are_taken(station: Station, handler: str) -> None:
    floor = await station()
    spec = JobSpec("wait", handler=handler, payload={"delayMs": 0})
    (job_id,) = await floor.door.execute(SubmitJobs([spec]))
    await floor.comes_to(job_id, JobState.COMPLETED)
    detail = await floor.door.ask(JobById(job_id))
    assert detail is not None
    assert (detail.row.handler, detail.payload) == ("test.delay", {"durationMs": 0})
    both = replace(spec, payload={"delayMs": 0, "durationMs": 5})
    with pytest.raises(InvalidInput, match="durationMs"):
        await floor.door.execute(SubmitJobs([both]))


class Printing:
    """Implements `Handler`: prints, says how far it is, and waits until it is told to go on."""

    name = "acme.print"

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.keys: list[str] = []

    def check(self, payload: Mapping[str, Any]) -> Iterable[FieldError]:  # noqa: ARG002 - any will do
        return ()

    async def run(self, order: HandlerOrder, progress: Callable[[float], None]) -> HandlerResult:
        self.keys.append(order.key)
        order.output.write("first\n")
        progress(0.5)
        await self.go_on.wait()
        order.output.write(order.payload.get("flood", "last") * 40_000)
        if order.payload.get("fails"):
            raise HandlerFailed("no paper \x00", 507)
        return HandlerResult("printed \x00", 201)


@pytest.fixture
def printing(monkeypatch: pytest.MonkeyPatch) -> Printing:
    """Installed in every station that is started."""
    handler = Printing()
    monkeypatch.setattr(registry, "installed", lambda: (handler,))
    return handler


async def _run_of(floor: FloorOf, job_id: int) -> RunDetail:
    latest, *_ = await floor.door.ask(ListRuns(job_id=job_id))
    detail = await floor.door.ask(RunById(latest.id))
    assert detail is not None
    return detail


async def test_a_run_keeps_its_result_and_its_output_which_is_shown_while_it_runs(
    station: Station, soon: Config, printing: Printing
) -> None:
    floor = await station(soon)
    (job_id,) = await floor.door.execute(SubmitJobs([JobSpec("print", handler="acme.print")]))
    await until(lambda: printing.keys)
    running = await _run_of(floor, job_id)
    assert (running.live, running.output.text) == (True, "first\n")
    assert (running.row.result, running.row.code) == (None, None)
    printing.go_on.set()
    await floor.comes_to(job_id, JobState.COMPLETED)
    ended = await _run_of(floor, job_id)
    assert not ended.live
    assert (ended.row.result, ended.row.code, ended.row.handler) == (
        "printed \ufffd",
        201,
        "acme.print",
    )
    assert ended.output.size == 6 + 160_000
    assert ended.output.truncated
    first, marked, last = ended.output.text.rsplit("\n", 2)
    assert first.startswith("first\nlastlast")
    assert marked == f"[… {160_006 - 65_536:,} bytes left out …]"
    assert last.endswith("last")
    detail = await floor.door.ask(JobById(job_id))
    assert detail is not None
    assert [run.result for run in detail.runs] == ["printed \ufffd"]


async def test_a_failed_run_keeps_its_code_and_each_attempt_has_a_key_of_its_own(
    station: Station, soon: Config, printing: Printing
) -> None:
    floor = await station(soon)
    printing.go_on.set()
    spec = JobSpec("print", handler="acme.print", payload={"fails": True, "flood": ""})
    (job_id,) = await floor.door.execute(SubmitJobs([replace(spec, retry_limit=1)]))
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert row.last_error == r"no paper \x00"
    runs = await floor.door.ask(ListRuns(job_id=job_id))
    assert [(run.code, run.result) for run in runs] == [(507, None)] * 2
    detail = await _run_of(floor, job_id)
    assert detail.output.text == "first\n"
    first, second = printing.keys
    assert first != second
    trace = first.rpartition("-")[0]
    assert second.startswith(trace)


async def test_a_clean_up_deletes_what_the_settings_allow_and_says_so(
    station: Station, soon: Config
) -> None:
    floor = await station(replace(soon, retention=Retention(1, 0, 1, 0, 0, 0, 0)))
    old, young = await _delay(floor), await _delay(floor)
    for job_id in (old, young):
        await floor.comes_to(job_id, JobState.COMPLETED)
    by_hand(floor.engine, update(job).where(job.c.id == old).values(finished_at=1))
    (clean,) = await floor.door.execute(SubmitJobs([JobSpec("clean", handler="system.cleanup")]))
    await floor.comes_to(clean, JobState.COMPLETED)
    assert (await _run_of(floor, clean)).row.result == "deleted: jobs 1, runs 0"
    assert await floor.door.ask(JobById(old)) is None
    assert await floor.told(old) == []
    assert (await floor.row(young)).state is JobState.COMPLETED


async def test_a_clean_up_deletes_nothing_that_is_kept_for_ever(
    station: Station, soon: Config
) -> None:
    floor = await station(replace(soon, retention=Retention(*[0] * 7)))
    old = await _delay(floor)
    await floor.comes_to(old, JobState.COMPLETED)
    by_hand(floor.engine, update(job).where(job.c.id == old).values(finished_at=1))
    (clean,) = await floor.door.execute(SubmitJobs([JobSpec("clean", handler="system.cleanup")]))
    await floor.comes_to(clean, JobState.COMPLETED)
    assert "kept for ever" in ((await _run_of(floor, clean)).row.result or "")
    assert (await floor.row(old)).state is JobState.COMPLETED


async def test_runs_are_found_by_job_handler_station_and_outcome(
    station: Station, soon: Config
) -> None:
    floor = await station(soon)
    await floor.mill()
    milled, waited = await floor.job(), await _delay(floor)
    await floor.comes_to(milled, JobState.COMPLETED)
    await floor.comes_to(waited, JobState.COMPLETED)
    (mine,) = await floor.door.ask(ListRuns(job_id=milled))

    async def jobs(**chosen: Any) -> list[int]:
        return [run.job_id for run in await floor.door.ask(ListRuns(**chosen))]

    assert await jobs(handler="test.delay") == [waited]
    assert await jobs(handler="machine.program") == [milled]
    assert await jobs(machine_id=mine.machine_id) == [milled]
    assert await jobs(station="B") == []
    assert sorted(await jobs(station="A")) == [milled, waited]
    assert await jobs(states=frozenset({RunState.FAILED})) == []
    assert len(await jobs(states=frozenset({RunState.SUCCEEDED}))) == 2
    assert await jobs(since=now_ms() + 60_000) == []
    assert len(await jobs(until=now_ms() + 60_000)) == 2
    assert await floor.door.ask(RunById(10**30)) is None


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
    await until(lambda: floor.runs.drives(job_id))  # its start is read before it is driven
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
    config: Config, shop_url: str, redis_server: Redis, with_redis: bool
) -> None:
    redis_server.clear()
    shared = replace(
        config,
        database_url=shop_url,
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
