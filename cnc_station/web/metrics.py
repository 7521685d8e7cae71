"""`GET /metrics`: what Prometheus reads of this station, and how long its HTTP requests take."""

import ipaddress
import time
from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Handler

from cnc_station.engine.domain.distribution import Distribution
from cnc_station.engine.domain.errors import NotSignedOn
from cnc_station.engine.door import Door
from cnc_station.engine.queries import ScrapeMetrics, UsesAccounts
from cnc_station.web.authentication import bearer_token, origin_of

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Answers this computer and `networks`."""

    def __init__(self, door: Door, networks: Iterable[str] = ()) -> None:
        self._door = door
        self._networks = tuple(map(ipaddress.ip_network, networks))
        # By the template of the route: what a client writes into a path is not a label.
        self._took: dict[tuple[str, str, str], Distribution] = {}

    def add_to(self, app: web.Application) -> None:
        """Add the route, and measure all routes; before any other middleware is added."""
        app.middlewares.append(self._timed)
        app.router.add_get("/metrics", self._answer)

    @web.middleware
    async def _timed(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        begun, status = time.perf_counter(), 500
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            if "Upgrade" not in request.headers:  # a WebSocket takes as long as its client likes
                self._add(request, status, time.perf_counter() - begun)
        return response

    def _add(self, request: web.Request, status: int, seconds: float) -> None:
        resource = request.match_info.route.resource
        route = resource.canonical if resource else ""
        method = request.method if request.method in _METHODS else "other"
        of = (route, method, str(status))
        if (took := self._took.get(of)) is None:
            took = self._took[of] = Distribution.of(*_BOUNDS_S)
        took.add(seconds)

    async def _answer(self, request: web.Request) -> web.Response:
        door: Door | None = self._door
        if not self._may_read(request.remote):
            door = await self._of_token(request)
        if door is None:
            text = "Metrics are for this computer, the networks of CNC_METRICS_FROM, and tokens.\n"
            raise web.HTTPForbidden(text=text)
        open_metrics = "application/openmetrics-text" in request.headers.get("Accept", "")
        took = {of: one.copy() for of, one in self._took.items()}
        found = await door.ask(ScrapeMetrics(open_metrics, took))
        headers = {"Content-Type": found.media_type, "Cache-Control": "no-store"}
        return web.Response(body=found.content, headers=headers)

    async def _of_token(self, request: web.Request) -> Door | None:
        """Return the door of a bearer who sees the jobs of all tenants; None for others."""
        token = bearer_token(request)
        if token is None or not self._door.peek(UsesAccounts()):
            return None
        try:
            door, _ = await self._door.of_token(token, origin_of(request))
        except NotSignedOn:
            headers = {"WWW-Authenticate": "Bearer"}
            raise web.HTTPUnauthorized(text="This token is not valid.\n", headers=headers) from None
        return door if door.tenants is None else None

    def _may_read(self, remote: str | None) -> bool:
        try:
            address = ipaddress.ip_address(remote or "")
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return address.is_loopback or any(address in network for network in self._networks)
