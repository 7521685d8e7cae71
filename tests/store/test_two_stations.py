"""Two stations with a writer each on one server: what is true between their statements."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Conflict, InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import MachineState, RunState
from cnc_station.engine.domain.webhooks import WebhookEvent, WebhookSpec
from cnc_station.engine.once import RequestKey
from cnc_station.engine.queries import ListRuns
from cnc_station.engine.store import schema
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.jobs import CreateJobs
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.once import OnceOnly
from cnc_station.engine.store.queries.history import runs
from cnc_station.engine.store.readiness import SetReadiness
from cnc_station.engine.store.remote_commands import AskStation
from cnc_station.engine.store.settings import SaveSettings, settings
from cnc_station.engine.store.transaction import StoreCommand, Tx
from cnc_station.engine.store.webhook_tables import delivery
from cnc_station.engine.store.webhooks import CreateWebhook
from tests.store.shop import Shop, mill
from tests.until import until

_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND datname = current_database()"
)


@dataclass(frozen=True, slots=True)
class Slowly(StoreCommand[Any]):
    """A change whose transaction stays open until the test lets it go."""

    change: StoreCommand[Any]
    written: threading.Event
    go: threading.Event

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["Slowly"]) -> list[Any]:
        (slow,) = changes
        answers: list[Any] = type(slow.change).apply(tx, [slow.change])
        slow.written.set()
        assert slow.go.wait(10)
        return answers


@pytest.fixture
async def stations(
    emptied_on_postgres: Callable[[], Database],
) -> AsyncIterator[tuple[Shop, Shop]]:
    """A and B."""
    first = Shop(emptied_on_postgres())
    url = first.database.url.render_as_string(hide_password=False)
    second = Shop(Database(url, synchronous="OFF"), station="B")
    both = (first, second)
    for shop in both:
        await shop.writer.start()
    yield both
    assert first.broken() == []
    for shop in both:
        await shop.writer.stop()
        shop.database.close()


async def _start(shop: Shop) -> Claimed:
    run = await shop.claim_one()
    await shop.move(t.STARTED, run)
    return run


async def _numbered_the_wrong_way_round(a: Shop, b: Shop) -> tuple[Claimed, Claimed]:
    """Two runs of one job on one machine, which B hands to A in between: the second has the lower
    number, as A keeps numbers for its next runs."""
    await a.machine(mill("Mill 1"))
    await a.job()
    await a.move(t.COMPLETED, await _start(a))
    machine_id = await b.machine(replace(mill("Mill 2"), operator_clears=True))
    job_id = await b.job(pinned_machine_id=machine_id, quantity=3)
    former = await _start(b)
    await b.move(t.INTERRUPTED, former)
    await b.move_machine(t.CLEARED, machine_id)
    await b.move_machine(t.MACHINE_MOVED, machine_id, station="A")
    await a.act(JobAction.RETRY, job_id)
    await a.move_machine(t.CONNECTED, machine_id)
    await a.write(SetReadiness(machine_id, "", "controller"))
    latter = await _start(a)
    assert (former.job_id, former.machine_id) == (latter.job_id, latter.machine_id)
    assert latter.run_id < former.run_id
    return former, latter


async def test_a_scrapped_part_is_counted_to_the_run_that_made_it(
    stations: tuple[Shop, Shop],
) -> None:
    a, b = stations
    former, latter = await _numbered_the_wrong_way_round(a, b)
    await a.move(t.INTERRUPTED, latter)
    await b.act(JobAction.SCRAP, latter.job_id)
    scrap = [a.row(schema.run, run.run_id).scrap for run in (former, latter)]
    assert scrap == [None, 1]


async def test_what_is_counted_at_a_clearing_is_counted_to_the_run_that_made_it(
    stations: tuple[Shop, Shop],
) -> None:
    a, b = stations
    former, latter = await _numbered_the_wrong_way_round(a, b)
    await a.move(t.COMPLETED, latter)
    await b.move_machine(t.CLEARED, latter.machine_id, good=3)
    good = [a.row(schema.run, run.run_id).good for run in (former, latter)]
    assert good == [None, 3]


async def test_a_jobs_newest_attempt_comes_first(stations: tuple[Shop, Shop]) -> None:
    a, b = stations
    _, latter = await _numbered_the_wrong_way_round(a, b)
    found = a.database.read(partial(runs, chosen=ListRuns(job_id=latter.job_id)))
    assert [run.attempt for run in found] == [2, 1]


@pytest.mark.parametrize("gone", [t.MACHINE_MOVED, t.MACHINE_REMOVED])
async def test_a_machine_that_is_given_away_meanwhile_is_not_taken_up(
    stations: tuple[Shop, Shop], gone: t.Transition
) -> None:
    """It is there when the run is looked at, and not any more when it is its turn."""
    a, b = stations
    await a.machine()
    await a.job()
    run = await _start(a)
    await a.move(t.LOST_INTERRUPTED, run)
    assert run.machine_id is not None
    move = MoveMachine((gone,), run.machine_id, "anna", station="B")
    slow = Slowly(move, threading.Event(), threading.Event())
    moved = asyncio.ensure_future(b.write(slow))
    await until(slow.written.is_set)
    taken_up = asyncio.ensure_future(a.move(t.REATTACHED, run))
    await until(lambda: a.database.read(lambda c: c.execute(_WAITING).scalar()))
    slow.go.set()
    with pytest.raises(Conflict, match="can't take it up again"):
        await taken_up
    await moved
    assert a.run_state(run) is RunState.INTERRUPTED
    assert a.machine_state(run.machine_id) is MachineState.OFFLINE


async def test_a_remote_command_that_was_numbered_before_others_and_written_after_them_is_noticed(
    stations: tuple[Shop, Shop],
) -> None:
    a, b = stations
    ask = AskStation("unlock", 0, "anna", "", await a.machine())
    slow = Slowly(ask, threading.Event(), threading.Event())
    asked = asyncio.ensure_future(b.write(slow))
    await until(slow.written.is_set)
    await a.write(ask)
    with closing(a.database.connect_writer()) as connection:
        before = a.clock.changed_elsewhere(connection, "A")
        slow.go.set()
        await asked
        assert a.clock.changed_elsewhere(connection, "A") != before


async def test_what_others_write_is_noticed_however_much_is_written_here(
    stations: tuple[Shop, Shop],
) -> None:
    a, b = stations
    with closing(a.database.connect_writer()) as connection:
        before = a.clock.changed_elsewhere(connection, "A")
        await b.job()
        await a.create(*[JobSpec("bracket", "mill")] * 300)
        assert a.clock.changed_elsewhere(connection, "A") != before


async def test_what_others_wrote_is_noticed_once_and_what_is_written_here_never(
    stations: tuple[Shop, Shop],
) -> None:
    a, b = stations
    with closing(a.database.connect_writer()) as connection:
        await b.create(*[JobSpec("bracket", "mill")] * 250)
        a.clock.changed_elsewhere(connection, "A")
        await b.job()
        noticed = a.clock.changed_elsewhere(connection, "A")
        for _ in range(3):
            await a.job()
            assert a.clock.changed_elsewhere(connection, "A") == noticed


async def test_a_setting_that_two_stations_save_at_once_is_saved_by_both(
    stations: tuple[Shop, Shop],
) -> None:
    a, b = stations
    await a.write(SaveSettings({"theme": "light"}, "anna"))
    slow = Slowly(SaveSettings({"theme": "dark"}, "anna"), threading.Event(), threading.Event())
    first = asyncio.ensure_future(a.write(slow))
    await until(slow.written.is_set)
    refused = asyncio.ensure_future(b.job(after=(99,)))  # each is tried alone then
    last = asyncio.ensure_future(b.write(SaveSettings({"theme": "high contrast"}, "ben")))
    await until(lambda: a.database.read(lambda c: c.execute(_WAITING).scalar()))
    slow.go.set()
    await asyncio.gather(first, last)
    with pytest.raises(InvalidInput):
        await refused
    assert a.database.read(settings) == {"theme": "high contrast"}


async def test_an_endpoint_is_added_after_the_transactions_that_do_not_know_it(
    stations: tuple[Shop, Shop],
) -> None:
    a, b = stations
    spec = WebhookSpec("http://127.0.0.1/", (WebhookEvent.CREATED,))
    create = CreateJobs((JobSpec("before", "mill"),), "anna")
    slow = Slowly(create, threading.Event(), threading.Event())
    before = asyncio.ensure_future(a.write(slow))
    await until(slow.written.is_set)
    added = asyncio.ensure_future(b.write(CreateWebhook(spec, "a secret", "ben")))
    await until(lambda: a.database.read(lambda c: c.execute(_WAITING).scalar()))
    assert not added.done()
    slow.go.set()
    await asyncio.gather(before, added)
    job_id = await a.job()
    queued = a.database.read(lambda c: c.execute(select(delivery.c.job_id)).scalars().all())
    assert queued == [job_id]


async def test_two_stations_that_get_the_same_key_at_once_create_once(
    stations: tuple[Shop, Shop],
) -> None:
    a, b = stations
    create = CreateJobs((JobSpec("bracket", "mill"),), "anna")
    once = OnceOnly(create, "anna", RequestKey("key 1", "a" * 64))
    slow = Slowly(once, threading.Event(), threading.Event())
    first = asyncio.ensure_future(a.write(slow))
    await until(slow.written.is_set)
    second = asyncio.ensure_future(b.write(once))
    await until(lambda: a.database.read(lambda c: c.execute(_WAITING).scalar()))
    slow.go.set()
    written, replayed = await first, await second
    assert (written.replayed, replayed.replayed) == (False, True)
    assert written.result == replayed.result
    assert a.database.read(lambda c: c.execute(select(schema.job.c.id)).scalars().all()) == [
        *written.result
    ]


async def test_of_two_jobs_with_one_external_id_the_later_station_names_the_earlier_ones_job(
    stations: tuple[Shop, Shop],
) -> None:
    """Both look while neither is committed: the index decides."""
    a, b = stations
    spec = JobSpec("bracket", "mill", external_id="4711")
    slow = Slowly(CreateJobs((spec,), "anna"), threading.Event(), threading.Event())
    first = asyncio.ensure_future(a.write(slow))
    await until(slow.written.is_set)
    second = asyncio.ensure_future(b.create(spec))
    await until(lambda: b.database.read(lambda c: c.execute(_WAITING).scalar()))
    slow.go.set()
    (job_id,) = await first
    with pytest.raises(Conflict, match=f"4711 is already job {job_id}\\."):
        await second
    assert len(b.events()) == 1
