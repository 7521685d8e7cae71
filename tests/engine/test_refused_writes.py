"""A database server that lets a station read, but takes nothing: a standby after a failover, or a
server that its keeper has made read-only because its disk is nearly full."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from cnc_station.config import Config
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import ListLinks, ListRuns
from cnc_station.engine.services.health import Health, HealthProbe
from cnc_station.engine.store.postgres import postgres_message
from cnc_station.engine.views import Link
from tests.engine.floor import Controller, FloorOf
from tests.tools.servers import Postgres
from tests.until import until


@pytest.fixture
async def floor(config: Config, own_postgres: Postgres) -> AsyncIterator[FloorOf]:
    floor = FloorOf(StationEngine(replace(config, database_url=own_postgres.url())))
    await floor.engine.start()
    yield floor
    await floor.engine.stop()


@contextmanager
def read_only(server: Postgres) -> Iterator[None]:
    """New transactions can write nothing."""
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute("SET default_transaction_read_only = off")  # its own stay as they are
        admin.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        admin.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
            admin.execute("SELECT pg_reload_conf()")


def _database(floor: FloorOf) -> Link:
    (link,) = (link for link in floor.door.peek(ListLinks()) if link.name == "database")
    return link


async def test_the_end_of_a_run_that_a_server_does_not_take_is_written_when_it_does(
    floor: FloorOf, own_postgres: Postgres, controller: Controller
) -> None:
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await until(lambda: controller.cutting)
    with read_only(own_postgres):
        await until(lambda: _database(floor).state == "offline")
        controller.end()
        with pytest.raises(Unavailable, match="takes no changes"):
            await floor.job()
    await floor.comes_to(job_id, JobState.COMPLETED, 30.0)
    (run,) = await floor.door.ask(ListRuns(job_id=job_id))
    assert run.attempt == 1
    await until(lambda: _database(floor).state == "connected")


async def test_a_server_that_takes_no_changes_is_not_called_connected_because_it_can_be_read(
    floor: FloorOf, own_postgres: Postgres
) -> None:
    with read_only(own_postgres):
        await until(lambda: _database(floor).state == "offline")
        probe = floor.service(HealthProbe)
        await probe.stop()
        await probe.run_once()
        assert "takes no changes" in _database(floor).detail
        assert _database(floor).state == "offline"
        await probe.start()
    await until(lambda: _database(floor).state == "connected")


async def test_a_link_says_why_it_is_away_now_and_since_when_it_has_been() -> None:
    told: list[None] = []
    health = Health(lambda: told.append(None))
    health.up("database")
    health.down("database", "can't be reached")
    (away,) = health.links()
    health.down("database", "refuses the password")
    (still_away,) = health.links()
    assert still_away == replace(away, detail="refuses the password")
    health.down("database", "refuses the password")
    assert len(told) == 3


@pytest.mark.parametrize(
    ("complaint", "meaning"),
    [
        ("FATAL:  sorry, too many clients already", "raise its max_connections"),
        ("FATAL:  remaining connection slots are reserved for roles", "raise its max_connections"),
        ('could not extend file "base/5/1249": No space left on device', "disk .* is full"),
        ("server closed the connection unexpectedly", "can't be reached"),
    ],
)
def test_a_server_that_can_be_reached_is_not_said_to_be_out_of_reach(
    complaint: str, meaning: str
) -> None:
    assert re.search(meaning, postgres_message(complaint.lower()))
