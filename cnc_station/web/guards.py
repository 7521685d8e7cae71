"""Who may ask: from which computer, by which name, from which web pages, through which proxies.

Health is open to whoever reaches it. For all else: without accounts only this computer is answered.
A browser is answered only for pages that belong here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aiohttp import web
from aiohttp.typedefs import Handler

from cnc_station.addresses import is_loopback
from cnc_station.config import Config
from cnc_station.web.api.problems import Problem

OPEN_PATHS = frozenset({"/health", "/health/live", "/health/ready", "/api/v1/health", "/metrics"})
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_PORT = re.compile(r":\d*$")
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Trace-Id, "
        "traceparent"
    ),
    "Access-Control-Max-Age": "600",
}
_EXPOSED = (
    "ETag, Idempotency-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, X-Trace-Id"
)


@dataclass(frozen=True)
class Guards:
    """`hosts`: names for this station besides localhost. `origins`: of web pages that may use it;
    `*`: of all. `proxies`: addresses whose `X-Forwarded-For` and `-Proto` are believed."""

    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Config) -> "Guards":
        return cls(config.api_hosts, config.api_origins, config.api_proxies)

    def add_to(self, app: web.Application, accounts: Callable[[], bool] = lambda: False) -> None:
        """Check each request of an application. Those of its middlewares that were added before
        this answer the problems. With `accounts` other computers may ask too."""
        if self.proxies:
            app.middlewares.insert(0, self._behind_proxy)

        @web.middleware
        async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path not in OPEN_PATHS and not (is_local(request) or accounts()):
                raise Problem(403, "Without accounts, only this computer is answered.")
            return await self._checked(request, handler)

        app.middlewares.append(checked)
        app.on_response_prepare.append(self._share)

    @web.middleware
    async def _behind_proxy(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Take the client and the scheme that a trusted proxy names for those of the request."""
        if not self._is_proxy(request.remote or ""):
            return await handler(request)
        path = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        clients = [client.strip() for client in path if _is_address(client.strip())]
        client = next((one for one in reversed(clients) if not self._is_proxy(one)), None)
        scheme = request.headers.get("X-Forwarded-Proto", "").lower()
        return await handler(
            request.clone(
                remote=client or request.remote or "",
                scheme=scheme if scheme in {"http", "https"} else request.scheme,
            )
        )

    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN_PATHS:
            return await handler(request)
        self._check_host(request)
        self._check_origin(request)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return web.Response(status=204, headers=_PREFLIGHT)
        return await handler(request)

    def _check_host(self, request: web.Request) -> None:
        """Refuse a page of the web whose name was made to point at this computer."""
        named = request.headers.getall("Host", [""])
        if len(named) != 1 or not self._is_own(named[0]) or not self._is_own(request.host):
            raise Problem(421, "Ask for localhost: this station answers to no other name.")

    def _check_origin(self, request: web.Request) -> None:
        """Refuse what a foreign page makes a browser send."""
        origin = request.headers.get("Origin")
        own = f"{request.scheme}://{request.host}"
        if origin is None or origin == own or self._may_share(origin):
            return
        raise Problem(403, "Pages of this origin may not use the API: see api_origins.")

    async def _share(self, request: web.Request, response: web.StreamResponse) -> None:
        """Let a browser hand an answer to a page of another origin."""
        if not self.origins or request.path in OPEN_PATHS:
            return
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin", "")
        if not self._may_share(origin):
            return
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        if origin in self.origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
        else:
            response.headers["Access-Control-Allow-Origin"] = "*"

    def _may_share(self, origin: str) -> bool:
        return bool(origin) and (origin in self.origins or "*" in self.origins)

    def _is_own(self, host: str) -> bool:
        return _PORT.sub("", host).lower() in self._names

    def _is_proxy(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in one for one in self._networks)

    @cached_property
    def _names(self) -> frozenset[str]:
        return _LOCAL_NAMES | set(self.hosts)

    @cached_property
    def _networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(one) for one in self.proxies)


def is_local(request: web.Request) -> bool:
    """Whether a request came to an address that only this computer reaches."""
    transport = request.transport
    name = transport.get_extra_info("sockname") if transport is not None else None
    return name is not None and is_loopback(str(name[0]))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
