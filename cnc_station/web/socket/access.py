"""Who a client is, and what it may see."""

from collections.abc import Callable
from dataclasses import dataclass

from cnc_station.engine.domain.errors import CncStationError


@dataclass(frozen=True, slots=True)
class Access:
    """The tenants whose jobs a client may see, None: all; and when its token ends (s since the
    epoch), None: never."""

    tenants: frozenset[str] | None = None
    expires_at: float | None = None


class TokenRefused(CncStationError):
    """The token is not valid."""


Identify = Callable[[str | None], Access | None]
"""Return the access of a client by its token; without a token None if it needs one. Raises
TokenRefused."""


def without_accounts(token: str | None) -> Access | None:
    """Every client of this computer may see everything, and there are no tokens."""
    if token is not None:
        raise TokenRefused("This station has no accounts: connect without a token.")
    return Access()
