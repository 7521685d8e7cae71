"""Who a client is, and what it may see."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from cnc_station.engine.domain.errors import CncStationError, NotSignedOn
from cnc_station.engine.door import Door
from cnc_station.engine.queries import UsesAccounts
from cnc_station.web.authentication import here, origin_of


@dataclass(frozen=True, slots=True)
class Access:
    """The tenants whose jobs a client may see, None: all; and when its token ends (s since the
    epoch), None: never."""

    tenants: frozenset[str] | None = None
    expires_at: float | None = None


class TokenRefused(CncStationError):
    """The token is not valid."""


Identify = Callable[[str | None, web.Request], Awaitable[Access | None]]
"""Return the access of a client by its token; without a token None if it needs one. Raises
TokenRefused."""


def of_accounts(door: Door) -> Identify:
    """Identify the clients of a station by its accounts. Without them, every client of this
    computer may see everything, and there are no tokens."""

    async def identify(token: str | None, request: web.Request) -> Access | None:
        if not door.peek(UsesAccounts()):
            if token is not None:
                raise TokenRefused("This station has no accounts: connect without a token.")
            return Access()
        if token is None:
            return Access() if here(request) else None
        try:
            _, bearer = await door.of_token(token, origin_of(request))
        except NotSignedOn as error:
            raise TokenRefused(str(error)) from None
        return Access(bearer.principal.tenants, bearer.expires_at / 1000)

    return identify
