"""Queries about tokens and tenants."""

from dataclasses import dataclass, field

from cnc_station.engine.queries.base import LiveQuery, Query
from cnc_station.engine.views.tokens import TenantRow, TokenBearer, TokenRow


@dataclass(frozen=True, slots=True)
class UsesAccounts(LiveQuery[bool]):
    """Whether the shop uses accounts."""


@dataclass(frozen=True, slots=True)
class BearerOf(Query[TokenBearer]):
    """Who acts with a token. Raises NotSignedOn for a token that is not valid, has expired or was
    revoked, and for an account that may not sign on any more."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListTokens(Query[tuple[TokenRow, ...]]):
    """Tokens that are accepted, of one account or of all, oldest first."""

    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class ListTenants(Query[tuple[TenantRow, ...]]):
    """Every tenant that was entered, by name."""
