"""The one writer: what gathers shares a transaction, and each caller gets an answer of its own."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Conflict, InvalidInput, Unavailable
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store import schema
from cnc_station.engine.store.claims import Claim
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.jobs import CreateJobs
from cnc_station.engine.store.queue_actions import ActOnJob
from cnc_station.engine.store.transaction import StoreCommand, Tx
from tests.store.shop import Shop
from tests.tools.station_log import logged, logging_into
from tests.until import until


@dataclass(frozen=True, slots=True)
class Wait(StoreCommand[None]):
    """Holds the writer's thread until the test lets it go, so that other changes gather."""

    entered: threading.Event
    go: threading.Event

    @classmethod
    def apply(cls, _tx: Tx, changes: Sequence["Wait"]) -> list[Exception | None]:
        for change in changes:
            change.entered.set()
            assert change.go.wait(60)
        return [None for _ in changes]


@dataclass(frozen=True, slots=True)
class Break(StoreCommand[None]):
    """Does something in the transaction, then what the test says."""

    then: Callable[[Tx], None]

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["Break"]) -> list[Exception | None]:
        for change in changes:
            tx.record(t.SETTINGS_CHANGED, actor="broken")
            change.then(tx)
        return [None for _ in changes]


@asynccontextmanager
async def gathering(shop: Shop) -> AsyncIterator[None]:
    """Whatever is asked for inside is applied in one go when it ends."""
    wait = Wait(threading.Event(), threading.Event())
    task = asyncio.ensure_future(shop.write(wait))
    try:
        await until(wait.entered.is_set)
        yield
        await asyncio.sleep(0)
    finally:
        wait.go.set()
        await task


async def _together(shop: Shop, *changes: StoreCommand[Any]) -> list[Any]:
    """The answers of changes that wait for the writer at the same time."""
    async with gathering(shop):
        tasks = [asyncio.ensure_future(shop.write(change)) for change in changes]
    return await asyncio.gather(*tasks, return_exceptions=True)


def _new(name: str) -> CreateJobs:
    return CreateJobs((JobSpec(name, "mill"),), "anna")


async def test_what_gathers_shares_a_transaction(shop: Shop) -> None:
    answers = await _together(shop, *(_new(f"job {n}") for n in range(20)))
    assert [ids for (ids,) in answers] == list(range(1, 21))
    assert [notice.jobs for notice in shop.notices if notice.jobs] == [frozenset(range(1, 21))]


async def test_a_bad_item_never_fails_its_neighbours(shop: Shop) -> None:
    bad = CreateJobs((JobSpec("bad", "mill", after=(99,)),), "anna")
    first, refused, last = await _together(shop, _new("a"), bad, _new("b"))
    assert isinstance(refused, InvalidInput)
    assert [shop.job_row(job_id).name for (job_id,) in (first, last)] == ["a", "b"]


async def test_one_that_names_more_jobs_than_a_statement_has_room_for_fails_alone(
    shop: Shop,
) -> None:
    bad = CreateJobs((JobSpec("bad", "mill", after=tuple(range(1, 300_000))),), "anna")
    first, refused, last = await _together(shop, _new("a"), bad, _new("b"))
    assert isinstance(refused, InvalidInput)
    assert [shop.job_row(job_id).name for (job_id,) in (first, last)] == ["a", "b"]


async def test_a_bug_in_one_change_is_the_error_of_its_caller_alone(shop: Shop) -> None:
    """And what it had to tell is not told."""

    def bug(tx: Tx) -> None:
        tx.notify(Topic.JOB_UNBLOCKED, job_id=1_000)
        raise ZeroDivisionError

    first, error, last = await _together(shop, _new("a"), Break(bug), _new("b"))
    assert isinstance(error, ZeroDivisionError)
    assert shop.told() == ["created", "created"]
    assert [shop.job_row(job_id).name for (job_id,) in (first, last)] == ["a", "b"]
    assert [notice.jobs for notice in shop.notices] == [{*first, *last}]


async def test_the_log_tells_what_was_committed_and_of_whom(shop: Shop, tmp_path: Path) -> None:
    def bug(tx: Tx) -> None:
        tx.record(t.PAUSED, actor="broken", job_id=1, tenant="nobody")
        raise ZeroDivisionError

    def topic(tx: Tx) -> None:
        tx.notify(Topic.JOB_UNBLOCKED, job_id=1_000, tenant="of a topic")

    news = [CreateJobs((JobSpec("job", "mill", tenant=name),), "anna") for name in ("a", "b")]
    with logging_into(tmp_path, aloud=False):
        await _together(shop, Break(topic), news[0], Break(bug), news[1])
    lines = [line for line in logged(tmp_path) if "job_id" in line]
    assert [(line["transition"], line["tenant"]) for line in lines] == [
        *(("created", "a"), ("created", "b")),
    ]
    assert {line["trace_id"] for line in lines} == {
        shop.job_row(line["job_id"]).trace_id for line in lines
    }


async def test_what_the_last_writes_break_is_the_error_of_its_change_alone(shop: Shop) -> None:
    """They go out together with the commit, and their complaints come back with its answer."""
    twice = [{"key": "a", "value": "1"}] * 2

    def clash(tx: Tx) -> None:
        tx.defer_insert(schema.setting, twice)
        tx.defer_insert(schema.setting, [{"key": "b", "value": "2"}])

    first, error, last = await _together(shop, _new("a"), Break(clash), _new("b"))
    assert isinstance(error, IntegrityError)
    assert shop.told() == ["created", "created"]
    assert [shop.job_row(job_id).name for (job_id,) in (first, last)] == ["a", "b"]


async def test_an_environment_that_breaks_with_the_last_writes_fails_them_all(
    shop: Shop,
) -> None:
    def break_later(tx: Tx) -> None:
        if tx.dialect.embedded:
            _break_the_environment(tx)
        tx.defer(select(func.pg_terminate_backend(func.pg_backend_pid())), {})

    answers = await _together(shop, _new("a"), Break(break_later), _new("b"))
    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert shop.told() == []
    assert shop.state(await shop.job()) is JobState.QUEUED


async def test_changes_of_one_job_keep_their_order(shop: Shop) -> None:
    job_id, other = await shop.job(), await shop.job()
    pause, resume = t.PAUSED, t.RESUMED
    await _together(
        shop,
        *(
            _act(transition, which)
            for transition, which in (
                (pause, job_id),
                (resume, job_id),
                (pause, other),
                (pause, job_id),
                (resume, other),
            )
        ),
    )
    assert shop.told(job_id=job_id) == ["created", "paused", "resumed", "paused"]
    assert shop.told(job_id=other) == ["created", "paused", "resumed"]


def _act(transition: t.Transition, job_id: int) -> StoreCommand[Any]:
    return ActOnJob(transition, job_id, "anna")


async def test_a_cancel_asked_before_a_claim_comes_before_it(shop: Shop) -> None:
    await shop.machine()
    job_id = await shop.job()
    _, claimed = await _together(shop, _act(t.CANCELLED, job_id), Claim(300.0))
    assert claimed == ()
    assert shop.state(job_id) is JobState.CANCELLED


def _break_the_environment(tx: Tx) -> None:
    """A file's disk is full, and SQLite rolls back by itself; a server ends the session."""
    if tx.dialect.embedded:
        tx.connection.exec_driver_sql("ROLLBACK")
        raise OperationalError("", {}, sqlite3.OperationalError("database or disk is full"))
    tx.connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")


async def test_a_broken_environment_fails_everything_that_shares_the_transaction(
    shop: Shop,
) -> None:
    answers = await _together(shop, _new("a"), Break(_break_the_environment), _new("b"))
    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert shop.told() == []
    assert shop.state(await shop.job()) is JobState.QUEUED


async def test_an_environment_that_breaks_while_items_are_applied_alone_fails_them_all(
    shop: Shop,
) -> None:
    """The items before it have gone with the whole transaction."""
    attempts = 0

    def bug_then_broken(tx: Tx) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise ZeroDivisionError
        _break_the_environment(tx)

    answers = await _together(shop, _new("a"), Break(bug_then_broken), _new("b"))
    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert shop.told() == []
    assert shop.state(await shop.job()) is JobState.QUEUED


async def test_the_others_hear_of_a_commit_before_its_caller_goes_on(shop: Shop) -> None:
    job_id = await shop.job()
    assert shop.notices[-1].jobs == {job_id}
    assert shop.notices[-1].claimable == {"mill": 1}


async def test_what_was_asked_for_before_the_end_is_written(shop: Shop) -> None:
    asked = [asyncio.ensure_future(shop.write(_new(f"{n}"))) for n in range(5)]
    await asyncio.sleep(0)
    await shop.writer.stop()
    assert [await one for one in asked] == [(n,) for n in range(1, 6)]


async def test_what_is_asked_for_while_it_ends_is_refused_and_never_hangs(shop: Shop) -> None:
    wait = Wait(threading.Event(), threading.Event())
    first = asyncio.ensure_future(shop.write(wait))
    await until(wait.entered.is_set)
    stopping = asyncio.ensure_future(shop.writer.stop())
    await asyncio.sleep(0)
    late = asyncio.ensure_future(shop.write(_new("late")))
    await asyncio.sleep(0)
    wait.go.set()
    await stopping
    await first
    with pytest.raises(Unavailable, match="stopping"):
        await asyncio.wait_for(late, 30)


async def test_a_caller_who_gave_up_does_not_disturb_the_others(shop: Shop) -> None:
    async with gathering(shop):
        gone = asyncio.ensure_future(shop.write(_new("gone")))
        stays = asyncio.ensure_future(shop.write(_new("stays")))
        await asyncio.sleep(0)
        gone.cancel()
    assert await stays == (2,)


async def test_a_refusal_is_an_answer_not_a_failure_of_the_pen(shop: Shop) -> None:
    job_id = await shop.job()
    with pytest.raises(Conflict, match=r"bracket is queued\. Only a paused job"):
        await shop.act(JobAction.RESUME, job_id)
    assert shop.told(job_id=job_id) == ["created"]


async def test_a_commit_by_another_process_is_noticed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = shop.foreign_commit
    looks = 0
    look = shop.clock.changed_elsewhere

    def counted(connection: Connection, station: str) -> object:
        nonlocal looks
        found = look(connection, station)
        looks += 1
        return found

    monkeypatch.setattr(shop.clock, "changed_elsewhere", counted, raising=False)
    await until(lambda: looks)
    url = shop.database.url.render_as_string(hide_password=False)
    other = Shop(Database(url), station="B")
    await other.writer.start()
    await other.job()
    await until(heard.is_set)
    await other.writer.stop()
    other.database.close()
    heard.clear()
    await shop.job()
    before = looks
    await until(lambda: looks >= before + 2)  # its own commits are nobody else's
    assert not heard.is_set()


async def test_a_pen_that_is_never_quiet_looks_for_others_all_the_same(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    look = shop.clock.changed_elsewhere

    def counted(connection: Connection, station: str) -> object:
        nonlocal looks
        looks += 1
        return look(connection, station)

    async def write_on() -> None:
        while looks < 2:
            await shop.job()

    monkeypatch.setattr(shop.clock, "changed_elsewhere", counted, raising=False)
    await asyncio.wait_for(write_on(), 30)


async def test_a_pen_that_cannot_look_for_others_goes_on_writing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()

    def fail(_connection: object, _station: str) -> int:
        looked.set()
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(shop.clock, "changed_elsewhere", fail, raising=False)
    await until(looked.is_set)
    assert await asyncio.wait_for(shop.job(), 30) == 1


async def test_who_stumbles_over_the_notice_of_a_commit_keeps_nobody_waiting(
    shop: Shop,
) -> None:
    said: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: said.append(told["exception"]))

    def stumble(_: object) -> None:
        raise LookupError("a window that is gone")

    shop.listeners.append(stumble)
    assert await asyncio.wait_for(shop.job(), 30) == 1
    assert [str(error) for error in said] == ["a window that is gone"]
