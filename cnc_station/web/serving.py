"""HTTP services according to the settings, while a station runs.

`api_host` and `api_port` are where the API, its page and health are served. `health_host` and
`health_port` are a second address for health alone, if they name another one. A port that is not
set is the other port; without both it is 8460 without a window, and off with one. A host of health
that is not set is that of the API.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnc_station.config import Config
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.door import Door

if TYPE_CHECKING:
    from cnc_station.web.certificate import Certificate

log = logging.getLogger(__name__)

_ALL = frozenset({"0.0.0.0", "::"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, and whether it serves the API or health alone."""

    host: str
    port: int
    api: bool


def addresses(config: Config, default_port: int = 0) -> Iterator[Address]:
    """Yield where something is served. One listener serves both where the ports are the same and
    the host of one includes the other's."""
    ports = (config.api_port, config.health_port)
    api_port = next((port for port in ports if port is not None), default_port)
    health_port = api_port if config.health_port is None else config.health_port
    api_host = config.api_host
    health_host = config.health_host or api_host
    if api_port == health_port and {api_host, health_host} & _ALL:
        api_host = health_host = api_host if api_host in _ALL else health_host
    if api_port:
        yield Address(api_host, api_port, api=True)
    if health_port and (api_host, api_port) != (health_host, health_port):
        yield Address(health_host, health_port, api=False)


@asynccontextmanager
async def serving(config: Config, door: Door, default_port: int = 0) -> AsyncIterator[None]:
    """Serve until the block ends. What can't be served is logged, and the station runs without
    it."""
    async with AsyncExitStack() as stack:
        found = tuple(addresses(config, default_port))
        if found:
            await _start(stack, config, door, found)
        yield


async def _start(
    stack: AsyncExitStack, config: Config, door: Door, found: tuple[Address, ...]
) -> None:
    from cnc_station.web.guards import Guards  # noqa: PLC0415 - aiohttp, where it is needed
    from cnc_station.web.server import WebServer  # noqa: PLC0415 - likewise

    if "*" in config.api_origins:
        log.warning("the API may be used by all web pages: api_origins is *")
    for address in found:
        server = WebServer(
            door, Guards.of(config), api=address.api, metrics_from=config.metrics_from
        )
        stack.push_async_callback(server.stop)
        try:
            certificate = await _certificate(stack, config) if address.api else None
            await server.start(address.host, address.port, certificate)
        except Unavailable as error:
            log.error("%s", error)  # noqa: TRY400 - a sentence for a person, no trace


async def _certificate(stack: AsyncExitStack, config: Config) -> "Certificate | None":
    if config.api_certificate is None or config.api_key is None:
        return None
    from cnc_station.web.certificate import Certificate  # noqa: PLC0415 - as above

    certificate = Certificate(config.api_certificate, config.api_key)
    await asyncio.to_thread(certificate.load)
    await stack.enter_async_context(certificate.renewed())
    return certificate
