"""Who asks over HTTP: the bearer of a token, where the shop uses accounts.

Without accounts every request has the rights of the server's own door. With them each request acts
as the account of its token, except for a few paths that are open, and for the board on this
computer.
"""

from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Handler

from cnc_station.engine.domain.errors import NotSignedOn
from cnc_station.engine.domain.principal import STATION
from cnc_station.engine.door import Door
from cnc_station.engine.queries import UsesAccounts
from cnc_station.web.guards import OPEN_PATHS, is_local

DOOR = web.RequestKey("door", Door)
_PREFIXES = ("/api/v1", "/api")
_PUBLIC = frozenset(
    {
        "/board",
        "/ws",  # its clients may send their token in a message
        *(
            f"{prefix}{path}"
            for prefix in _PREFIXES
            for path in ("/auth/login", "/openapi.json", "/docs", "/ws")
        ),
    }
)
_OF_THE_BOARD = frozenset(f"{prefix}/floor" for prefix in _PREFIXES)
_BEARER = "bearer "


class Authentication:
    """Puts the door of its principal into each request."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._viewer = door.of_principal(STATION)

    @property
    def in_use(self) -> bool:
        """Whether the shop uses accounts."""
        return self._door.peek(UsesAccounts())

    def add_to(self, app: web.Application) -> None:
        """Check each request of an application, behind the guards."""
        app.middlewares.append(self._authenticated)

    @web.middleware
    async def _authenticated(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in OPEN_PATHS:
            request[DOOR] = await self._door_of(request)
        return await handler(request)

    async def _door_of(self, request: web.Request) -> Door:
        """Raises NotSignedOn."""
        if not self.in_use:
            return self._door
        origin = origin_of(request)
        if request.path in _PUBLIC:
            return self._door.from_origin(origin)
        token = bearer_token(request)
        if token is not None:
            door, _ = await self._door.of_token(token, origin)
            return door
        if request.method in {"GET", "HEAD"} and request.path in _OF_THE_BOARD and here(request):
            return self._viewer
        raise NotSignedOn("Sign on first, and send the token with each request.")


def origin_of(request: web.Request) -> str:
    """Return from where a request comes, for the history."""
    return f"http {request.remote or ''}".strip()


def bearer_token(request: web.Request) -> str | None:
    """Return the token of a request; None without one."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    return header[len(_BEARER) :].strip() if header.lower().startswith(_BEARER) else header


def here(request: web.Request) -> bool:
    """Whether a request comes from this computer, and not through a proxy on it."""
    forwarded = {"Forwarded", "X-Forwarded-For"} & {name.title() for name in request.headers}
    if forwarded or not is_local(request):
        return False
    try:
        return ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
