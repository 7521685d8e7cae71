"""A station of a fleet starts although its name or its database is not there for a moment."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from cnc_station.config import Config
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.engine import StationEngine, open_client
from cnc_station.engine.queries import ListStations
from tests.tools.servers import Postgres
from tests.until import until

LEASE_S = 3.0
WAITS = "the start waits"


@pytest.fixture
def shared(config: Config, shop_url: str) -> Config:
    return replace(config, database_url=shop_url, lease_s=LEASE_S)


async def heard(shared: Config) -> None:
    """The station was heard of just now, as by a process that has died since."""
    with psycopg.connect(shared.database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO station (name, incarnation, host, version, started_at, heard_at, lag_ms) "
            "SELECT %s, 'killed', 'pc-1', '1.0', 0, now.ms, 0 "
            "FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms) AS now "
            "ON CONFLICT (name) DO UPDATE SET heard_at = excluded.heard_at",
            (shared.station,),
        )


@pytest.mark.parametrize("last_words", [0, 1])
async def test_a_station_that_was_killed_comes_back_once_its_name_is_silent(
    shared: Config, caplog: pytest.LogCaptureFixture, last_words: int
) -> None:
    """A heartbeat that was under way may still arrive."""
    await (await open_client(shared)).stop()
    await heard(shared)
    engine = StationEngine(shared)
    starting = asyncio.create_task(engine.start())
    await until(lambda: WAITS in caplog.text)
    for _ in range(last_words):
        await heard(shared)
    await starting
    (station,) = await engine.local_door.ask(ListStations())
    assert station.name == shared.station
    await engine.stop()


async def test_a_station_whose_name_goes_on_being_heard_of_is_refused(shared: Config) -> None:
    await (await open_client(shared)).stop()
    await heard(shared)
    before = _writers()
    starting = asyncio.create_task(StationEngine(shared).start())

    async def refused() -> bool:
        await heard(shared)
        return starting.done()

    await until(refused)
    with pytest.raises(Conflict, match="named A is at work already"):
        await starting
    assert _writers() == before


def _writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "writer"]


@contextmanager
def served(folder: Path, url: str) -> Iterator["subprocess.Popen[str]"]:
    """The program without a window; its log is its standard error output."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CNC_")}
    environ |= {"CNC_DATA_FOLDER": str(folder), "CNC_DATABASE_URL": url, "CNC_STATION": "A"}
    command = [sys.executable, "-m", "cnc_station", "serve"]
    with subprocess.Popen(
        command, env=environ | {"CNC_HEALTH_PORT": "0"}, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def says(process: "subprocess.Popen[str]", words: str) -> None:
    assert process.stderr is not None
    assert any(words in line for line in process.stderr), f"it ended without {words!r}"


def test_a_station_without_a_window_waits_for_its_database_server(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    with own_postgres.new_database() as url:
        own_postgres.stop()
        with served(tmp_path, url) as process:
            says(process, WAITS)
            own_postgres.start()
            says(process, "is at work on")
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def test_a_station_that_waits_for_its_database_server_stops_when_it_is_told_to(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    own_postgres.stop()
    with served(tmp_path, own_postgres.url()) as process:
        says(process, WAITS)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_a_station_that_the_database_server_refuses_does_not_wait(
    postgres: Postgres, tmp_path: Path
) -> None:
    with served(tmp_path, postgres.url("not_there")) as process:
        says(process, "has no database of that name")
        assert process.wait(60) == 3
