"""A station of a fleet whose servers stand still or go, and what its window hears of it."""

import asyncio
import gc
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
from redis.asyncio.client import Pipeline
from sqlalchemy import Connection, select
from sqlalchemy.exc import PendingRollbackError

from cnc_station.config import Config
from cnc_station.engine import engine as engine_room
from cnc_station.engine import supervisor
from cnc_station.engine.commands import ActOnMachine, AddMachine, SubmitJobs
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.notice import Notice, NoticeEvent
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.engine import StationEngine, open_client
from cnc_station.engine.queries import AboutStation, ListLinks, ListMachines
from cnc_station.engine.services.controller_monitor import ControllerMonitor
from cnc_station.engine.signals.base import SignalHandlers
from cnc_station.engine.signals.redis import RedisSignals
from cnc_station.engine.store import prepared, schema
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.postgres import Postgres as PostgresDialect
from cnc_station.engine.store.prepared import TransactionPreload
from tests.engine.floor import supervisor_of
from tests.standing_still import standing_still
from tests.tools.servers import Postgres, Redis
from tests.until import at_best, until

ME = local_principal("tester")
MILL = MachineSpec("Mill 1", "mill", capability=Capability("mill"))


def _links(engine: StationEngine) -> dict[str, str]:
    return {link.name: link.state for link in engine.local_door.peek(ListLinks())}


def _heard(engine: StationEngine) -> list[Notice]:
    heard: list[Notice] = []
    engine.subscribe(heard.append)
    return heard


def _looked_again(heard: list[Notice]) -> bool:
    return any(notice.missed for notice in heard)


Looks = dict[str, list[object]]
_LOOK = PostgresDialect.changed_elsewhere


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    """What each station saw whenever it looked for what others have written; None: nothing."""
    seen: Looks = defaultdict(list)

    def noted(dialect: PostgresDialect, connection: Connection, station: str) -> object:
        version = None
        try:
            version = _LOOK(dialect, connection, station)
        finally:
            seen[station].append(version)
        return version

    monkeypatch.setattr(PostgresDialect, "changed_elsewhere", noted)
    return seen


@pytest.fixture
def own_config(config: Config, own_postgres: Postgres) -> Config:
    return replace(config, database_url=own_postgres.url(), lease_s=300.0)


@pytest.fixture
def redis_config(config: Config, shop_url: str, own_redis: Redis) -> Config:
    return replace(config, database_url=shop_url, redis_url=own_redis.url)


@pytest.fixture
async def alone(config: Config, shop_url: str) -> AsyncIterator[StationEngine]:
    """The only station of a fleet without Redis."""
    engine = StationEngine(replace(config, database_url=shop_url))
    await engine.start()
    yield engine
    await engine.stop()


async def test_a_database_that_stands_still_is_shown_and_looked_at_again_when_back(
    own_config: Config, own_postgres: Postgres
) -> None:
    engine = StationEngine(own_config)
    await engine.start()
    try:
        await until(lambda: _links(engine) == {"database": "connected"})
        with standing_still(own_postgres):
            await until(lambda: _links(engine) == {"database": "offline"})
            heard = _heard(engine)
        await until(lambda: _links(engine) == {"database": "connected"})
        await until(lambda: _looked_again(heard))
    finally:
        await engine.stop()


async def test_a_station_is_closed_although_its_database_stands_still(
    own_config: Config, own_postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in (supervisor, engine_room):
        monkeypatch.setattr(room, "PATIENCE_S", 0.5)
    engine = StationEngine(own_config)
    await engine.start()
    await engine.door(ME).execute(AddMachine(MILL))
    with standing_still(own_postgres):
        asked = asyncio.create_task(engine.local_door.ask(ListMachines()))
        await until(lambda: _links(engine) == {"database": "offline"})
        await asyncio.wait_for(engine.stop(), 60)
    with pytest.raises(Unavailable):
        await asked
    gc.collect()  # what was given up while connecting is closed when it is forgotten


async def test_a_database_that_was_restarted_is_shown_and_looked_at_again(
    own_config: Config, own_postgres: Postgres
) -> None:
    engine = StationEngine(own_config)
    await engine.start()
    try:
        own_postgres.stop()
        await until(lambda: _links(engine) == {"database": "offline"})
        heard = _heard(engine)
        own_postgres.start()
        await until(lambda: _looked_again(heard), 30.0)
        await until(lambda: _links(engine) == {"database": "connected"})
        assert await engine.door(ME).execute(SubmitJobs([JobSpec("bracket", "mill")]))
    finally:
        await engine.stop()


async def test_a_database_that_stays_away_does_not_fill_the_log(
    own_config: Config, own_postgres: Postgres, looks: Looks, caplog: pytest.LogCaptureFixture
) -> None:
    engine = StationEngine(own_config)
    await engine.start()
    try:
        own_postgres.stop()
        await until(lambda: _links(engine) == {"database": "offline"})
        for _ in range(4):
            await _looks_once_more(looks)
        told = Counter(record.message.split(":")[0] for record in caplog.records)
        assert max(told.values()) == 1, told
    finally:
        own_postgres.start()
        await engine.stop()


async def test_a_start_that_fails_half_way_lets_go_of_its_name_and_of_what_it_has_begun(
    config: Config, shop_url: str
) -> None:
    shared = replace(config, database_url=shop_url)
    before = asyncio.all_tasks()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ControllerMonitor, "run_once", _fail)
        with pytest.raises(Unavailable, match="half-way"):
            await StationEngine(shared).start()
    assert asyncio.all_tasks() == before
    again = StationEngine(shared)
    await again.start()
    await again.stop()


async def _fail(_: ControllerMonitor) -> float:
    raise Unavailable("half-way")


async def test_a_redis_that_stands_still_is_shown_and_what_changes_is_noticed_without_it(
    redis_config: Config, own_redis: Redis
) -> None:
    a, b = StationEngine(redis_config), StationEngine(replace(redis_config, station="B"))
    await a.start()
    await b.start()
    try:
        await until(lambda: _links(b).get("redis") == "connected")
        with standing_still(own_redis):
            await until(lambda: _links(b)["redis"] == "offline")
            heard = _heard(b)
            await a.door(ME).execute(SubmitJobs([JobSpec("bracket", "mill")]))
            await until(lambda: _looked_again(heard))
        heard = _heard(b)
        await until(lambda: _links(b)["redis"] == "connected")
        await until(lambda: _looked_again(heard))
    finally:
        await b.stop()
        await a.stop()


async def test_a_station_with_a_file_of_its_own_says_nothing_to_a_fleet_that_it_has_left(
    config: Config, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its address may be left in the settings, and its machines have the numbers of others'."""
    made = Mock()
    monkeypatch.setattr("cnc_station.engine.signals.redis.RedisSignals", made)
    engine = StationEngine(replace(config, redis_url=redis_url))
    await engine.start()
    try:
        made.assert_not_called()
        assert _links(engine) == {"database": "standalone"}
    finally:
        await engine.stop()


async def test_what_could_not_be_told_is_told_again(redis_url: str) -> None:
    """Another station may listen again before this one has noticed that its own way was lost."""
    teller, listener = RedisSignals(redis_url), RedisSignals(redis_url)
    heard: list[Notice] = []
    hearing = SignalHandlers(lambda _: None, heard.append, lambda _: None)
    execute, losses = Pipeline.execute, iter([ConnectionError("lost on the way")])

    async def losing(pipe: Pipeline, raise_on_error: bool = True) -> list[Any]:
        for loss in losses:
            raise loss
        return await execute(pipe, raise_on_error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pipeline, "execute", losing)
        for signals in (listener, teller):
            await signals.start(hearing)
        await until(lambda: listener.connected)
        told = Notice.of(NoticeEvent("held", job_id=7))
        teller.publish_notice(told)
        await until(lambda: told in heard)
    for signals in (listener, teller):
        await signals.stop()


async def test_without_redis_what_others_change_is_noticed_within_a_second(
    alone: StationEngine, config: Config, shop_url: str
) -> None:
    client = await open_client(replace(config, database_url=shop_url, station="office"))

    async def noticed_after_s() -> float:
        heard, begun = _heard(alone), time.monotonic()
        await client.door(ME).execute(SubmitJobs([JobSpec("bracket", "mill")]))
        await until(lambda: _looked_again(heard))
        return time.monotonic() - begun

    try:
        assert await at_best(noticed_after_s, 1.0) <= 1.0
    finally:
        await client.stop()


async def test_stations_without_redis_leave_each_other_in_peace(
    alone: StationEngine, config: Config, shop_url: str, looks: Looks
) -> None:
    """One that looks because another one has looked would keep them all awake for ever."""
    other = StationEngine(replace(config, database_url=shop_url, station="B", lease_s=3.0))
    await other.start()
    try:
        await until(lambda: _has_noticed_everything(shop_url, looks))
        await _looks_once_more(looks)  # what it has noticed is told by then
        heard = _heard(alone)
        for _ in range(2):
            before = await _last_heard(other)
            await until(lambda: _is_heard_again(other, before))  # noqa: B023 - awaited at once
            await _looks_once_more(looks)
        assert _has_noticed_everything(shop_url, looks)
        assert not _looked_again(heard)
    finally:
        await other.stop()


async def _looks_once_more(looks: Looks) -> None:
    """Station A looks, whatever it finds."""
    before = len(looks["A"])
    await until(lambda: len(looks["A"]) > before)


def _has_noticed_everything(url: str, looks: Looks) -> bool:
    """Station A has looked since anybody has last written something worth a look."""
    database = Database(url)
    with closing(database), closing(database.connect_writer()) as connection:
        assert isinstance(database.dialect, PostgresDialect)
        last = _LOOK(database.dialect, connection, "A")
    return looks["A"][-1:] == [last]


async def _last_heard(engine: StationEngine) -> int:
    row = schema.station.c
    query = select(row.heard_at).where(row.name == engine.local_door.peek(AboutStation()).station)
    read = supervisor_of(engine).context.reader.read
    heard_at: int = await read(lambda c: c.execute(query).scalar_one())
    return heard_at


async def _is_heard_again(engine: StationEngine, since: int) -> bool:
    return await _last_heard(engine) > since


_LOCKING = select(schema.machine.c.id).with_for_update()


def _asking(database: Database, stack: ExitStack, connection: Connection) -> None:
    stack.enter_context(database.dialect.transaction(connection))
    connection.execute(_LOCKING)


def _opening(database: Database, stack: ExitStack, connection: Connection) -> None:
    """The locks come with its BEGIN."""
    asked = TransactionPreload(questions={_LOCKING: {}})
    stack.enter_context(database.dialect.transaction(connection, asked))


def _asking_together(database: Database, stack: ExitStack, connection: Connection) -> None:
    stack.enter_context(database.dialect.transaction(connection))
    with database.dialect.pipeline(connection):
        prepared.execute(connection, _LOCKING, {})


@pytest.mark.parametrize("lock", [_asking, _opening, _asking_together])
async def test_a_station_that_stands_still_in_a_transaction_does_not_hold_up_the_others(
    alone: StationEngine,
    shop_url: str,
    lock: Callable[[Database, ExitStack, Connection], None],
) -> None:
    """Its locks go with its session, after seconds and not when it wakes."""
    machine_id = await alone.door(ME).execute(AddMachine(MILL))
    frozen, stack = Database(shop_url), ExitStack()
    connection = frozen.connect_writer()
    try:
        lock(frozen, stack, connection)

        async def rested() -> bool:
            try:
                await alone.door(ME).execute(ActOnMachine(MachineAction.MAINTENANCE_ON, machine_id))
            except Unavailable:
                return False
            return True

        assert await until(rested, 30.0)
    finally:
        connection.invalidate()
        with suppress(PendingRollbackError):
            stack.close()
        connection.close()
        frozen.close()
