"""What the others see of a station that is not heard of any more."""

from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine, SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import JobsById, LatestTelemetry, ListMachines
from cnc_station.engine.services.ticker import Ticker
from tests.engine.floor import service_of
from tests.tools.servers import Redis
from tests.until import until

ME = local_principal("tester")
MILL = MachineSpec("Mill 1", "mill", capability=Capability("mill"))
LEASE_S = 3.0
SILENT_MS = 60_000


@pytest.fixture
def shared(config: Config, shop_url: str) -> Config:
    return replace(config, database_url=shop_url, lease_s=LEASE_S)


@pytest.fixture
async def a(shared: Config) -> AsyncIterator[StationEngine]:
    engine = StationEngine(shared)
    await engine.start()
    yield engine
    await engine.stop()


async def is_in(engine: StationEngine, state: MachineState) -> bool:
    (machine,) = await engine.local_door.ask(ListMachines())
    return machine.state is state


def give_to_a_silent_station(url: str) -> None:
    """B was heard of a minute ago, and what was A's is B's."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO station (name, incarnation, host, version, started_at, heard_at, lag_ms) "
            "SELECT 'B', 'old', host, version, started_at, heard_at - %s, 7 FROM station",
            (SILENT_MS,),
        )
        connection.execute("UPDATE machine SET station = 'B'")


async def test_a_machine_left_idle_by_a_silent_station_is_offline_until_that_is_back(
    a: StationEngine, shared: Config, shop_url: str
) -> None:
    await a.door(ME).execute(AddMachine(MILL))
    await until(lambda: is_in(a, MachineState.IDLE))
    give_to_a_silent_station(shop_url)
    await until(lambda: is_in(a, MachineState.OFFLINE))
    (job_id,) = await a.door(ME).execute(SubmitJobs([JobSpec("bracket", "mill")]))
    (row,) = await a.local_door.ask(JobsById([job_id], with_next=True))
    assert row.next == "only Mill 1 fits, and it is offline"
    (machine,) = await a.local_door.ask(ListMachines())
    assert machine.state_reason == "its station is gone"
    b = StationEngine(replace(shared, station="B"))
    await b.start()
    await until(lambda: is_in(a, MachineState.RUNNING))
    await b.stop()


async def test_a_machine_left_idle_by_a_station_that_has_left_is_offline_too(
    a: StationEngine, shop_url: str
) -> None:
    await a.door(ME).execute(AddMachine(MILL))
    await until(lambda: is_in(a, MachineState.IDLE))
    give_to_a_silent_station(shop_url)
    with psycopg.connect(shop_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE station SET heard_at = heard_at + 2 * %s, left_at = heard_at WHERE name = 'B'",
            (SILENT_MS,),
        )
    await until(lambda: is_in(a, MachineState.OFFLINE))


@pytest.fixture
async def pair(
    shared: Config, redis_server: Redis
) -> AsyncIterator[tuple[StationEngine, StationEngine]]:
    redis_server.clear()
    told = replace(shared, redis_url=redis_server.url, simulator_speed=1.0)
    a, b = StationEngine(told), StationEngine(replace(told, station="B"))
    await a.start()
    await b.start()
    yield a, b
    await b.stop()
    await a.stop()


async def test_what_a_machine_did_when_it_was_last_heard_of_is_soon_not_known_any_more(
    pair: tuple[StationEngine, StationEngine],
) -> None:
    a, b = pair
    await b.door(ME).execute(AddMachine(MILL))
    await a.door(ME).execute(SubmitJobs([JobSpec("bracket", "mill", estimated_s=900.0)]))
    (machine,) = await a.local_door.ask(ListMachines())
    await until(lambda: a.local_door.peek(LatestTelemetry(machine.id)))
    await service_of(b, Ticker).stop()
    await until(lambda: a.local_door.peek(LatestTelemetry(machine.id)) is None)
