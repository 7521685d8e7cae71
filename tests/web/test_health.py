"""The station's health over HTTP, as a supervisor reads it, from real servers."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cnc_station.config import Config
from cnc_station.demo import DEMO, load_demo
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import AboutStation
from cnc_station.web.server import WebServer
from cnc_station.web.serving import serving
from tests.standing_still import standing_still
from tests.tools.servers import Postgres, Redis
from tests.until import until

LOCALHOST = "127.0.0.1"


async def asked(port: int, path: str = "ready") -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as client,
        client.get(f"http://{LOCALHOST}:{port}/health/{path}") as answer,
    ):
        return answer.status, await answer.json()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path, f"sqlite:///{tmp_path / 'station.db'}", station="Hall 1")


@pytest.fixture
async def alone(config: Config) -> AsyncIterator[StationEngine]:
    engine = StationEngine(config)
    await engine.start()
    yield engine
    await engine.stop()


async def test_a_station_alone_reports_live_and_ready(alone: StationEngine) -> None:
    server = WebServer(alone.local_door)
    port = await server.start(LOCALHOST, 0)
    assert await asked(port, "live") == (
        200,
        {
            "status": "alive",
            "station": "Hall 1",
            "version": alone.local_door.peek(AboutStation()).version,
        },
    )
    await load_demo(alone.door(DEMO))
    status, told = await until(lambda: ready(port))
    assert status == 200
    assert {name: check["ok"] for name, check in told["checks"].items()} == {
        "database": True,
        "redis": True,
        "name": True,
        "leader": True,
        "machines": True,
        "backup": True,
    }
    assert told["checks"]["machines"]["detail"] == "9 of 9 are connected"
    await server.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await asked(port)


async def ready(port: int) -> tuple[int, Any] | None:
    found = await asked(port)
    return found if found[1]["status"] == "ready" else None


async def test_a_fleet_station_reports_which_server_is_away_and_when_it_is_back(
    tmp_path: Path, own_postgres: Postgres, own_redis: Redis
) -> None:
    engine = StationEngine(Config(tmp_path, own_postgres.url(), own_redis.url))
    await engine.start()
    server = WebServer(engine.local_door)
    port = await server.start(LOCALHOST, 0)

    async def told(status: int, **wrong: str) -> bool:
        found, content = await asked(port)
        checks = {name: check["state"] for name, check in content["checks"].items()}
        bad = {name for name, check in content["checks"].items() if not check["ok"]}
        return found == status and bad == set(wrong) and wrong.items() <= checks.items()

    try:
        await until(lambda: told(200))
        await asyncio.to_thread(own_redis.kill)
        await until(lambda: told(200, redis="offline"))
        own_redis.start()
        await until(lambda: told(200))
        with standing_still(own_postgres):
            away = {"database": "offline", "leader": "unknown", "machines": "unknown"}
            await until(lambda: told(503, **away), 30)
            assert (await asked(port, "live"))[0] == 200
        await until(lambda: told(200), 30)
    finally:
        await server.stop()
        await engine.stop()


async def test_a_taken_port_disables_the_health_and_not_the_station(
    alone: StationEngine, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:
        taken.bind((LOCALHOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        caplog.set_level(logging.ERROR)
        async with serving(config, alone.local_door, port):
            assert f"can't be served on {LOCALHOST}, port {port}" in caplog.text
            assert "CNC_API_PORT" in caplog.text
