"""A station alone that serves its API."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from cnc_station.config import Config
from cnc_station.engine.engine import StationEngine
from cnc_station.web.server import WebServer
from tests.web.api_client import Client

LOCALHOST = "127.0.0.1"


@pytest.fixture
async def alone(tmp_path: Path) -> AsyncIterator[StationEngine]:
    config = Config(tmp_path, f"sqlite:///{tmp_path / 'station.db'}", station="Hall 1")
    engine = StationEngine(config)
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture
async def api(alone: StationEngine) -> AsyncIterator[Client]:
    server = WebServer(alone.local_door)
    port = await server.start(LOCALHOST, 0)
    url = f"http://{LOCALHOST}:{port}"
    async with aiohttp.ClientSession(url) as session:
        yield Client(session, url)
    await server.stop()
