"""HTTP services according to the settings, while a station runs."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cnc_station.config import Config
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.door import Door

log = logging.getLogger(__name__)


@asynccontextmanager
async def serving(config: Config, door: Door, health_port: int = 0) -> AsyncIterator[None]:
    """The station's health, on `health_port` where the settings name none; 0 serves none.

    If the port is taken, this is logged and the station runs without health.
    """
    port = health_port if config.health_port is None else config.health_port
    if not port:
        yield
        return
    from cnc_station.web.server import WebServer  # noqa: PLC0415 - aiohttp, where it is needed

    server = WebServer(door)
    try:
        await server.start(config.health_host, port)
    except Unavailable as error:
        log.error("%s", error)  # noqa: TRY400 - a sentence for a person, no trace
    try:
        yield
    finally:
        await server.stop()
