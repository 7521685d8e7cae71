"""The station's one HTTP server: health for everybody it listens to, the API for this computer."""

import ipaddress
import logging

from aiohttp import web

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.door import Door
from cnc_station.web.api.application import MOST_BODY, add_api
from cnc_station.web.clients import Clients
from cnc_station.web.health import Health

log = logging.getLogger(__name__)


class WebServer:
    """Serves what `door` answers.

    The API has no accounts: whoever reaches it may do what the door's principal may. So it is
    served only where nobody but this computer reaches it.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._app = web.Application(client_max_size=MOST_BODY)
        Health(door).add_to(self._app)
        self._clients = Clients(self._app)

    async def start(self, host: str, port: int) -> int:
        """Listen. Return the port: the requested one, or a free one for 0. Raises Unavailable."""
        with_api = _is_loopback(host)
        if with_api:
            add_api(self._app, self._door)
        try:
            listening = await self._clients.start(host, port)
        except OSError as error:
            raise Unavailable(
                f"The station's health can't be served on {host}, port {port}: {error.strerror}. "
                "Choose another one with CNC_HEALTH_PORT and CNC_HEALTH_HOST."
            ) from error
        what = "health and the API are" if with_api else "health is"
        log.info("%s served on http://%s:%d", what, host, listening)
        return listening

    async def stop(self) -> None:
        await self._clients.stop()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
