"""The station's HTTP server: the API for this computer and for those with a token, metrics also for
the networks that are named, and health for everybody it listens to."""

import logging
from collections.abc import Iterable

from aiohttp import web

from cnc_station.addresses import is_loopback
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.principal import STATION
from cnc_station.engine.door import Door
from cnc_station.engine.queries import UsesAccounts
from cnc_station.web.api.application import MOST_BODY, PREFIX, add_api
from cnc_station.web.board import PATH as BOARD
from cnc_station.web.board import add_board
from cnc_station.web.certificate import Certificate
from cnc_station.web.clients import Clients
from cnc_station.web.guards import Guards
from cnc_station.web.health import Health
from cnc_station.web.metrics import Metrics
from cnc_station.web.socket.service import WebSockets

log = logging.getLogger(__name__)


class WebServer:
    """Serves what `door` answers; without `api` only health and metrics.

    Without accounts, whoever reaches the API may do what the door's principal may. So it answers
    only what comes to a loopback address, whatever else the server listens on. With accounts each
    request needs a token.
    """

    def __init__(
        self,
        door: Door,
        guards: Guards | None = None,
        *,
        api: bool = True,
        metrics_from: Iterable[str] = (),
    ) -> None:
        app = web.Application(client_max_size=MOST_BODY)
        station = door.of_principal(STATION)
        Metrics(station, metrics_from).add_to(app)
        Health(station).add_to(app)
        self._door, self._api = door, api
        if api:
            add_api(app, door, guards)
            WebSockets(door).add_to(app)
            add_board(app)
        self._clients = Clients(app)

    async def start(self, host: str, port: int, certificate: Certificate | None = None) -> int:
        """Listen. Return the port: the requested one, or a free one for 0. Raises Unavailable."""
        tls = certificate.context if certificate else None
        try:
            listening = await self._clients.start(host, port, tls)
        except OSError as error:
            what = "API" if self._api else "health"
            setting = "API" if self._api else "HEALTH"
            raise Unavailable(
                f"The station's {what} can't be served on {host}, port {port}: {error.strerror}. "
                f"Choose another one with CNC_{setting}_PORT and CNC_{setting}_HOST."
            ) from error
        self._log(f"{'https' if tls else 'http'}://{_shown(host)}:{listening}", host)
        return listening

    async def stop(self) -> None:
        """Stop listening, answer what is asked already, and end all connections."""
        await self._clients.stop()

    def _log(self, address: str, host: str) -> None:
        log.info("health is served on %s/health", address)
        if not self._api:
            return
        reach = _reach(host)
        if reach != "loopback" and self._door.peek(UsesAccounts()):
            log.info("the API is served on %s%s, to whoever has a token", address, PREFIX)
            if address.startswith("http:"):
                log.warning(
                    "passwords and tokens go over the network in clear text: set api_certificate"
                )
        elif reach == "all":
            log.info("the API is served on %s%s, to this computer only", address, PREFIX)
        elif reach == "loopback":
            log.info("the API is served on %s%s, the board on %s", address, PREFIX, BOARD)
        else:
            log.warning(
                "the API is not served on %s: it has no accounts, so it answers this computer only."
                " Choose CNC_API_HOST=127.0.0.1",
                address,
            )


def _reach(host: str) -> str:
    if host in {"0.0.0.0", "::"}:
        return "all"
    try:
        return "loopback" if host == "localhost" or is_loopback(host) else "network"
    except ValueError:
        return "network"


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
